"""Runs the judging states of an incident again, each on what it was told then."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from incident_squad.adapters.memory import MemoryKnowledge, MemoryLedger
from incident_squad.adapters.transcripts.tape import Playback, Tape
from incident_squad.agents.rails import Rails
from incident_squad.bootstrap.squad import Squad
from incident_squad.bootstrap.transcripts import (
    INVESTIGATE,
    drafts_on,
    investigate_on,
    squad_on,
    triage_on,
)
from incident_squad.contracts import IncidentInput, UpdateInput
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import InvalidConfiguration, ModelFailed, SquadError
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.model import ModelReply, ModelRequest, Trouble
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.transcript import Crossing, KnownThen, Transcript
from incident_squad.domain.values import IncidentType
from incident_squad.policy.triage import Triager
from incident_squad.ports import Knowledge
from infra.pipeline import MemoryWorld, NoHands

NOT_SEEN = "nobody looked at this then"


@dataclass(frozen=True)
class Again:
    """A state that was run again: what crossed this time, and the error it ended with."""

    then: Transcript
    crossings: tuple[Crossing, ...]
    error: str = ""


class NoModel:
    """Implements `Model` where answers come from the tape."""

    def ask(
        self, request: ModelRequest, seconds: float, on_text: Callable[[str], None] | None = None
    ) -> ModelReply:
        """Never: no question comes past the tape."""
        del request, seconds, on_text
        raise ModelFailed(Trouble.UNAVAILABLE, "a replay asks nobody")


@dataclass(frozen=True)
class Rerun:
    """Runs states again. With `rails` a model is asked anew; without, it is given its answers.

    `known` gives what the squad knew in a state.
    """

    known: Callable[[Transcript], Knowledge]
    rails: Rails | None = None

    def __call__(self, transcripts: Sequence[Transcript]) -> list[Again]:
        """Each state on its own transcript, in their order."""
        return [self._again(one) for one in transcripts]

    def _again(self, then: Transcript) -> Again:
        tape = Playback(then.crossings, _instead(then))
        knowledge = self.known(then)
        world = MemoryWorld(knowledge, Triager(knowledge.catalog, knowledge.runbooks))
        squad = squad_on(tape, world, _given(then, world))
        if self.rails is not None and then.asks:
            squad = Squad(squad.world, lambda: self.rails)
        try:
            _state(then, tape, squad, world)()
        except SquadError as error:
            return Again(then, tuple(tape.crossings), f"{type(error).__name__}: {error}")
        return Again(then, tuple(tape.crossings))


def _given(then: Transcript, world: MemoryWorld) -> Rails | None:
    """Rails for a model that only answers what it answered then."""
    if not then.asks:
        return None
    policies = world.knowledge.catalog.policies
    return Rails(model=NoModel(), ledger=MemoryLedger(world.clock), policies=policies)


def _state(then: Transcript, tape: Tape, squad: Squad, world: MemoryWorld) -> Callable[[], object]:
    if then.state == "DraftUpdate":
        update = UpdateInput.model_validate(then.request)
        return lambda: drafts_on(tape, squad, squad).draft(update.incident_id, update.state)
    request = IncidentInput.model_validate(then.request)
    if then.state.startswith(INVESTIGATE):
        kind = IncidentType(then.state.removeprefix(INVESTIGATE).lower())
        return lambda: investigate_on(tape, squad, kind, squad)(request)
    states: dict[str, Callable[[], object]] = {
        "Triage": lambda: triage_on(tape, squad, world)(request),
        "Synthesize": lambda: squad.synthesize()(request),
        "CloseIncident": lambda: squad.close_incident()(request),
    }
    if then.state not in states:
        raise InvalidConfiguration(f"nothing here runs the state {then.state} again")
    return states[then.state]


def knowledge_then(known: KnownThen) -> Knowledge:
    """What the squad knew then, as it was; raises InvalidConfiguration when it no longer fits."""
    try:
        return MemoryKnowledge(
            Catalog.model_validate(known.catalog),
            {name: Runbook.model_validate(one) for name, one in known.runbooks.items()},
        )
    except ValueError as error:
        raise InvalidConfiguration(
            f"runbooks of then no longer fit, name today's with --runbooks: {error}"
        ) from error


def _instead(then: Transcript) -> dict[str, Callable[[Any], object]]:
    """What is answered where nobody asked then."""
    unseen = Evidence(
        id="",
        source="transcript",
        query=NOT_SEEN,
        status=EvidenceStatus.NOT_CONFIGURED,
        detail=NOT_SEEN,
        observed_at=then.at,
    ).model_dump(mode="json")
    return {
        "probers.ask": lambda _: unseen,
        "probers.holds": lambda _: [False, unseen],
        "telemetry.changes": lambda _: [],
        "looks": lambda _: {"error": NOT_SEEN},
        "executors.of": lambda asked: asked[0] in NoHands.KINDS,
        "executors.preview": lambda _: [],
    }
