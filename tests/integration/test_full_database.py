"""A PostgreSQL without a connection slot for ordinary users: the squad gets in where it may."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count

import psycopg
import pytest

from incident_squad.adapters.memory import MemorySecrets
from incident_squad.adapters.sql_session import Sessions
from incident_squad.domain.errors import TargetUnavailable
from infra.local.postgres import ThrowAwayPostgres
from tests.builders import a_catalog
from tests.components import need
from tests.fakes import MemoryKnowledge

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]
COUNT = "SELECT count(*) AS app FROM pg_stat_activity WHERE usename = 'app'"
END = (
    "SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity"
    " WHERE pid = ANY (%(pids)s::int[])"
)


@pytest.fixture
def full() -> Iterator[ThrowAwayPostgres]:
    """The application holds every slot that it can get; the rest is for superusers."""
    need("postgresql-15")
    with ThrowAwayPostgres(max_connections=10, app_limit=-1) as server, ExitStack() as taken:
        for _ in count():
            try:
                taken.enter_context(psycopg.connect(server.dsn("app")))
            except psycopg.OperationalError:
                break
        yield server


def sessions(server: ThrowAwayPostgres) -> Sessions:
    target = {"kind": "postgresql", "reader": "db-reader", "writer": "db-writer"}
    catalog = a_catalog(targets={"orders-db": target})
    secrets = MemorySecrets({"db-reader": server.dsn("reader"), "db-writer": server.dsn("writer")})
    return Sessions(MemoryKnowledge(catalog, {}), secrets)


def allow(server: ThrowAwayPostgres) -> None:
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
        admin.execute("ALTER ROLE squad_reader REPLICATION")
        admin.execute("ALTER ROLE squad_writer REPLICATION")


def test_ordinary_roles_are_told_that_no_slot_is_left(full: ThrowAwayPostgres) -> None:
    with (
        pytest.raises(TargetUnavailable, match="no connection slot left"),
        sessions(full).open("orders-db", "reader", seconds=5, read_only=True),
    ):
        pass


def test_roles_that_may_replicate_look_and_act(full: ThrowAwayPostgres) -> None:
    allow(full)
    squad = sessions(full)
    with squad.open("orders-db", "reader", seconds=5, read_only=True) as session:
        before = session.rows(COUNT, {}, 5)[0]["app"]
        pids = session.rows("SELECT pid FROM pg_stat_activity WHERE usename = 'app'", {}, 2)
    with squad.open("orders-db", "writer", seconds=5, read_only=False) as session:
        ended = session.rows(END, {"pids": [row["pid"] for row in pids]}, 5)

    assert before > 2
    assert [row["ended"] for row in ended] == [True, True]


def test_such_a_session_is_as_read_only_as_any(full: ThrowAwayPostgres) -> None:
    allow(full)
    with (
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
        sessions(full).open("orders-db", "reader", seconds=5, read_only=True) as session,
    ):
        session.rows("CREATE TEMPORARY TABLE x (id int)", {}, 5)


def test_what_a_parameter_says_stays_a_value(full: ThrowAwayPostgres) -> None:
    allow(full)
    hostile = "'; SELECT pg_sleep(9); --"
    with sessions(full).open("orders-db", "reader", seconds=5, read_only=True) as session:
        rows = session.rows("SELECT %(text)s::text AS said", {"text": hostile}, 5)
    assert rows == [{"said": hostile}]
