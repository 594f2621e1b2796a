"""DynamoDB when it is busy, refuses or holds what nobody expects; and what an error may show."""

import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from incident_squad.adapters.dynamodb_approvals import DynamoApprovals
from incident_squad.adapters.dynamodb_incidents import DynamoIncidents
from incident_squad.adapters.dynamodb_items import attributes, decode, encode, incident_key
from incident_squad.adapters.dynamodb_table import TRIES
from incident_squad.adapters.dynamodb_timeline import RACES, DynamoTimeline
from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.errors import (
    ApprovalRefused,
    AuditFailure,
    InvalidConfiguration,
    TransientFailure,
)
from incident_squad.domain.timeline import Actor, Entry
from tests.builders import INCIDENT_ID, NOW, an_alert, an_incident, later
from tests.dynamo import create_table, dynamo
from tests.fakes import FixedClock
from tests.integration.stubs import scripted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TOKEN = "AQB4-a-task-token"
TABLE = "incidents"
ENTRY = Entry(event="AlertReceived", summary="An alert came", actor=Actor.system("test"))


@pytest.fixture
def client() -> "Iterator[DynamoDBClient]":
    with dynamo() as client:
        create_table(client, TABLE)
        yield client


def cancelled(script: Stubber, *codes: str) -> None:
    script.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": code} for code in codes]},
    )


def test_throttling_is_waited_out(clock: FixedClock) -> None:
    with scripted("dynamodb") as (client, script):
        for _ in range(2):
            script.add_client_error("get_item", "ProvisionedThroughputExceededException")
        script.add_response("get_item", {})
        assert DynamoIncidents(client, TABLE, clock).plan(INCIDENT_ID) is None
    assert 0 < clock.slept < 1


def test_throttling_without_end_is_a_transient_failure(clock: FixedClock) -> None:
    with scripted("dynamodb") as (client, script):
        for _ in range(TRIES):
            script.add_client_error("get_item", "ThrottlingException")
        with pytest.raises(TransientFailure):
            DynamoIncidents(client, TABLE, clock).get(INCIDENT_ID)
    assert clock.slept < 2


def test_a_missing_table_is_a_matter_of_configuration(clock: FixedClock) -> None:
    with scripted("dynamodb") as (client, script):
        script.add_client_error("get_item", "ResourceNotFoundException")
        with pytest.raises(InvalidConfiguration, match="ResourceNotFound"):
            DynamoIncidents(client, TABLE, clock).get(INCIDENT_ID)


def test_transactions_that_collide_are_tried_again(clock: FixedClock) -> None:
    with scripted("dynamodb") as (client, script):
        cancelled(script, "None", "TransactionConflict", "None")
        script.add_client_error("transact_write_items", "TransactionInProgressException")
        script.add_response("transact_write_items", {})
        opened = DynamoIncidents(client, TABLE, clock).open(an_incident(), an_alert(), NOW)
    assert opened == INCIDENT_ID


def test_an_append_that_lost_a_race_takes_the_next_place(clock: FixedClock) -> None:
    with scripted("dynamodb") as (client, script):
        for count in (4, 5):
            head = attributes({"chain_count": count, "chain_head": "a" * 64})
            script.add_response("get_item", {"Item": head})
            if count == 4:
                cancelled(script, "ConditionalCheckFailed", "None")
        script.add_response("transact_write_items", {})
        assert DynamoTimeline(client, TABLE, clock).append(INCIDENT_ID, ENTRY).n == 6


def test_an_append_that_loses_every_race_is_an_audit_failure(clock: FixedClock) -> None:
    with scripted("dynamodb") as (client, script):
        for _ in range(RACES):
            script.add_response("get_item", {"Item": attributes({"chain_count": 0})})
            cancelled(script, "ConditionalCheckFailed", "None")
        with pytest.raises(AuditFailure, match="too busy"):
            DynamoTimeline(client, TABLE, clock).append(INCIDENT_ID, ENTRY)


def test_a_claim_that_is_released_meanwhile_is_worth_another_try(clock: FixedClock) -> None:
    with scripted("dynamodb") as (client, script):
        script.add_client_error("put_item", "ConditionalCheckFailedException")
        script.add_response("get_item", {})
        with pytest.raises(TransientFailure):
            DynamoIncidents(client, TABLE, clock).claim("k", INCIDENT_ID, NOW)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (EndpointConnectionError(endpoint_url="https://x"), TransientFailure),
        (ReadTimeoutError(endpoint_url="https://x"), TransientFailure),
        (NoCredentialsError(), InvalidConfiguration),
    ],
)
def test_a_call_that_never_arrived_is_named(
    clock: FixedClock, fault: Exception, error: type[Exception]
) -> None:
    class Faulty:
        def get_item(self, **_: object) -> None:
            raise fault

    client: DynamoDBClient = Faulty()  # type: ignore[assignment]
    with pytest.raises(error):
        DynamoIncidents(client, TABLE, clock).get(INCIDENT_ID)


@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalServerError"])
def test_a_timeline_that_cannot_be_written_is_an_audit_failure(
    clock: FixedClock, code: str
) -> None:
    with scripted("dynamodb") as (client, script):
        script.add_response("get_item", {"Item": attributes({"chain_count": 0})})
        script.add_client_error("transact_write_items", code)
        with pytest.raises(AuditFailure):
            DynamoTimeline(client, TABLE, clock).append(INCIDENT_ID, ENTRY)


def test_an_event_made_unreadable_is_told_and_hides_no_other(
    client: "DynamoDBClient", clock: FixedClock
) -> None:
    DynamoIncidents(client, TABLE, clock).open(an_incident(), an_alert(), later(hours=6))
    timeline = DynamoTimeline(client, TABLE, clock)
    for _ in range(3):
        timeline.append(INCIDENT_ID, ENTRY)
    client.update_item(
        TableName=TABLE,
        Key=attributes({"PK": incident_key(INCIDENT_ID), "SK": sort_of_second(client)}),
        UpdateExpression="REMOVE actor",
    )
    assert [event.n for event in timeline.read(INCIDENT_ID)] == [1, 3]
    assert "1 events can't be read any more" in timeline.problems(INCIDENT_ID)


def sort_of_second(client: "DynamoDBClient") -> str:
    items = client.scan(TableName=TABLE)["Items"]
    return next(item["SK"]["S"] for item in items if item["SK"]["S"].endswith("#000002"))


def test_no_refusal_carries_the_task_token(client: "DynamoDBClient", clock: FixedClock) -> None:
    approvals = DynamoApprovals(client, TABLE, clock)
    approval = Approval(
        id="approval01",
        incident_id=INCIDENT_ID,
        plan_hash="p1",
        approvers=("ada@example.com",),
        created_at=NOW,
        expires_at=later(minutes=30),
    )
    approvals.put(approval, TOKEN)
    approvals.decide(approval, ApprovalStatus.APPROVED, "ada@example.com", NOW, "")
    with pytest.raises(ApprovalRefused) as refused:
        approvals.decide(approval, ApprovalStatus.APPROVED, "ada@example.com", NOW, "")
    shown = "".join(traceback.format_exception(refused.value))
    assert TOKEN not in shown + repr(refused.value.__cause__) + repr(refused.value.__context__)


def test_only_incidents_are_in_the_indexes(client: "DynamoDBClient", clock: FixedClock) -> None:
    DynamoIncidents(client, TABLE, clock).open(an_incident(), an_alert(), later(hours=6))
    items = client.scan(TableName=TABLE)["Items"]
    assert [item["SK"]["S"] for item in items if "id" in item] == ["META"]
    claim = next(item for item in items if item["SK"]["S"] == "CLAIM")
    assert claim["ttl"] == {"N": str(int(later(hours=6).timestamp()))}


@pytest.mark.parametrize(
    "value",
    [0, -1, 10**40, 0.1, 1e-300, float("inf"), True, "", "é", [], ["a"], [1, "a"], {}, {"json": 1}],
)
def test_any_json_comes_back_from_an_attribute(value: Any) -> None:
    found = decode(encode(value))
    assert found == value
    assert type(found) is type(value)


def test_long_json_is_compressed_and_comes_back() -> None:
    value = {"rows": [{"n": n} for n in range(9000)]}
    attribute = encode(value)
    assert len(attribute["M"]["zjson"]["B"]) < 40_000
    assert decode(attribute) == value
