"""The timeline in DynamoDB: each event and the head of the chain are written together."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from incident_squad.adapters.dynamodb_items import (
    META,
    PARTITION,
    SORT,
    Item,
    attributes,
    decode,
    incident_key,
    restored,
    stored,
)
from incident_squad.adapters.dynamodb_table import Cancelled, DynamoTable, pause
from incident_squad.adapters.records import sound
from incident_squad.domain.errors import (
    AuditFailure,
    InvalidConfiguration,
    TransientFailure,
    UnknownIncident,
)
from incident_squad.domain.timeline import GENESIS, Entry, TimelineEvent, seal
from incident_squad.domain.values import as_utc, iso
from incident_squad.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RACES = 40
"""How often an append may lose against others before it gives up: each loss is another's win."""

_TAIL = 25
_PREFIX = "EVT#"


class _Head(NamedTuple):
    """The end of a chain, as it is kept with the incident."""

    length: int
    hash: str | None
    at: str | None

    def next_moment(self, now: datetime) -> datetime:
        # Two clocks may disagree by a little; the order of events never does.
        last = datetime.fromisoformat(self.at) if self.at else now
        return as_utc(max(last, now))


class DynamoTimeline:
    """Implements `Timeline`."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._table = DynamoTable(client, table, clock)
        self._clock = clock

    def append(self, incident_id: str, entry: Entry) -> TimelineEvent:
        """Write an event; raises AuditFailure.

        An event never carries an earlier time than the one before it.
        """
        written = self._race(incident_id, entry, lambda: False)
        if written is None:
            raise AuditFailure(f"the timeline of {incident_id} can't be written")
        return written

    def append_once(
        self, incident_id: str, entry: Entry, known: Callable[[TimelineEvent], bool]
    ) -> TimelineEvent | None:
        """Write an event unless one is there that is `known`; raises AuditFailure."""
        return self._race(
            incident_id, entry, lambda: any(known(event) for event in self.read(incident_id))
        )

    def _race(
        self, incident_id: str, entry: Entry, there: Callable[[], bool]
    ) -> TimelineEvent | None:
        try:
            for attempt in range(RACES):
                # The head is read first: what comes after this look makes the write fail.
                event = self._sealed(incident_id, entry)
                if there():
                    return None
                if self._won(incident_id, event):
                    return event
                pause(self._clock, attempt)
        except (UnknownIncident, TransientFailure, InvalidConfiguration, ValueError) as error:
            raise AuditFailure(f"the timeline of {incident_id} can't be written") from error
        raise AuditFailure(f"the timeline of {incident_id} is too busy")

    def read(self, incident_id: str, after: int = 0) -> Sequence[TimelineEvent]:
        """Events in order, those after number `after`.

        An event that can't be read any more is left out here and told by `problems`.
        """
        page = _TAIL if after else 0
        newest = self._table.query(incident_key(incident_id), _PREFIX, newest_first=True, page=page)
        wanted = [*takewhile(lambda item: _place(item) > after, newest)]
        return tuple(_readable(reversed(wanted)))

    def problems(self, incident_id: str) -> Sequence[str]:
        """What is wrong with the chain; raises UnknownIncident."""
        head = self._head(incident_id)
        items = [*self._table.query(incident_key(incident_id), _PREFIX)]
        events = [*_readable(items)]
        unreadable = len(items) - len(events)
        told = (f"{unreadable} events can't be read any more",) if unreadable else ()
        return (*told, *sound(events, head=head.hash, count=head.length))

    def _sealed(self, incident_id: str, entry: Entry) -> TimelineEvent:
        head = self._head(incident_id)
        at = head.next_moment(self._clock.now())
        return seal(entry, n=head.length + 1, at=at, prev=head.hash or GENESIS)

    def _won(self, incident_id: str, event: TimelineEvent) -> bool:
        partition = incident_key(incident_id)
        sort = f"{_PREFIX}{iso(event.at)}#{event.n:06d}"
        head = {"chain_count": event.n, "chain_head": event.hash, "chain_at": iso(event.at)}
        writes = [
            self._table.update_write(
                (partition, META), head, "#chain_count = :before", before=event.n - 1
            ),
            self._table.put_write(
                attributes({PARTITION: partition, SORT: sort, **stored(event)}),
                "attribute_not_exists(#PK)",
            ),
        ]
        try:
            self._table.transact(writes)
        except Cancelled:
            return False
        return True

    def _head(self, incident_id: str) -> _Head:
        item = self._table.get(incident_key(incident_id), META)
        if item is None:
            raise UnknownIncident(f"there is no incident {incident_id}")
        names = ("chain_count", "chain_head", "chain_at")
        count, digest, at = (decode(item[name]) if name in item else None for name in names)
        return _Head(count or 0, digest, at)


def _place(item: Item) -> int:
    return int(str(decode(item[SORT])).rpartition("#")[2])


def _readable(items: "Iterator[Item] | Sequence[Item]") -> Iterator[TimelineEvent]:
    for item in items:
        try:
            yield restored(TimelineEvent, item)
        except ValidationError:
            continue
