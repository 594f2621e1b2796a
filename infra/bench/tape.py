"""What keeping transcripts costs an incident: time of our own, and bytes in the table."""

import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from incident_squad.bootstrap.squad import Squad
from incident_squad.bootstrap.transcripts import Transcribed
from incident_squad.contracts import IncidentInput, UpdateInput
from incident_squad.domain.transcript import KnownThen, Transcript
from incident_squad.domain.update import UpdateState
from infra.bench.figures import describe
from infra.commands.console import results, say
from infra.pipeline import MemoryWorld, Pipeline

ALERT = (
    "Replication lag of orders-db-replica is 340 seconds. Service: orders. 30% of users affected."
)


@dataclass
class Counting:
    """Implements `Transcripts`: packs them as the table's adapter does, and keeps none."""

    packed: int = 0

    def keep(self, transcript: Transcript) -> None:
        """Count its bytes."""
        self.packed += len(zlib.compress(transcript.model_dump_json().encode()))

    def keep_knowledge(self, known: KnownThen) -> None:
        """Once a process, so it does not count."""
        known.model_dump_json()

    def of_incident(self, incident_id: str) -> Sequence[Transcript]:
        """None."""
        del incident_id
        return ()

    def knowledge(self, digest: str) -> KnownThen | None:
        """None."""
        del digest
        return None


def run(incidents: int) -> None:
    """The judging states of an incident in process, with and without a tape."""
    pipeline, store = Pipeline.load(None), Counting()
    plain = [_judged(pipeline, None) for _ in range(incidents)]
    _judged(pipeline, store)
    store.packed = 0
    taped = [_judged(pipeline, store) for _ in range(incidents)]
    results.print(describe("judging one alert, in process", plain))
    results.print(describe("the same, keeping transcripts", taped))
    results.print(f"transcripts of one incident: {store.packed / incidents:,.0f} bytes, compressed")


def _judged(pipeline: Pipeline, store: Counting | None) -> float:
    """Seconds for triage, diagnosis, plan and two drafts."""
    squad = Squad(MemoryWorld(pipeline.knowledge, pipeline.triager))
    (outcome,) = squad.receive_alert()([pipeline.alert(ALERT)])
    incident = str(outcome.incident_id)
    states = _states(squad, store, incident)
    begin = time.perf_counter()
    for state in states:
        state()
    return time.perf_counter() - begin


def _states(squad: Squad, store: Counting | None, incident: str) -> list[Callable[[], object]]:
    request = IncidentInput(incident_id=incident)
    kept = Transcribed(squad, store, say) if store else None
    triage = kept.triage if kept else squad.triage()
    drafts = kept.draft_update() if kept else squad.draft_update()
    synthesize = kept.synthesize if kept else squad.synthesize()

    def investigated() -> None:
        kind = triage(request).type
        (kept.investigate(kind) if kept else squad.investigate(kind))(request)

    return [
        lambda: triage(request),
        investigated,
        lambda: drafts(UpdateInput(incident_id=incident, state=UpdateState.INVESTIGATING)),
        lambda: synthesize(request),
        lambda: drafts(UpdateInput(incident_id=incident, state=UpdateState.IDENTIFIED)),
    ]
