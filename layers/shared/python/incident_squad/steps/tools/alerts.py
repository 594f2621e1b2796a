"""Tools about alerts: what one would be, and taking one in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.errors import InvalidAlert, TransientFailure
from incident_squad.domain.outcome import Cause, Count, Outcome, OutcomeKind
from incident_squad.domain.triage import Triage
from incident_squad.intake.recognise import normalise
from incident_squad.ports import Clock
from incident_squad.steps.report import plain
from incident_squad.steps.tools.inputs import SubmitAlertInput, TriageAlertInput

_CANDIDATES = 3
_MALFORMED = Count(source=Source.GENERIC.value, outcome=OutcomeKind.REJECTED, cause=Cause.MALFORMED)


@dataclass(frozen=True)
class AlertTools:
    """The router as a question, and the door for alerts; `count` counts what is refused here."""

    triager: Callable[[Alert], Triage]
    receive: Callable[[Sequence[Alert]], list[Outcome]]
    clock: Clock
    count: Callable[[Sequence[Count]], None]

    def triage(self, asked: TriageAlertInput) -> dict[str, Any]:
        """What triage says of the first alert in it; nothing is stored. Raises InvalidAlert."""
        payload = {"alert": asked.alert} if isinstance(asked.alert, str) else asked.alert
        alerts = normalise(payload, {}, self.clock.now())
        if not alerts:
            return {"triage": None, "reason": "the event carries no alert"}
        said = self.triager(alerts[0])
        return {
            "title": alerts[0].title,
            "source": alerts[0].source.value,
            "type": said.type.value,
            "severity": said.severity.value,
            "service": said.service,
            "runbookId": said.runbook_id,
            "runbooks": plain(said.runbooks[:_CANDIDATES]),
            "routedTo": f"{said.type.value} specialist",
            "confidence": said.confidence,
            "noise": said.noise,
            "why": list(said.why),
            "engine": said.engine,
        }

    def submit(self, asked: SubmitAlertInput) -> dict[str, Any]:
        """Take the alert in like one of a generic webhook; raises what receiving it raises.

        Also raises InvalidAlert, and counts it like every other refusal.
        """
        payload = asked.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            alerts = normalise(payload, {}, self.clock.now(), Source.GENERIC)
        except InvalidAlert:
            self.count([_MALFORMED])
            raise
        outcome = self.receive(alerts)[0]
        if outcome.cause is Cause.OUT_OF_TIME:
            raise TransientFailure(outcome.reason)
        return {
            "outcome": outcome.outcome.value,
            "incidentId": outcome.incident_id,
            "reason": outcome.reason,
        }
