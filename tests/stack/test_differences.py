"""The local template differs from the cloud's in named places only."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from infra.local.assembly import assembly
from infra.local.differences import DROPPED, LAYERS_LEFT_OUT, OUTWARD, localise
from infra.local.errors import UnknownDifference

pytestmark = pytest.mark.stack

TOLD = {"SQUAD_RUNBOOKS": "/here/runbooks", "SQUAD_CATALOG_OVERLAY": "/here/overlay.yaml"}


@pytest.fixture(scope="module")
def cloud() -> dict[str, Any]:
    file: Path = next(assembly(lambda _: None).glob("*.template.json"))
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def places(one: object, other: object, at: str = "") -> Iterator[str]:
    """Where two templates differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            if name not in one or name not in other:
                yield f"{at}{name}"
            else:
                yield from places(one[name], other[name], f"{at}{name}/")
    elif one != other:
        yield at.rstrip("/")


def test_every_difference_is_named_with_a_reason(cloud: dict[str, Any]) -> None:
    before = copy.deepcopy(cloud)
    local, differences = localise(cloud, TOLD)
    assert cloud == before
    assert set(places(cloud, local)) == {difference.place for difference in differences}
    assert all(difference.why for difference in differences)


def test_only_layers_environment_and_unknown_types_differ(cloud: dict[str, Any]) -> None:
    _, differences = localise(cloud, TOLD)
    allowed = (*(f"Variables/{name}" for name in TOLD), "Properties/Layers")
    others = [d.place for d in differences if not d.place.endswith(allowed)]
    kinds = {cloud["Resources"][place.split("/")[1]]["Type"] for place in others}
    assert kinds <= {*DROPPED, *OUTWARD, "AWS::Lambda::LayerVersion"}


def test_the_emulator_knows_all_that_is_kept(cloud: dict[str, Any]) -> None:
    local, _ = localise(cloud, TOLD)
    kinds = {resource["Type"] for resource in local["Resources"].values()}
    assert kinds <= set(_RESOURCE_HANDLERS)


@pytest.mark.parametrize("kind", DROPPED)
def test_the_emulator_still_lacks_what_is_dropped(kind: str) -> None:
    assert kind not in _RESOURCE_HANDLERS


def test_the_shared_layer_stays(cloud: dict[str, Any]) -> None:
    local, _ = localise(cloud, TOLD)
    layers = [r for r in local["Resources"].values() if r["Type"] == "AWS::Lambda::LayerVersion"]
    assert [layer["Properties"]["Description"] for layer in layers] == ["Incident Squad: shared"]
    functions = [r for r in local["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    assert functions
    assert all(len(function["Properties"]["Layers"]) == 1 for function in functions)


def small(**resources: dict[str, Any]) -> dict[str, Any]:
    return {"Resources": resources}


def test_what_only_waits_for_a_dropped_resource_forgets_it() -> None:
    dropped = {"Type": next(iter(DROPPED))}
    waits = {"Type": "AWS::SNS::Topic", "DependsOn": ["Gone", "Other"]}
    other = {"Type": "AWS::SQS::Queue"}
    template = small(Gone=dropped, Waits=waits, Other=other)
    template["Outputs"] = {"Name": {"Value": {"Ref": "Gone"}}}
    local, differences = localise(template, {})
    assert local["Resources"]["Waits"]["DependsOn"] == ["Other"]
    assert [d.place for d in differences] == [
        "Resources/Gone", "Resources/Waits/DependsOn", "Outputs/Name",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "need",
    [{"Ref": "Gone"}, {"Fn::GetAtt": ["Gone", "Arn"]}, {"Fn::GetAtt": "Gone.Arn"},
     {"Fn::Sub": "${Gone.Arn}/x"}],
)  # fmt: skip
def test_what_needs_a_dropped_resource_is_refused(need: dict[str, Any]) -> None:
    needs = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": need}}
    template = small(Gone={"Type": next(iter(DROPPED))}, Needs=needs)
    with pytest.raises(UnknownDifference, match=r"Needs.*Gone.*decide"):
        localise(template, {})


def test_layers_are_left_out_by_their_description() -> None:
    layer = {
        "Type": "AWS::Lambda::LayerVersion",
        "Properties": {"Description": next(iter(LAYERS_LEFT_OUT))},
    }
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Layers": [{"Ref": "Layer"}]}}
    local, _ = localise(small(Layer=layer, Function=function), {})
    assert local["Resources"] == {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Layers": [], "Environment": {"Variables": {}}},
        }
    }
