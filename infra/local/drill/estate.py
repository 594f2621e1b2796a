"""The estate of the drill: systems of a small payment company, all on loopback."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from infra.local.config import LocalConfig
from infra.local.drill.application import Application, administering
from infra.local.drill.certificate import TlsService
from infra.local.drill.exporters import BlackboxExporter, PostgresExporter
from infra.local.drill.pgbouncer import PgBouncer
from infra.local.drill.replica import StreamingReplica
from infra.local.postgres import ThrowAwayPostgres
from infra.local.practice_service import RELEASES, PaymentService

GOOD, BAD = list(RELEASES)
_GRANTS = (
    "GRANT EXECUTE ON FUNCTION pg_wal_replay_resume() TO squad_writer",
    "GRANT EXECUTE ON FUNCTION pg_wal_replay_pause() TO squad_writer",
)


@dataclass(frozen=True)
class Layout:
    """What differs from one estate to the next.

    `app_limit` is how many connections the application may take; -1 lets it take all that are
    for ordinary users, and then the squad's own accounts need the right to `replicate` to get in.
    """

    service: str = "payment-api"
    tls_service: str = "payment-gateway"
    max_connections: int = 40
    app_limit: int = 34
    replicate: bool = False
    fields: Mapping[str, int] | None = None


NO_SLOT = Layout(app_limit=-1, replicate=True)
"""The application may take every slot that is for ordinary users, and the squad still gets in."""


class Estate:
    """Everything that the squad watches and may touch, from entering to leaving."""

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = layout or Layout()
        self._parts = ExitStack()

    def __enter__(self) -> Self:
        """Start it all; raises LocalStackError, with nothing left running."""
        with ExitStack() as parts:
            self._start(parts)
            self._parts = parts.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it all, the last first."""
        self._parts.close()

    def _start(self, parts: ExitStack) -> None:
        size = self.layout.max_connections
        self.primary = parts.enter_context(
            ThrowAwayPostgres(
                max_connections=size,
                app_limit=self.layout.app_limit,
                # Long enough that only a repair ends an embrace of two transactions.
                settings={"deadlock_timeout": "1h"},
            )
        )
        self._grant()
        self.replica = parts.enter_context(StreamingReplica(self.primary, max_connections=size))
        self.pool = parts.enter_context(PgBouncer(self.primary))
        self.exporters = {
            "primary": parts.enter_context(PostgresExporter(self.primary)),
            "replica": parts.enter_context(PostgresExporter(self.replica)),
        }
        self.blackbox = parts.enter_context(BlackboxExporter())
        self.tls = parts.enter_context(TlsService())
        self.application = parts.enter_context(Application(self.primary, self.pool))
        self.payments = parts.enter_context(PaymentService(self.application.book))
        self.payments.deploy(GOOD, None)

    def _grant(self) -> None:
        more = ("ALTER ROLE squad_reader REPLICATION", "ALTER ROLE squad_writer REPLICATION")
        with administering(self.primary) as ask:
            for statement in (*(more if self.layout.replicate else ()), *_GRANTS):
                ask(statement)

    def config(self, prometheus: str) -> LocalConfig:
        """What `--config` would hold for this estate, whose metrics are at an address."""
        return LocalConfig(
            catalog={
                "services": self._services(),
                "targets": self._targets(),
                "metrics": {"prometheus": {"url": prometheus}},
            },
            secrets={
                **{
                    f"targets/drill-{name}-{role}": dsn
                    for name, dsns in self._dsns().items()
                    for role, dsn in dsns.items()
                },
                "targets/drill-deployer-reader": self.payments.reader_token,
                "targets/drill-deployer-writer": self.payments.writer_token,
                "targets/drill-certificates-reader": self.tls.reader_token,
                "targets/drill-certificates-writer": self.tls.writer_token,
            },
        )

    def _dsns(self) -> dict[str, dict[str, str]]:
        return {
            "primary": {"reader": self.primary.dsn("reader"), "writer": self.primary.dsn("writer")},
            "replica": {"reader": self.replica.dsn("reader"), "writer": self.replica.dsn("writer")},
            "pool": {
                "reader": self.pool.dsn("reader", "pgbouncer"),
                "writer": self.pool.dsn("writer", "pgbouncer"),
            },
        }

    def _services(self) -> dict[str, Any]:
        names = {
            "database": "drill-primary",
            "replica": "drill-replica",
            "pool": "drill-pool",
            "deployments": "drill-deployer",
        }
        about = {"public_name": {"en": "Payments", "fr": "Paiements"}, "owner": "payments"}
        return {
            self.layout.service: {**about, "tier": "revenue", "targets": names},
            self.layout.tls_service: {
                **about, "tier": "revenue", "targets": {"certificates": "drill-certificates"}
            },
        }  # fmt: skip

    def _targets(self) -> dict[str, Any]:
        fields = dict(self.layout.fields or {})
        return {
            "drill-primary": _sql("postgresql", "primary", fields),
            "drill-replica": _sql("postgresql", "replica", fields),
            "drill-pool": _sql("pgbouncer", "pool", {}),
            "drill-deployer": _http(
                self.payments.url,
                "deployer",
                {
                    "status": ("GET", "/deployment"),
                    "rollback": ("POST", "/deployment/rollback"),
                    "redeploy": ("POST", "/deployment/redeploy"),
                },
            ),
            "drill-certificates": _http(
                self.tls.hooks_url,
                "certificates",
                {
                    "status": ("GET", "/certificate"),
                    "renew_certificate": ("POST", "/certificate/renew"),
                    "restore_certificate": ("POST", "/certificate/restore"),
                },
            ),
        }


def _sql(kind: str, name: str, fields: dict[str, int]) -> dict[str, Any]:
    return {
        "kind": kind,
        "reader": f"targets/drill-{name}-reader",
        "writer": f"targets/drill-{name}-writer",
        "fields": fields,
    }


def _http(url: str, name: str, operations: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        "kind": "http",
        "base_url": url,
        "reader": f"targets/drill-{name}-reader",
        "writer": f"targets/drill-{name}-writer",
        "operations": {
            operation: {"method": method, "path": path, "mutates": method == "POST"}
            for operation, (method, path) in operations.items()
        },
    }
