"""Every port in one hand: what a composition fills and use cases are built from."""

from collections.abc import Callable
from typing import Protocol

from incident_squad import ports
from incident_squad.domain.alert import Alert
from incident_squad.domain.triage import Triage as TriageResult


class World(Protocol):
    """All ports. Attributes may be built when they are first asked for."""

    @property
    def incidents(self) -> ports.IncidentStore:
        """Incidents and what belongs to them."""
        ...

    @property
    def timeline(self) -> ports.Timeline:
        """The chained record."""
        ...

    @property
    def approvals(self) -> ports.Approvals:
        """Requests for approval."""
        ...

    @property
    def public_texts(self) -> ports.Approvals:
        """Requests for approval of what customers would read."""
        ...

    @property
    def workflow(self) -> ports.Workflow:
        """The state machine."""
        ...

    @property
    def notifier(self) -> ports.Notifier:
        """The way to people."""
        ...

    @property
    def outbox(self) -> ports.Outbox:
        """Messages on their way."""
        ...

    @property
    def signer(self) -> ports.Signer:
        """Signatures of links."""
        ...

    @property
    def secrets(self) -> ports.Secrets:
        """Secrets by name."""
        ...

    @property
    def knowledge(self) -> ports.Knowledge:
        """Runbooks and catalogue."""
        ...

    @property
    def probers(self) -> ports.Probers:
        """Eyes: they read."""
        ...

    @property
    def telemetry(self) -> ports.Telemetry:
        """Metric sources: they only look."""
        ...

    @property
    def executors(self) -> ports.Executors:
        """Hands: they write."""
        ...

    @property
    def clock(self) -> ports.Clock:
        """The time."""
        ...

    @property
    def triager(self) -> Callable[[Alert], TriageResult]:
        """The floor of triage."""
        ...

    @property
    def public_url(self) -> Callable[[], str]:
        """Gives the address under which people reach the API."""
        ...
