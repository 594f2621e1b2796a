"""SqlProber and SqlExecutor against a real PostgreSQL."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from incident_squad.adapters.memory import FixedClock, MemoryKnowledge, MemorySecrets
from incident_squad.adapters.sql_session import Sessions
from incident_squad.adapters.sql_target import SqlExecutor, SqlProber
from incident_squad.domain.errors import (
    InvalidConfiguration,
    InvalidParameter,
    StepFailed,
    TargetUnavailable,
)
from incident_squad.domain.evidence import EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import HttpProbe, NoteAction, SqlProbe, Step
from incident_squad.domain.values import Risk
from infra.local.postgres import ThrowAwayPostgres, free_port
from tests.builders import a_catalog

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]

STUCK = (
    "FROM pg_stat_activity WHERE usename = 'app' AND state = 'idle in transaction'"
    " AND state_change < now() - make_interval(secs => %(seconds)s)"
)
LISTED = (
    "(pid, backend_start) IN (SELECT * FROM"
    " unnest(%(preview_pid)s::int[], %(preview_backend_start)s::timestamptz[]))"
)
ALWAYS = {
    "title": "x",
    "probe": {"kind": "sql", "target": "database", "sql": "SELECT 1"},
    "expect": {"op": "==", "value": 1},
}


@pytest.fixture(scope="module")
def postgres() -> Iterator[ThrowAwayPostgres]:
    with ThrowAwayPostgres(max_connections=20, app_limit=15) as server:
        with psycopg.connect(server.dsn("app")) as app:
            app.execute("CREATE TABLE setting (name text PRIMARY KEY, value text)")
            app.execute("INSERT INTO setting VALUES ('pool', '10')")
            app.execute("GRANT SELECT ON setting TO squad_reader, squad_writer")
            app.execute("GRANT UPDATE ON setting TO squad_writer")
        yield server


@pytest.fixture
def secrets(postgres: ThrowAwayPostgres) -> MemorySecrets:
    return MemorySecrets({"r": postgres.dsn("reader"), "w": postgres.dsn("writer")})


@pytest.fixture
def sessions(secrets: MemorySecrets) -> Sessions:
    return Sessions(MemoryKnowledge(a_catalog(), {}), secrets)


@pytest.fixture
def prober(sessions: Sessions) -> SqlProber:
    return SqlProber(sessions, FixedClock())


@pytest.fixture
def executor(sessions: Sessions) -> SqlExecutor:
    return SqlExecutor(sessions)


def a_probe(sql: str, **fields: Any) -> SqlProbe:
    return SqlProbe(kind="sql", target="database", sql=sql, **fields)


def a_step(apply: str, preview: str | None = None, **fields: Any) -> Step:
    known: dict[str, Any] = {
        "title": "a step",
        "command": apply,
        "action": {"kind": "sql", "target": "database", "apply": apply, "preview": preview},
    }
    if preview:
        known |= {
            "mutates": True,
            "risk": "low",
            "precheck": ALWAYS,
            "verify": ALWAYS,
            "undo": {"title": "none"},
        }
    return Step.model_validate({**known, **fields})


def planned(step: Step, preview: Any = (), **parameters: Any) -> PlannedStep:
    return PlannedStep(
        runbook_id="pool",
        step_index=0,
        runbook_digest="d1",
        title=step.title,
        kind="sql",
        command=step.command,
        target="orders-db",
        parameters=parameters,
        preview=tuple(preview),
        mutates=step.mutates,
        risk=Risk.LOW,
    )


@contextmanager
def stuck_sessions(postgres: ThrowAwayPostgres, count: int) -> Iterator[list[int]]:
    with ExitStack() as stack:
        pids = []
        for _ in range(count):
            connection = stack.enter_context(psycopg.connect(postgres.dsn("app")))
            connection.execute("SELECT 1")
            pids.append(connection.info.backend_pid)
            stack.callback(connection.close)
        yield pids


def test_a_probe_gives_the_first_column_of_the_first_row(prober: SqlProber) -> None:
    seen = prober.probe(
        a_probe("SELECT %(n)s::int + 1 AS sum, interval '90 s' AS span, NULL AS nothing"),
        "orders-db",
        {"n": 41, "unused": 0},
    )
    assert seen.status is EvidenceStatus.OK
    assert seen.value == 42.0
    assert seen.rows == ({"sum": "42", "span": "0:01:30", "nothing": ""},)
    assert seen.source == "sql:orders-db"


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT 0.85::numeric", 0.85),
        ("SELECT true", True),
        ("SELECT interval '90 s'", 90.0),
        ("SELECT 'x'::text", "x"),
        ("SELECT date '2026-11-22'", "2026-11-22"),
        ("SHOW max_connections", "20"),
    ],
)
def test_values_keep_a_type_that_can_be_compared(
    prober: SqlProber, sql: str, value: object
) -> None:
    assert prober.probe(a_probe(sql), "orders-db", {}).value == value


@pytest.mark.parametrize("sql", ["SELECT 1 WHERE false", "SELECT NULL"])
def test_an_answer_without_a_value_is_no_data(prober: SqlProber, sql: str) -> None:
    assert prober.probe(a_probe(sql), "orders-db", {}).status is EvidenceStatus.NO_DATA


def test_rows_are_bounded_in_number_and_width(prober: SqlProber) -> None:
    seen = prober.probe(
        a_probe("SELECT repeat('x', 9999) FROM generate_series(1, 10000000)"), "orders-db", {}
    )
    assert len(seen.rows) == 20
    assert len(seen.rows[0]["repeat"]) == 300


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT pg_reload_conf()", "permission denied"),
        ("SELECT pg_read_file('/etc/hostname')", "permission denied"),
    ],
)
def test_a_probe_has_no_rights_to_change(prober: SqlProber, sql: str, word: str) -> None:
    seen = prober.probe(a_probe(sql), "orders-db", {})
    assert seen.status is EvidenceStatus.DENIED
    assert word in seen.detail


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT nothing", "does not exist"),
        ("UPDATE setting SET value = '0' RETURNING value", "read-only"),
        ("SELECT 1; COMMIT; SELECT 2", "one statement"),
        ("SELECT %(unknown)s", "unknown"),
        ("SELECT pg_sleep(30)", "statement timeout"),
    ],
)
def test_what_goes_wrong_with_a_probe_is_said_in_its_evidence(
    prober: SqlProber, sql: str, word: str
) -> None:
    seen = prober.probe(a_probe(sql), "orders-db", {})
    assert seen.status is EvidenceStatus.ERROR
    assert word in seen.detail


def test_without_a_target_there_is_nothing_to_ask(prober: SqlProber) -> None:
    other = HttpProbe(kind="http", target="database", operation="x")
    for probe, target in ((a_probe("SELECT 1"), None), (other, "orders-db")):
        assert prober.probe(probe, target, {}).status is EvidenceStatus.NOT_CONFIGURED


def test_a_target_of_another_kind_and_a_missing_secret_are_not_configured(
    prober: SqlProber, secrets: MemorySecrets
) -> None:
    elsewhere = prober.probe(a_probe("SELECT 1"), "elsewhere", {})
    assert elsewhere.status is EvidenceStatus.NOT_CONFIGURED
    del secrets.texts["r"]
    seen = prober.probe(a_probe("SELECT 1"), "orders-db", {})
    assert seen.status is EvidenceStatus.NOT_CONFIGURED
    assert "missing" in seen.detail


def test_an_unreachable_database_is_an_error_in_a_sentence(
    prober: SqlProber, executor: SqlExecutor, secrets: MemorySecrets
) -> None:
    secrets.texts["r"] = f"postgresql://x@127.0.0.1:{free_port()}/x"
    seen = prober.probe(a_probe("SELECT 1"), "orders-db", {})
    assert seen.status is EvidenceStatus.ERROR
    assert "'orders-db' cannot be reached" in seen.detail
    with pytest.raises(TargetUnavailable, match="cannot be reached"):
        executor.preview(a_step("SELECT 1", "SELECT 1"), "orders-db", {})


def test_a_wrong_password_is_a_denial(
    prober: SqlProber, secrets: MemorySecrets, postgres: ThrowAwayPostgres
) -> None:
    secrets.texts["r"] = f"postgresql://squad_reader:no@127.0.0.1:{postgres.port}/app"
    assert prober.probe(a_probe("SELECT 1"), "orders-db", {}).status is EvidenceStatus.DENIED


def test_we_get_in_when_the_application_has_taken_all_it_can(
    prober: SqlProber, postgres: ThrowAwayPostgres
) -> None:
    with stuck_sessions(postgres, 15):
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(postgres.dsn("app"))
        assert prober.probe(a_probe("SELECT 1"), "orders-db", {}).value == 1.0


def test_no_slot_left_is_said_in_a_sentence(
    postgres: ThrowAwayPostgres, executor: SqlExecutor, secrets: MemorySecrets
) -> None:
    secrets.texts["r"] = postgres.dsn("app")
    with (
        stuck_sessions(postgres, 15),
        pytest.raises(TargetUnavailable, match="no connection slot left for us"),
    ):
        executor.preview(a_step("SELECT 1", "SELECT 1"), "orders-db", {})


def test_only_the_listed_sessions_are_ended_and_healthy_ones_survive(
    postgres: ThrowAwayPostgres, executor: SqlExecutor
) -> None:
    step = a_step(
        f"SELECT pid, pg_terminate_backend(pid) AS ended {STUCK} AND {LISTED}",
        f"SELECT pid, backend_start, state {STUCK} ORDER BY pid",
    )
    with (
        stuck_sessions(postgres, 3) as pids,
        psycopg.connect(postgres.dsn("app"), autocommit=True) as healthy,
    ):
        rows = executor.preview(step, "orders-db", {"seconds": 0})
        assert sorted(int(row["pid"]) for row in rows) == sorted(pids)
        approved = [row for row in rows if int(row["pid"]) != pids[2]]
        result = executor.apply(step, planned(step, approved, seconds=0), "key")
        assert sorted(result["pid"]) == sorted(str(pid) for pid in pids[:2])
        assert result["rows"] == 2
        time.sleep(0.1)
        left = healthy.execute(f"SELECT pid {STUCK}", {"seconds": 0}).fetchall()
        assert left == [(pids[2],)]
        again = executor.apply(step, planned(step, approved, seconds=0), "key")
        assert again == {"rows": 0}


def test_a_reused_process_id_is_another_session(
    postgres: ThrowAwayPostgres, executor: SqlExecutor
) -> None:
    step = a_step(f"SELECT pid, pg_terminate_backend(pid) {STUCK} AND {LISTED}", "SELECT 1")
    with stuck_sessions(postgres, 1) as pids:
        listed = [{"pid": str(pids[0]), "backend_start": "2026-01-01T00:00:00+00:00"}]
        assert executor.apply(step, planned(step, listed, seconds=0), "key") == {"rows": 0}


def test_an_undo_uses_what_the_apply_gave(
    postgres: ThrowAwayPostgres, executor: SqlExecutor
) -> None:
    step = a_step(
        "WITH old AS (SELECT name, value FROM setting WHERE name = 'pool') UPDATE setting SET"
        " value = %(size)s FROM old WHERE setting.name = old.name RETURNING old.value AS before",
        "SELECT name FROM setting WHERE name = 'pool'",
        parameters={"size": {"type": "string", "description": "x", "pattern": "[0-9]+"}},
        undo={
            "title": "put it back",
            "action": {
                "kind": "sql",
                "target": "database",
                "apply": "UPDATE setting SET value = (%(result_before)s::text[])[1]"
                " WHERE name = 'pool'",
            },
        },
    )
    plan = planned(step, [{"name": "pool"}], size="99")
    result = executor.apply(step, plan, "key")
    assert result == {"before": ["10"], "rows": 1}
    assert executor.undo(step, plan, result, "key") == {"rows": 0}
    with psycopg.connect(postgres.dsn("app")) as app:
        assert app.execute("SELECT value FROM setting").fetchone() == ("10",)


def test_a_failing_apply_leaves_nothing_behind(
    postgres: ThrowAwayPostgres, executor: SqlExecutor
) -> None:
    step = a_step("UPDATE setting SET value = repeat('x', 9) || (1 / 0)", "SELECT 1")
    with pytest.raises(StepFailed, match="division by zero"):
        executor.apply(step, planned(step, [{"?column?": "1"}]), "key")
    with psycopg.connect(postgres.dsn("app")) as app:
        assert app.execute("SELECT value FROM setting").fetchone() == ("10",)


def test_an_apply_that_hangs_is_stopped_in_its_time(executor: SqlExecutor) -> None:
    step = a_step("SELECT pg_sleep(30)", "SELECT 1", timeout_seconds=1)
    started = time.monotonic()
    with pytest.raises(StepFailed, match="stopped after 1 s"):
        executor.apply(step, planned(step), "key")
    assert time.monotonic() - started < 5


def test_parameters_are_never_read_as_sql(
    executor: SqlExecutor, postgres: ThrowAwayPostgres
) -> None:
    evil = "x'; UPDATE setting SET value = '0'; --"
    step = a_step(
        "SELECT %(text)s::text AS text",
        parameters={"text": {"type": "string", "description": "x", "pattern": ".*"}},
    )
    assert executor.apply(step, planned(step, text=evil), "key")["text"] == [evil]
    with psycopg.connect(postgres.dsn("app")) as app:
        assert app.execute("SELECT value FROM setting").fetchone() == ("10",)


def test_a_step_that_changes_nothing_runs_as_the_reader(executor: SqlExecutor) -> None:
    step = a_step("SELECT current_user::text AS me, current_setting('transaction_read_only') AS ro")
    result = executor.apply(step, planned(step), "key")
    assert result == {"me": ["squad_reader"], "ro": ["on"], "rows": 1}
    assert executor.preview(step, "orders-db", {}) == ()


def test_a_preview_that_nobody_could_read_is_refused(executor: SqlExecutor) -> None:
    for select in (
        "SELECT n FROM generate_series(1, 501) n",
        "SELECT repeat('x', 300) AS a, repeat('y', 300) AS b FROM generate_series(1, 400)",
    ):
        with pytest.raises(StepFailed, match="more than anybody could check"):
            executor.preview(a_step("SELECT 1", select), "orders-db", {})


def test_what_is_kept_of_a_large_answer_is_bounded(executor: SqlExecutor) -> None:
    step = a_step("SELECT repeat('x', 300) AS wide FROM generate_series(1, 5000)")
    result = executor.apply(step, planned(step), "key")
    assert len(result["wide"]) <= 500
    assert sum(len(cell) for cell in result["wide"]) <= 150_000


def test_a_step_without_an_undo_cannot_be_undone(executor: SqlExecutor) -> None:
    step = a_step("SELECT 1", "SELECT 1")
    with pytest.raises(StepFailed, match="no undo"):
        executor.undo(step, planned(step), {}, "key")


def test_an_action_of_another_kind_is_refused(executor: SqlExecutor) -> None:
    step = Step(title="n", command="n", action=NoteAction(kind="note", text="n"))
    with pytest.raises(InvalidParameter, match="not SQL"):
        executor.preview(step, "orders-db", {})


def test_a_target_without_a_writer_cannot_be_changed(
    postgres: ThrowAwayPostgres,
) -> None:
    catalog = a_catalog(targets={"orders-db": {"kind": "postgresql", "reader": "r"}})
    sessions = Sessions(MemoryKnowledge(catalog, {}), MemorySecrets({"r": postgres.dsn("reader")}))
    step = a_step("SELECT 1", "SELECT 1")
    with pytest.raises(InvalidConfiguration, match="has no writer"):
        SqlExecutor(sessions).apply(step, planned(step), "key")
