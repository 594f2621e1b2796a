"""Who is told, and the pager card: from the severity and the catalogue alone, before any model."""

from collections.abc import Mapping
from datetime import datetime

from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Catalog, Language, Tier
from incident_squad.domain.incident import Incident
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import Environment, IncidentType, Severity, Value

CHANNEL = "#incidents"
CARD_LENGTH = 500
_LINE = 98
_TYPES: Mapping[Language, Mapping[IncidentType, str]] = {
    "en": {kind: kind.value for kind in IncidentType},
    "fr": {
        IncidentType.DATABASE: "base de données",
        IncidentType.NETWORK: "réseau",
        IncidentType.APPLICATION: "application",
        IncidentType.SECURITY: "sécurité",
    },
}
_CARD: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "what": "What: {severity} {kind}: {title}",
        "where": "Where: {place}",
        "since": "Since: {since}",
        "ago": "{lasted} ago",
        "impact": "Impact: {impact}",
        "next": "Next: the {kind} specialist is looking into it ({incident})",
        "unknown": "unknown service",
    },
    "fr": {
        "what": "Quoi : {severity} {kind} : {title}",
        "where": "Où : {place}",
        "since": "Depuis : {since}",
        "ago": "il y a {lasted}",
        "impact": "Impact : {impact}",
        "next": "Suite : le spécialiste {kind} examine ({incident})",
        "unknown": "service inconnu",
    },
}
_IMPACT: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "none": "none expected: a test or a false alarm",
        "share": "{percent:g}% of {what}",
        "users": "users",
        "outage": "outage",
        "degraded": "degraded",
        "revenue": "revenue at stake",
        "compromise": "confirmed compromise",
        "accessed": "data accessed",
        "unstated": "not stated by the alert",
    },
    "fr": {
        "none": "aucun attendu : un test ou une fausse alerte",
        "share": "{percent:g} % ({what})",
        "users": "utilisateurs",
        "outage": "panne",
        "degraded": "service dégradé",
        "revenue": "chiffre d'affaires en jeu",
        "compromise": "compromission confirmée",
        "accessed": "données consultées",
        "unstated": "non précisé par l'alerte",
    },
}


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
    broken_in = triage.type is IncidentType.SECURITY and triage.severity is Severity.SEV1
    if broken_in and not (harmless or elsewhere):
        return True  # also where no customer goes: their data may have been there
    return not (inside or harmless or elsewhere)


def pager_card(
    incident: Incident,
    alert: Alert | None,
    triage: Triage,
    now: datetime,
    language: Language = "en",
) -> str:
    """Five lines, at most 500 characters: what, where, since, impact, next."""
    say = _CARD[language]
    kind = _TYPES[language][triage.type]
    lines = (
        say["what"].format(severity=triage.severity.value, kind=kind, title=_what(incident, alert)),
        say["where"].format(place=_where(triage, alert, say["unknown"])),
        say["since"].format(since=_since(incident, alert, now, say["ago"])),
        say["impact"].format(impact=impact_in_words(triage, language)),
        say["next"].format(kind=kind, incident=incident.id),
    )
    return "\n".join(_short(line, _LINE) for line in lines)[:CARD_LENGTH]


def impact_in_words(triage: Triage, language: Language = "en") -> str:
    """The effect that the alert states, for colleagues."""
    impact, say = triage.impact, _IMPACT[language]
    if triage.noise or impact.noise:
        return say["none"]
    parts = [_share(impact.affected_percent, impact.affected_what, say)]
    parts += [say["outage"]] if impact.outage else [say["degraded"]] if impact.degraded else []
    parts += [say["revenue"]] if impact.revenue else []
    parts += [say["compromise"]] if impact.confirmed_compromise else []
    parts += [say["accessed"]] if impact.data_accessed else []
    return ", ".join(part for part in parts if part) or say["unstated"]


def owners(triage: Triage, catalog: Catalog) -> tuple[str, ...]:
    """The teams whose incident it is; every team, when nobody knows."""
    service = catalog.services.get(triage.service or "")
    owners = (service.owner,) if service else tuple(catalog.teams)
    security = triage.type is IncidentType.SECURITY and "security" in catalog.teams
    return (*owners, "security") if security and "security" not in owners else owners


def _what(incident: Incident, alert: Alert | None) -> str:
    """The title; one that is only a name (`queue-age`) with the first words of the description."""
    title = " ".join(incident.title.split())
    told = " ".join(alert.description.split()) if alert else ""
    return f"{title}: {told}" if " " not in title and told and told != title else title


def _where(triage: Triage, alert: Alert | None, unknown: str) -> str:
    service, resource = triage.service or unknown, alert.resource if alert else None
    names = [service, *([resource] if resource and resource != service else [])]
    return f"{', '.join(names)} ({triage.environment.value})"


def _since(incident: Incident, alert: Alert | None, now: datetime, ago: str) -> str:
    start = (alert.started_at if alert else None) or incident.opened_at
    minutes = max(0, round((now - start).total_seconds() / 60))
    hours, rest = divmod(minutes, 60)
    lasted = f"{hours} h {rest:02d} min" if hours else f"{minutes} min"
    day = "" if start.date() == now.date() else f"{start:%Y-%m-%d} "
    return f"{day}{start:%H:%M} UTC ({ago.format(lasted=lasted)})"


def _share(percent: float | None, what: str | None, say: Mapping[str, str]) -> str:
    return (
        "" if percent is None else say["share"].format(percent=percent, what=what or say["users"])
    )


def _short(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
