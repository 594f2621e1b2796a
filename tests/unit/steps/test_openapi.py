"""The OpenAPI document: what it says is what there is."""

import json
from typing import Any

from functions.incidents import handler
from incident_squad.steps.openapi import document
from infra.components.api import ROUTES

METHODS = {"get", "post", "delete", "put", "patch"}
WITHOUT_PROOF = {"status", "health", "openapi.json", "approvals", "publications"}


def operations() -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def test_every_route_is_described_and_no_other() -> None:
    assert set(operations()) == {route for found in ROUTES.values() for route in found}


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(document())
    known = set(document()["components"]["schemas"])
    named = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert named <= known
    assert {"Problem", "Incident", "Report", "TimelineEvent"} <= named


def test_every_error_is_problem_details_and_every_wait_is_told() -> None:
    for operation in operations().values():
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert "application/problem+json" in answer["content"]
            if status in {"429", "503"}:
                assert "Retry-After" in answer["headers"]


def test_what_needs_a_proof_says_which() -> None:
    schemes = set(document()["components"]["securitySchemes"])
    for route, operation in operations().items():
        named = {name for way in operation["security"] for name in way}
        assert named <= schemes
        free = route.split("/")[1] in WITHOUT_PROOF
        assert bool(named) != free


def test_it_is_served_to_everybody() -> None:
    assert handler.openapi().status_code == 200


def test_fields_have_the_names_that_they_are_answered_with() -> None:
    schemas = document()["components"]["schemas"]
    assert {"openedAt", "sourceResolvedAt", "severity"} <= set(schemas["Incident"]["properties"])
    assert {"incidentId", "rootCause", "proposedFix"} <= set(schemas["Report"]["properties"])
