"""Alerts of incidents in DynamoDB: what each says, which incident holds it, and how many came."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from secrets import randbelow
from typing import TYPE_CHECKING, Any

from incident_squad.adapters.dynamodb_items import (
    CLAIM,
    META,
    NUMBERS,
    PARTITION,
    SORT,
    TIME_TO_LIVE,
    Item,
    alert_sort,
    attributes,
    claim_key,
    decode,
    encode,
    firing_sort,
    incident_key,
    restored,
    stored,
    tally_key,
)
from incident_squad.adapters.dynamodb_table import Cancelled, ConditionFailed, DynamoTable
from incident_squad.adapters.records import Attached, plain
from incident_squad.domain.alert import Alert, AlertStatus
from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.incident import Incident
from incident_squad.domain.outcome import Cause, Count, OutcomeKind, added
from incident_squad.domain.values import Severity, iso
from incident_squad.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SHARDS = 128
"""Over how many items a day's counters are spread: writers of one item wait for each other."""

_FREE = "attribute_not_exists(#PK) OR #until <= :now"
_NEW = "attribute_not_exists(#PK)"
_NOT_OLDER = "attribute_not_exists(#received_at) OR #received_at <= :received_at"
_WORSE = (
    "attribute_exists(#PK) AND"
    " (attribute_not_exists(#stated_severity) OR #stated_severity > :worse)"
)
# Severities sort by their number: SEV2 is greater than SEV1, and less bad.
_RAISED = f"{_WORSE} AND #severity > :worse"
_TALLIES_KEPT = timedelta(days=400)
_PARTS = "__"
_SHARD = "SHARD#"


class DynamoAlerts:
    """The part of `IncidentStore` that is about alerts."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._table = DynamoTable(client, table, clock)
        self._clock = clock

    def open(
        self, incident: Incident, alert: Alert, claim_until: datetime, counts: Sequence[Count] = ()
    ) -> str:
        """Create incident, first alert and claim, and count; gives the holder of the key."""
        now = iso(self._clock.now())
        writes = [
            self._table.put_write(_claim(alert.key, incident.id, claim_until), _FREE, now=now),
            self._table.put_write(_head(incident), _NEW),
            self._table.put_write(_opening(incident.id, alert), _NEW),
            *self._beside(incident.id, alert, counts),
        ]
        try:
            self._table.transact(writes)
        except Cancelled as cancelled:
            holder = self.holder_of(alert.key) if 0 in cancelled.failed else None
            if holder is None:
                raise TransientFailure(f"the id {incident.id} is taken") from cancelled
            return holder
        return incident.id

    def state_severity(self, incident_id: str, severity: Severity) -> bool:
        """Note how bad an alert says it is; True when that raised the incident's severity."""
        key, worse = (incident_key(incident_id), META), severity.value
        stated = {"stated_severity": worse}
        try:
            self._table.update(key, {**stated, "severity": worse}, _RAISED, worse=worse)
        except ConditionFailed:
            with suppress(ConditionFailed):
                self._table.update(key, stated, _WORSE, worse=worse)
            return False
        return True

    def attach(self, incident_id: str, alert: Alert, counts: Sequence[Count] = ()) -> None:
        """Store an alert, or its newer state: an older one never replaces it; and count it."""
        write = self._table.update_write(
            (incident_key(incident_id), alert_sort(alert.key)),
            stored(alert),
            _NOT_OLDER,
            once={"first_at": iso(alert.received_at)},
            received_at=iso(alert.received_at),
        )
        try:
            self._table.transact([write, *self._beside(incident_id, alert, counts)])
        except Cancelled:
            self.count(counts)

    def alert(self, incident_id: str, key: str) -> Alert | None:
        """The last state of one of its alerts, or None."""
        item = self._table.get(incident_key(incident_id), alert_sort(key))
        return restored(Alert, item) if item else None

    def alerts(self, incident_id: str, limit: int | None = None) -> Sequence[Alert]:
        """Its alerts, the first one first; with a limit, the first one and some of the others."""
        items = self._table.query(incident_key(incident_id), "ALERT#", page=limit or 0)
        found = {str(decode(item[SORT])): item for item in islice(items, limit)}
        if limit is not None and len(found) == limit:
            found = {**dict(self._opening_item(incident_id)), **found}
        attached = [
            Attached(restored(Alert, item), str(decode(item["first_at"])), "opening" in item)
            for item in found.values()
        ]
        return tuple(one.alert for one in sorted(attached, key=lambda a: a.order)[:limit])

    def still_firing(self, incident_id: str) -> bool:
        """Whether one of its alerts fires."""
        found = self._table.query(incident_key(incident_id), "FIRING#", page=1)
        return next(found, None) is not None

    def number(self, incident_id: str, what: str) -> int:
        """The next number of something that happens to an incident, from 1."""
        return int(decode(self._table.add((incident_key(incident_id), NUMBERS), {what: 1})[what]))

    def count(self, counts: Sequence[Count]) -> None:
        """Count alerts, for today."""
        numbers = _numbers(counts)
        if numbers:
            self._table.add(self._tally(), numbers, **self._lifetime())

    def counted(self, day: str) -> Sequence[Count]:
        """What became of the alerts of a day, by source, outcome and cause."""
        items = self._table.query(tally_key(day), _SHARD)
        return added([count for item in items for count in _counts(item)])

    def claim(self, key: str, incident_id: str, until: datetime) -> str:
        """Bind a key unless another incident holds it; the holder itself prolongs its claim."""
        item = _claim(key, incident_id, until)
        condition = f"{_FREE} OR #incident_id = :incident_id"
        try:
            self._table.put(item, condition, now=iso(self._clock.now()), incident_id=incident_id)
        except ConditionFailed as failed:
            there = failed.item or self._table.get(claim_key(key), CLAIM)
            if there is None:
                raise TransientFailure("the claim was released at this very moment") from None
            return str(decode(there["incident_id"]))
        return incident_id

    def holder_of(self, key: str) -> str | None:
        """The incident that holds the key, or None; a claim that ran out is none."""
        item = self._table.get(claim_key(key), CLAIM)
        if item is None or str(decode(item["until"])) <= iso(self._clock.now()):
            return None
        return str(decode(item["incident_id"]))

    def release(self, key: str, incident_id: str) -> None:
        """Free a key that this incident holds."""
        try:
            self._table.delete(
                claim_key(key), CLAIM, "#incident_id = :incident_id", incident_id=incident_id
            )
        except ConditionFailed:
            return

    def _beside(self, incident_id: str, alert: Alert, counts: Sequence[Count]) -> list[Any]:
        """What is written together with an alert: that it fires, and that it is counted."""
        place = (incident_key(incident_id), firing_sort(alert.key))
        writes = []
        if alert.status.failing:
            item = attributes({PARTITION: place[0], SORT: place[1]})
            writes.append(self._table.put_write(item, ""))
        elif alert.status is AlertStatus.RESOLVED:
            writes.append(self._table.delete_write(*place))
        numbers = _numbers(counts)
        if numbers:
            writes.append(self._table.add_write(self._tally(), numbers, **self._lifetime()))
        return writes

    def _opening_item(self, incident_id: str) -> Iterator[tuple[str, Item]]:
        head = self._table.get(incident_key(incident_id), META)
        if head is not None and "opening_key" in head:
            sort = alert_sort(str(decode(head["opening_key"])))
            item = self._table.get(incident_key(incident_id), sort)
            if item is not None:
                yield sort, item

    def _tally(self) -> tuple[str, str]:
        day = self._clock.now().astimezone(UTC).strftime("%Y%m%d")
        return tally_key(day), f"{_SHARD}{randbelow(SHARDS):03d}"

    def _lifetime(self) -> dict[str, Any]:
        return {TIME_TO_LIVE: math.ceil((self._clock.now() + _TALLIES_KEPT).timestamp())}


def _numbers(counts: Sequence[Count]) -> dict[str, int]:
    return {
        _PARTS.join((count.source, count.outcome, count.cause)): count.number
        for count in added(counts)
    }


def _counts(item: Item) -> Iterator[Count]:
    for name, number in item.items():
        parts = name.split(_PARTS)
        if len(parts) == 3:  # noqa: PLR2004 - source, outcome and cause
            source, outcome, cause = parts
            yield Count(
                source=source,
                outcome=OutcomeKind(outcome),
                cause=Cause(cause),
                number=int(decode(number)),
            )


def _item(incident_id: str, sort: str, fields: Mapping[str, Any]) -> Item:
    return attributes({PARTITION: incident_key(incident_id), SORT: sort, **fields})


def _head(incident: Incident) -> Item:
    # `id` and `kind` are what puts the incident into the indexes.
    return _item(incident.id, META, {**plain(incident), "kind": "incident", "chain_count": 0})


def _opening(incident_id: str, alert: Alert) -> Item:
    extras = {"first_at": iso(alert.received_at), "opening": True}
    return _item(incident_id, alert_sort(alert.key), {**stored(alert), **extras})


def _claim(key: str, incident_id: str, until: datetime) -> Item:
    # DynamoDB deletes by `ttl` in its own time, so `until` is what counts.
    fields = {"incident_id": incident_id, "until": iso(until)}
    lifetime = {TIME_TO_LIVE: encode(math.ceil(until.timestamp()))}
    return attributes({PARTITION: claim_key(key), SORT: CLAIM, **fields}) | lifetime
