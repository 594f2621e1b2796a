"""The accounts of a throw-away PostgreSQL, each with the least it needs."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, LiteralString

import psycopg
from psycopg import sql

Account = Literal["postgres", "reader", "writer", "app", "monitor"]
USERS: Mapping[Account, str] = {
    "postgres": "postgres",
    "reader": "squad_reader",
    "writer": "squad_writer",
    "app": "app",
    "monitor": "monitor",
}
# pg_use_reserved_connections came with PostgreSQL 16.
_RESERVED_SLOTS = 160000


def make_roles(
    address: str, passwords: Mapping[Account, str], database: str, app_limit: int
) -> None:
    """Make the roles and the application's database.

    `reader` sees all sessions; `writer` may also end those of ordinary users; `monitor` is for an
    exporter. Before PostgreSQL 16
    no slot can be reserved for them, so `app_limit` keeps the application from taking all.
    """
    with psycopg.connect(address, autocommit=True) as admin:
        reserved = admin.info.server_version >= _RESERVED_SLOTS
        more: list[LiteralString] = ["pg_use_reserved_connections"] if reserved else []
        _make(admin, "reader", passwords, ["pg_monitor", *more])
        _make(admin, "writer", passwords, ["pg_monitor", "pg_signal_backend", *more])
        _make(admin, "monitor", passwords, ["pg_monitor"])
        _make(admin, "app", passwords, [], limit=app_limit)
        statement = sql.SQL("CREATE DATABASE {} OWNER app")
        admin.execute(statement.format(sql.Identifier(database)))


def _make(
    admin: "psycopg.Connection[Any]",
    account: Account,
    passwords: Mapping[Account, str],
    member_of: Iterable[LiteralString],
    *,
    limit: int = -1,
) -> None:
    user = sql.Identifier(USERS[account])
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} CONNECTION LIMIT {}")
    admin.execute(statement.format(user, sql.Literal(passwords[account]), sql.Literal(limit)))
    for group in member_of:
        admin.execute(sql.SQL("GRANT {} TO {}").format(sql.SQL(group), user))
