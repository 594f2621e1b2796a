"""The spend ledger in the table: one item an incident, one an hour.

A reservation is two conditional writes. When the second cap is reached the first write is taken
back; a crash between them leaves money reserved that nobody spends, which errs on the safe side.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from incident_squad.adapters.dynamodb_items import (
    PARTITION,
    SORT,
    TIME_TO_LIVE,
    Item,
    attributes,
    decode,
    encode,
    incident_key,
)
from incident_squad.adapters.dynamodb_table import TRIES, ConditionFailed, DynamoTable, pause
from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.model import Spend
from incident_squad.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SPEND = "SPEND"
_KEPT = timedelta(days=2)
_FIELDS = ("micro_usd", "tokens", "calls")

Key = tuple[str, str]


class DynamoLedger:
    """Implements `Ledger`."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._table = DynamoTable(client, table, clock)
        self._clock = clock

    def reserve(self, incident_id: str, most: int, per_incident: int, per_hour: int) -> bool:
        """Set aside the most that a call can cost; False above a cap."""
        own, hour = self._incident(incident_id), self._hour()
        if not self._add(own, Spend(micro_usd=most), cap=per_incident):
            return False
        if self._add(hour, Spend(micro_usd=most), cap=per_hour):
            return True
        self._add(own, Spend(), back=most)
        return False

    def settle(self, incident_id: str, reserved: int, spent: Spend) -> None:
        """Put the real cost in place of what was reserved.

        A call that ends in the next hour is settled there: the caps err on the safe side.
        """
        self._add(self._incident(incident_id), spent, back=reserved)
        self._add(self._hour(), spent, back=reserved)

    def spent(self, incident_id: str) -> Spend:
        """What the incident has cost so far."""
        return _spend(self._table.get(*self._incident(incident_id)))

    def _add(self, key: Key, more: Spend, *, back: int = 0, cap: int | None = None) -> bool:
        for attempt in range(TRIES):
            item = self._table.get(*key)
            known = _spend(item)
            micro_usd = max(0, known.micro_usd - back + more.micro_usd)
            if cap is not None and micro_usd > cap:
                return False
            changed = known.plus(more).model_copy(update={"micro_usd": micro_usd})
            try:
                self._write(key, item, changed)
            except ConditionFailed:
                pause(self._clock, attempt)
                continue
            return True
        raise TransientFailure("the ledger is busy")

    def _write(self, key: Key, item: Item | None, spend: Spend) -> None:
        version = int(decode(item["version"])) if item else 0
        until = int((self._clock.now() + _KEPT).timestamp())
        fields = {
            **{name: getattr(spend, name) for name in _FIELDS},
            "version": version + 1,
            **({} if key[1] == SPEND else {TIME_TO_LIVE: until}),
        }
        whole: Item = {PARTITION: encode(key[0]), SORT: encode(key[1]), **attributes(fields)}
        if item is None:
            self._table.put(whole, "attribute_not_exists(#PK)")
        else:
            self._table.put(whole, "#version = :version", version=version)

    def _incident(self, incident_id: str) -> Key:
        return incident_key(incident_id), SPEND

    def _hour(self) -> Key:
        return "SPEND", f"HOUR#{self._clock.now():%Y%m%dT%H}"


def _spend(item: Item | None) -> Spend:
    if item is None:
        return Spend()
    return Spend(**{name: int(decode(item[name])) for name in _FIELDS})
