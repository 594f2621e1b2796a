"""Functions that say what a test wants them to say, by the contracts of the real ones."""

from collections.abc import Callable
from typing import Any

from incident_squad.contracts import (
    Contract,
    Done,
    HandOverInput,
    IncidentInput,
    InvestigateOutput,
    NotifyOnCallOutput,
    RemediateInput,
    RemediateOutput,
    RequestApprovalInput,
    SynthesizeOutput,
    TriageOutput,
    UndoOutput,
    UpdateInput,
    UpdateOutput,
    VerifyRecoveryOutput,
)
from incident_squad.domain.plan import Applier
from incident_squad.domain.values import IncidentType, Severity

Payload = dict[str, Any]
Say = Callable[[Payload], Contract]

INCIDENT = "INC-20261122-7F3KQ"

TAKES: dict[str, type[Contract]] = {
    "draft_update": UpdateInput,
    "publish_update": UpdateInput,
    "remediate": RemediateInput,
    "request_approval": RequestApprovalInput,
    "hand_over": HandOverInput,
}


def plan(applier: Applier, *steps: int, approval_seconds: int = 60) -> SynthesizeOutput:
    return SynthesizeOutput(applier=applier, steps=steps, approval_seconds=approval_seconds)


def recovery(answer: str) -> VerifyRecoveryOutput:
    return VerifyRecoveryOutput.model_validate({"recovered": answer, "wait_seconds": 1})


class Script:
    """What each function answers; by default an incident that the squad mends by itself."""

    def __init__(self) -> None:
        self._says: dict[str, Say] = {
            "triage": _always(TriageOutput(type=IncidentType.DATABASE, severity=Severity.SEV3)),
            "notify_on_call": _always(NotifyOnCallOutput(recipients=("#incidents",))),
            "draft_update": _always(UpdateOutput(published=False)),
            "publish_update": _always(UpdateOutput(published=True)),
            "synthesize": _always(plan(Applier.AUTO, 0, 2)),
            "request_approval": _always(Done()),
            "remediate": _always(RemediateOutput(status="applied")),
            "undo_remediation": _always(UndoOutput(undone=1, left=0)),
            "verify_recovery": _always(recovery("yes")),
            "close_incident": _always(Done()),
            "hand_over": _always(Done()),
        }
        for kind in IncidentType:
            self._says[f"investigate_{kind}"] = _always(InvestigateOutput(conclusive=True))

    def answers(self, function: str, *answers: Contract) -> "Script":
        """Let a function give these answers, the last one for ever."""
        left = list(answers)
        return self.does(function, lambda _: left.pop(0) if len(left) > 1 else left[0])

    def fails(self, function: str, error: Exception, *, times: int | None = None) -> "Script":
        """Let a function raise, always or the first times."""
        usual = self._says[function]
        failed: list[Payload] = []

        def say(payload: Payload) -> Contract:
            if times is None or len(failed) < times:
                failed.append(payload)
                raise error
            return usual(payload)

        return self.does(function, say)

    def does(self, function: str, say: Say) -> "Script":
        """Let a function do something of the test's own."""
        self._says[function] = say
        return self

    def usual(self, function: str) -> Say:
        """What a function says by now."""
        return self._says[function]

    def __call__(self, function: str, payload: Payload) -> Any:
        """Take the place of a function; what it is given must keep the contract."""
        TAKES.get(function, IncidentInput).model_validate(payload)
        return self._says[function](payload).model_dump(mode="json", by_alias=True)


def _always(answer: Contract) -> Say:
    return lambda _: answer
