"""The hands of somebody who may write to the store itself, past the squad."""

from typing import TYPE_CHECKING, Any, Protocol

from incident_squad.adapters.dynamodb_items import (
    PARTITION,
    SORT,
    attributes,
    incident_key,
    restored,
    stored,
)
from incident_squad.domain.timeline import TimelineEvent
from tests.fakes import MemoryTimeline

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Slots = list[tuple[str, TimelineEvent]]
"""Events with the place that each is kept in."""


class Raw(Protocol):
    """Reads and replaces all stored events of an incident."""

    def load(self, incident_id: str) -> Slots: ...

    def save(self, incident_id: str, slots: Slots) -> None: ...


class RawMemory:
    def __init__(self, timeline: MemoryTimeline) -> None:
        self._events = timeline.events

    def load(self, incident_id: str) -> Slots:
        return [(f"{n:06d}", event) for n, event in enumerate(self._events[incident_id])]

    def save(self, incident_id: str, slots: Slots) -> None:
        self._events[incident_id][:] = [event for _, event in sorted(slots, key=lambda s: s[0])]


class RawDynamo:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def load(self, incident_id: str) -> Slots:
        items = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :evt)",
            ExpressionAttributeValues={
                ":pk": {"S": incident_key(incident_id)},
                ":evt": {"S": "EVT#"},
            },
        )["Items"]
        return [(item[SORT]["S"], restored(TimelineEvent, item)) for item in items]

    def save(self, incident_id: str, slots: Slots) -> None:
        key = {PARTITION: incident_key(incident_id)}
        for sort, _ in self.load(incident_id):
            self._client.delete_item(TableName=self._table, Key=attributes({**key, SORT: sort}))
        for sort, event in slots:
            fields: dict[str, Any] = {**key, SORT: sort, **stored(event)}
            self._client.put_item(TableName=self._table, Item=attributes(fields))
