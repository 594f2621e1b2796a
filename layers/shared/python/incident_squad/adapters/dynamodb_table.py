"""One table with patience: conditions as errors of their own, retries of what was not carried out.

Expressions name attributes as `#name` and values as `:value`; the mapping of names follows.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from secrets import SystemRandom
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from incident_squad.adapters.aws import THROTTLES, code_of, failure
from incident_squad.adapters.dynamodb_items import (
    INDEXES,
    PARTITION,
    SORT,
    Item,
    attributes,
    encode,
)
from incident_squad.domain.errors import TransientFailure
from incident_squad.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryOutputTypeDef, TransactWriteItemTypeDef

T = TypeVar("T")

TRIES = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_CONFLICTS = THROTTLES | {"TransactionConflictException"}
_PASSING_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_RANDOM = SystemRandom()


class ConditionFailed(Exception):
    """A condition did not hold; `item` is what was there. It never shows in the message."""

    def __init__(self, item: Item | None = None) -> None:
        super().__init__("a condition did not hold")
        self.item = item


class Cancelled(Exception):
    """A transaction was not carried out; `failed` holds the places whose condition failed."""

    def __init__(self, failed: frozenset[int]) -> None:
        super().__init__(f"conditions {sorted(failed)} of a transaction did not hold")
        self.failed = failed


def pause(clock: Clock, attempt: int) -> None:
    """Wait before try number `attempt` + 1, longer each time, and never in step with others."""
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
    clock.sleep(_RANDOM.uniform(0, longest))


class DynamoTable:
    """The calls that the stores make. All raise TransientFailure or InvalidConfiguration."""

    def __init__(self, client: "DynamoDBClient", name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock

    def get(self, partition: str, sort: str) -> Item | None:
        """One item as it is now."""
        answer = self._patiently(
            lambda: self._client.get_item(
                TableName=self._name, Key=_key(partition, sort), ConsistentRead=True
            )
        )
        return answer.get("Item")

    def put(self, item: Item, condition: str = "", **values: object) -> None:
        """Write an item; raises ConditionFailed with the item that was there."""
        self._patiently(
            lambda: self._client.put_item(
                TableName=self._name,
                Item=item,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_conditional(condition, values),
            )
        )

    def delete(self, partition: str, sort: str, condition: str, **values: object) -> None:
        """Delete an item; raises ConditionFailed."""
        self._patiently(
            lambda: self._client.delete_item(
                TableName=self._name, Key=_key(partition, sort), **_conditional(condition, values)
            )
        )

    def update(
        self,
        key: tuple[str, str],
        fields: Mapping[str, Any],
        condition: str,
        *,
        once: Mapping[str, Any] | None = None,
        **values: object,
    ) -> Item:
        """Set fields (None removes one), and `once` those that are missing; gives the new item.

        Raises ConditionFailed with the item that was there.
        """
        answer = self._patiently(
            lambda: self._client.update_item(
                TableName=self._name,
                Key=_key(*key),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_setting(fields, once or {}, condition, values),
            )
        )
        return answer["Attributes"]

    def add(self, key: tuple[str, str], numbers: Mapping[str, int], **fields: object) -> Item:
        """Add to numbers, atomically, and set fields; gives the new item."""
        answer = self._patiently(
            lambda: self._client.update_item(
                TableName=self._name,
                Key=_key(*key),
                ReturnValues="ALL_NEW",
                **_adding(numbers, fields),
            )
        )
        return answer["Attributes"]

    def query(
        self, partition: str, prefix: str, *, newest_first: bool = False, page: int = 0
    ) -> Iterator[Item]:
        """Items of a partition as they are now, in the order of their sort keys, page by page."""
        return self._pages(
            {
                "ConsistentRead": True,
                "ScanIndexForward": not newest_first,
                **({"Limit": page} if page else {}),
                **_expressions(
                    "#PK = :pk AND begins_with(#SK, :prefix)",
                    {"pk": partition, "prefix": prefix},
                    "KeyConditionExpression",
                ),
            }
        )

    def index(self, name: str, value: str, low: str, high: str, page: int) -> Iterator[Item]:
        """Items of an index, highest id first. A moment old: indexes follow the table."""
        partition, sort = INDEXES[name]
        return self._pages(
            {
                "IndexName": name,
                "ScanIndexForward": False,
                "Limit": page,
                **_expressions(
                    f"#{partition} = :value AND #{sort} BETWEEN :low AND :high",
                    {"value": value, "low": low, "high": high},
                    "KeyConditionExpression",
                ),
            }
        )

    def transact(self, writes: "Sequence[TransactWriteItemTypeDef]") -> None:
        """All or nothing; raises Cancelled when a condition failed."""
        self._patiently(lambda: self._client.transact_write_items(TransactItems=writes))

    def put_write(self, item: Item, condition: str, **values: object) -> Any:  # noqa: ANN401
        """A put, for `transact`."""
        return {"Put": {"TableName": self._name, "Item": item, **_conditional(condition, values)}}

    def update_write(
        self,
        key: tuple[str, str],
        fields: Mapping[str, Any],
        condition: str,
        *,
        once: Mapping[str, Any] | None = None,
        **values: object,
    ) -> Any:  # noqa: ANN401 - the stubs know no common type of these parts
        """An update, for `transact`."""
        setting = _setting(fields, once or {}, condition, values)
        return {"Update": {"TableName": self._name, "Key": _key(*key), **setting}}

    def add_write(self, key: tuple[str, str], numbers: Mapping[str, int], **fields: object) -> Any:  # noqa: ANN401
        """An addition to numbers, for `transact`."""
        adding = _adding(numbers, fields)
        return {"Update": {"TableName": self._name, "Key": _key(*key), **adding}}

    def delete_write(self, partition: str, sort: str) -> Any:  # noqa: ANN401
        """A deletion, for `transact`."""
        return {"Delete": {"TableName": self._name, "Key": _key(partition, sort)}}

    def _pages(self, request: dict[str, Any]) -> Iterator[Item]:
        start: dict[str, Any] = {}
        while True:
            answer = self._page({**request, **start})
            yield from answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _page(self, request: dict[str, Any]) -> "QueryOutputTypeDef":
        return self._patiently(lambda: self._client.query(TableName=self._name, **request))

    def _patiently(self, call: Callable[[], T]) -> T:
        for attempt in range(TRIES):
            try:
                return call()
            except ClientError as error:
                _meant(error)
                if not _passing(error):
                    raise failure(error, "using the table") from error
            except BotoCoreError as error:
                raise failure(error, "using the table") from error
            pause(self._clock, attempt)
        raise TransientFailure("the table is busy")


def _meant(error: ClientError) -> None:
    """Raise the squad's own error when a condition failed.

    The cause is cut off on purpose: its response may hold an item with a task token.
    """
    if code_of(error) == "ConditionalCheckFailedException":
        raise ConditionFailed(_part(error, "Item")) from None
    failed = frozenset(
        place for place, code in enumerate(_reasons(error)) if code == "ConditionalCheckFailed"
    )
    if failed:
        raise Cancelled(failed) from None


def _passing(error: ClientError) -> bool:
    return code_of(error) in _CONFLICTS or bool(_PASSING_REASONS.intersection(_reasons(error)))


def _reasons(error: ClientError) -> list[str | None]:
    return [reason.get("Code") for reason in _part(error, "CancellationReasons") or ()]


def _part(error: ClientError, name: str) -> Any:  # noqa: ANN401
    # The stubs know only what every error has; these parts are DynamoDB's own.
    return dict(error.response).get(name)


def _key(partition: str, sort: str) -> Item:
    return {PARTITION: {"S": partition}, SORT: {"S": sort}}


def _conditional(condition: str, values: Mapping[str, object]) -> dict[str, Any]:
    return _expressions(condition, values, "ConditionExpression") if condition else {}


def _setting(
    fields: Mapping[str, Any], once: Mapping[str, Any], condition: str, values: Mapping[str, object]
) -> dict[str, Any]:
    news = attributes(fields)
    sets = [f"#{name} = :new_{name}" for name in news]
    sets += [f"#{name} = if_not_exists(#{name}, :new_{name})" for name in once]
    gone = [f"#{name}" for name in fields if name not in news]
    update = f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(gone)}" if gone else "")
    given = {f"new_{name}": value for name, value in {**fields, **once}.items()}
    request = _expressions(f"{condition} {update}", {**values, **given}, "UpdateExpression")
    return {**request, "UpdateExpression": update, "ConditionExpression": condition}


def _adding(numbers: Mapping[str, int], fields: Mapping[str, object]) -> dict[str, Any]:
    adds = ", ".join(f"#{name} :{name}" for name in numbers)
    sets = ", ".join(f"#{name} = :{name}" for name in fields)
    text = f"ADD {adds}" + (f" SET {sets}" if sets else "")
    return _expressions(text, {**numbers, **fields}, "UpdateExpression")


def _expressions(text: str, values: Mapping[str, object], kind: str) -> dict[str, Any]:
    request: dict[str, Any] = {kind: text}
    request["ExpressionAttributeNames"] = {f"#{n}": n for n in re.findall(r"#(\w+)", text)}
    given = {f":{name}": encode(value) for name, value in values.items() if value is not None}
    return request | ({"ExpressionAttributeValues": given} if given else {})
