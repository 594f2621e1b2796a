"""The command line as scripts use it: results on stdout, exit codes that mean something."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.cli import squad

EVENTS = Path(__file__).resolve().parents[3] / "events"
POOL = {
    "id": "a",
    "payload": {
        "alert": "PostgreSQL connection pool exhausted on prod-db-01. Active connections: 500/500. "
        "Service: payment-api. Error rate spike: 45% of requests returning 500."
    },
}


def squad_with(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(squad, list(arguments), input=given)


def lines(*cases: object) -> str:
    return "".join(json.dumps(case) + "\n" for case in cases)


def test_triage_answers_a_line_for_each_line() -> None:
    done = squad_with(
        "triage", "--jsonl", "-", given=lines(POOL, {"id": "b", "payload": "disk full"})
    )
    assert done.exit_code == 0
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["id"], first["type"], first["runbookId"]) == (
        "a",
        "database",
        "db-connection-pool",
    )
    assert first["severity"] in {"SEV1", "SEV2"}
    assert first["engine"] == "floor"
    assert first["why"]
    assert second["id"] == "b"


def test_a_line_that_is_no_alert_is_answered_and_fails_the_command() -> None:
    done = squad_with("triage", "--jsonl", "-", given=lines({"id": "x", "payload": {}}, POOL))
    assert done.exit_code == 1
    refused, judged = (json.loads(line) for line in done.stdout.splitlines())
    assert refused["error"]
    assert judged["type"] == "database"


@pytest.mark.parametrize(
    "arguments",
    [
        ("triage",),
        ("report",),
        ("report", "INC-1", "--jsonl", "-"),
        ("run", "no-such-file.json"),
        ("incidents", "--severity", "SEV9"),
        ("nonsense",),
    ],
)
def test_wrong_usage_is_two(arguments: tuple[str, ...]) -> None:
    assert squad_with(*arguments, given="").exit_code == 2


@pytest.mark.parametrize("given", ["not json", "[1]"])
def test_lines_that_are_no_objects_are_wrong_usage(given: str) -> None:
    assert squad_with("triage", "--jsonl", "-", given=given).exit_code == 2


def test_a_report_has_the_customers_fields_and_executes_nothing() -> None:
    done = squad_with("report", "--jsonl", "-", given=lines(POOL))
    assert done.exit_code == 0
    report = json.loads(done.stdout)["report"]
    assert {
        "incidentId", "severity", "type", "rootCause", "diagnosis", "proposedFix", "statusUpdate",
        "timeline",
    } <= set(report)  # fmt: skip
    assert {step["status"] for step in report["proposedFix"]["steps"]} <= {
        "planned",
        "conditional",
    }
    assert "payment-api" not in report["statusUpdate"]["external"]


def test_shipped_runbooks_pass_their_check() -> None:
    done = squad_with("runbooks", "check", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["coverage"]["runbooks"]["database"]


def test_eval_scores_labelled_alerts() -> None:
    case = {**POOL, "expect": {"type": ["database"], "severity": ["SEV1", "SEV2"]}}
    done = squad_with("eval", "-", "--json", given=lines(case))
    assert done.exit_code == 0
    assert json.loads(done.stdout)["type"] == {"right": 1, "of": 1}


def test_without_a_stack_the_readers_say_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = squad_with("incidents")
    assert done.exit_code == 1
    assert "squad up" in str(done.exception)


@pytest.mark.parametrize("body", sorted((EVENTS / "alertmanager").glob("*.json")), ids=str)
def test_every_captured_body_gives_a_report_offline(body: Path) -> None:
    payload = json.loads(body.read_text())
    done = squad_with("report", "--jsonl", "-", given=lines({"id": body.name, "payload": payload}))
    assert done.exit_code == 0
    assert json.loads(done.stdout)["report"]["severity"]
