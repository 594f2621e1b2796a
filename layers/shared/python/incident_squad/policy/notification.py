"""Who is told, and the pager card: from the severity and the catalogue alone, before any model."""

from datetime import datetime

from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Catalog, Tier
from incident_squad.domain.incident import Incident
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import Environment, IncidentType, Severity, Value

CHANNEL = "#incidents"
CARD_LENGTH = 500
_LINE = 98


class Audience(Value):
    """Whom a new incident concerns. `page` wakes people, `channel` only informs; both may be empty.

    Nobody at all means: the timeline is enough.
    """

    page: tuple[str, ...] = ()
    channel: str | None = None

    @property
    def recipients(self) -> tuple[str, ...]:
        """E-mail addresses and #channels."""
        return (*self.page, *((self.channel,) if self.channel else ()))


def audience(triage: Triage, catalog: Catalog) -> Audience:
    """Who is told at once.

    SEV1: everyone on call of the owning team, and the VP Engineering. SEV2: the primary on call.
    SEV3: the channel. SEV4: nobody. Of a service that the catalogue does not know, every team
    could be the owner. Security incidents also reach the team `security`, if there is one.
    """
    if triage.severity is Severity.SEV4:
        return Audience()
    if triage.severity is Severity.SEV3:
        return Audience(channel=CHANNEL)
    everyone = triage.severity is Severity.SEV1
    names: list[str] = []
    for team in owners(triage, catalog):
        on_call = catalog.teams[team].on_call
        names += on_call if everyone else on_call[:1]
    names += [catalog.vp_engineering] if everyone else []
    people = (catalog.people[name] for name in names)
    return Audience(page=tuple(dict.fromkeys(person.email for person in people)))


def concerns_customers(triage: Triage | None, catalog: Catalog) -> bool:
    """Whether customers may notice anything; otherwise public text says that none is expected."""
    if triage is None:
        return True
    service = catalog.services.get(triage.service or "")
    inside = service is not None and service.tier in {Tier.INTERNAL, Tier.NON_PRODUCTION}
    harmless = triage.noise or triage.impact.noise or triage.severity is Severity.SEV4
    elsewhere = triage.impact.non_production or triage.environment is not Environment.PRODUCTION
    return not (inside or harmless or elsewhere)


def pager_card(incident: Incident, alert: Alert | None, triage: Triage, now: datetime) -> str:
    """Five lines, at most 500 characters: what, where, since, impact, next."""
    lines = (
        f"What: {triage.severity.value} {triage.type.value}: {incident.title}",
        f"Where: {_where(triage, alert)}",
        f"Since: {_since(incident, alert, now)}",
        f"Impact: {impact_in_words(triage)}",
        f"Next: the {triage.type.value} specialist is looking into it ({incident.id})",
    )
    return "\n".join(_short(line, _LINE) for line in lines)[:CARD_LENGTH]


def impact_in_words(triage: Triage) -> str:
    """The effect that the alert states, for colleagues."""
    impact = triage.impact
    if triage.noise or impact.noise:
        return "none expected: a test or a false alarm"
    parts = [_share(impact.affected_percent, impact.affected_what)]
    parts += ["outage"] if impact.outage else ["degraded"] if impact.degraded else []
    parts += ["revenue at stake"] if impact.revenue else []
    parts += ["confirmed compromise"] if impact.confirmed_compromise else []
    parts += ["data accessed"] if impact.data_accessed else []
    return ", ".join(part for part in parts if part) or "not stated by the alert"


def owners(triage: Triage, catalog: Catalog) -> tuple[str, ...]:
    """The teams whose incident it is; every team, when nobody knows."""
    service = catalog.services.get(triage.service or "")
    owners = (service.owner,) if service else tuple(catalog.teams)
    security = triage.type is IncidentType.SECURITY and "security" in catalog.teams
    return (*owners, "security") if security and "security" not in owners else owners


def _where(triage: Triage, alert: Alert | None) -> str:
    resource = alert.resource if alert else None
    names = [triage.service or "unknown service", *([resource] if resource else [])]
    return f"{', '.join(names)} ({triage.environment.value})"


def _since(incident: Incident, alert: Alert | None, now: datetime) -> str:
    start = (alert.started_at if alert else None) or incident.opened_at
    minutes = max(0, round((now - start).total_seconds() / 60))
    return f"{start:%H:%M} UTC ({minutes} min ago)"


def _share(percent: float | None, what: str | None) -> str:
    return "" if percent is None else f"{percent:g}% of {what or 'users'}"


def _short(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
