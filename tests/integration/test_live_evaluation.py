"""`squad eval --live`: cost before and after, floor beside model, and runs that compare."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from infra.cli import squad
from tests import hostile
from tests.model_server import Body, Fails, ModelServer, Says

LABELLED = Path("events/labelled/alerts.jsonl")
POOL = "PostgreSQL connection pool exhausted on prod-db-01. Active connections: 500/500."


def good(body: Body) -> Says:
    match hostile.asked_for(body):
        case "router":
            return hostile.router(type="database", severity="SEV1", why=["500/500"])
        case "specialist":
            return hostile.diagnosis(rootCause="All connections are in use.")
        case "communicator":
            return hostile.texts(external="We are working on it with priority.")
        case _:
            return Says("Enough.")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with ModelServer(good) as found:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", found.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "a key")
        yield found


@pytest.fixture
def few(tmp_path: Path) -> Path:
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(LABELLED.read_text().splitlines()[:6]) + "\n")
    return path


def evaluated(*arguments: object, given: str | None = None) -> Result:
    return CliRunner().invoke(squad, ["eval", *map(str, arguments)], input=given)


def test_cost_is_told_before_and_after_and_each_alert_is_judged_twice(
    server: ModelServer, few: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run.json"
    done = evaluated(few, "--live", "--yes", "--out", out)
    assert done.exit_code == 0, done.output
    assert "6 alerts, at least 6 calls: about $" in done.stderr
    assert "cost: $" in done.stderr
    found: dict[str, Any] = json.loads(out.read_text())
    assert len(found["alerts"]) == len(server.seen) == 6
    for row in found["alerts"]:
        assert row["floor"]["engine"] == "floor"
        assert row["model"]["engine"] == "claude:claude-haiku-5-5"
        assert row["spend"]["usd"] > 0
    assert 0 < found["totals"]["usd"] <= found["estimate"]["mostUsd"]
    assert found["totals"]["calls"] == 6


def test_nobody_is_asked_before_somebody_agrees(server: ModelServer, few: Path) -> None:
    done = evaluated(few, "--live", given="n\n")
    assert done.exit_code == 1
    assert server.seen == []


def test_the_cap_is_never_passed(server: ModelServer, few: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    evaluated(few, "--live", "--yes", "--max-usd", "0.002", "--out", out)
    totals = json.loads(out.read_text())["totals"]
    assert totals["usd"] <= 0.002
    assert len(server.seen) < 6
    assert totals["notUsed"]["budget"] == 6 - len(server.seen)


def test_a_broken_model_is_told_and_is_no_worse_than_the_floor(
    server: ModelServer, few: Path
) -> None:
    server.tell(Fails(400, "invalid_request_error"))
    totals = json.loads(evaluated(few, "--live", "--yes", "--json").stdout)["totals"]
    assert sum(totals["notUsed"].values()) == 6
    assert totals["model"] == totals["floor"]


def test_two_runs_compare(server: ModelServer, few: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    evaluated(few, "--live", "--yes", "--out", first)
    server.tell(hostile.liar)
    evaluated(few, "--live", "--yes", "--out", second, "--model", "claude-opus-5-5")
    done = evaluated("--compare", first, second, "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["alerts"] == 6
    assert not found["sameSetting"]["models"]
    assert found["sameSetting"]["prompts"]
    assert found["totals"]["usd"][1] > found["totals"]["usd"][0]
    assert "before" in evaluated("--compare", first, second).stdout
    assert evaluated("--compare", few, second).exit_code == 1


def test_a_grading_file_is_graded_with_and_without_the_model(
    server: ModelServer, tmp_path: Path
) -> None:
    criteria = [{"id": "type", "weight": 1, "kind": "in", "path": "type", "values": ["database"]}]
    case = {"id": "pool", "payload": {"alert": POOL}, "criteria": criteria}
    path = tmp_path / "grading.jsonl"
    path.write_text(json.dumps(case) + "\n")
    done = evaluated(path, "--live", "--yes", "--json")
    (row,) = json.loads(done.stdout)["alerts"]
    assert row["floor"]["score"] == row["model"]["score"] == 1
    assert row["spend"]["calls"] == len(server.seen) >= 4


def test_live_needs_a_key(few: Path) -> None:
    done = evaluated(few, "--live", "--yes")
    assert done.exit_code == 1
    assert "ANTHROPIC_API_KEY" in str(done.exception)
