"""What is particular to single acts in AWS: merges, conflicts, bounds, foreign resources."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from incident_squad.adapters.aws_actions import registry
from incident_squad.adapters.aws_actions.iam_sessions import POLICY
from incident_squad.adapters.aws_actions.place import Place
from incident_squad.adapters.aws_target import AwsExecutor, AwsProber
from incident_squad.domain.catalog import Catalog, Policies
from incident_squad.domain.errors import InvalidParameter, SquadError, StepFailed, TargetUnavailable
from incident_squad.domain.evidence import EvidenceStatus
from incident_squad.domain.runbook import AwsProbe, Step
from incident_squad.domain.targets import AwsTarget
from infra.local.emulator_process import EmulatorProcess
from tests.builders import a_catalog, a_planned_step
from tests.fakes import FixedClock, MemoryKnowledge
from tests.integration.stubs import scripted
from tests.stack import cloud_cases
from tests.stack.cloud import Account, Fault, denied, unanswered
from tests.stack.cloud_cases import ATTACKER, accounts

BLOCK = registry.DEEDS["waf_block_ip"]


@pytest.fixture
def account(emulator: EmulatorProcess) -> Iterator[Account]:
    found = Account(emulator.endpoint_url)
    yield found
    found.close()


def conflict(operation: str) -> Exception:
    answer: Any = {
        "Error": {"Code": "WAFOptimisticLockException", "Message": "stale"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(answer, operation)


def test_a_block_is_tried_again_with_a_fresh_token_when_others_were_faster(
    account: Account,
) -> None:
    case = cloud_cases.waf_block_ip(account)
    place = account.place(case.target)
    rows = BLOCK.preview(place, case.arguments)
    account.calls.clear()
    account.fault = Fault(at=3, after=False, make=conflict)
    result = BLOCK.apply(place, case.arguments, rows, "key")
    assert account.calls.count("wafv2:UpdateIPSet") == 2
    assert result["added"] == [f"{ATTACKER}/32"]
    assert case.state() == ["192.0.2.0/24", "198.51.100.7/32", f"{ATTACKER}/32"]


def test_an_undo_removes_only_what_was_added(account: Account) -> None:
    case = cloud_cases.waf_block_ip(account)
    place = account.place(case.target)
    rows = BLOCK.preview(place, case.arguments)
    result = BLOCK.apply(place, case.arguments, rows, "key")
    again = BLOCK.apply(place, case.arguments, rows, "another key")
    assert again["added"] == []
    BLOCK.undo(place, again)
    assert f"{ATTACKER}/32" in str(case.state())
    BLOCK.undo(place, result)
    assert case.state() == ["192.0.2.0/24", "198.51.100.7/32"]


def test_what_a_wider_entry_covers_needs_no_entry(account: Account) -> None:
    case = cloud_cases.waf_block_ip(account)
    assert BLOCK.preview(account.place(case.target), {"ip": "192.0.2.99"}) == []


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "192.168.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address of an alert
        "224.0.0.1",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "::ffff:203.0.113.42",
        "64:ff9b::a00:1",
        "203.0.113.0/24",
        "203.0.113.42/32",
        "203.0.113.42 ",
        "\uff12\uff10\uff13.0.113.42",
        "203.0.113.042",
        "0xcb00712a",
        "203.0.113.42', '0.0.0.0/0",
        "",
        42,
        "2001:db8::1",
        "203.0.113.77",
        "198.51.100.200",
    ],
)
def test_private_own_and_allow_listed_addresses_are_never_blocked(
    address: object, account: Account
) -> None:
    case = cloud_cases.waf_block_ip(account)
    own = Policies.model_validate({"never_block": ["203.0.113.77", "198.51.100.128/25"]})
    place, before = account.place(case.target, own), case.state()
    with pytest.raises(InvalidParameter):
        BLOCK.preview(place, {"ip": address})
    with pytest.raises(InvalidParameter):
        BLOCK.apply(place, {"ip": address}, [{"address": str(address)}], "key")
    assert case.state() == before


def test_only_accounts_that_signed_in_from_there_are_reset(account: Account) -> None:
    case = cloud_cases.cognito_reset_passwords(account)
    deed, place = registry.DEEDS["cognito_reset_passwords"], account.place(case.target)
    rows = deed.preview(place, case.arguments)
    assert [row["user"] for row in rows] == ["amy", "ben"]
    deed.apply(place, case.arguments, rows, "key")
    assert case.state() == ["RESET_REQUIRED", "RESET_REQUIRED", "CONFIRMED"]


def test_a_reset_that_breaks_off_says_who_is_done_and_who_is_not(account: Account) -> None:
    case = cloud_cases.cognito_reset_passwords(account)
    deed, place = registry.DEEDS["cognito_reset_passwords"], account.place(case.target)
    rows = deed.preview(place, case.arguments)
    account.calls.clear()
    account.fault = Fault(at=4, after=False, make=denied)
    with pytest.raises(StepFailed, match="reset: amy; not reset: ben"):
        deed.apply(place, case.arguments, rows, "key")
    assert case.state() == ["RESET_REQUIRED", "CONFIRMED", "CONFIRMED"]


def test_an_answer_that_is_lost_half_way_leaves_one_account_in_doubt(account: Account) -> None:
    case = cloud_cases.cognito_sign_out(account)
    deed, place = registry.DEEDS["cognito_sign_out"], account.place(case.target)
    rows = deed.preview(place, case.arguments)
    account.calls.clear()
    account.fault = Fault(at=1, after=True, make=unanswered)
    with pytest.raises(StepFailed, match="in doubt: amy; not signed out: ben"):
        deed.apply(place, case.arguments, rows, "key")


def test_too_many_accounts_are_for_a_person(account: Account) -> None:
    target, _ = accounts(account, {f"user-{n}": ATTACKER for n in range(4)})
    few = target.model_copy(update={"most_users": 3})
    deed = registry.DEEDS["cognito_reset_passwords"]
    with pytest.raises(InvalidParameter, match="more than 3"):
        deed.preview(account.place(few), {"logged_in_from": ATTACKER})


def test_the_offices_own_address_resets_nobody(account: Account) -> None:
    target, _ = accounts(account, {"amy": ATTACKER})
    own = Policies.model_validate({"never_block": ["203.0.113.0/24"]})
    deed = registry.DEEDS["cognito_reset_passwords"]
    with pytest.raises(InvalidParameter, match="never blocked"):
        deed.preview(account.place(target, own), {"logged_in_from": ATTACKER})


def test_a_key_of_a_foreign_user_is_left_alone(account: Account) -> None:
    case, foreign = (cloud_cases.iam_deactivate_key(account) for _ in range(2))
    deed, place = registry.DEEDS["iam_deactivate_key"], account.place(case.target)
    for key in (foreign.arguments["access_key"], "AKIAIOSFODNN7EXAMPLE", "*", "AKIA", "", None):
        with pytest.raises(SquadError):
            deed.preview(place, {"access_key": key})
    assert foreign.state() == ["Active"]


def test_a_policy_that_others_put_is_given_back(account: Account) -> None:
    case = cloud_cases.iam_revoke_sessions(account)
    iam, role = account.plain("iam"), case.arguments["role"]
    statement = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    theirs = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName=POLICY, PolicyDocument=theirs)
    before = case.state()
    deed, place = registry.DEEDS["iam_revoke_sessions"], account.place(case.target)
    rows = deed.preview(place, case.arguments)
    result = deed.apply(place, case.arguments, rows, "key")
    document = case.state()
    assert "aws:TokenIssueTime" in str(document)
    deed.undo(place, result)
    assert case.state() == before


@pytest.mark.parametrize(
    ("name", "foreign"),
    [
        ("iam_revoke_sessions", {"role": "Administrator"}),
        ("security_group_quarantine", {"instance": "i-0aaaaaaaaaaaaaaaa"}),
        ("rds_grow_storage", {"instance": "somebody-elses", "percent": 120}),
    ],
)
def test_resources_that_the_target_does_not_name_are_refused(
    name: str, foreign: Mapping[str, Any], account: Account
) -> None:
    fields: dict[str, Any] = {
        "iam_roles": ["app"],
        "quarantine": {"group": "sg-0123456789abcdef0", "instances": ["i-0123456789abcdef0"]},
        "db_instances": ["orders"],
    }
    place = account.place(AwsTarget.model_validate({"kind": "aws", **fields}))
    with pytest.raises(InvalidParameter):
        registry.DEEDS[name].preview(place, foreign)
    assert account.calls == []


def test_a_function_that_others_moved_since_is_left_alone(account: Account) -> None:
    case = cloud_cases.lambda_rollback(account)
    deed, place = registry.DEEDS["lambda_rollback"], account.place(case.target)
    rows = deed.preview(place, case.arguments)
    result = deed.apply(place, case.arguments, rows, "key")
    function = account.plain("lambda")
    assert case.target.function is not None
    name = case.target.function.name
    function.publish_version(FunctionName=name)
    function.update_function_configuration(FunctionName=name, Description="c")
    newest = function.publish_version(FunctionName=name)["Version"]
    function.update_alias(FunctionName=name, Name="live", FunctionVersion=newest)
    with pytest.raises(StepFailed, match="left alone"):
        deed.undo(place, result)
    with pytest.raises(InvalidParameter):
        deed.apply(place, case.arguments, rows, "key")
    assert case.state() == newest


def test_a_deployment_under_way_is_stopped_and_rolled_back_by_ecs_itself() -> None:
    service = {"taskDefinition": "arn:aws:ecs:us-east-1:000000000000:task-definition/web:3"}
    under_way = {"serviceDeployments": [{"serviceDeploymentArn": "arn:deployment"}]}
    target = AwsTarget.model_validate(
        {"kind": "aws", "ecs": {"cluster": "shop", "service": "web", "family": "web"}}
    )
    deed = registry.DEEDS["ecs_rollback"]
    with scripted("ecs") as (client, script):
        place = Place("web", target, lambda *_: client, Policies(), FixedClock())
        script.add_response("describe_services", {"services": [service]})
        script.add_response("list_service_deployments", under_way)
        rows = deed.preview(place, {})
        assert rows[0]["stops"] == "arn:deployment"
        script.add_response("list_service_deployments", under_way)
        asked = {"serviceDeploymentArn": "arn:deployment", "stopType": "ROLLBACK"}
        script.add_response("stop_service_deployment", {}, asked)
        result = deed.apply(place, {}, rows, "key")
        script.add_response("list_service_deployments", {"serviceDeployments": []})
        assert deed.apply(place, {}, rows, "key") == result
        back = {"cluster": "shop", "service": "web", "taskDefinition": "web:3"}
        older = {**service, "taskDefinition": "x/web:2"}
        script.add_response("describe_services", {"services": [older]})
        script.add_response("update_service", {}, back)
        deed.undo(place, result)


def a_step(**fields: Any) -> Step:
    reading = {"kind": "aws", "target": "waf", "reading": "waf_blocked", "arguments": {"ip": "$ip"}}
    known = {
        "title": "Block",
        "command": "block $ip",
        "mutates": True,
        "risk": "low",
        "parameters": {"ip": {"type": "ip", "description": "x"}},
        "action": {
            "kind": "aws",
            "target": "waf",
            "action": "waf_block_ip",
            "arguments": {"ip": "$ip"},
        },
        "precheck": {"title": "x", "probe": reading, "expect": {"op": "==", "value": False}},
        "verify": {"title": "x", "probe": reading, "expect": {"op": "==", "value": True}},
        "undo": {
            "title": "back",
            "action": {"kind": "aws", "target": "waf", "action": "waf_unblock_ip"},
        },
    }
    return Step.model_validate({**known, **fields})


def test_a_step_goes_through_executor_and_prober(account: Account) -> None:
    case = cloud_cases.waf_block_ip(account)
    catalog = a_catalog().model_dump(mode="json", exclude_unset=True)
    targets = {**catalog["targets"], "waf": case.target.model_dump(mode="json")}
    knowledge = MemoryKnowledge(Catalog.model_validate({**catalog, "targets": targets}), {})
    executor = AwsExecutor(knowledge, account, FixedClock())
    prober = AwsProber(knowledge, account, FixedClock())
    step, values, before = a_step(), {"ip": ATTACKER}, case.state()
    assert step.verify is not None
    probe = step.verify.probe

    assert prober.probe(probe, "waf", values).value is False
    rows = executor.preview(step, "waf", values)
    planned = a_planned_step(kind="aws", target="waf", parameters=values, preview=tuple(rows))
    result = executor.apply(step, planned, "key")
    assert prober.probe(probe, "waf", values).value is True
    executor.undo(step, planned, result, "key:undo")
    assert case.state() == before

    other = planned.model_copy(update={"parameters": {"ip": "203.0.113.43"}})
    with pytest.raises(TargetUnavailable):
        executor.apply(step, other, "key")
    nothing = planned.model_copy(update={"preview": ()})
    assert executor.apply(step, nothing, "key") == {}
    wrong = {"title": "b", "action": {"kind": "aws", "target": "waf", "action": "waf_block_ip"}}
    with pytest.raises(StepFailed, match="no undo"):
        executor.undo(a_step(undo=wrong), planned, result, "key")
    assert case.state() == before


def test_what_goes_wrong_with_a_look_is_in_the_evidence(account: Account) -> None:
    case = cloud_cases.waf_block_ip(account)
    catalog = a_catalog().model_dump(mode="json", exclude_unset=True)
    gone = {"kind": "aws", "ip_set": {"name": "gone", "id": "0" * 36}}
    targets = {"waf": case.target.model_dump(mode="json"), "gone": gone, "empty": {"kind": "aws"}}
    known = {**catalog, "targets": {**catalog["targets"], **targets}}
    prober = AwsProber(MemoryKnowledge(Catalog.model_validate(known), {}), account, FixedClock())

    def ask(target: str, reading: str = "waf_blocked", **arguments: Any) -> EvidenceStatus:
        given = arguments or {"ip": ATTACKER}
        probe = AwsProbe(kind="aws", target="waf", reading=reading, arguments=given)
        return prober.probe(probe, target, {}).status

    assert ask("waf") is EvidenceStatus.OK
    for target in ("gone", "empty", "orders-db", "nowhere"):
        assert ask(target) is EvidenceStatus.NOT_CONFIGURED
    assert ask("waf", "secrets_of_everybody") is EvidenceStatus.NOT_CONFIGURED
    assert ask("waf", ip="10.0.0.1") is EvidenceStatus.ERROR
    assert ask("waf", address=ATTACKER) is EvidenceStatus.ERROR
    account.calls.clear()
    account.fault = Fault(at=1, after=False, make=denied)
    assert ask("waf") is EvidenceStatus.DENIED
