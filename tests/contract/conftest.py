"""The stores: in memory, on moto's DynamoDB and on that of the embedded stack."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from incident_squad.adapters.dynamodb_approvals import DynamoApprovals
from incident_squad.adapters.dynamodb_incidents import DynamoIncidents
from incident_squad.adapters.dynamodb_timeline import DynamoTimeline
from infra.local.clients import Clients
from infra.local.emulator_process import EmulatorProcess, free_port
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


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[DynamoDBClient]":
    """The DynamoDB of the embedded stack, which answers over the wire."""
    folder = tmp_path_factory.mktemp("emulator")
    process = EmulatorProcess(folder, port=free_port(), keep_state=False, environment={})
    try:
        process.wait_ready()
        yield Clients(process.endpoint_url).dynamodb
    finally:
        process.stop()


def _dynamo_stores(client: "DynamoDBClient") -> Stores:
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


@pytest.fixture
def on_moto(client: "DynamoDBClient") -> Stores:
    return _dynamo_stores(client)


@pytest.fixture
def on_emulator(emulated: "DynamoDBClient") -> Stores:
    return _dynamo_stores(emulated)


@pytest.fixture(
    params=["in_memory", "on_moto", pytest.param("on_emulator", marks=pytest.mark.stack)]
)
def stores(request: pytest.FixtureRequest) -> Stores:
    """Every test of the contract runs on all of them."""
    found: Stores = request.getfixturevalue(request.param)
    return found
