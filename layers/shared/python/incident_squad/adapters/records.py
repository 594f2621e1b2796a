"""What every store agrees on, whatever it is built on: order, cursors, copies, valid changes."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from incident_squad.domain.alert import Alert
from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.evidence import Evidence
from incident_squad.domain.incident import Incident
from incident_squad.domain.timeline import TimelineEvent, chain_problems
from incident_squad.domain.update import StatusUpdate, UpdateKind, UpdateState
from incident_squad.ports import IncidentQuery

V = TypeVar("V", bound=BaseModel)

HUMAN_DECISIONS = frozenset({ApprovalStatus.APPROVED, ApprovalStatus.REJECTED})
"""Decisions that come too late once the request has expired; expiring and voiding never do."""

EXCERPT = 50_000
"""Characters of rows, and of detail, that are kept of one observation."""

_INCIDENT_ID = re.compile(r"INC-\d{8}-[0-9A-HJKMNP-TV-Z]{5,8}")
_STATES = {state: place for place, state in enumerate(UpdateState)}
_SOMETHING = {
    "id": "INC-20000101-00000",
    "title": "",
    "source": "",
    "opened_at": "2000-01-01T00:00:00Z",
    "updated_at": "2000-01-01T00:00:00Z",
}


class Attached(NamedTuple):
    """An alert with its place among an incident's alerts."""

    alert: Alert
    first_at: str
    opening: bool

    @property
    def order(self) -> tuple[bool, str, str]:
        """The alert that opened the incident, then the others as they first came."""
        return not self.opening, self.first_at, alert_digest(self.alert.key)


def updates_in_order(updates: Iterable[StatusUpdate]) -> tuple[StatusUpdate, ...]:
    """What was said, in the order of its numbers, and then the drafts that still count.

    A draft counts until its state is announced, or a newer draft takes its place.
    """
    by_time = sorted(updates, key=lambda update: (update.at, _STATES[update.state]))
    said = sorted((u for u in by_time if u.published or u.number), key=lambda u: u.number)
    announced = {update.state for update in said if update.kind is UpdateKind.STATE}
    drafts = {u.state: u for u in by_time if not (u.published or u.number)}
    open_drafts = (draft for state, draft in drafts.items() if state not in announced)
    return (*said, *sorted(open_drafts, key=lambda draft: (draft.at, _STATES[draft.state])))


def alert_digest(key: str) -> str:
    """An alert's key in a form that any store can sort by."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def plain(value: BaseModel) -> dict[str, Any]:
    """The value as JSON data, exactly as it would come back from a store."""
    return dict(plain_mapping(value.model_dump(mode="json")))


def plain_mapping(content: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy that is nothing but JSON; raises TypeError for what JSON can't hold."""
    copied: dict[str, Any] = json.loads(json.dumps(content))
    return copied


def copy_of(value: V) -> V:
    """A copy that shares nothing with the original, as if it had been stored and read."""
    return type(value).model_validate(plain(value))


def valid_changes(fields: Mapping[str, object]) -> dict[str, Any]:
    """Fields of an incident as JSON data; raises InvalidParameter on unknown or bad ones.

    The incident itself is not needed, so that two writers of different fields never meet.
    """
    if "id" in fields:
        raise InvalidParameter("an incident keeps its id")
    try:
        probe = Incident.model_validate({**_SOMETHING, **fields})
    except ValidationError as error:
        raise InvalidParameter(f"an incident can't be changed like this: {error}") from error
    return probe.model_dump(mode="json", include=set(fields))


def bounded(evidence: Evidence) -> Evidence:
    """The evidence with no more rows and detail than an excerpt needs: stores have limits."""
    rows, size = 0, 0
    for row in evidence.rows:
        size += sum(len(name) + len(text) for name, text in row.items())
        if size > EXCERPT:
            break
        rows += 1
    kept = {"rows": evidence.rows[:rows], "detail": evidence.detail[:EXCERPT]}
    return evidence.model_copy(update=kept)


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """A sort key that puts `E10` after `E9`."""
    parts = re.findall(r"\d+|\D+", text)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)


def cursor_after(incident: Incident) -> str:
    """The opaque cursor of the page that starts below this incident."""
    return base64.urlsafe_b64encode(incident.id.encode()).rstrip(b"=").decode()


def id_bounds(query: IncidentQuery) -> tuple[str, str]:
    """The lowest and the highest id that a page may hold, both included.

    The lower bound can lie above the upper one: then the page is empty. Raises InvalidParameter
    when the cursor is not one of ours.
    """
    low = f"INC-{query.first or ''}"
    high = f"INC-{query.last or '99999999'}-~"
    if query.after is not None:
        high = min(high, _just_below(_id_of_cursor(query.after)))
    return low, high


def wanted(incident: Incident, query: IncidentQuery) -> bool:
    """Whether an incident passes the filters of a query (days and cursor apart)."""
    asked = {
        "status": query.status,
        "service": query.service,
        "severity": query.severity,
        "type": query.type,
    }
    if query.open_only and not incident.status.open:
        return False
    return all(value is None or getattr(incident, name) == value for name, value in asked.items())


def refusal(approval: Approval | None) -> str:
    """Why a decision about this stored request does not count, in words for people."""
    if approval is None:
        return "there is no such request for approval"
    if approval.status is ApprovalStatus.PENDING:
        return "the request has expired, or the plan is not the one that was shown"
    who = f" by {approval.decided_by}" if approval.decided_by else ""
    return f"the request was already decided: {approval.status}{who}"


def sound(events: list[TimelineEvent], *, head: str | None, count: int) -> tuple[str, ...]:
    """What is wrong with a stored chain; a head that is missing counts as a wrong one."""
    return tuple(chain_problems(events, head=head or "", count=count))


def _id_of_cursor(cursor: str) -> str:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidParameter("the cursor is not one of ours") from error
    if not _INCIDENT_ID.fullmatch(text):
        raise InvalidParameter("the cursor is not one of ours")
    return text


def _just_below(incident_id: str) -> str:
    # No id holds a tilde, and every character of an id sorts before it.
    return f"{incident_id[:-1]}{chr(ord(incident_id[-1]) - 1)}~"
