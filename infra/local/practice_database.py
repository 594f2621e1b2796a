"""An application that has run its database out of connections: most of its sessions are stuck."""

import threading
from types import TracebackType
from typing import Any, Self

import psycopg

from infra.local.postgres import ThrowAwayPostgres

MAX_CONNECTIONS = 40
STUCK = 30
HEALTHY = 5
_WORK_EVERY_SECONDS = 0.2
_STOP_SECONDS = 5.0

Connection = psycopg.Connection[Any]


class PracticeDatabase:
    """A throw-away PostgreSQL with `STUCK` sessions idle in a transaction and `HEALTHY` at work.

    Together they are all that the application's role may have. The stuck ones opened a
    transaction, locked an account and forgot about it; the healthy ones book payments and must
    survive any repair.
    """

    def __init__(self) -> None:
        self.postgres = ThrowAwayPostgres(
            max_connections=MAX_CONNECTIONS, app_limit=STUCK + HEALTHY
        )
        self._stuck: list[Connection] = []
        self._healthy: list[Connection] = []
        self._ended = threading.Event()
        self._work = threading.Thread(target=self._keep_working, name="payments", daemon=True)

    def __enter__(self) -> Self:
        """Start the server and the application."""
        self.postgres.start()
        try:
            self._open_for_business()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop both."""
        self._stop()

    @property
    def healthy_pids(self) -> list[int]:
        """The server's processes of the sessions that must survive."""
        return [session.info.backend_pid for session in self._healthy]

    def healthy_alive(self) -> int:
        """How many of the healthy sessions still answer."""
        return sum(_answers(session) for session in self._healthy)

    def stuck_alive(self) -> int:
        """How many of the stuck sessions still hold their connection."""
        return sum(_answers(session) for session in self._stuck)

    def _open_for_business(self) -> None:
        with self._connect() as first:
            first.execute("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)")
            first.execute("CREATE TABLE payment (account int, amount int)")
            first.execute("INSERT INTO account SELECT n, 100 FROM generate_series(1, 1000) AS n")
        for _ in range(HEALTHY):
            self._healthy.append(self._connect(autocommit=True))
        self.use_up()
        self._work.start()

    def use_up(self) -> None:
        """Let the stuck sessions hold all the connections, also again after a repair."""
        for session in self._stuck:
            session.close()
        self._stuck.clear()
        for account in range(1, STUCK + 1):
            session = self._connect()
            self._stuck.append(session)
            session.execute("SELECT balance FROM account WHERE id = %s FOR UPDATE", [account])

    def _connect(self, *, autocommit: bool = False) -> Connection:
        dsn = self.postgres.dsn("app")
        return psycopg.connect(dsn, autocommit=autocommit, application_name="payment-api")

    def _keep_working(self) -> None:
        turn = 0
        while not self._ended.wait(_WORK_EVERY_SECONDS):
            session = self._healthy[turn % HEALTHY]
            turn += 1
            try:
                session.execute("INSERT INTO payment VALUES (%s, %s)", [turn % 1000, turn])
            except psycopg.Error:
                continue  # `healthy_alive` tells

    def _stop(self) -> None:
        self._ended.set()
        if self._work.is_alive():
            self._work.join(_STOP_SECONDS)
        for session in (*self._stuck, *self._healthy):
            session.close()
        self.postgres.stop()


def _answers(session: Connection) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True
