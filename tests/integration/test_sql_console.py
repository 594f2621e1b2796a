"""SqlProber and SqlExecutor against PgBouncer's real admin console."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from incident_squad.adapters.memory import FixedClock, MemoryKnowledge, MemorySecrets
from incident_squad.adapters.sql_session import Sessions
from incident_squad.adapters.sql_target import SqlExecutor, SqlProber
from incident_squad.domain.errors import StepFailed
from incident_squad.domain.evidence import EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import SqlProbe, Step
from incident_squad.domain.values import Risk
from infra.local.postgres import free_port
from infra.local.postgres_binaries import servant
from tests.builders import a_catalog
from tests.components import need

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]

PGBOUNCER = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
CONFIG = """
[databases]
app = host=127.0.0.1 port=1
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {users}
admin_users = squad_writer
stats_users = squad_reader
max_client_conn = 100
"""
CONDITION = {
    "title": "x",
    "probe": {"kind": "sql", "target": "pool", "sql": "SHOW POOLS", "column": "cl_waiting"},
    "expect": {"op": "==", "value": 0},
}
STEP = Step.model_validate(
    {
        "title": "Let the pool accept more clients",
        "command": "SET max_client_conn",
        "mutates": True,
        "risk": "medium",
        "parameters": {"size": {"type": "integer", "description": "x", "min": 1, "max": 999}},
        "action": {
            "kind": "sql",
            "target": "pool",
            "preview": "SHOW CONFIG",
            "apply": "SET max_client_conn = %(size)s",
        },
        "precheck": CONDITION,
        "verify": CONDITION,
        "undo": {
            "title": "Read the file again",
            "action": {"kind": "sql", "target": "pool", "apply": "RELOAD"},
        },
    }
)
PLANNED = PlannedStep(
    runbook_id="pool",
    step_index=0,
    runbook_digest="d1",
    title=STEP.title,
    kind="sql",
    command=STEP.command,
    target="orders-pool",
    parameters={"size": 250},
    mutates=True,
    risk=Risk.MEDIUM,
)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    need("pgbouncer")
    folder, number = tmp_path_factory.mktemp("pgbouncer"), free_port()
    users = folder / "users.txt"
    users.write_text('"squad_writer" "w"\n"squad_reader" "r"\n')
    config = folder / "pgbouncer.ini"
    config.write_text(CONFIG.format(port=number, users=users))
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    who = servant()
    process = subprocess.Popen(
        [PGBOUNCER, str(config)],
        stderr=subprocess.DEVNULL,
        user=who.uid,
        group=who.gid,
        extra_groups=who.groups,
    )
    try:
        _wait_for(number)
        yield number
    finally:
        process.kill()
        process.wait()


def _wait_for(number: int) -> None:
    for _ in range(100):
        try:
            psycopg.connect(dsn("squad_reader", "r", number), autocommit=True).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("PgBouncer did not start")


def dsn(user: str, password: str, number: int) -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{number}/pgbouncer"


@pytest.fixture
def sessions(port: int) -> Sessions:
    targets = {"orders-pool": {"kind": "pgbouncer", "reader": "r", "writer": "w"}}
    services: dict[str, Any] = {
        "orders": {
            "public_name": {"en": "Orders"},
            "tier": "revenue",
            "owner": "orders-team",
            "targets": {"pool": "orders-pool"},
        }
    }
    secrets = {"r": dsn("squad_reader", "r", port), "w": dsn("squad_writer", "w", port)}
    catalog = a_catalog(targets=targets, services=services)
    return Sessions(MemoryKnowledge(catalog, {}), MemorySecrets(secrets))


def ask(sessions: Sessions, sql: str, **fields: Any) -> Any:
    probe = SqlProbe(kind="sql", target="pool", sql=sql, **fields)
    return SqlProber(sessions, FixedClock()).probe(probe, "orders-pool", {})


def setting(sessions: Sessions) -> object:
    return ask(sessions, "SHOW CONFIG", column="value", where={"key": "max_client_conn"}).value


def test_a_console_probe_reads_a_named_column(sessions: Sessions) -> None:
    seen = ask(sessions, "SHOW POOLS", column="cl_waiting", where={"database": "pgbouncer"})
    assert (seen.status, seen.value) == (EvidenceStatus.OK, 0.0)
    assert setting(sessions) == "100"


def test_a_row_that_is_not_there_is_no_data(sessions: Sessions) -> None:
    seen = ask(sessions, "SHOW POOLS", column="cl_waiting", where={"database": "nowhere"})
    assert seen.status is EvidenceStatus.NO_DATA


def test_only_show_may_be_asked(sessions: Sessions) -> None:
    for command in ("PAUSE", "SHOW POOLS; PAUSE", "SHUTDOWN"):
        assert ask(sessions, command).status is EvidenceStatus.ERROR


def test_a_setting_is_changed_and_taken_back(sessions: Sessions) -> None:
    executor = SqlExecutor(sessions)
    assert any(row["key"] == "max_client_conn" for row in executor.preview(STEP, "orders-pool", {}))
    result = executor.apply(STEP, PLANNED, "key")
    assert setting(sessions) == "250"
    executor.undo(STEP, PLANNED, result, "key")
    assert setting(sessions) == "100"


def test_the_console_refuses_the_reader_what_only_the_writer_may(sessions: Sessions) -> None:
    step = STEP.model_copy(update={"mutates": False})
    with pytest.raises(StepFailed, match="only SHOW"):
        SqlExecutor(sessions).apply(step, PLANNED, "key")
