"""What an operator chooses shows in the stack."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from incident_squad.agents.models import SEATS
from infra.app import main
from infra.functions import FUNCTIONS, May
from infra.stack import Choices, IncidentSquadStack
from infra.stage import Stage
from infra.targets import deployed_catalog


def resources(choices: Choices, kind: str) -> list[dict[str, Any]]:
    root = cdk.App(builtin_cloud_formation_validation=False)
    template = assertions.Template.from_stack(
        IncidentSquadStack(root, "IncidentSquad-test", choices=choices)
    )
    return [found["Properties"] for found in template.find_resources(kind).values()]


def test_an_address_of_ones_own_is_what_people_are_sent_to() -> None:
    choices = Choices(stage=Stage("dev"), public_url="https://squad.example")
    (parameter,) = resources(choices, "AWS::SSM::Parameter")
    assert parameter["Value"] == "https://squad.example"


def test_the_person_on_call_is_subscribed() -> None:
    choices = Choices(stage=Stage("dev"), on_call_email="oncall@squad.example")
    endpoints = [found["Endpoint"] for found in resources(choices, "AWS::SNS::Subscription")]
    assert "oncall@squad.example" in endpoints


def test_built_dependencies_become_a_layer_of_every_function(tmp_path: Path) -> None:
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "module.py").write_text("")
    choices = Choices(stage=Stage("dev"), dependencies=tmp_path)
    functions = resources(choices, "AWS::Lambda::Function")
    assert all(len(function["Layers"]) == 3 for function in functions)


def test_nothing_goes_to_aws_without_its_dependencies(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"infra\.build_layer"):
        main(tmp_path / "build")


OWN = {
    "services": {"website": {"targets": {"waf": "own-waf"}}, "wiki": None},
    "targets": {
        "own-waf": {
            "kind": "aws",
            "ip_set": {"name": "own-set", "id": "99999999-2222-4333-8444-555555555555"},
        },
        "own-db": {"kind": "postgresql", "reader": "targets/own-r", "writer": "targets/own-w"},
    },
}


def test_ones_own_catalogue_reaches_the_functions_and_their_roles() -> None:
    choices = Choices(stage=Stage("dev"), catalog=OWN)
    functions = resources(choices, "AWS::Lambda::Function")
    overlaid = {f["Environment"]["Variables"]["SQUAD_CATALOG_OVERLAY"] for f in functions}
    assert overlaid == {"/opt/catalog-overlay.yaml"}
    assert all(len(function["Layers"]) == 3 for function in functions)
    roles = str(resources(choices, "AWS::IAM::Policy"))
    for name in ("ipset/own-set/", "targets/own-r-??????", "targets/own-w-??????"):
        assert name in roles


def test_a_null_takes_away_what_the_example_has() -> None:
    base = deployed_catalog({})
    catalog = deployed_catalog(OWN)
    assert "wiki" in base.services
    assert "wiki" not in catalog.services
    assert catalog.target_of("website", "waf") == "own-waf"


def test_bedrock_is_asked_by_role_for_the_models_of_the_table_and_for_no_other() -> None:
    policies = resources(Choices(stage=Stage("dev"), model="bedrock"), "AWS::IAM::Policy")
    found = [
        part
        for policy in policies
        for part in policy["PolicyDocument"]["Statement"]
        if "bedrock" in str(part["Action"])
    ]
    askers = [row for row in FUNCTIONS if May.ASK in row.may]
    assert len(found) == len(askers) == 7
    models = {seat.model for seat in SEATS.values()}
    for part in found:
        assert part["Action"] == ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
        arns = [arn["Fn::Join"][1] for arn in part["Resource"]]
        names = {str(arn[-1]).rpartition("anthropic.")[2] for arn in arns}
        assert names == models
        assert len(arns) == 3 * len(models)
        assert "*" not in str(arns)
    keys = [policy for policy in policies if "anthropic-api-key" in str(policy)]
    assert keys == []


def test_without_bedrock_nobody_may_ask_it() -> None:
    policies = resources(Choices(stage=Stage("dev"), model="anthropic"), "AWS::IAM::Policy")
    assert "bedrock" not in str(policies)


def test_transcripts_are_kept_for_as_long_as_an_operator_says() -> None:
    functions = resources(Choices(stage=Stage("dev"), transcript_days=7), "AWS::Lambda::Function")
    days = {one["Environment"]["Variables"]["SQUAD_TRANSCRIPT_DAYS"] for one in functions}
    assert days == {"7"}
