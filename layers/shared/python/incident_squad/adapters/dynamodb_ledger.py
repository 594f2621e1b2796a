"""The spend ledger in the table: one item an incident, one an hour, changed together."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

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
from incident_squad.adapters.dynamodb_table import Cancelled, DynamoTable
from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.model import Spend, Trouble
from incident_squad.policy.model_health import DOWN, SharedBreaker
from incident_squad.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SPEND = "SPEND"
_KEPT = timedelta(days=2)
_FIELDS = ("micro_usd", "tokens", "calls")

Key = tuple[str, str]

BREAKER: Key = ("SPEND", "BREAKER")
_HEALTH = 2
"""The place of the model's health among the parts of a reservation."""
_FORGOTTEN = 3600


class DynamoLedger:
    """Implements `Ledger` with one write a call: a model's time is short."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._table = DynamoTable(client, table, clock)
        self._name = table
        self._clock = clock

    def reserve(self, incident_id: str, most: int, per_incident: int, per_hour: int) -> bool:
        """Set aside the most that a call can cost; False above a cap."""
        if most > min(per_incident, per_hour):
            return False
        now = int(self._clock.now().timestamp())
        healthy = "attribute_not_exists(open_until) OR open_until <= :now"
        wanted = {"micro_usd": most, "tokens": 0, "calls": 0}
        try:
            self._table.transact(
                [
                    self._add(_incident(incident_id), wanted, room=per_incident - most),
                    self._add(self._hour(), wanted, room=per_hour - most),
                    self._check(BREAKER, healthy, now),
                ]
            )
        except Cancelled as cancelled:
            if _HEALTH in cancelled.failed:
                raise ModelFailed(Trouble.CIRCUIT_OPEN, DOWN) from None
            return False
        return True

    def failed(self, trouble: str) -> None:
        """Note that a call failed. When two note it at once, one of both is enough."""
        now = int(self._clock.now().timestamp())
        item = self._table.get(*BREAKER) or {}
        names = SharedBreaker.model_fields
        known = {name: int(decode(item[name])) for name in names if name in item}
        then = SharedBreaker(**known).after(trouble, now)
        fields = {**then.model_dump(), TIME_TO_LIVE: now + _FORGOTTEN}
        self._table.put({**_key(BREAKER), **attributes(fields)})

    def worked(self) -> None:
        """Note that a call worked again."""
        self._table.put({**_key(BREAKER), **attributes({TIME_TO_LIVE: 1})})

    def settle(self, incident_id: str, reserved: int, spent: Spend) -> None:
        """Put the real cost in place of what was reserved.

        A call that ends in the next hour is settled there, where it makes room that was never
        taken: less than a call's worth, once an hour.
        """
        real = {
            "micro_usd": spent.micro_usd - reserved,
            "tokens": spent.tokens,
            "calls": spent.calls,
        }
        self._table.transact(
            [self._add(_incident(incident_id), real), self._add(self._hour(), real)]
        )

    def spent(self, incident_id: str) -> Spend:
        """What the incident has cost so far."""
        item = self._table.get(*_incident(incident_id))
        if item is None:
            return Spend()
        return Spend(**{name: max(0, int(decode(item[name]))) for name in _FIELDS})

    def _check(self, key: Key, condition: str, now: int) -> Any:  # noqa: ANN401
        """A condition of a transaction, about an item that it leaves as it is."""
        return {
            "ConditionCheck": {
                "TableName": self._name,
                "Key": _key(key),
                "ConditionExpression": condition,
                "ExpressionAttributeValues": {":now": encode(now)},
            }
        }

    def _add(self, key: Key, amounts: Mapping[str, int], *, room: int | None = None) -> Any:  # noqa: ANN401
        """An update for a transaction; the stubs know no common type of its parts."""
        until = int((self._clock.now() + _KEPT).timestamp())
        values: Item = {f":{name}": encode(amounts[name]) for name in _FIELDS}
        adds = ", ".join(f"{name} :{name}" for name in _FIELDS)
        update = {
            "TableName": self._name,
            "Key": _key(key),
            "UpdateExpression": f"ADD {adds}",
            "ExpressionAttributeValues": values,
        }
        if key[1] != SPEND:
            update["UpdateExpression"] = f"SET #ttl = :ttl ADD {adds}"
            update["ExpressionAttributeNames"] = {"#ttl": TIME_TO_LIVE}
            values[":ttl"] = encode(until)
        if room is not None:
            update["ConditionExpression"] = "attribute_not_exists(micro_usd) OR micro_usd <= :room"
            values[":room"] = encode(room)
        return {"Update": update}

    def _hour(self) -> Key:
        return "SPEND", f"HOUR#{self._clock.now():%Y%m%dT%H}"


def _key(key: Key) -> Item:
    return {PARTITION: encode(key[0]), SORT: encode(key[1])}


def _incident(incident_id: str) -> Key:
    return incident_key(incident_id), SPEND
