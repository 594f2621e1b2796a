"""Examines PostgreSQL and PgBouncer: the rights of the reader and of the writer."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Literal, LiteralString

import psycopg
from psycopg.rows import dict_row

from incident_squad.domain.catalog import PostgresTarget
from infra.local.doctor.finding import Found, good, mend, note

Role = Literal["reader", "writer"]
Rights = dict[str, Any]
CONNECT_SECONDS = 5
_RESERVED_SINCE = 160000

# The roles are asked for by name, so that a server without one of them answers, too.
_RIGHTS: LiteralString = """
SELECT current_user AS name, r.rolsuper AS super, r.rolcreaterole AS makes_roles,
r.rolcreatedb AS makes_databases, r.rolbypassrls AS ignores_row_security,
r.rolreplication AS replicates,
pg_has_role(current_user, 'pg_monitor', 'MEMBER') AS monitors,
pg_has_role(current_user, 'pg_signal_backend', 'MEMBER') AS signals,
pg_has_role(current_user, 'pg_execute_server_program', 'MEMBER')
OR pg_has_role(current_user, 'pg_write_server_files', 'MEMBER') AS reaches_the_host,
(SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
AND n.nspname NOT LIKE 'pg_t%' AND has_table_privilege(c.oid,
'INSERT, UPDATE, DELETE, TRUNCATE')) AS writable_tables,
pg_is_in_recovery() AS is_replica,
has_function_privilege('pg_wal_replay_resume()', 'EXECUTE') AS resumes_replay,
EXISTS (SELECT 1 FROM pg_roles a WHERE a.rolcanlogin AND NOT a.rolsuper
AND a.rolname <> current_user AND a.rolconnlimit > 0) AS others_are_limited
FROM pg_roles r WHERE r.rolname = current_user
"""
_TOO_MUCH: Mapping[str, tuple[str, str]] = {
    "super": ("is a superuser", "ALTER ROLE {name} NOSUPERUSER"),
    "makes_roles": ("may make roles", "ALTER ROLE {name} NOCREATEROLE"),
    "makes_databases": ("may make databases", "ALTER ROLE {name} NOCREATEDB"),
    "ignores_row_security": ("ignores row security", "ALTER ROLE {name} NOBYPASSRLS"),
    "reaches_the_host": (
        "may run programs or write files on the host",
        "REVOKE pg_execute_server_program, pg_write_server_files FROM {name}",
    ),
    "writable_tables": (
        "may change {writable_tables} tables",
        "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA ... FROM {name}",
    ),
}


def examine_sql(name: str, target: PostgresTarget, secrets: Mapping[str, str]) -> Iterator[Found]:
    """What is to be said of a SQL target; nothing is changed there."""
    names: dict[str, str] = {}
    roles: tuple[tuple[Role, str | None], ...] = (
        ("reader", target.reader),
        ("writer", target.writer),
    )
    for role, secret in roles:
        if secret is None:
            yield note(name, f"has no {role}, so no step can act there")
        elif secret not in secrets:
            yield mend(name, f"the secret '{secret}' of the {role} is missing: add it to secrets")
        else:
            try:
                yield from _examine(name, target.kind, role, secrets[secret], names)
            except psycopg.Error as error:
                yield mend(name, f"the {role} cannot get in or look: {_sentence(error)}")
    if len(names) == len(roles) and len(set(names.values())) == 1:
        yield mend(name, f"reader and writer are the same role '{names['reader']}': make two")


def _examine(name: str, kind: str, role: Role, dsn: str, names: dict[str, str]) -> Iterator[Found]:
    console = kind == "pgbouncer"
    connection = psycopg.connect(
        dsn,
        connect_timeout=CONNECT_SECONDS,
        application_name="incident-squad",
        autocommit=True,
        row_factory=dict_row,
        prepare_threshold=None,
        cursor_factory=psycopg.ClientCursor if console else psycopg.Cursor,
    )
    with closing(connection):
        names[role] = connection.info.user
        if console:
            connection.execute("SHOW POOLS").fetchall()
            yield good(name, f"the {role} '{names[role]}' gets in and sees the pools")
            return
        rights = connection.execute(_RIGHTS).fetchone() or {}
        yield from _judge(name, role, rights, connection.info.server_version)


def _judge(name: str, role: Role, rights: Rights, version: int) -> Iterator[Found]:
    wrong = list(_wrong(role, rights))
    for what, remedy in wrong:
        yield mend(name, f"the {role} '{rights['name']}' {what}: {remedy}".format(**rights))
    if not wrong:
        yield good(name, f"the {role} '{rights['name']}' has the rights that it needs, no more")
    if rights["is_replica"] and role == "writer" and not rights["resumes_replay"]:
        grant = "GRANT EXECUTE ON FUNCTION pg_wal_replay_resume(), pg_wal_replay_pause() TO"
        yield mend(name, f"the writer cannot resume paused replay: {grant} {rights['name']}")
    kept = rights["replicates"] or rights["others_are_limited"] or version >= _RESERVED_SINCE
    if not rights["is_replica"] and not kept:
        yield note(
            name,
            f"no connection slot is kept for '{rights['name']}' when others take them all: give "
            "the application's role a CONNECTION LIMIT, or the squad's roles REPLICATION",
        )


def _wrong(role: Role, rights: Rights) -> Iterator[tuple[str, str]]:
    for right, said in _TOO_MUCH.items():
        if rights[right] and (right == "super" or not rights["super"]):
            yield said
    if rights["super"]:
        return
    if not rights["monitors"]:
        yield "cannot see the sessions of others", "GRANT pg_monitor TO {name}"
    if role == "writer" and not rights["signals"]:
        yield "cannot end sessions", "GRANT pg_signal_backend TO {name}"
    if role == "reader" and rights["signals"]:
        yield "may end sessions", "REVOKE pg_signal_backend FROM {name}"


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
