"""The application's side of the database: sessions at work, and the harm that others do."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg

from infra.local.drill.child import ComponentUnusable
from infra.local.drill.pgbouncer import PgBouncer
from infra.local.postgres import ThrowAwayPostgres
from infra.local.practice_service import BookingFailed

HEALTHY = 4
WAITING = 3
_WORK_EVERY_SECONDS = 0.2
_STOP_SECONDS = 5.0
_SLOTS = 1000
Connection = psycopg.Connection[Any]


class Application:
    """Books payments all the time: over sessions that it keeps, and over one for each payment.

    Its kept sessions are healthy, one of them in a long transaction that goes on working: a
    repair must spare them all. `leak`, `queue` and `embrace` are what goes wrong; what they
    opened is closed by `tidy`.
    """

    def __init__(self, primary: ThrowAwayPostgres, pool: PgBouncer) -> None:
        self._primary, self._pool = primary, pool
        self._healthy: list[Connection] = []
        self._harmful: list[Connection] = []
        self._waiting: list[threading.Thread] = []
        self.served = 0
        """Waiting statements that came through in the end."""
        self._ended = threading.Event()
        self._work = threading.Thread(target=self._keep_working, daemon=True)

    def __enter__(self) -> Self:
        """Make the tables and begin to work."""
        with self._connect() as first:
            first.execute("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)")
            first.execute("CREATE TABLE payment (account int, amount int)")
            first.execute(
                "INSERT INTO account SELECT n, 100 FROM generate_series(1, %s) AS n", [_SLOTS]
            )
        for _ in range(HEALTHY):
            self._healthy.append(self._connect(autocommit=True))
        self._healthy.append(self._connect())
        self._work.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop working and close everything."""
        self._ended.set()
        if self._work.is_alive():
            self._work.join(_STOP_SECONDS)
        self.tidy()
        for session in self._healthy:
            session.close()

    def book(self, amount: int) -> None:
        """Write one payment down on a connection of its own; raises BookingFailed."""
        try:
            with self._connect(autocommit=True) as session:
                session.execute("INSERT INTO payment VALUES (0, %s)", [amount])
        except psycopg.Error as error:
            raise BookingFailed(str(error)) from error

    def pids(self) -> frozenset[int]:
        """The server's processes of the healthy sessions."""
        return frozenset(session.info.backend_pid for session in self._healthy)

    def alive(self) -> int:
        """How many healthy sessions still answer."""
        return sum(_answers(session) for session in self._healthy)

    def harmful(self) -> int:
        """How many of the sessions that do harm still hold their connection."""
        return sum(_answers(session) for session in self._harmful)

    def leak(self, leave: int) -> None:
        """Open transactions and forget them, until only `leave` more connections could be made."""
        for account in range(1, _SLOTS):
            try:
                session = self._connect()
            except psycopg.OperationalError:
                break
            self._harmful.append(session)
            session.execute("SELECT balance FROM account WHERE id = %s FOR UPDATE", [account])
        for _ in range(leave):
            self._harmful.pop().close()

    def queue(self) -> None:
        """Lock an account and forget about it, while others wait for it."""
        holder = self._connect()
        self._harmful.append(holder)
        holder.execute("UPDATE account SET balance = balance - 1 WHERE id = 1")
        for _ in range(WAITING):
            self._wait_for(self._connect(autocommit=True), 1)

    def embrace(self) -> None:
        """Let two transactions wait for each other, where the server does not look for that."""
        pair = [self._connect(), self._connect()]
        for session, account in zip(pair, (2, 3), strict=True):
            session.execute("UPDATE account SET balance = balance - 1 WHERE id = %s", [account])
        for session, account in zip(pair, (3, 2), strict=True):
            self._wait_for(session, account)

    def tidy(self) -> None:
        """Close what did harm, and wait for who waited for it."""
        for session in self._harmful:
            session.close()
        self._harmful.clear()
        for thread in self._waiting:
            thread.join(_STOP_SECONDS)
        self._waiting.clear()

    def _wait_for(self, session: Connection, account: int) -> None:
        thread = threading.Thread(target=self._update, args=(session, account), daemon=True)
        self._waiting.append(thread)
        thread.start()

    def _update(self, session: Connection, account: int) -> None:
        with session:
            try:
                session.execute("UPDATE account SET balance = balance + 1 WHERE id = %s", [account])
            except psycopg.Error:
                return  # ended by the repair, or by `tidy`
        self.served += 1

    def _connect(self, *, autocommit: bool = False, dsn: str | None = None) -> Connection:
        return psycopg.connect(
            dsn or self._primary.dsn("app"), autocommit=autocommit, application_name="payments"
        )

    def _keep_working(self) -> None:
        turn = 0
        while not self._ended.wait(_WORK_EVERY_SECONDS):
            turn += 1
            for session in (self._healthy[turn % HEALTHY], self._healthy[-1]):
                try:
                    session.execute("INSERT INTO payment VALUES (%s, %s)", [turn % _SLOTS, turn])
                except psycopg.Error:
                    continue  # `alive` tells


def _answers(session: Connection) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


@contextmanager
def administering(server: ThrowAwayPostgres) -> Iterator[Callable[[str], list[Any]]]:
    """A superuser's session, for what a fault or a proof needs."""
    try:
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as session:
            yield lambda sql: _rows(session, sql)
    except psycopg.OperationalError as error:
        raise ComponentUnusable(f"the drill's own database does not answer: {error}") from error


def _rows(session: Connection, sql: str) -> list[Any]:
    cursor = session.execute(sql.encode())
    return cursor.fetchall() if cursor.description else []
