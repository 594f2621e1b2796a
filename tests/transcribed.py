"""An alert through the judging states in memory, with a transcript of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from incident_squad.adapters.memory import MemoryLedger
from incident_squad.adapters.runbook_files import RunbookFiles
from incident_squad.agents.rails import Rails
from incident_squad.bootstrap.squad import Squad
from incident_squad.bootstrap.transcripts import Transcribed
from incident_squad.contracts import IncidentInput, UpdateInput
from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Policies
from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.transcript import KnownThen, Transcript
from incident_squad.domain.update import UpdateState
from incident_squad.policy.triage import Triager
from incident_squad.ports import Probers
from infra.pipeline import MemoryWorld
from infra.replay.saved import PastIncident
from tests.fakes import FakeExecutor, FakeExecutors
from tests.model_server import Script
from tests.scripted_model import ScriptedModel

KNOWLEDGE = RunbookFiles(Path("runbooks"))
TRIAGER = Triager(KNOWLEDGE.catalog, KNOWLEDGE.runbooks)


@dataclass
class MemoryTranscripts:
    """Implements `Transcripts`: what is kept goes through JSON. `fail` makes every call fail."""

    kept: list[Transcript] = field(default_factory=list)
    known: dict[str, KnownThen] = field(default_factory=dict)
    fail: bool = False

    def keep(self, transcript: Transcript) -> None:
        self._check()
        self.kept.append(Transcript.model_validate_json(transcript.model_dump_json()))

    def keep_knowledge(self, known: KnownThen) -> None:
        self._check()
        self.known[known.digest] = known

    def of_incident(self, incident_id: str) -> Sequence[Transcript]:
        return [one for one in self.kept if one.incident_id == incident_id]

    def knowledge(self, digest: str) -> KnownThen | None:
        return self.known.get(digest)

    def past(self) -> PastIncident:
        return PastIncident.read_from(self, self.kept[0].incident_id)

    def _check(self) -> None:
        if self.fail:
            raise TransientFailure("the table is away")


@dataclass
class Handled:
    """What an alert came to, with what was kept of it and what went wrong in keeping."""

    squad: Squad
    incident_id: str
    transcripts: MemoryTranscripts
    troubles: list[str]
    model: ScriptedModel | None


def handled(
    alert: Alert,
    script: Script | None,
    probers: Probers | None = None,
    transcripts: MemoryTranscripts | None = None,
) -> Handled:
    """One alert through triage, diagnosis, plan, updates and report; no script, no model."""
    world = MemoryWorld(KNOWLEDGE, TRIAGER)
    hands = FakeExecutor(preview=({"pid": "11"},))
    world.executors = FakeExecutors(hands)  # type: ignore[assignment] # both fill the port
    world.probers = probers or world.probers  # type: ignore[assignment] # both fill the port
    model = None if script is None else ScriptedModel(script)
    ledger = MemoryLedger(world.clock)
    rails = Rails(model=model, ledger=ledger, policies=Policies()) if model else None
    squad, troubles = Squad(world, lambda: rails), list[str]()
    kept = transcripts or MemoryTranscripts()
    states = Transcribed(squad, kept, troubles.append)
    (outcome,) = squad.receive_alert()([alert])
    incident = str(outcome.incident_id)
    request = IncidentInput(incident_id=incident)
    judged = states.triage(request)
    investigating = UpdateInput(incident_id=incident, state=UpdateState.INVESTIGATING)
    states.draft_update()(investigating)
    states.publish_update()(investigating)
    states.investigate(judged.type)(request)
    states.synthesize(request)
    states.publish_update()(UpdateInput(incident_id=incident, state=UpdateState.IDENTIFIED))
    states.close_incident(request)
    if model is not None:
        model.released.set()
    return Handled(squad, incident, kept, troubles, model)
