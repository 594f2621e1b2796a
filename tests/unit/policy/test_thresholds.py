"""An operator's limits count in place of a runbook's, and are said."""

from typing import Any

from incident_squad.domain.catalog import Catalog
from incident_squad.policy.thresholds import fitted
from tests.builders import a_catalog, a_runbook

LIMIT = {"op": "<", "value": 0.8, "field": "share"}
PROBE = {"kind": "sql", "target": "database", "sql": "SELECT 1"}
METRIC = {"kind": "metric", "source": "prometheus", "query": "up"}
CONDITION = {"title": "Less than 80 %", "probe": PROBE, "expect": LIMIT}
CHECK = {
    "id": "share",
    "title": "How much?",
    "means": "At least 80 %.",
    "probes": [METRIC, PROBE],
    "supports": {**LIMIT, "op": ">="},
}
STEP = {
    "title": "Do it",
    "command": "do",
    "mutates": True,
    "risk": "low",
    "action": {"kind": "sql", "target": "database", "preview": "SELECT 1", "apply": "x"},
    "precheck": CONDITION,
    "verify": CONDITION,
    "undo": {"title": "none"},
}
BOOK = a_runbook(checks=[CHECK], steps=[STEP], recovery=[CONDITION])


def with_fields(**fields: Any) -> Catalog:
    target = {"kind": "postgresql", "reader": "r", "writer": "w", "fields": fields}
    return a_catalog(targets={"orders-db": target})


def test_the_fields_of_the_target_count_and_are_said() -> None:
    book = fitted(BOOK, with_fields(share=0.5), "orders")
    (check,), (condition,), (step,) = book.checks, book.recovery, book.steps
    assert step.precheck is not None
    assert step.verify is not None
    limits = (check.supports, condition.expect, step.precheck.expect, step.verify.expect)
    assert {limit.value for limit in limits} == {0.5}
    assert check.means == "At least 80 % (the limit set here: 0.5)."
    assert condition.title == "Less than 80 % (the limit set here: 0.5)"
    assert book.digest == BOOK.digest


def test_without_a_number_in_the_fields_the_runbook_counts() -> None:
    for catalog, service in (
        (with_fields(), "orders"),
        (with_fields(share="0.5"), "orders"),
        (with_fields(share=0.5), "nobody"),
        (with_fields(share=0.5), None),
    ):
        assert fitted(BOOK, catalog, service) == BOOK
