"""Judging states on tape: each run is kept, and none waits for it or fails with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

from incident_squad.bootstrap.squad import Squad
from incident_squad.domain.errors import SquadError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pydantic import BaseModel

    from incident_squad.adapters.transcripts.tape import Recording, Tape
    from incident_squad.agents.rails import Rails
    from incident_squad.bootstrap.world import World
    from incident_squad.contracts import (
        Done,
        IncidentInput,
        InvestigateOutput,
        SynthesizeOutput,
        TriageOutput,
        UpdateInput,
    )
    from incident_squad.domain.transcript import KnownThen
    from incident_squad.domain.update import StatusUpdate
    from incident_squad.domain.values import IncidentType
    from incident_squad.ports import Knowledge, Transcripts
    from incident_squad.steps.draft_update import DraftUpdate
    from incident_squad.steps.investigate import Investigate
    from incident_squad.steps.publish_update import PublishUpdate
    from incident_squad.steps.refine_diagnosis import RefineDiagnosis
    from incident_squad.steps.refine_update import RefineUpdate
    from incident_squad.steps.triage import Triage

A = TypeVar("A")

INVESTIGATE = "Investigate"
"""What stands before the type in the names of specialists' states."""


def known_of(knowledge: Knowledge) -> KnownThen:
    """What is known, as it is kept."""
    from incident_squad.domain.transcript import KnownThen

    return KnownThen(
        catalog=knowledge.catalog.model_dump(mode="json"),
        runbooks={name: one.model_dump(mode="json") for name, one in knowledge.runbooks.items()},
    )


def squad_on(tape: Tape, world: World, rails: Rails | None) -> Squad:
    """A squad whose world and rails are behind a tape."""
    from incident_squad.adapters.transcripts.taped import TapedWorld

    behind = cast("World", TapedWorld(world, tape))
    if rails is None:
        return Squad(behind)
    from incident_squad.adapters.transcripts.taped_model import TapedRails

    on_tape = TapedRails.over(rails, tape)
    return Squad(behind, lambda: on_tape)


def triage_on(tape: Tape, squad: Squad, world: World) -> Triage:
    """Triage on tape; who is paged ahead of the model is paged by the world itself."""
    ahead = None if tape.playing else Squad(world).notify_on_call().ahead
    return replace(squad.triage(), page_ahead=ahead)


def investigate_on(tape: Tape, squad: Squad, kind: IncidentType, world: Squad) -> Investigate:
    """An investigation on tape. A model's looks are on it whole: what a tool did is beneath."""
    made = squad.investigate(kind)
    if made.refiner is None:
        return made
    from incident_squad.adapters.transcripts.taped_model import TapedLooksFor

    refiner = cast("RefineDiagnosis", made.refiner)
    beneath = refiner if tape.playing else cast("RefineDiagnosis", world.investigate(kind).refiner)
    return replace(made, refiner=replace(refiner, looks_for=TapedLooksFor(beneath.looks_for, tape)))


def drafts_on(tape: Tape, squad: Squad, world: Squad) -> DraftUpdate:
    """Drafts on tape. What is told while a model writes is told to the world, and only once."""
    made = squad.draft_update()
    if made.refiner is None:
        return made
    beneath = cast("RefineUpdate", world.draft_update().refiner)
    notes = None if tape.playing else beneath.notes
    return replace(made, refiner=replace(cast("RefineUpdate", made.refiner), notes=notes))


@dataclass(frozen=True)
class Transcribed:
    """The judging states of a squad, each run kept; `trouble` is told when one can't be."""

    squad: Squad
    transcripts: Transcripts
    trouble: Callable[[str], None]

    def triage(self, request: IncidentInput) -> TriageOutput:
        """The state Triage."""
        world = self.squad.world
        return self._kept("Triage", request, lambda t, s: triage_on(t, s, world)(request))

    def investigate(self, kind: IncidentType) -> Callable[[IncidentInput], InvestigateOutput]:
        """A specialist's state."""
        name = f"{INVESTIGATE}{kind.value.capitalize()}"

        def run(request: IncidentInput) -> InvestigateOutput:
            return self._kept(
                name, request, lambda t, s: investigate_on(t, s, kind, self.squad)(request)
            )

        return run

    def synthesize(self, request: IncidentInput) -> SynthesizeOutput:
        """The state Synthesize."""
        return self._kept("Synthesize", request, lambda _, s: s.synthesize()(request))

    def close_incident(self, request: IncidentInput) -> Done:
        """The state CloseIncident."""
        return self._kept("CloseIncident", request, lambda _, s: s.close_incident()(request))

    def draft_update(self) -> DraftUpdate:
        """Drafts of status updates."""
        from incident_squad.bootstrap.kept_drafts import KeptDrafts

        return KeptDrafts(**vars(self.squad.draft_update()), on_tape=self._drafted)

    def publish_update(self) -> PublishUpdate:
        """Publications, whose drafts are kept."""
        return replace(self.squad.publish_update(), draft_update=self.draft_update())

    def _drafted(self, request: UpdateInput) -> StatusUpdate:
        return self._kept(
            "DraftUpdate",
            request,
            lambda t, s: drafts_on(t, s, self.squad).draft(request.incident_id, request.state),
        )

    def _kept(self, state: str, request: BaseModel, run: Callable[[Tape, Squad], A]) -> A:
        from incident_squad.adapters.transcripts.tape import Recording

        tape, at = Recording(), self.squad.world.clock.now()
        rails = self.squad.rails()
        try:
            return run(tape, squad_on(tape, self.squad.world, rails))
        finally:
            self._keep(tape, state, request, at, asks=rails is not None)

    def _keep(
        self, tape: Recording, state: str, request: BaseModel, at: datetime, *, asks: bool
    ) -> None:
        """A run that brought nothing about is not worth keeping.

        What went wrong in the run is raised by it, and what goes wrong here is only told.
        """
        from incident_squad.domain.transcript import Transcript

        given = request.model_dump(mode="json", by_alias=True)
        if not tape.changed:
            return
        try:
            self.transcripts.keep(
                Transcript(
                    incident_id=str(given["incidentId"]),
                    state=state,
                    request=given,
                    at=at,
                    asks=asks,
                    knowledge=self._knowledge,
                    crossings=tuple(tape.crossings),
                )
            )
        except (SquadError, TypeError, ValueError) as error:
            self.trouble(f"the transcript of {state} is lost: {type(error).__name__}")

    @cached_property
    def _knowledge(self) -> str:
        """The digest of what is known, which is kept once a process."""
        known = known_of(self.squad.world.knowledge)
        self.transcripts.keep_knowledge(known)
        return known.digest
