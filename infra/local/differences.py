"""What differs between the template that goes to AWS and the one that runs on a laptop.

This is the whole list: a test compares both templates and fails on anything else.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.errors import UnknownDifference

Template = dict[str, Any]

DROPPED: Mapping[str, str] = {
    "AWS::CloudWatch::CompositeAlarm": "the emulator does not know the type",
    "AWS::Events::Archive": "the emulator does not know the type",
    "AWS::SecretsManager::RotationSchedule": "nothing rotates by itself on a laptop",
    "AWS::StepFunctions::StateMachineVersion": "the emulator does not know the type",
    "AWS::WAFv2::WebACLAssociation": "the emulator stores web ACLs and enforces none",
}
"""Resource types that the emulator does not have, each with the reason why none is missed."""

OUTWARD: Mapping[str, str] = {
    "AWS::SNS::Subscription": "its address would be somebody else's API on the internet",
}
"""Resource types that the emulator has, but that would reach beyond this computer."""

LAYERS_LEFT_OUT: Mapping[str, str] = {
    "Incident Squad: dependencies": "the emulator's own Python already has the dependencies,"
    " built for this machine's processor",
    "Incident Squad: runbooks": "runbooks are read from their folder, so an edit counts at once",
}
"""Layers that are left out, by description."""

INHERENT: Mapping[str, str] = {
    "python": "functions run on this machine's Python and processor, whatever `Runtime` says",
    "sandbox": "functions run as you, without a sandbox, memory limit or read-only disk",
    "permissions": "roles are stored and not enforced: the template's tests check them",
    "api limits": "throttling, request validation, WAF and the 29 s limit are not enforced",
    "retry delays": "MaxDelaySeconds and jitter of a Retry are ignored",
    "encryption": "KMS keys sign and verify for real, but nothing is encrypted at rest",
    "executions": "a running execution does not survive a restart: the sweep takes it up again",
}
"""Differences that no template shows, because the emulator itself makes them."""


@dataclass(frozen=True)
class Difference:
    """One difference: where in the template (`Resources/Id/...`) and why."""

    place: str
    why: str


def localise(
    template: Template, environment: Mapping[str, str]
) -> tuple[Template, list[Difference]]:
    """The template for the emulator, and how it differs; `template` is not changed.

    `environment` is laid over the variables of every function. Raises UnknownDifference when a
    kept resource needs one that is left out.
    """
    local = copy.deepcopy(template)
    differences = [*_drop(local), *_override(local, environment)]
    _check(local, {difference.place.split("/")[1] for difference in differences})
    return local, differences


def _drop(local: Template) -> Iterator[Difference]:
    gone, left_out = {}, {**DROPPED, **OUTWARD}
    for name, resource in local["Resources"].items():
        layer = _description(resource)
        if resource["Type"] in left_out:
            gone[name] = left_out[resource["Type"]]
        elif resource["Type"] == "AWS::Lambda::LayerVersion" and layer in LAYERS_LEFT_OUT:
            gone[name] = LAYERS_LEFT_OUT[layer]
    for name, why in gone.items():
        del local["Resources"][name]
        yield Difference(f"Resources/{name}", why)
    yield from _forget(local, set(gone))


def _forget(local: Template, gone: set[str]) -> Iterator[Difference]:
    for name, resource in local["Resources"].items():
        for path, holder, field in _lists(resource):
            kept = [i for i in holder[field] if not gone & (_needs(i) or {str(i)})]
            if kept != holder[field]:
                holder[field] = kept
                yield Difference(f"Resources/{name}/{path}", "it names what is left out")
    for name in [n for n, output in local.get("Outputs", {}).items() if gone & _needs(output)]:
        del local["Outputs"][name]
        yield Difference(f"Outputs/{name}", "it names what is left out")


def _lists(resource: Template) -> Iterator[tuple[str, Template, str]]:
    if isinstance(resource.get("DependsOn"), str):
        resource["DependsOn"] = [resource["DependsOn"]]
    if "DependsOn" in resource:
        yield "DependsOn", resource, "DependsOn"
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::Lambda::Function" and "Layers" in properties:
        yield "Properties/Layers", properties, "Layers"


def _override(local: Template, environment: Mapping[str, str]) -> Iterator[Difference]:
    for name, resource in local["Resources"].items():
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        settings = resource["Properties"].setdefault("Environment", {})
        settings.setdefault("Variables", {}).update(environment)
        for variable in environment:
            place = f"Resources/{name}/Properties/Environment/Variables/{variable}"
            yield Difference(place, "what a laptop's functions are told")


def _check(local: Template, named: set[str]) -> None:
    known = set(local["Resources"]) | set(local.get("Parameters", {}))
    for name, resource in local["Resources"].items():
        missing = (_needs(resource) & named) - known
        if missing:
            raise UnknownDifference(
                f"{name} ({resource['Type']}) needs {', '.join(sorted(missing))}, which is left"
                " out on a laptop: decide about it in infra/local/differences.py"
            )


def _description(resource: Template) -> str:
    return str(resource.get("Properties", {}).get("Description", ""))


def _needs(part: object) -> set[str]:
    """The resources that a part of a template refers to."""
    if isinstance(part, list):
        return set().union(*(_needs(item) for item in part))
    if not isinstance(part, dict):
        return set()
    found = set().union(*(_needs(item) for item in part.values()))
    for function, names in REFERENCES.items():
        if set(part) == {function}:
            found |= names(part[function])
    return found


def _sub_names(value: Any) -> set[str]:  # noqa: ANN401 - a text, or a text and its variables
    text = value if isinstance(value, str) else value[0]
    return {name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", text)}


def _attribute_owner(value: Any) -> set[str]:  # noqa: ANN401 - a list, or a dotted text
    return {(value if isinstance(value, list) else value.split("."))[0]}


REFERENCES: Mapping[str, Callable[[Any], set[str]]] = {
    "Ref": lambda name: {name},
    "Fn::GetAtt": _attribute_owner,
    "Fn::Sub": _sub_names,
}
