"""A game day: the estate, the squad that watches it, and one fault after the other."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from infra.client import SquadClient
from infra.commands.following import Follower
from infra.local.drill.alerting import Alertmanager, Prometheus
from infra.local.drill.child import wait_until
from infra.local.drill.estate import Estate, Layout
from infra.local.drill.faults import FAULTS, Fault
from infra.local.drill.proof import Before, problems
from infra.local.drill.watch import rules, scrapes
from infra.local.postgres import HOST, free_port
from infra.local.stack import LocalStack

ALERT_SECONDS = 30.0
RECOVERY_SECONDS = 120.0
QUIET_SECONDS = 30.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Ended:
    """How a fault ended. `seconds` are from webhook to recovery, without waiting for approval."""

    fault: str
    incident_id: str
    status: str
    seconds: float
    approval_seconds: float
    problems: Sequence[str]
    report: dict[str, Any]


class GameDay:
    """Starts everything; `run` breaks the estate in one way and watches the squad repair it."""

    def __init__(
        self, layout: Layout | None = None, say: Say = print, group_by: Sequence[str] = ("service",)
    ) -> None:
        self._layout, self._say, self._group_by = layout, say, group_by
        self._parts = ExitStack()

    def __enter__(self) -> Self:
        """Start it all; raises LocalStackError, with nothing left running."""
        with ExitStack() as parts:
            self.estate = parts.enter_context(Estate(self._layout))
            port = free_port()
            config = self.estate.config(f"http://{HOST}:{port}")
            self.stack = parts.enter_context(LocalStack.start(config=config, progress=self._say))
            hook = f"{self.stack.url}/webhooks/alertmanager"
            secret = self.stack.secrets["alertmanager"]
            self.alertmanager = parts.enter_context(Alertmanager(hook, secret, self._group_by))
            parts.enter_context(
                Prometheus(port, self.alertmanager, scrapes(self.estate), rules(self.estate))
            )
            self.stack.warm()
            self.client = SquadClient(url=self.stack.url, token=self.stack.token)
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

    def run(self, name: str) -> Ended:
        """One fault from its making to its end; raises LocalStackError when no alert comes."""
        fault = FAULTS[name]
        known = {one["incidentId"] for one in self._incidents()}
        before = Before.of(self.estate)
        self._say(f"Fault: {fault.title}")
        fault.make(self.estate)
        incident_id = self._alerted(fault, known)
        status = self._follow(incident_id)
        report: dict[str, Any] = self.client.incident(incident_id, "report")
        found = list(problems(self.estate, fault, before, report))
        found += self._settled(known | {incident_id})
        self.estate.application.tidy()
        seconds, waited = _clocks(report)
        return Ended(name, incident_id, status, seconds, waited, found, report)

    def _alerted(self, fault: Fault, known: set[str]) -> str:
        service = fault.service(self.estate)
        fresh: list[str] = []

        def opened() -> bool:
            fresh[:] = [
                one["incidentId"]
                for one in self._incidents()
                if one["incidentId"] not in known and one["service"] == service
            ]
            return bool(fresh)

        wait_until(opened, ALERT_SECONDS, lambda: f"no alert came of: {fault.title}")
        return fresh[0]

    def _follow(self, incident_id: str) -> str:
        follower = Follower(
            client=self.client,
            messages=lambda: list(self.stack.inbox.messages()),
            incident_id=incident_id,
            decide="approve",
        )
        return follower.follow(RECOVERY_SECONDS)

    def _settled(self, expected: set[str]) -> list[str]:
        """Wait until the source, too, says that it is over; nothing else may have been opened."""
        deadline = time.monotonic() + QUIET_SECONDS
        while self.alertmanager.firing() and time.monotonic() < deadline:
            time.sleep(0.1)
        found = [f"still firing at the source: {name}" for name in self.alertmanager.firing()]
        found += [
            f"another incident was opened: {one['incidentId']} ({one['title']})"
            for one in self._incidents()
            if one["incidentId"] not in expected
        ]
        refused = self.alertmanager.refused()
        return [*found, *([f"{refused} webhooks were not taken"] if refused else [])]

    def _incidents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get("/incidents")["incidents"]
        return found


def _clocks(report: dict[str, Any]) -> tuple[float, float]:
    """Seconds from the first alert to the end without the human's time, and that time."""
    clocks = report["clocks"]
    asked = next(
        (e["timestamp"] for e in report["timeline"] if e["event"] == "ApprovalRequested"), None
    )
    waited = 0.0
    if asked and "approved" in clocks:
        opened = datetime.fromisoformat(report["openedAt"])
        waited = clocks["approved"] - (datetime.fromisoformat(asked) - opened).total_seconds()
    return round(clocks.get("resolved", 0.0) - waited, 2), round(waited, 2)
