"""What each role may do, read from the synthesised template."""

import re
from collections.abc import Iterable
from typing import Any

import pytest

from infra.components.layers import ROOT
from infra.components.permissions import ACTIONS
from infra.functions import FUNCTIONS, Function, May
from infra.target_grants import target_grants
from infra.targets import deployed_catalog, target_secrets

Template = dict[str, Any]
OWN_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
MEASURING = {
    *(f"investigate_{kind}" for kind in ("database", "network", "application", "security")),
    "query_metrics",
    "remediate",
    "verify_recovery",
}
ALONGSIDE = {May.NOTIFY: {"kms:Decrypt", "kms:GenerateDataKey"}}
# Actions for which AWS has no resources, or whose resources are only known to AWS.
WITHOUT_RESOURCE = {
    "ec2:DescribeInstances",
    "ecs:ListTaskDefinitions",
    "ssm:GetCommandInvocation",
    "ssm:ListCommandInvocations",
    "ssm:ListCommands",
    "cloudwatch:GetMetricData",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def policies(template: Template) -> Iterable[tuple[list[str], list[dict[str, Any]]]]:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy":
            roles = [role["Ref"] for role in resource["Properties"]["Roles"]]
            yield roles, resource["Properties"]["PolicyDocument"]["Statement"]


def statements_of(template: Template, row: Function) -> list[dict[str, Any]]:
    (function,) = (
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
        and resource["Properties"]["FunctionName"].endswith(f"-{row.name}")
    )
    role = function["Role"]["Fn::GetAtt"][0]
    assert "ManagedPolicyArns" not in template["Resources"][role]["Properties"]
    assert "Policies" not in template["Resources"][role]["Properties"]
    return [part for roles, found in policies(template) if role in roles for part in found]


def actions(statements: Iterable[dict[str, Any]]) -> set[str]:
    return {action for part in statements for action in listed(part["Action"])}


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_a_role_holds_what_its_row_says_and_no_more(template: Template, row: Function) -> None:
    # Bedrock is for stacks that choose it: `test_choices` looks at one.
    held = row.may - {May.INVOKE}
    allowed = {action for permission in held for action in ACTIONS[permission]}
    alongside = {action for permission in row.may for action in ALONGSIDE.get(permission, ())}
    targets = {
        action
        for grant in target_grants(deployed_catalog({}))
        if grant.may in row.may
        for action in grant.actions
    }
    assert actions(statements_of(template, row)) == allowed | alongside | OWN_LOG | targets


# Writes go by TransactWriteItems, which asks for the rights of its parts; SES' second API asks for
# the first one's right.
CALLED_AS = {
    "dynamodb:DeleteItem": '"Delete"',
    "dynamodb:PutItem": '"Put"',
    "dynamodb:UpdateItem": '"Update"',
    "lambda:InvokeFunction": "invoke",
    # Called by anthropic's own client, of one answer and of one that comes in parts.
    "bedrock:InvokeModel": "messages.with_streaming_response.create",
    "bedrock:InvokeModelWithResponseStream": '"stream": True',
}


def test_no_role_may_call_what_no_code_calls() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "layers" / "shared").rglob("*.py"))
    for action in {action for found in ACTIONS.values() for action in found}:
        operation = re.sub(r"(?<!^)(?=[A-Z])", "_", action.partition(":")[2]).lower()
        called = CALLED_AS.get(action, operation)
        assert re.search(rf"(?<![A-Za-z_]){re.escape(called)}(?![A-Za-z_])", code), action


def test_every_function_has_a_role_of_its_own(template: Template) -> None:
    roles = [
        resource["Properties"]["Role"]["Fn::GetAtt"][0]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]
    assert len(set(roles)) == len(FUNCTIONS)


@pytest.mark.parametrize(
    ("action", "who"),
    [
        ("states:StartExecution", {"intake", "sweep"}),
        ("states:SendTaskSuccess", {"decide_approval", "request_approval", "sweep"}),
        (
            "kms:GenerateMac",
            {
                "contribute",
                "keep_promises",
                "notify_on_call",
                "publish_update",
                "request_approval",
                "triage",
            },
        ),
        ("sns:Publish", {"deliver_messages"}),
        ("ses:SendEmail", {"deliver_messages"}),
        ("kms:VerifyMac", {"contribute", "decide_approval", "incidents"}),
        ("sns:ConfirmSubscription", {"intake"}),
        ("cloudwatch:GetMetricData", MEASURING),
    ],
)
def test_sensitive_acts_are_for_the_named_few(
    template: Template, action: str, who: set[str]
) -> None:
    able = {row.name for row in FUNCTIONS if action in actions(statements_of(template, row))}
    assert able == who


def secrets_of(template: Template, row: Function) -> str:
    return str(
        [
            part["Resource"]
            for part in statements_of(template, row)
            if "secretsmanager:GetSecretValue" in listed(part["Action"])
        ]
    )


def test_only_the_fix_and_its_undo_hold_credentials_that_write(template: Template) -> None:
    secrets = target_secrets(deployed_catalog({}))
    assert secrets.writers
    assert not set(secrets.readers) & set(secrets.writers)
    for row in FUNCTIONS:
        held = secrets_of(template, row)
        may_write = any(f"{name}-??????" in held for name in secrets.writers)
        assert may_write == (row.name in {"remediate", "undo_remediation"}), row.name


def test_credentials_of_metric_sources_are_for_those_who_measure(template: Template) -> None:
    holders = {row.name for row in FUNCTIONS if "/metrics/*" in secrets_of(template, row)}
    assert holders == MEASURING


def test_only_those_who_ask_a_model_hold_its_key(template: Template) -> None:
    holders = {
        row.name for row in FUNCTIONS if "model/anthropic-api-key" in secrets_of(template, row)
    }
    specialists = {row.name for row in FUNCTIONS if row.name.startswith("investigate_")}
    assert holders == specialists | {"triage", "draft_update", "publish_update"}
    writers = {row.name for row in FUNCTIONS if May.ACT in row.may}
    assert not holders & writers


@pytest.mark.parametrize(
    "action",
    [
        "wafv2:UpdateIPSet",
        "cognito-idp:AdminResetUserPassword",
        "iam:UpdateAccessKey",
        "ec2:ModifyInstanceAttribute",
        "ssm:SendCommand",
    ],
)
def test_only_the_fix_and_its_undo_change_clouds(template: Template, action: str) -> None:
    able = {row.name for row in FUNCTIONS if action in actions(statements_of(template, row))}
    assert able == {"remediate", "undo_remediation"}


def test_the_door_to_the_internet_can_only_have_others_look(template: Template) -> None:
    (row,) = (row for row in FUNCTIONS if row.name == "intake")
    held, secrets = secrets_of(template, row), target_secrets(deployed_catalog({}))
    assert not [name for name in (*secrets.readers, *secrets.writers) if name in held]
    calls = [
        part["Resource"]
        for part in statements_of(template, row)
        if "lambda:InvokeFunction" in listed(part["Action"])
    ]
    named = {name for row in FUNCTIONS for name in [row.name] if f"-{name}" in str(calls)}
    assert named == {"preview_step", "query_metrics"}
    lookers = [row for row in FUNCTIONS if row.name in named]
    assert not [row for row in lookers if row.may & {May.ACT, May.WRITE, May.START, May.ANSWER}]


def test_those_who_show_incidents_cannot_change_them(template: Template) -> None:
    (row,) = (row for row in FUNCTIONS if row.name == "incidents")
    found = {a for a in actions(statements_of(template, row)) if a.startswith("dynamodb:")}
    assert found == {"dynamodb:GetItem", "dynamodb:Query"}


def test_no_statement_is_for_everything_but_a_named_few(template: Template) -> None:
    for _, statements in policies(template):
        for part in statements:
            assert "*" not in listed(part["Action"])
            if "*" in listed(part["Resource"]):
                assert set(listed(part["Action"])) <= WITHOUT_RESOURCE


def test_the_machine_may_call_its_functions_and_nothing_else(template: Template) -> None:
    (role,) = (
        resource["Properties"]["RoleArn"]["Fn::GetAtt"][0]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    )
    found = actions(part for roles, parts in policies(template) if role in roles for part in parts)
    assert found - WITHOUT_RESOURCE == {"lambda:InvokeFunction"}


def test_transcripts_are_added_by_those_who_judge_and_read_by_no_function(
    template: Template,
) -> None:
    (table,) = (name for name in template["Resources"] if name.startswith("TranscriptsTable"))
    specialists = {row.name for row in FUNCTIONS if row.name.startswith("investigate_")}
    judges = {"triage", "draft_update", "publish_update", "synthesize", "close_incident"}
    for row in FUNCTIONS:
        mine = [p for p in statements_of(template, row) if table in str(p["Resource"])]
        assert actions(mine) == (
            {"dynamodb:PutItem"} if row.name in specialists | judges else set()
        )
    readers = [
        resource["Properties"]["PolicyDocument"]["Statement"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    ]
    ((statement,),) = readers
    assert statement["Action"] == "dynamodb:Query"
    assert table in str(statement["Resource"])


def test_transcripts_are_encrypted_and_go_in_time(template: Template) -> None:
    (table,) = (
        resource["Properties"]
        for name, resource in template["Resources"].items()
        if name.startswith("TranscriptsTable")
    )
    assert table["SSESpecification"]["SSEEnabled"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert "PointInTimeRecoverySpecification" not in table
