"""The lint finds what the schema cannot, and says what to mend."""

from collections.abc import Mapping
from typing import Any

import pytest

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.runbook import Runbook
from incident_squad.policy.runbook_lint import coverage, lint
from tests.builders import a_catalog, a_runbook

SAFE = {"en": "see errors", "fr": "voir des erreurs"}
SOUND: dict[str, Any] = {
    "name": "db-deadlocks",
    "path": "database/db-deadlocks.md",
    "guide": "Look first.",
    "signals": {"says": ["deadlock"]},
    "customer": dict.fromkeys(("impact", "looking_into", "cause", "fix"), SAFE),
    "recovery": [
        {
            "title": "gone",
            "probe": {"kind": "sql", "target": "database", "sql": "SELECT 1"},
            "expect": {"op": "==", "value": 1},
        }
    ],
}
PREVIEW = (
    "SELECT pid FROM pg_stat_activity WHERE xact_start < now() - make_interval(secs => %(age)s)"
)
APPLY = "SELECT pg_terminate_backend(pid) FROM unnest(%(preview_pid)s::int[]) AS pid"
AGE = {"type": "integer", "description": "age", "default": 60, "min": 1, "max": 600}


def a_condition(sql: str = "SELECT 1") -> dict[str, Any]:
    return {
        "title": "a condition",
        "probe": {"kind": "sql", "target": "database", "sql": sql},
        "expect": {"op": "==", "value": 1},
    }


def a_change(**fields: Any) -> dict[str, Any]:
    known = {
        "title": "End them",
        "command": APPLY,
        "mutates": True,
        "risk": "low",
        "parameters": {"age": AGE},
        "action": an_action(),
        "precheck": a_condition(),
        "verify": a_condition(),
        "undo": {"title": "nothing to take back"},
    }
    return {**known, **fields}


def an_action(**fields: Any) -> dict[str, Any]:
    return {"kind": "sql", "target": "database", "preview": PREVIEW, "apply": APPLY, **fields}


def a_check(sql: str) -> dict[str, Any]:
    return {
        "id": "used",
        "title": "how many",
        "means": "too many",
        "probes": [{"kind": "sql", "target": "database", "sql": sql}],
        "supports": {"op": ">", "value": 0},
    }


def found(catalog: Catalog | None = None, **fields: Any) -> str:
    """The lint's messages for one otherwise sound runbook, one a line."""
    book = a_runbook(**{**SOUND, **fields})
    problems = lint({book.name: book}, catalog or an_operable_catalog())
    own = (p for p in problems if "is missing: write it" not in p.message or "customer" in p.where)
    return "\n".join(f"{problem.severity} {problem.where}: {problem.message}" for problem in own)


def a_deployer(**operations: Any) -> dict[str, Any]:
    known = {
        "status": {"method": "GET", "path": "/deployment"},
        "rollback": {"method": "POST", "path": "/deployment/rollback", "mutates": True},
    }
    return {
        "kind": "http",
        "base_url": "https://deploy.example.com",
        "reader": "r",
        "writer": "w",
        "operations": {**known, **operations},
    }


def an_operable_catalog(**fields: Any) -> Catalog:
    orders = {
        "public_name": {"en": "Orders", "fr": "Commandes"},
        "customers_use_it_to": {"en": "place orders", "fr": "passer commande"},
        "tier": "revenue",
        "owner": "orders-team",
        "targets": {"database": "orders-db", "deployments": "orders-deployer"},
    }
    targets = {
        "orders-db": {"kind": "postgresql", "reader": "r", "writer": "w"},
        "orders-deployer": a_deployer(),
    }
    return a_catalog(**{"services": {"orders": orders}, "targets": targets, **fields})


def test_a_sound_runbook_has_no_problems() -> None:
    assert found(steps=[a_change()]) == ""


def test_missing_failures_are_named() -> None:
    problems = lint({}, an_operable_catalog())

    assert "database/db-connection-pool.md" in {problem.where for problem in problems}
    assert "general/false-alarm.md" in {problem.where for problem in problems}


def test_a_required_runbook_of_another_type_is_an_error() -> None:
    assert "set its type to database" in found(type="network", path="network/db-deadlocks.md")


def test_a_file_stands_where_its_name_and_type_say() -> None:
    assert "belong to database/db-deadlocks.md" in found(path="network/db-deadlocks.md")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1; SELECT 2", "holds a semicolon"),
        ("DELETE FROM orders", "is not read-only"),
        ("WITH gone AS (DELETE FROM orders RETURNING 1) SELECT 1", "it says 'DELETE'"),
        (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
            "it says 'pg_terminate_backend'",
        ),
        ("SELECT * FROM {table}", "put together with braces"),
        ("SELECT * FROM orders WHERE id = $id", "put together with braces"),
        ("SELECT %(age)s", "takes no parameters here"),
    ],
)
def test_a_probe_only_reads_and_is_not_put_together(sql: str, message: str) -> None:
    assert message in found(checks=[a_check(sql)])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM pg_stat_activity WHERE query ~* '^\\s*(create|drop)\\s'",
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        "SELECT current_setting('max_connections')",
        "SHOW max_connections",
    ],
)
def test_words_in_quotes_and_in_names_are_no_writes(sql: str) -> None:
    assert found(checks=[a_check(sql)]) == ""


def test_a_preview_only_reads() -> None:
    preview = "DELETE FROM jobs WHERE age > %(age)s RETURNING pid"

    assert "is not read-only" in found(steps=[a_change(action=an_action(preview=preview))])


def test_an_apply_is_held_to_the_previewed_rows() -> None:
    apply = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"

    assert "held to the previewed rows" in found(steps=[a_change(action=an_action(apply=apply))])


def test_a_reading_step_does_not_write() -> None:
    step = {
        "title": "Look",
        "command": "x",
        "action": {"kind": "sql", "target": "database", "apply": "DROP TABLE orders"},
    }

    assert "is not read-only" in found(steps=[step])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": {}}, "refers to 'age', which is not a parameter"),
        ({"parameters": {"age": AGE, "odd": AGE}}, "'odd' is never used"),
        (
            {"action": an_action(apply=APPLY.replace("preview_pid", "preview_id"))},
            "column 'id', which the preview does not give",
        ),
        ({"precheck": a_condition("SELECT %(preview_pid)s")}, "not known yet at that point"),
        ({"action": an_action(apply=f"{APPLY} WHERE %(result_pid)s")}, "not known yet"),
        ({"action": an_action(preview=PREVIEW.replace("%(age)s", "'%(age)s'"))}, "quotes a param"),
        ({"action": an_action(preview=f"{PREVIEW} AND query LIKE 'a%'")}, "has a stray %"),
    ],
)
def test_references_lead_somewhere(change: dict[str, Any], message: str) -> None:
    assert message in found(steps=[a_change(**change)])


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({**AGE, "default": 900}, "the default of 'age' must be from 1.0 to 600.0"),
        ({**AGE, "min": 900, "max": 1}, "min above its max"),
        ({**AGE, "source": "alert.text"}, "has the source 'alert.text'"),
        (
            {"type": "string", "description": "x", "pattern": "[a-z]+"},
            "must begin with ^ and end with $",
        ),
        (
            {"type": "ip", "description": "x", "default": "203.0.113.7"},
            "comes from the alert, not from a default",
        ),
    ],
)
def test_parameters_are_bounded(parameter: dict[str, Any], message: str) -> None:
    assert message in found(steps=[a_change(parameters={"age": parameter})])


def a_rollback(**fields: Any) -> dict[str, Any]:
    action = {"kind": "http", "target": "deployments", "operation": "rollback"}
    return a_change(
        parameters={},
        action={**action, "preview_operation": "status", **fields},
        undo={"title": "again", "action": {**action, "body": {"to": "$result.previous"}}},
    )


def test_an_http_step_may_name_what_its_preview_answers() -> None:
    assert found(steps=[a_rollback(body={"to": "$preview.previousRelease"})]) == ""


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"body": {"to": "release-$version"}}, "mixes text and a reference"),
        ({"body": {"to": "$version"}}, "refers to 'version', which is not a parameter"),
        ({"operation": "restart"}, "has no operation 'restart'"),
        ({"operation": "status"}, "only reads"),
        ({"preview_operation": "rollback"}, "changes something"),
        ({"target": "certificates"}, "no service has a target for 'certificates'"),
        ({"target": "database"}, "is of another kind"),
    ],
)
def test_http_steps_fit_the_targets_of_the_catalogue(fields: dict[str, Any], message: str) -> None:
    assert message in found(steps=[a_rollback(**fields)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is missing"),
        ("see errors.", "is a part of a sentence"),
        ("see errors from 10.0.0.7", "customers must not read"),
        ("see errors of orders-db", "customers must not read"),
        ("see PostgreSQL errors", "customers must not read"),
    ],
)
def test_customers_read_complete_and_safe_words(text: str, message: str) -> None:
    customer = {**SOUND["customer"], "cause": {"en": text, "fr": "une erreur"}}

    assert f"customer.cause.en: {message}" in found(customer=customer)


def test_a_general_runbook_changes_nothing_by_itself() -> None:
    book = found(name="false-alarm", type=None, path="general/false-alarm.md", steps=[a_change()])

    assert "a general runbook only notes" in book


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"checks": []}, "error database/db-deadlocks.md: has no checks"),
        ({"recovery": [], "steps": [a_change()]}, "has no recovery"),
        ({"checks": [a_check("SELECT 1"), a_check("SELECT 2")]}, "have the same id"),
        ({"signals": {}}, "warning database/db-deadlocks.md: has no signals"),
        ({"guide": ""}, "has no guide"),
    ],
)
def test_a_runbook_is_whole(fields: dict[str, Any], message: str) -> None:
    assert message in found(**fields)


def test_the_catalogue_is_linted_too() -> None:
    same = {"kind": "postgresql", "reader": "r", "writer": "r"}
    service = {"public_name": {"en": "Orders"}, "tier": "revenue", "owner": "orders-team"}
    catalog = an_operable_catalog(
        services={
            "orders": service,
            "basket": {**service, "targets": {"database": "orders-db"}},
        },
        targets={"orders-db": same, "old-db": {**same, "writer": None}},
    )

    text = found(catalog)

    assert "services.orders: has no public_name.fr" in text
    assert "services.orders: has no customers_use_it_to.en" in text
    assert "services.orders: earns money and has no targets" in text
    assert "targets.orders-db: reader and writer are the same secret" in text
    assert "targets.old-db: no service uses it" in text


def test_errors_come_before_warnings() -> None:
    book = a_runbook(**{**SOUND, "signals": {}, "checks": []})

    severities = [problem.severity for problem in lint({book.name: book}, an_operable_catalog())]

    assert severities == sorted(severities)
    assert set(severities) == {"error", "warning"}


def test_coverage_tells_which_service_lacks_which_role() -> None:
    books: Mapping[str, Runbook] = {
        "pool": a_runbook(steps=[a_change(), a_rollback()]),
        "other": a_runbook(name="other", type=None),
        "waf": a_runbook(
            name="waf",
            type="security",
            steps=[
                a_change(action={"kind": "aws", "target": "waf", "action": "block"}, parameters={})
            ],
        ),
    }
    orders = {"public_name": {"en": "Orders"}, "tier": "standard", "owner": "orders-team"}
    catalog = an_operable_catalog(
        services={
            "orders": {**orders, "targets": {"database": "orders-db"}},
            "shop": {**orders, "targets": {"deployments": "orders-deployer"}},
            "wiki": orders,
        }
    )

    covered = coverage(books, catalog)

    assert covered.runbooks == {"database": ("pool",), "general": ("other",), "security": ("waf",)}
    assert covered.lacking == {"orders": ("deployments",), "shop": ("database",)}
    assert covered.unserved == ("waf",)
