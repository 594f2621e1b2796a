"""The shipped runbooks and catalogue keep what the brief and the laws ask of them."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Thread
from typing import Any, cast

import psycopg
import pytest

from incident_squad.adapters.runbook_files import RunbookFiles
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.runbook import Probe, Runbook, SqlAction, SqlProbe, Step, StepCondition
from incident_squad.domain.values import IncidentType
from incident_squad.policy.parameters import names_for_sql
from incident_squad.policy.runbook_lint import coverage, lint
from infra.local.postgres import ThrowAwayPostgres

FILES = RunbookFiles(Path(__file__).parents[2] / "runbooks")
BOOKS = FILES.runbooks
EXECUTABLE = {"sql", "http", "aws", "k8s", "command", "note"}
SECURITY = sorted(name for name, book in BOOKS.items() if book.type is IncidentType.SECURITY)

BRIEF = [
    ("db-connection-pool", 0, "SELECT count(*) FROM pg_stat_activity"),
    (
        "db-connection-pool",
        1,
        """SELECT * FROM pg_stat_activity WHERE state != 'idle' \
AND query_start < now() - interval '5 min'""",
    ),
    ("db-connection-pool", 2, "SELECT pg_terminate_backend(pid)"),
    ("db-connection-pool", 3, "max_client_conn"),
    ("db-replication-lag", 0, "SELECT * FROM pg_stat_replication"),
    ("db-replication-lag", 2, "iostat -x 1"),
    (
        "net-certificate-expiry",
        0,
        "openssl s_client -connect host:443 | openssl x509 -noout -dates",
    ),
    ("net-certificate-expiry", 1, "cert-manager"),
    ("net-certificate-expiry", 2, "curl -vI https://host"),
    ("app-oom-kill", 0, 'dmesg | grep -i "out of memory"'),
    ("app-oom-kill", 1, "kubectl describe pod"),
]


def words(*steps: Step) -> str:
    return " ".join(f"{step.title} {step.command}" for step in steps).lower()


def test_the_lint_has_nothing_to_say() -> None:
    assert lint(BOOKS, FILES.catalog) == []


@pytest.mark.parametrize(("name", "place", "command"), BRIEF)
def test_the_commands_of_the_brief_stand_as_they_are(name: str, place: int, command: str) -> None:
    assert command in BOOKS[name].steps[place].command


@pytest.mark.parametrize(
    "name",
    [
        "db-connection-pool",
        "db-deadlocks",
        "db-replication-lag",
        "db-slow-queries",
        "app-error-rate",
        "app-deploy-failure",
        "app-oom-kill",
        "app-crash-loop",
        "net-certificate-expiry",
        "sec-unauthorized-access",
    ],
)
def test_these_repairs_run_without_a_person(name: str) -> None:
    always = [step for step in BOOKS[name].steps if step.when is StepCondition.ALWAYS]

    assert {step.kind for step in always} <= EXECUTABLE
    assert any(step.mutates for step in always)


def test_a_false_alarm_touches_nothing_and_says_so() -> None:
    book = BOOKS["false-alarm"]

    assert len(book.steps) >= 2
    assert {step.kind for step in book.steps} == {"note"}
    assert not re.search(
        r"\b(kill|terminate|fail ?over|roll ?back|drain|restart|purge)\b",
        words(*book.steps),
    )


def test_an_unclear_failure_is_left_to_people() -> None:
    assert {step.kind for step in BOOKS["unclear-failure"].steps} <= {"note", "manual"}


@pytest.mark.parametrize("name", [name for name in SECURITY if name != "sec-ddos"])
def test_security_runbooks_look_for_data_access_and_tell_those_concerned(name: str) -> None:
    text = words(*BOOKS[name].steps)

    assert re.search(r"\baudit log|\blogs\b", text)
    assert "regulator" in text
    assert "security" in text


@pytest.mark.parametrize("name", BOOKS)
def test_every_runbook_looks_before_it_acts(name: str) -> None:
    assert not BOOKS[name].steps[0].mutates
    assert len(BOOKS[name].steps) >= 3


@pytest.mark.parametrize("name", sorted(name for name, b in BOOKS.items() if b.type is not None))
def test_checks_ask_more_than_one_source(name: str) -> None:
    kinds = {
        getattr(probe, "source", probe.kind)
        for check in BOOKS[name].checks
        for probe in check.probes
    }

    assert len(kinds) >= 2


def test_all_files_are_read_quickly() -> None:
    start = time.perf_counter()
    files = RunbookFiles(Path(__file__).parents[2] / "runbooks")
    assert files.runbooks
    assert files.catalog.services

    # The aim is 150 ms; the rest is for busy machines.
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("said", "service"),
    [
        ("payment-api", "payment-api"),
        ("Payments", "payment-api"),
        ("prod-db-01", "payment-api"),
        ("payments-db", "payments-db"),
        ("payment-api-staging-2", "payment-api-staging"),
        ("web-staging-3", "staging"),
        ("nobody-knows", None),
    ],
)
def test_the_catalogue_knows_services_by_their_other_names(said: str, service: str | None) -> None:
    assert FILES.catalog.find_service(said) == service


def test_payments_can_be_repaired() -> None:
    targets = FILES.catalog.services["payment-api"].targets

    assert {"database", "pool", "deployments"} <= set(targets)
    assert "payment-api" not in coverage(BOOKS, FILES.catalog).lacking


def test_the_overlay_form_of_a_laptop_is_accepted() -> None:
    deployer = FILES.catalog.targets["payment-api-deployer"]
    there = deployer.model_copy(update={"base_url": "http://127.0.0.1:8080"})
    targets = {**FILES.catalog.targets, "payment-api-deployer": there}

    laid_over = Catalog.model_validate({**FILES.catalog.model_dump(), "targets": targets})

    assert laid_over.targets["payment-api-deployer"] == there


# --- On a real PostgreSQL ---------------------------------------------------------------------

STUCK_SECONDS = 1


@pytest.fixture(scope="module")
def postgres() -> Iterator[ThrowAwayPostgres]:
    with ThrowAwayPostgres(max_connections=20, app_limit=15) as server:
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
            admin.execute("GRANT EXECUTE ON FUNCTION pg_wal_replay_resume() TO squad_reader")
        yield server


def statements(book: Runbook) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement for PostgreSQL, with the values that it would be given."""
    for check in book.checks:
        yield from ((sql, {}) for sql in asked_by(check.probes))
    yield from ((sql, {}) for sql in asked_by(c.probe for c in book.recovery))
    for step in book.steps:
        yield from of_step(step)


def of_step(step: Step) -> Iterator[tuple[str, dict[str, Any]]]:
    action = step.action
    if not isinstance(action, SqlAction) or action.target == "pool":
        return
    defaults = {name: parameter.default for name, parameter in step.parameters.items()}
    # The row that is listed does not exist, so even an apply changes nothing.
    listed = [{"pid": "1", "started": "2026-01-01 00:00:00.000000", "state": "none"}]
    names = names_for_sql(defaults, listed)
    conditions = asked_by(c.probe for c in (step.precheck, step.verify) if c)
    yield from ((sql, names) for sql in (action.apply, action.preview, *conditions) if sql)


def asked_by(probes: Iterable[Probe]) -> Iterator[str]:
    yield from (p.sql for p in probes if isinstance(p, SqlProbe) and p.target != "pool")


SQL_BOOKS = sorted(name for name, book in BOOKS.items() if any(statements(book)))


@pytest.mark.parametrize("name", SQL_BOOKS)
@pytest.mark.real
@pytest.mark.timeout(120)
def test_every_statement_runs_on_postgresql(name: str, postgres: ThrowAwayPostgres) -> None:
    with psycopg.connect(postgres.dsn("reader"), autocommit=True) as reader:
        asked = [ask(reader, sql, names) for sql, names in statements(BOOKS[name])]

    assert any(asked)


def ask(connection: psycopg.Connection[Any], sql: str, names: Mapping[str, Any]) -> list[Any]:
    return connection.execute(sql.encode(), names if "%(" in sql else None).fetchall()


@pytest.mark.real
@pytest.mark.timeout(120)
def test_only_stuck_sessions_are_ended(postgres: ThrowAwayPostgres) -> None:
    step = BOOKS["db-connection-pool"].steps[2]
    action = cast("SqlAction", step.action)
    assert step.verify is not None
    probe = cast("SqlProbe", step.verify.probe)
    names = {"idle_seconds": STUCK_SECONDS, "min_seconds": 600, "max_sessions": 50}
    with ExitStack() as sessions:
        stuck = [sessions.enter_context(closing(idle_in_transaction(postgres))) for _ in range(3)]
        working, quiet = (sessions.enter_context(closing(a_session(postgres))) for _ in range(2))
        time.sleep(STUCK_SECONDS + 0.5)
        working.execute("SELECT 1")

        rows = preview(postgres, action, names)
        assert {row["pid"] for row in rows} == {str(session.info.backend_pid) for session in stuck}
        stuck[0].execute("SELECT 1")
        bound = names_for_sql(names, rows)
        with psycopg.connect(postgres.dsn("writer")) as writer:
            ended = ask(writer, action.apply, bound)
        assert {pid for pid, _ in ended} == {session.info.backend_pid for session in stuck[1:]}

        time.sleep(0.3)
        with psycopg.connect(postgres.dsn("reader")) as reader:
            assert ask(reader, probe.sql, {**bound, "idle_seconds": 60}) == [(0,)]
        for survivor in (stuck[0], working, quiet):
            assert survivor.execute("SELECT 1").fetchone() == (1,)


def preview(
    postgres: ThrowAwayPostgres, action: SqlAction, names: Mapping[str, Any]
) -> list[dict[str, str]]:
    assert action.preview is not None
    with psycopg.connect(postgres.dsn("reader")) as reader:
        # Another time zone than the writer's must make no difference.
        reader.execute("SET TimeZone = 'Asia/Tokyo'")
        cursor = reader.execute(action.preview.encode(), names)
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, map(str, row), strict=True)) for row in cursor.fetchall()]


def a_session(postgres: ThrowAwayPostgres) -> psycopg.Connection[Any]:
    return psycopg.connect(postgres.dsn("app"), autocommit=True)


def idle_in_transaction(postgres: ThrowAwayPostgres) -> psycopg.Connection[Any]:
    session = a_session(postgres)
    session.execute("BEGIN")
    session.execute("SELECT 1")
    return session


@pytest.mark.real
@pytest.mark.timeout(120)
def test_the_head_of_a_lock_queue_is_found_and_ended(postgres: ThrowAwayPostgres) -> None:
    action = cast("SqlAction", BOOKS["db-deadlocks"].steps[2].action)
    names = {"idle_seconds": 0, "min_seconds": 0, "max_sessions": 10}
    with ExitStack() as sessions:
        head, second = (sessions.enter_context(closing(a_session(postgres))) for _ in range(2))
        head.execute("CREATE TABLE IF NOT EXISTS queue (id int)")
        head.execute("BEGIN")
        head.execute("LOCK TABLE queue")
        waiter = Thread(target=second.execute, args=("SELECT count(*) FROM queue",))
        waiter.start()
        sessions.callback(waiter.join)
        time.sleep(0.5)

        rows = preview(postgres, action, names)
        assert [row["pid"] for row in rows] == [str(head.info.backend_pid)]
        assert rows[0]["blocks"] == "1"
        with psycopg.connect(postgres.dsn("writer")) as writer:
            ended = ask(writer, action.apply, names_for_sql(names, rows))
        assert ended == [(head.info.backend_pid, True)]
