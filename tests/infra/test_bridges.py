"""What AWS itself says comes straight to the intake function."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from infra.golden import lambda_functions
from infra.stack import Choices, IncidentSquadStack
from infra.stage import Stage

Template = dict[str, Any]


def synthesised(folder: Path, *alarms: str) -> Template:
    app = cdk.App(outdir=str(folder), builtin_cloud_formation_validation=False)
    IncidentSquadStack(app, "S", choices=Choices(stage=Stage("dev"), alarms=alarms))
    app.synth()
    read: Template = json.loads((folder / "S.template.json").read_text())
    return read


def bridges(template: Template) -> dict[str, dict[str, Any]]:
    """Patterns of the rules whose only target is intake, by source."""
    found = {}
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::Events::Rule" or "EventPattern" not in resource["Properties"]:
            continue
        targets = resource["Properties"]["Targets"]
        names = {lambda_functions(template)[t["Arn"]["Fn::GetAtt"][0]] for t in targets}
        if names == {"intake"}:
            pattern = resource["Properties"]["EventPattern"]
            found[pattern["source"][0]] = pattern
            assert targets[0]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 6 * 3600
    return found


def test_findings_and_health_issues_come_in_by_themselves(template: Template) -> None:
    found = bridges(template)
    assert set(found) == {"aws.guardduty", "aws.health"}
    assert found["aws.guardduty"]["detail-type"] == ["GuardDuty Finding"]
    assert found["aws.guardduty"]["detail"] == {"severity": [{"numeric": [">=", 4]}]}
    assert found["aws.health"]["detail"] == {"eventTypeCategory": ["issue"]}


def test_connecting_alarms_is_one_setting(tmp_path: Path) -> None:
    chosen = bridges(synthesised(tmp_path, "orders-", "payments-"))["aws.cloudwatch"]
    assert chosen["detail-type"] == ["CloudWatch Alarm State Change"]
    assert chosen["detail"]["alarmName"] == [{"prefix": "orders-"}, {"prefix": "payments-"}]
    assert chosen["detail"]["state"] == {"value": ["ALARM", "OK"]}


def test_all_alarms_are_all_but_the_squad_s_own(tmp_path: Path) -> None:
    chosen = bridges(synthesised(tmp_path, "all"))["aws.cloudwatch"]
    (names,) = chosen["detail"]["alarmName"]
    assert "S-" in names["anything-but"]["prefix"]


def test_eventbridge_may_call_intake(template: Template) -> None:
    allowed = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Permission"
        and resource["Properties"]["Principal"] == "events.amazonaws.com"
    ]
    functions = lambda_functions(template)
    called = [functions[p["FunctionName"]["Fn::GetAtt"][0]] for p in allowed]
    assert called.count("intake") == 2
    assert all("SourceArn" in permission for permission in allowed)
