"""Follow an incident while it runs: its timeline live, and its approval by the real link."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from incident_squad.ports import Message
from infra.client import ApiError, SquadClient
from infra.commands.console import progress, say, show_event

POLL_SECONDS = 0.15
FINISHED = frozenset({"resolved", "handed_over"})
DECISION = {"approve": "approve", "reject": "reject"}


@dataclass
class Follower:
    """Shows what happens to an incident until nothing more will.

    `messages` gives the notifications that were sent so far; `decide` is `approve`, `reject` or
    None to leave the decision to whoever opens the link; `approver` is whose link is used.
    """

    client: SquadClient
    messages: Callable[[], list[Message]]
    incident_id: str
    decide: str | None = None
    approver: str | None = None
    quiet: bool = False
    _seen: int = 0
    _told: set[str] = field(default_factory=set)

    def follow(self, limit_seconds: float) -> str:
        """Follow to the end; gives the last status. Raises ApiError when the limit is over."""
        end = time.monotonic() + limit_seconds
        while time.monotonic() < end:
            self._show_new_events()
            self._look_at_messages()
            status = str(self.client.incident(self.incident_id)["status"])
            if status in FINISHED:
                self._show_new_events()
                return status
            time.sleep(POLL_SECONDS)
        raise ApiError(f"{self.incident_id} did not end within {limit_seconds:.0f} seconds")

    def _show_new_events(self) -> None:
        found = self.client.incident(self.incident_id, "timeline")["events"]
        for event in found[self._seen :]:
            if not self.quiet:
                show_event(event)
        self._seen = len(found)

    def _look_at_messages(self) -> None:
        for message in self.messages():
            if message.id in self._told or message.incident_id != self.incident_id:
                continue
            self._told.add(message.id)
            if message.kind == "approval" and message.link:
                self._approval(message)
            elif not self.quiet:
                say(f"             -> {', '.join(message.recipients)}: {message.subject}")

    def _approval(self, message: Message) -> None:
        mine = self.approver is None or self.approver in message.recipients
        progress.print(
            f"[bold yellow]{message.recipients[0]}[/] may decide at {message.link}", soft_wrap=True
        )
        if self.decide is None or not mine:
            return
        self.approver = message.recipients[0]
        self._decide_by_link(str(message.link))

    def _decide_by_link(self, link: str) -> None:
        """As the approver's browser does: look at the page, then send its form."""
        path = re.sub(r"^https?://[^/]+", "", link)
        self.client.request("GET", path, accept="text/html")
        say(f"{self.approver} looks at the plan and decides: {self.decide}")
        self.client.request(
            "POST",
            path,
            body=f"decision={self.decide}&comment=".encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            accept="text/html",
        )
        self.decide = None


def outcome_of(answer: Mapping[str, Any]) -> str:
    """What the squad said of an alert, in words."""
    return "; ".join(
        f"{o['outcome']}{' (' + o['reason'] + ')' if o.get('reason') else ''}"
        for o in answer["outcomes"]
    )


def usage(message: str) -> click.UsageError:
    """A mistake in how the command was called: exit code 2."""
    return click.UsageError(message)
