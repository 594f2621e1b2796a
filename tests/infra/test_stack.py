"""What must hold of the stack, read from the synthesised template."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from aws_cdk import aws_sns as sns
from constructs import Construct
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from infra.app import reviewed_app, synthesise
from infra.components.api import ROUTES
from infra.components.layers import ROOT
from infra.functions import FUNCTIONS
from infra.golden import lambda_functions
from infra.local.differences import DROPPED

Template = dict[str, Any]


def of_type(template: Template, kind: str) -> list[dict[str, Any]]:
    return [r for r in template["Resources"].values() if r["Type"] == kind]


def only(template: Template, kind: str) -> dict[str, Any]:
    (resource,) = of_type(template, kind)
    return resource


def properties(template: Template, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = only(template, kind)["Properties"]
    return found


def incident_table(template: Template) -> dict[str, Any]:
    (table,) = (r for n, r in template["Resources"].items() if n.startswith("StorageTable"))
    return dict(table)


def test_folders_rows_and_functions_are_the_same(template: Template) -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
    rows = {row.name for row in FUNCTIONS}
    assert folders == rows
    assert set(lambda_functions(template).values()) == rows


def test_functions_are_alike_where_they_can_be(template: Template) -> None:
    for function in of_type(template, "AWS::Lambda::Function"):
        found = function["Properties"]
        assert found["Runtime"] == "python3.13"
        assert found["Architectures"] == ["arm64"]
        assert found["Handler"] == "handler.lambda_handler"
        assert found["LoggingConfig"]["LogFormat"] == "JSON"
        assert len(found["Layers"]) == 2  # tests go without the built dependencies


def test_functions_are_told_where_things_are_and_no_secret(template: Template) -> None:
    wanted = {
        "SQUAD_ALERT_TOPICS",
        "SQUAD_TABLE",
        "SQUAD_MACHINE_ARN",
        "SQUAD_KEY_ID",
        "SQUAD_TOPIC_ARN",
        "SQUAD_RUNBOOKS",
        "SQUAD_PUBLIC_URL_PARAMETER",
        "SQUAD_SECRETS_PREFIX",
        "SQUAD_FUNCTION_PREFIX",
        "SQUAD_MODEL",
        "SQUAD_MODEL_REGION",
        "SQUAD_TRANSCRIPTS",
        "SQUAD_TRANSCRIPT_DAYS",
    }
    for function in of_type(template, "AWS::Lambda::Function"):
        assert set(function["Properties"]["Environment"]["Variables"]) == wanted


def test_every_log_is_ours_and_is_forgotten_in_time(template: Template) -> None:
    logs = of_type(template, "AWS::Logs::LogGroup")
    assert len(logs) == len(FUNCTIONS) + 2  # the machine's and the API's
    assert all(log["Properties"]["RetentionInDays"] == 90 for log in logs)
    for function in of_type(template, "AWS::Lambda::Function"):
        assert function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] in template["Resources"]


def test_the_table_answers_what_sres_ask(template: Template) -> None:
    table = incident_table(template)["Properties"]
    indexes = {
        index["IndexName"]: tuple(key["AttributeName"] for key in index["KeySchema"])
        for index in table["GlobalSecondaryIndexes"]
    }
    assert indexes == {
        "by_time": ("kind", "id"),
        "by_status": ("status", "id"),
        "by_service": ("service", "id"),
        "by_type": ("type", "id"),
        "by_severity": ("severity", "id"),
    }
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["PK", "SK"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}


def test_production_keeps_its_incidents(template: Template) -> None:
    table = incident_table(template)
    assert table["DeletionPolicy"] == "Retain"
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    recovery = table["Properties"]["PointInTimeRecoverySpecification"]
    assert recovery["PointInTimeRecoveryEnabled"] is True
    assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"


def test_links_are_signed_by_a_key_that_cannot_leave(template: Template) -> None:
    specs = [key["Properties"].get("KeySpec") for key in of_type(template, "AWS::KMS::Key")]
    assert "HMAC_256" in specs


def test_every_source_with_a_secret_has_one_of_its_own(template: Template) -> None:
    names = {
        secret["Properties"]["Name"] for secret in of_type(template, "AWS::SecretsManager::Secret")
    }
    assert names == {
        "IncidentSquad-prod/webhooks/pagerduty",
        "IncidentSquad-prod/webhooks/datadog",
        "IncidentSquad-prod/webhooks/alertmanager",
        "IncidentSquad-prod/webhooks/generic",
        "IncidentSquad-prod/api-token",
    }


def test_topics_are_encrypted_and_take_alarms(template: Template) -> None:
    topics = of_type(template, "AWS::SNS::Topic")
    assert len(topics) == 2
    assert all("KmsMasterKeyId" in topic["Properties"] for topic in topics)
    for policy in of_type(template, "AWS::SNS::TopicPolicy"):
        text = json.dumps(policy)
        assert "cloudwatch.amazonaws.com" in text
        assert "aws:SourceAccount" in text


def test_alarms_come_in_through_the_api_like_every_alert(template: Template) -> None:
    subscription = properties(template, "AWS::SNS::Subscription")
    assert subscription["Protocol"] == "https"
    assert subscription["Endpoint"]["Fn::Join"][1][-1].endswith("/webhooks/cloudwatch")
    (intake,) = (
        function["Properties"]["Environment"]["Variables"]
        for function in of_type(template, "AWS::Lambda::Function")
        if function["Properties"]["FunctionName"].endswith("-intake")
    )
    assert intake["SQUAD_ALERT_TOPICS"] == subscription["TopicArn"]


def routes(template: Template) -> set[str]:
    resources = template["Resources"]

    def path(reference: Mapping[str, Any]) -> str:
        if "Ref" not in reference:
            return ""
        part = resources[reference["Ref"]]["Properties"]
        return f"{path(part['ParentId'])}/{part['PathPart']}"

    return {
        f"{method['Properties']['HttpMethod']} {path(method['Properties']['ResourceId'])}"
        for method in of_type(template, "AWS::ApiGateway::Method")
    }


def test_the_api_has_the_designed_routes(template: Template) -> None:
    assert routes(template) == {route for found in ROUTES.values() for route in found}


def test_the_api_is_throttled_and_logs_no_link(template: Template) -> None:
    stage = properties(template, "AWS::ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == 50
    assert settings["ThrottlingBurstLimit"] == 100
    assert settings["DataTraceEnabled"] is False
    log = stage["AccessLogSetting"]["Format"]
    assert "resourcePath" in log
    assert "$context.path" not in log
    assert "BinaryMediaTypes" not in properties(template, "AWS::ApiGateway::RestApi")


def test_the_public_address_is_a_parameter_that_functions_know_by_name(
    template: Template,
) -> None:
    parameter = properties(template, "AWS::SSM::Parameter")
    for function in of_type(template, "AWS::Lambda::Function"):
        told = function["Properties"]["Environment"]["Variables"]
        assert told["SQUAD_PUBLIC_URL_PARAMETER"] == parameter["Name"]


def test_the_machine_name_makes_the_arn_that_functions_are_told(template: Template) -> None:
    machine = properties(template, "AWS::StepFunctions::StateMachine")
    function, *_ = of_type(template, "AWS::Lambda::Function")
    arn = function["Properties"]["Environment"]["Variables"]["SQUAD_MACHINE_ARN"]
    assert arn["Fn::Join"][1][-1].endswith(f":stateMachine:{machine['StateMachineName']}")


def test_the_machine_is_logged_without_its_data_and_traced(template: Template) -> None:
    machine = properties(template, "AWS::StepFunctions::StateMachine")
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert machine["TracingConfiguration"] == {"Enabled": True}


def rule(template: Template, key: str) -> dict[str, Any]:
    rules = [found["Properties"] for found in of_type(template, "AWS::Events::Rule")]
    found: dict[str, Any] = next(rule for rule in rules if key in rule)
    return found


def function_behind(template: Template, rule: Mapping[str, Any]) -> str:
    (name,) = functions_behind(template, rule)
    return name


def functions_behind(template: Template, rule: Mapping[str, Any]) -> set[str]:
    functions = lambda_functions(template)
    return {functions[target["Arn"]["Fn::GetAtt"][0]] for target in rule["Targets"]}


def test_an_execution_that_ends_badly_pages_from_outside_the_machine(template: Template) -> None:
    failed = rule(template, "EventPattern")
    assert failed["EventPattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    assert function_behind(template, failed) == "record_failure"


def test_what_keeps_promises_runs_every_minute(template: Template) -> None:
    schedule = rule(template, "ScheduleExpression")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert functions_behind(template, schedule) == {
        "sweep",
        "deliver_messages",
        "keep_promises",
    }


def test_what_the_squad_cannot_report_itself_has_an_alarm(template: Template) -> None:
    alarms = {alarm["Properties"]["AlarmDescription"] for alarm in _alarms(template)}
    outside = {f"{row.name} fails" for row in FUNCTIONS if not row.state}
    assert alarms == outside | {
        "The workflow has failed",
        "The workflow ran out of time",
        "The API answers 5xx",
        "A channel refused a message for good",
        "A promised update is late",
        "A promise could not be kept",
        "A channel to people has been dead for minutes",
    }
    assert all(alarm["Properties"]["AlarmActions"] for alarm in _alarms(template))


def _alarms(template: Template) -> list[dict[str, Any]]:
    return of_type(template, "AWS::CloudWatch::Alarm")


def test_the_outputs_are_what_the_command_line_asks_for(template: Template) -> None:
    assert {"ApiUrl", "TableName", "MachineArn", "TopicArn"} <= set(template["Outputs"])


def test_the_embedded_stack_knows_every_type_or_drops_it(template: Template) -> None:
    used = {resource["Type"] for resource in template["Resources"].values()}
    assert used <= set(_RESOURCE_HANDLERS) | set(DROPPED)


def test_other_stages_leave_nothing_behind(tmp_path: Path) -> None:
    template = json.loads(synthesise(tmp_path, stage="dev").read_text())
    kept = [
        name
        for name, resource in template["Resources"].items()
        if resource.get("DeletionPolicy") == "Retain"
    ]
    # API Gateway's logging role is the account's: another API may need it.
    assert all("Account" in name or "CloudWatchRole" in name for name in kept), kept


def test_the_same_sources_make_the_same_template(template: Template, tmp_path: Path) -> None:
    assert json.loads(synthesise(tmp_path, stage="prod").read_text()) == template


def test_the_security_review_finds_nothing_that_nobody_accepted(tmp_path: Path) -> None:
    reviewed_app(tmp_path, stage="prod").synth()
    assert json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"] == []


def test_a_finding_that_nobody_accepted_stops_the_synthesis(tmp_path: Path) -> None:
    app = reviewed_app(tmp_path, stage="prod")
    topic = sns.Topic(cast("Construct", app.node.find_child("IncidentSquad-prod")), "Unencrypted")
    assert topic.topic_arn
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
