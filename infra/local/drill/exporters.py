"""The exporters that Prometheus scrapes: of a PostgreSQL, and of what a TLS client sees."""

from collections.abc import Mapping, Sequence

from infra.local.drill.child import Child
from infra.local.postgres import DATABASE, HOST, ThrowAwayPostgres

_QUERIES = """\
pg_replay:
  query: |
    SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0
    WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
    ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END AS lag_seconds
  metrics:
    - lag_seconds: {usage: GAUGE, description: How far the replica is behind in seconds}
pg_lock_queue:
  query: |
    SELECT count(*) AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock'
  metrics:
    - waiting: {usage: GAUGE, description: Sessions that wait for a lock}
"""


class PostgresExporter(Child):
    """postgres_exporter, which keeps one connection open: full slots do not blind it."""

    program = "prometheus-postgres-exporter"
    package = "prometheus-postgres-exporter"
    ready_path = "/metrics"

    def __init__(self, server: ThrowAwayPostgres) -> None:
        super().__init__()
        self._server = server

    def prepare(self) -> None:
        """Queries for what it does not know by itself."""
        (self.folder / "queries.yaml").write_text(_QUERIES)

    def environment(self) -> Mapping[str, str]:
        """The connection string of an account that only reads statistics."""
        return {"DATA_SOURCE_NAME": f"{self._server.dsn('monitor')}?sslmode=disable"}

    def arguments(self) -> Sequence[str]:
        """Where to listen and what to ask."""
        return [
            f"--web.listen-address={HOST}:{self.port}",
            f"--extend.query-path={self.folder / 'queries.yaml'}",
            f"--include-databases={DATABASE}",
            "--log.level=warn",
        ]


class BlackboxExporter(Child):
    """blackbox_exporter: looks at a TLS service from outside."""

    program = "prometheus-blackbox-exporter"
    package = "prometheus-blackbox-exporter"
    ready_path = "/-/healthy"

    def prepare(self) -> None:
        """One module: any certificate is looked at, whoever signed it."""
        (self.folder / "blackbox.yml").write_text(
            "modules:\n  tls:\n    prober: http\n    timeout: 3s\n"
            "    http: {preferred_ip_protocol: ip4, tls_config: {insecure_skip_verify: true}}\n"
        )

    def arguments(self) -> Sequence[str]:
        """Where to listen and what to do."""
        return [
            f"--web.listen-address={HOST}:{self.port}",
            f"--config.file={self.folder / 'blackbox.yml'}",
            "--log.level=warn",
        ]
