"""A throw-away PostgreSQL: real, private, on loopback, gone when it is stopped."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from infra.environment import minimal_environment
from infra.local.errors import PostgresUnusable
from infra.local.guard import Guard
from infra.local.postgres_binaries import Servant, find_binaries, reachable, servant
from infra.local.postgres_roles import USERS, Account, make_roles

HOST = "127.0.0.1"
DATABASE = "app"
START_SECONDS = 30.0
STOP_SECONDS = 10.0

# Nothing in it outlives the process, so nothing has to reach the disk.
_SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "superuser_reserved_connections": "1",
}


class ThrowAwayPostgres:
    """A server with least-privilege roles: `reader` may look, `writer` may also end sessions.

    The application's role may hold `app_limit` of `max_connections`, so that the squad still gets
    in when the application has taken all it can. Use as a context manager.
    """

    def __init__(
        self,
        *,
        max_connections: int = 40,
        app_limit: int = 35,
        settings: Mapping[str, str] | None = None,
        binaries: Path | None = None,
    ) -> None:
        self._settings = {
            **_SETTINGS, "max_connections": str(max_connections), **(settings or {})
        }  # fmt: skip
        self._app_limit = app_limit
        self._binaries = binaries
        self._passwords: Mapping[Account, str] = {
            account: secrets.token_hex(16) for account in USERS
        }
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None
        self.port = 0

    def __enter__(self) -> Self:
        """Start it; raises PostgresUnusable."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it and remove its files."""
        self.stop()

    def start(self) -> None:
        """Start it; raises PostgresUnusable, with nothing left behind."""
        self._folder = Path(tempfile.mkdtemp(prefix="squad-postgres-"))
        try:
            who = servant()
            binaries = reachable(self._binaries or find_binaries(), who, self._folder)
            self._initialise(binaries, who)
            self._launch(binaries, who)
            self._furnish()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all sessions, stop the server, remove its files. Safe to repeat."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # fast shutdown
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def dsn(self, account: Account) -> str:
        """The connection string of an account; it holds the password."""
        user, password = USERS[account], self._passwords[account]
        return f"postgresql://{user}:{password}@{HOST}:{self.port}/{DATABASE}"

    @property
    def passwords(self) -> Mapping[Account, str]:
        """The passwords of its accounts."""
        return self._passwords

    @property
    def pid(self) -> int:
        """The server's process id; raises PostgresUnusable when it does not run."""
        if self._process is None:
            raise PostgresUnusable("The server does not run.")
        return self._process.pid

    @property
    def _home(self) -> Path:
        if self._folder is None:
            raise PostgresUnusable("The server was not started.")
        return self._folder

    def _furnish(self) -> None:
        make_roles(self.administration, self._passwords, DATABASE, self._app_limit)

    def _initialise(self, binaries: Path, who: Servant) -> None:
        password_file = self._home / "password"
        password_file.write_text(self._passwords["postgres"])
        self._owned(who)
        command = [
            str(binaries / "initdb"),
            *("-U", "postgres", "--auth=scram-sha-256", f"--pwfile={password_file}"),
            *("--encoding=UTF8", "--locale=C", "--no-sync", "-D", str(self._home / "data")),
        ]
        self._run(command, who)

    def _owned(self, who: Servant) -> None:
        """Give the folder and what is in it to whom the server runs as."""
        for path in (self._home, *self._home.glob("*")):
            os.chown(path, _same(who.uid), _same(who.gid))

    def _run(self, command: list[str], who: Servant) -> None:
        """Run one of the server's programs to its end; raises PostgresUnusable."""
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            cwd=self._home,
            env=self._environment,
            user=who.uid,
            group=who.gid,
            extra_groups=who.groups,
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace")[-800:]
            raise PostgresUnusable(f"{Path(command[0]).name} failed: {said}")

    def _launch(self, binaries: Path, who: Servant) -> None:
        self.port = free_port()
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [binaries / "postgres", "-D", self._home / "data", f"--port={self.port}", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._home,
                start_new_session=True,
                env=self._environment,
                user=who.uid,
                group=who.gid,
                extra_groups=who.groups,
            )
        # SIGQUIT ends a server at once; nothing in it has to be kept.
        self._guard = Guard(self._process.pid, self._home, gently=signal.SIGQUIT)
        self._wait_ready()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                psycopg.connect(self.administration, connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.03)
            else:
                return
        tail = self._log.read_text(errors="replace")[-800:]
        raise PostgresUnusable(f"PostgreSQL did not start. Its log ends: {tail}")

    @property
    def administration(self) -> str:
        """The superuser's connection string, to the server's own database."""
        return self.dsn("postgres").removesuffix(DATABASE) + "postgres"

    @property
    def _log(self) -> Path:
        return self._home / "server.log"

    @property
    def _environment(self) -> dict[str, str]:
        return minimal_environment({"LC_ALL": "C"}, temporary=self._home)


def _same(number: int | None) -> int:
    return -1 if number is None else number


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
