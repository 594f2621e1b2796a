"""The incident table on a DynamoDB for tests, made by the shape that the adapters declare."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import boto3
from moto import mock_aws

from incident_squad.adapters.dynamodb_items import INDEXES, PARTITION, SORT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class OneAtATime:
    """A client whose calls do not overlap: moto's are not atomic among threads, AWS's are."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if not callable(method):
            return method

        def call(**request: Any) -> Any:
            with self._lock:
                return method(**request)

        return call


@contextmanager
def dynamo() -> "Iterator[DynamoDBClient]":
    """A client of moto's DynamoDB, without tables."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        yield cast("DynamoDBClient", OneAtATime(client))
        client.close()


def create_table(client: "DynamoDBClient", name: str) -> str:
    """Create the table with its indexes; gives its name."""
    names = {PARTITION, SORT, *(name for pair in INDEXES.values() for name in pair)}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": PARTITION, "KeyType": "HASH"},
            {"AttributeName": SORT, "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in sorted(names)
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": sort, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for name, (partition, sort) in INDEXES.items()
        ],
    )
    return name
