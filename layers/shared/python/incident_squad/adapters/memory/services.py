"""Small services in memory: links, messages, secrets, knowledge."""

import secrets
from collections.abc import Mapping

from incident_squad.adapters.local_signer import LocalSigner
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import InvalidConfiguration, TransientFailure, UnknownRunbook
from incident_squad.domain.runbook import Runbook
from incident_squad.ports import Message


class MemorySigner(LocalSigner):
    """Implements `Signer` with a key of this process."""

    def __init__(self, key: bytes | None = None) -> None:
        super().__init__(key or secrets.token_bytes(32))


class MemoryNotifier:
    """Implements `Notifier`: `messages` holds what was sent; `fail` makes every send fail."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.fail = False

    def send(self, message: Message) -> None:
        """Keep the message; raises TransientFailure when told to."""
        if self.fail:
            raise TransientFailure("nobody took the message")
        self.messages.append(message)


class MemorySecrets:
    """Implements `Secrets` over a mapping, which may change at any time."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self.texts: dict[str, str] = dict(secrets or {})

    def get(self, name: str) -> str:
        """The secret's text; raises InvalidConfiguration when there is none."""
        try:
            return self.texts[name]
        except KeyError:
            raise InvalidConfiguration(f"the secret '{name}' is missing") from None


class MemoryKnowledge:
    """Implements `Knowledge` over values that are already loaded."""

    def __init__(self, catalog: Catalog, runbooks: Mapping[str, Runbook]) -> None:
        self._catalog = catalog
        self._runbooks = dict(runbooks)

    @property
    def catalog(self) -> Catalog:
        """The service catalogue."""
        return self._catalog

    @property
    def runbooks(self) -> Mapping[str, Runbook]:
        """Runbooks by name."""
        return self._runbooks

    def runbook(self, name: str) -> Runbook:
        """One runbook; raises UnknownRunbook."""
        try:
            return self._runbooks[name]
        except KeyError:
            raise UnknownRunbook(f"there is no runbook '{name}'") from None
