"""Practice targets: real systems with real faults, for `squad run`, `squad up` and `make demo`.

They are what the catalogue's payment service stands on when nobody has configured their own: a
PostgreSQL whose connections are used up, and a service whose latest release fails payments.
"""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from infra.local.config import LocalConfig
from infra.local.practice_database import PracticeDatabase
from infra.local.practice_service import PaymentService

IDLE_SECONDS = 2
"""How long a session may be idle in its transaction here: nobody wants to wait for a drill."""


class Practice:
    """The practice targets, from entering to leaving; nothing of them stays."""

    def __init__(self) -> None:
        self.database = PracticeDatabase()
        self.service = PaymentService()
        self._parts = ExitStack()

    def __enter__(self) -> Self:
        """Start them; raises LocalStackError, with nothing left running."""
        with ExitStack() as parts:
            parts.enter_context(self.service)
            parts.enter_context(self.database)
            self._parts = parts.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop them."""
        self._parts.close()

    def config(self) -> LocalConfig:
        """What `--config` would hold for them: where they are, and their credentials."""
        postgres = self.database.postgres
        targets = {
            "payments-db": {"fields": {"idle_seconds": IDLE_SECONDS}},
            # Secrets of its own: the other deployers of the catalogue must not get these tokens.
            "payment-api-deployer": {
                "base_url": self.service.url,
                "reader": "targets/practice-deployer-reader",
                "writer": "targets/practice-deployer-writer",
            },
        }
        return LocalConfig(
            catalog={"targets": targets},
            secrets={
                "targets/payments-db-reader": postgres.dsn("reader"),
                "targets/payments-db-writer": postgres.dsn("writer"),
                "targets/practice-deployer-reader": self.service.reader_token,
                "targets/practice-deployer-writer": self.service.writer_token,
            },
        )
