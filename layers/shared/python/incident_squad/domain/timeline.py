"""The timeline: what happened, written once, chained by hashes."""

import hashlib
import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from pydantic import Field

from incident_squad.domain.values import Moment, Value

GENESIS = "0" * 64
"""The `prev` of the first event."""


class ActorKind(StrEnum):
    """Who acted."""

    AGENT = "agent"
    HUMAN = "human"
    SYSTEM = "system"


class Actor(Value):
    """Who did it: a squad agent, a human (by e-mail) or a system (a source, the workflow)."""

    kind: ActorKind
    name: str

    @classmethod
    def agent(cls, name: str) -> "Actor":
        """One of the squad's agents."""
        return cls(kind=ActorKind.AGENT, name=name)

    @classmethod
    def human(cls, email: str) -> "Actor":
        """A person, by e-mail address."""
        return cls(kind=ActorKind.HUMAN, name=email)

    @classmethod
    def system(cls, name: str) -> "Actor":
        """A machine: an alert source, the workflow, the sweeper."""
        return cls(kind=ActorKind.SYSTEM, name=name)


class Entry(Value):
    """An event before it has its place in the chain.

    `event` is a past-tense fact in PascalCase (`AlertReceived`); `summary` is one line for people.
    """

    event: str = Field(pattern=r"^[A-Z][A-Za-z]+$")
    summary: str = Field(max_length=2000)
    actor: Actor
    data: dict[str, Any] = Field(default_factory=dict)
    evidence_ids: tuple[str, ...] = ()
    engine: str | None = None
    tokens: int = 0
    cost_usd: float = 0.0


class TimelineEvent(Entry):
    """An event in its place: `n` counts from 1 without gaps, `prev` is the hash before it."""

    n: int = Field(ge=1)
    at: Moment
    prev: str
    hash: str


def seal(entry: Entry, *, n: int, at: Moment, prev: str) -> TimelineEvent:
    """Give an entry its place in the chain."""
    body = {**entry.model_dump(), "n": n, "at": at, "prev": prev}
    return TimelineEvent(**body, hash=_digest(TimelineEvent(**body, hash="")))


def chain_problems(events: Sequence[TimelineEvent], *, head: str | None, count: int) -> list[str]:
    """Say what is wrong with a chain: gaps, edits, cut tails; an empty list is a sound chain.

    `head` and `count` are kept outside the chain, so that a cut tail is seen too.
    """
    problems, prev = [], GENESIS
    for place, event in enumerate(events, start=1):
        if event.n != place:
            problems.append(f"event {place} is missing: found number {event.n} in its place")
            break
        if event.prev != prev:
            problems.append(f"event {event.n} does not follow the event before it")
        if event.hash != _digest(event):
            problems.append(f"event {event.n} was changed after it was written")
        prev = event.hash
    if len(events) != count:
        problems.append(f"{count} events were written, {len(events)} are there")
    elif head is not None and events and events[-1].hash != head:
        problems.append("the last event is not the one that was written last")
    return problems


def _digest(event: TimelineEvent) -> str:
    body = event.model_dump(mode="json", exclude={"hash"})
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
