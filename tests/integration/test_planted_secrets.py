"""Of 500 secrets that are planted wherever words come in from, no byte leaves for the model."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from incident_squad.adapters.anthropic_model import AnthropicModel, direct
from incident_squad.adapters.memory import MemoryLedger
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.agents.rails import Rails
from incident_squad.agents.redaction import GONE
from incident_squad.bootstrap.squad import Squad
from incident_squad.contracts import IncidentInput, UpdateInput
from incident_squad.domain.catalog import Policies
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.metric import (
    Change,
    Changes,
    MetricQuery,
    MetricResult,
    MetricStatus,
    Point,
    Series,
    TimeRange,
)
from incident_squad.domain.runbook import Condition, Probe
from incident_squad.domain.update import UpdateState
from infra.pipeline import MemoryWorld
from tests import hostile
from tests.builders import an_alert
from tests.fakes import FakeExecutor, FakeExecutors
from tests.model_server import Body, ModelServer, Says
from tests.transcribed import KNOWLEDGE, TRIAGER
from tests.unit.agents.test_redaction import planted

POOL = "PostgreSQL connection pool exhausted. Service: payment-api. 45% of requests returning 500."
RUNBOOK = "db-connection-pool"
CHANNELS = 10
BATCH = 100


class Talkative:
    """Implements `Probers` and `Telemetry`: every word that it gives back holds secrets."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines, self._clock = lines, SystemClock()

    def _some(self, channel: int) -> Sequence[str]:
        return self._lines[channel::CHANNELS]

    def ask(self, probe: Probe, service: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """A log's answer: in the value, the detail, and rows."""
        del service, parameters
        value, detail, *rows = self._some(0)
        return Evidence(
            id="", source=probe.kind, query=probe.kind, status=EvidenceStatus.OK,
            value=value, detail=detail, rows=tuple({"line": row, "pid": "1"} for row in rows),
            observed_at=self._clock.now(),
        )  # fmt: skip

    def holds(
        self, condition: Condition, service: str | None, parameters: Mapping[str, Any]
    ) -> tuple[bool, Evidence]:
        """It never holds."""
        return False, self.ask(condition.probe, service, parameters)

    def query(self, query: MetricQuery) -> MetricResult:
        """Series whose labels hold secrets, and rows of events."""
        now = self._clock.now()
        return MetricResult(
            source=query.source, query=query.query, aggregation=query.aggregation,
            status=MetricStatus.OK, value=1.0, message=self._some(1)[0][:200], observed_at=now,
            series=tuple(
                Series(name=line[:200], points=(Point(at=now, value=1.0),))
                for line in self._some(1)
            ),
            time_range=query.time_range,
        )  # fmt: skip

    def changes(self, service: str, time_range: TimeRange) -> Sequence[Changes]:
        """Releases that tell too much."""
        del service
        told = tuple(
            Change(source="datadog", what=line[:300], at=time_range.end - timedelta(minutes=9))
            for line in self._some(2)
        )
        return [Changes(source="datadog", query="q", status=MetricStatus.OK, changes=told)]


def texts(value: object) -> Iterator[str]:
    """All texts of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)


def looker(body: Body) -> Says:
    """Looks at everything that there is, then concludes."""
    match hostile.asked_for(body):
        case "router":
            return hostile.router(type="database", runbooks=[RUNBOOK])
        case "specialist":
            return hostile.diagnosis(runbookId=RUNBOOK)
        case "communicator":
            return hostile.texts()
        case _ if len(body["messages"]) > 1:
            return Says("Enough.")
        case _:
            steps = [
                ("execute_runbook", {"runbookId": RUNBOOK, "stepIndex": place})
                for place in range(5)
            ]
            metric = {"source": "prometheus", "query": "up"}
            return Says("", [
                ("query_metrics", metric), ("run_checks", {"runbookId": RUNBOOK}),
                ("recent_changes", {}), ("similar_incidents", {}), *steps,
            ])  # fmt: skip


def told(squad: Squad, lines: Sequence[str]) -> None:
    """An earlier incident of the service, and this one, through all states that ask."""
    now = SystemClock().now()
    title, body, labels, before = (lines[channel::CHANNELS] for channel in (4, 5, 6, 7))
    alerts = [
        an_alert(
            key="earlier", title=f"{POOL} {' '.join(before)}"[:900], service="payments",
            received_at=now,
        ),
        an_alert(
            title=f"{POOL} {' '.join(title)}"[:900], description="\n".join(body),
            service="payments",
            labels={f"label{place}": line for place, line in enumerate(labels)},
            resource=lines[8][:200], metric=lines[9][:200], received_at=now,
        ),
    ]  # fmt: skip
    for alert in alerts:
        (outcome,) = squad.receive_alert()([alert])
        request = IncidentInput(incident_id=str(outcome.incident_id))
        judged = squad.triage()(request)
        state = UpdateState.INVESTIGATING
        squad.draft_update()(UpdateInput(incident_id=request.incident_id, state=state))
        squad.investigate(judged.type)(request)
        squad.synthesize()(request)
        state = UpdateState.IDENTIFIED
        squad.draft_update()(UpdateInput(incident_id=request.incident_id, state=state))


@pytest.mark.parametrize("start", range(0, 500, BATCH))
def test_no_secret_is_in_the_bytes_that_leave(start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = planted(500)[start : start + BATCH]
    talkative = Talkative([line for _, line in batch])
    world = MemoryWorld(KNOWLEDGE, TRIAGER)
    rows = tuple({"session": line} for _, line in batch[3::CHANNELS])
    world.executors = FakeExecutors(FakeExecutor(preview=rows))  # type: ignore[assignment] # both fill the port
    world.probers = talkative  # type: ignore[assignment] # both fill the port
    world.telemetry = talkative  # type: ignore[assignment] # both fill the port
    with ModelServer(looker) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        model = AnthropicModel(direct(lambda: "a key"))
        model.warm()
        caps = {"model_usd_per_incident": 50, "model_usd_per_hour": 50}
        policies = Policies().model_copy(update=caps)
        rails = Rails(model=model, ledger=MemoryLedger(world.clock), policies=policies)
        told(Squad(world, lambda: rails), [line for _, line in batch])
        model.close()
    # A secret of several lines stands in JSON in another spelling, so both are looked at.
    sent = b"\n".join(server.raw).decode()
    sent += "\n".join(text for body in server.seen for text in texts(body))
    assert {hostile.asked_for(body) for body in server.seen} == {
        "router", "looking", "specialist", "communicator"
    }  # fmt: skip
    for seen in ("dry run of step", "metric:prometheus", "changes of ", "earlier database"):
        assert seen in sent
    assert sent.count(GONE) > BATCH
    assert [secret for secret, _ in batch if secret in sent] == []
