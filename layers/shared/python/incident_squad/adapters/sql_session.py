"""Short, bounded sessions on PostgreSQL and on PgBouncer's admin console.

A database in trouble is a bad place for a guest: each session is one connection, of which a process
opens at most two to a target at a time, with limits on time, locks, rows and bytes.

When every ordinary connection slot is taken, ours must still get in. Keep slots free for the
reader and writer roles: a CONNECTION LIMIT on the application's roles that leaves a few of
`max_connections`, or from PostgreSQL 16 on `reserved_connections` with a grant of
`pg_use_reserved_connections`. Only superusers get the slots of `superuser_reserved_connections`;
neither role should be one. Roles with REPLICATION also get in by the slots of `max_wal_senders`,
which applications never take: that way is tried when the others are closed.
"""

import os
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from incident_squad.adapters.sql_cells import sentence
from incident_squad.domain.catalog import PostgresTarget
from incident_squad.domain.errors import InvalidConfiguration, StepFailed, TargetUnavailable
from incident_squad.ports import Knowledge, Secrets

if TYPE_CHECKING:
    import psycopg

Role = Literal["reader", "writer"]
Row = dict[str, Any]

CONNECT_SECONDS = 5
LOCK_SECONDS = 3
AT_ONCE = 2
"""Connections to one target that a process has open at a time."""

_GRACE_SECONDS = 3
_REFUSALS = ("authentication failed", "pg_hba.conf", "no such user", "not permitted to log in")
_FULL = ("too many", "remaining connection slots", "no more connections", "not currently accepting")


class Refused(TargetUnavailable):
    """The target knows us and says no."""


@dataclass(frozen=True)
class Session:
    """An open session; `console` is PgBouncer's. `simple` ones know the simple protocol only."""

    connection: "psycopg.Connection[Row]"
    console: bool
    read_only: bool
    simple: bool = False

    def rows(self, sql: str, parameters: Mapping[str, Any], limit: int) -> list[Row]:
        """Up to `limit` rows of one statement, and no rows of a statement that gives none.

        `%(name)s` takes parameters, and then a literal percent sign is written `%%`. Raises
        StepFailed for a second statement, and psycopg's errors.
        """
        statement = _one(sql, self.console and self.read_only)
        named = parameters if "%(" in statement else None
        with self.connection.cursor() as cursor:
            if self.read_only and not self.simple:
                return list(islice(cursor.stream(statement, named), limit))
            cursor.execute(statement, named)
            return cursor.fetchmany(limit) if cursor.description else []


class Sessions:
    """Opens sessions on the catalogue's SQL targets."""

    def __init__(self, knowledge: Knowledge, secrets: Secrets) -> None:
        self._knowledge = knowledge
        self._secrets = secrets
        self._gates: dict[str, threading.BoundedSemaphore] = defaultdict(
            lambda: threading.BoundedSemaphore(AT_ONCE)
        )

    def target(self, name: str | None) -> PostgresTarget:
        """The target of this name; raises InvalidConfiguration."""
        target = self._knowledge.catalog.targets.get(name or "")
        if not isinstance(target, PostgresTarget):
            raise InvalidConfiguration(f"'{name}' is not a SQL target of the catalogue")
        return target

    @contextmanager
    def open(
        self, name: str | None, role: Role, *, seconds: float, read_only: bool
    ) -> Iterator[Session]:
        """One session, one transaction: committed at the end, rolled back on any error.

        Raises TargetUnavailable before anything was asked, and InvalidConfiguration. The console
        of PgBouncer has no transactions.
        """
        target = self.target(name)
        secret = target.reader if role == "reader" else target.writer
        if secret is None:
            raise InvalidConfiguration(f"the target '{name}' has no {role}")
        console = target.kind == "pgbouncer"
        dsn = self._secrets.get(secret)
        with (
            self._gates[f"{name}"],
            _connected(dsn, f"{name}", console=console) as connection,
            _severed_after(connection, seconds + _GRACE_SECONDS),
            nullcontext() if console else _limited(connection, seconds, read_only=read_only),
        ):
            yield Session(connection, console, read_only, _simple(connection))


def _simple(connection: "psycopg.Connection[Row]") -> bool:
    import psycopg  # noqa: PLC0415

    return issubclass(connection.cursor_factory, psycopg.ClientCursor)


def _one(sql: str, show_only: bool) -> str:  # noqa: FBT001 - read at the one place of its call
    statement = sql.strip().removesuffix(";").rstrip()
    if ";" in statement:
        raise StepFailed("a runbook's SQL is one statement, without a semicolon inside")
    if show_only and not statement.upper().startswith("SHOW "):
        raise StepFailed("only SHOW is read-only on PgBouncer's console")
    return statement


@contextmanager
def _connected(dsn: str, name: str, *, console: bool) -> "Iterator[psycopg.Connection[Row]]":
    import psycopg  # noqa: PLC0415 - slow to import, and most functions never need it
    from psycopg.rows import dict_row  # noqa: PLC0415

    def connect(*, simple: bool, **more: Any) -> "psycopg.Connection[Row]":  # noqa: ANN401
        return psycopg.connect(
            dsn,
            connect_timeout=CONNECT_SECONDS,
            application_name="incident-squad",
            row_factory=dict_row,
            autocommit=console,
            cursor_factory=psycopg.ClientCursor if simple else psycopg.Cursor,
            prepare_threshold=None,
            **more,
        )

    try:
        made = connect(simple=console)
    except psycopg.Error as error:
        other = None if console else _by_wal_sender(connect, error)
        if other is None:
            raise _unavailable(name, error) from error
        made = other
    with made:
        yield made


def _by_wal_sender(
    connect: "Callable[..., psycopg.Connection[Row]]", error: Exception
) -> "psycopg.Connection[Row] | None":
    """A session in the slot of a WAL sender, if there is no other left and the role may.

    Such a session takes SQL by the simple protocol only, so values are quoted on our side.
    """
    import psycopg  # noqa: PLC0415

    if not any(word in sentence(error) for word in _FULL):
        return None
    try:
        return connect(simple=True, replication="database")
    except psycopg.Error:
        return None  # the first refusal says more


def _unavailable(name: str, error: Exception) -> TargetUnavailable:
    says = sentence(error)
    if any(word in says for word in _FULL):
        return TargetUnavailable(f"'{name}' has no connection slot left for us: {says}")
    if any(word in says for word in _REFUSALS):
        return Refused(f"'{name}' refused us: {says}")
    return TargetUnavailable(f"'{name}' cannot be reached: {says}")


@contextmanager
def _limited(
    connection: "psycopg.Connection[Row]", seconds: float, *, read_only: bool
) -> Iterator[None]:
    """One transaction whose limits end with it: a pooler may lend the session to others."""
    # A replica refuses to be asked for write access, also by a writer that ends a session there.
    connection.read_only = True if read_only else None
    with connection.transaction():
        connection.execute(
            "SELECT set_config('statement_timeout', %s, true),"
            " set_config('lock_timeout', %s, true)",
            [str(int(span * 1000)) for span in (seconds, LOCK_SECONDS)],
        )
        yield


@contextmanager
def _severed_after(connection: "psycopg.Connection[Row]", seconds: float) -> Iterator[None]:
    """Cut the line when the server does not even answer that time is over."""
    line = socket.socket(fileno=os.dup(connection.fileno()))
    timer = threading.Timer(seconds, _sever, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        line.close()


def _sever(line: socket.socket) -> None:
    with suppress(OSError):  # closed at the same moment
        line.shutdown(socket.SHUT_RDWR)
