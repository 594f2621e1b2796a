"""Who is paged next when nobody says that they are on it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.timeline import ActorKind, TimelineEvent
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import Severity, Value
from incident_squad.policy.notification import owners

ACKNOWLEDGED = "Acknowledged"
ESCALATED = "Escalated"
LEVELS = 4
"""Pages after the first one; then everybody who could be told has been told."""

_PAGES = frozenset({"OnCallNotified", "HandedOver"})


class Escalation(Value):
    """One more page. `level` counts from 1; `since` is the page that nobody answered."""

    level: int
    recipients: tuple[str, ...]
    since: datetime


def escalation(
    events: Sequence[TimelineEvent], triage: Triage, catalog: Catalog, now: datetime
) -> Escalation | None:
    """The page that is due, or None: somebody is on it, nobody was woken, or it is too early.

    Level 1 pages everyone on call of the owning teams, the levels after it the VP Engineering too.
    """
    if triage.severity not in {Severity.SEV1, Severity.SEV2}:
        return None
    page = next((event for event in reversed(events) if event.event in _PAGES), None)
    if page is None or acknowledged(events, page.n):
        return None
    level = 1 + sum(event.event == ESCALATED and event.n > page.n for event in events)
    due = page.at + level * timedelta(minutes=catalog.policies.escalate_after_minutes)
    if level > LEVELS or now < due:
        return None
    return Escalation(level=level, recipients=_recipients(level, triage, catalog), since=page.at)


def standing(
    events: Sequence[TimelineEvent], triage: Triage, catalog: Catalog
) -> Escalation | None:
    """The page that went furthest since people were woken last, while nobody has answered it."""
    page = next((event for event in reversed(events) if event.event in _PAGES), None)
    if page is None or acknowledged(events, page.n):
        return None
    further = [event for event in events if event.event == ESCALATED and event.n > page.n]
    if not further:
        return None
    level = int(further[-1].data["level"])
    return Escalation(level=level, recipients=_recipients(level, triage, catalog), since=page.at)


def on_it(events: Sequence[TimelineEvent]) -> bool:
    """Whether a human is on it since the last page, or at all when there was none."""
    return acknowledged(events, last_page(events))


def who_is_on_it(events: Sequence[TimelineEvent]) -> str:
    """Who said or showed it first since the last page; empty when nobody did."""
    after = last_page(events)
    said = (event for event in events if event.n > after and _answers(event))
    return next((event.actor.name for event in said), "")


def last_page(events: Sequence[TimelineEvent]) -> int:
    """The number of the event that woke people last; 0 when none did."""
    return next((event.n for event in reversed(events) if event.event in _PAGES), 0)


def acknowledged(events: Sequence[TimelineEvent], after: int = 0) -> bool:
    """Whether a human has said or shown, after event number `after`, that they are on it."""
    return any(event.n > after and _answers(event) for event in events)


def _answers(event: TimelineEvent) -> bool:
    decided = event.event == "ApprovalDecided" and event.actor.kind is ActorKind.HUMAN
    return event.event == ACKNOWLEDGED or decided


def _recipients(level: int, triage: Triage, catalog: Catalog) -> tuple[str, ...]:
    names = [name for team in owners(triage, catalog) for name in catalog.teams[team].on_call]
    names += [catalog.vp_engineering] if level > 1 else []
    return tuple(dict.fromkeys(catalog.people[name].email for name in names))
