"""PgBouncer in front of the primary: transactions of many clients on few server connections."""

import socket
from collections.abc import Sequence

from infra.local.drill.child import Child
from infra.local.postgres import DATABASE, HOST, ThrowAwayPostgres
from infra.local.postgres_roles import USERS, Account

POOL_SIZE = 5


class PgBouncer(Child):
    """The pool. The squad's reader may look at its console, the squad's writer may command it."""

    program = "pgbouncer"
    package = "pgbouncer"
    as_servant = True  # it refuses to run as root
    ready_path = None

    def __init__(self, primary: ThrowAwayPostgres) -> None:
        super().__init__()
        self._primary = primary

    def prepare(self) -> None:
        """Its configuration and the passwords of its users."""
        users = {USERS[name]: text for name, text in self._primary.passwords.items()}
        lines = [f'"{user}" "{text}"' for user, text in users.items()]
        (self.folder / "users").write_text("\n".join(lines) + "\n")
        (self.folder / "pgbouncer.ini").write_text(
            f"""[databases]
{DATABASE} = host={HOST} port={self._primary.port} pool_size={POOL_SIZE}
[pgbouncer]
listen_addr = {HOST}
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {self.folder / "users"}
pool_mode = transaction
max_client_conn = 100
query_wait_timeout = 5
ignore_startup_parameters = extra_float_digits
stats_users = {USERS["reader"]}
admin_users = {USERS["writer"]}
"""
        )

    def arguments(self) -> Sequence[str]:
        """The configuration file."""
        return [str(self.folder / "pgbouncer.ini")]

    def dsn(self, account: Account, database: str = DATABASE) -> str:
        """The connection string through the pool; the database `pgbouncer` is its console."""
        return (
            f"postgresql://{USERS[account]}:{self._primary.passwords[account]}"
            f"@{HOST}:{self.port}/{database}"
        )

    def _answers(self) -> bool:
        return super()._answers() and listens(self.port)


def listens(port: int) -> bool:
    """Whether somebody takes connections on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
