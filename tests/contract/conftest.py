"""The stores, once in memory and once on moto's DynamoDB."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from incident_squad.adapters.dynamodb_approvals import DynamoApprovals
from incident_squad.adapters.dynamodb_incidents import DynamoIncidents
from incident_squad.adapters.dynamodb_timeline import DynamoTimeline
from tests.builders import NOW
from tests.contract.raw import RawDynamo, RawMemory
from tests.contract.stores import Stores
from tests.dynamo import create_table, dynamo
from tests.fakes import FixedClock, MemoryApprovals, MemoryIncidents, MemoryTimeline

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="module")
def client() -> "Iterator[DynamoDBClient]":
    """One DynamoDB for the tests of a file; each test has a table of its own."""
    with dynamo() as client:
        yield client


@pytest.fixture
def in_memory() -> Stores:
    clock = FixedClock(NOW)
    incidents = MemoryIncidents(clock)
    timeline = MemoryTimeline(incidents, clock)
    return Stores(clock, incidents, timeline, MemoryApprovals(clock), RawMemory(timeline))


@pytest.fixture
def on_dynamodb(client: "DynamoDBClient") -> Stores:
    clock = FixedClock(NOW)
    table = create_table(client, uuid4().hex)
    parts = (client, table, clock)
    return Stores(
        clock,
        DynamoIncidents(*parts),
        DynamoTimeline(*parts),
        DynamoApprovals(*parts),
        RawDynamo(client, table),
    )


@pytest.fixture(params=["in_memory", "on_dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Every test of the contract runs on both."""
    found: Stores = request.getfixturevalue(request.param)
    return found
