"""A streaming replica of a throw-away PostgreSQL."""

from pathlib import Path

from infra.local.postgres import ThrowAwayPostgres
from infra.local.postgres_binaries import Servant


class StreamingReplica(ThrowAwayPostgres):
    """A hot standby that follows `primary` all the time; it has the primary's accounts."""

    def __init__(self, primary: ThrowAwayPostgres, *, max_connections: int) -> None:
        super().__init__(
            max_connections=max_connections, settings={"wal_receiver_status_interval": "1s"}
        )
        self._primary = primary
        self._passwords = primary.passwords

    def _initialise(self, binaries: Path, who: Servant) -> None:
        self._owned(who)
        command = [
            str(binaries / "pg_basebackup"),
            *("-d", self._primary.administration, "-D", str(self._home / "data")),
            *("--wal-method=stream", "--checkpoint=fast", "--write-recovery-conf", "--no-sync"),
        ]
        self._run(command, who)

    def _furnish(self) -> None:
        """Its accounts came with the copy."""
