"""An investigating model with a tape in between: its calls, its looks, and its time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter

from incident_squad.adapters.transcripts.tape import Tape, jsonable
from incident_squad.agents.deadline import Deadline
from incident_squad.agents.fence import Fence
from incident_squad.agents.looks import Looks, Seen
from incident_squad.agents.rails import Desk, OnText, Rails
from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.evidence import Evidence
from incident_squad.domain.incident import Incident
from incident_squad.domain.model import ModelReply, ModelRequest, Spend, ToolCall
from incident_squad.domain.transcript import MODEL
from incident_squad.domain.values import Value


class Outcome(Value):
    """How a call ended: with a reply, or with a trouble; and what it cost."""

    reply: ModelReply | None = None
    trouble: str = ""
    detail: str = ""
    spend: Spend = Spend()


class Look(Value):
    """What came of a tool call."""

    evidence: tuple[Evidence, ...] = ()
    text: str = ""
    error: str = ""


_OUTCOME, _LOOK = TypeAdapter(Outcome), TypeAdapter(Look)
_SECONDS, _TEXT = TypeAdapter(float), TypeAdapter(str)


@dataclass(frozen=True, kw_only=True)
class TapedRails(Rails):
    """Rails whose desks are on tape."""

    tape: Tape

    @classmethod
    def over(cls, rails: Rails, tape: Tape) -> "TapedRails":
        """The same rails, with a tape."""
        return cls(**{one.name: getattr(rails, one.name) for one in fields(Rails)}, tape=tape)

    def desk(self, incident_id: str, seconds: float) -> Desk:
        """Where one agent works on one incident, for so long."""
        return TapedDesk(self, incident_id, Deadline(seconds), self.tape)


class TapedDesk(Desk):
    """A desk on tape: requests as they left, answers, costs, time and the numbers of fences."""

    def __init__(self, rails: Rails, incident_id: str, deadline: Deadline, tape: Tape) -> None:
        super().__init__(rails, incident_id, deadline)
        self._tape = tape

    @property
    def left(self) -> float:
        """Seconds that were left."""
        return self._tape.cross("desk.left", None, lambda: self._deadline.left, _SECONDS)

    def fence(self) -> Fence:
        """A fence with the number that it had."""
        return Fence(self._tape.cross("desk.fence", None, lambda: Fence().nonce, _TEXT))

    def answered(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        """The answer of then, or what went wrong then."""
        before = self.spend
        found = self._tape.cross(
            f"{MODEL}{request.agent}",
            jsonable(request),
            lambda: self._outcome(request, on_text),
            _OUTCOME,
        )
        self.spend = before.plus(found.spend)
        if found.reply is None:
            raise ModelFailed(found.trouble, found.detail)
        return found.reply

    def _outcome(self, request: ModelRequest, on_text: OnText | None) -> Outcome:
        before = self.spend
        try:
            reply = super().answered(request, on_text)
        except ModelFailed as failure:
            detail = str(failure).removeprefix(failure.trouble).removeprefix(": ")
            return Outcome(trouble=failure.trouble, detail=detail, spend=_spent(before, self.spend))
        return Outcome(reply=reply, spend=_spent(before, self.spend))


def _spent(before: Spend, after: Spend) -> Spend:
    return Spend(
        micro_usd=after.micro_usd - before.micro_usd,
        tokens=after.tokens - before.tokens,
        calls=after.calls - before.calls,
        cached_tokens=after.cached_tokens - before.cached_tokens,
    )


@dataclass(frozen=True, kw_only=True)
class TapedLooks(Looks):
    """Looks on tape: what came of each call, in time or not."""

    tape: Tape

    def carry_out(self, calls: Sequence[ToolCall], seconds: float) -> list[Seen]:
        """What came of the calls then."""
        looked = [] if self.tape.playing else super().carry_out(calls, seconds)
        return [self._seen(place, call, looked) for place, call in enumerate(calls)]

    def _seen(self, place: int, call: ToolCall, looked: Sequence[Seen]) -> Seen:
        def then() -> Look:
            seen = looked[place]
            return Look(evidence=seen.evidence, text=seen.text, error=seen.error)

        asked = [call.name, jsonable(call.arguments)]
        found = self.tape.cross("looks", asked, then, _LOOK)
        return Seen(call, found.evidence, found.text, found.error)


@dataclass(frozen=True)
class TapedLooksFor:
    """Gives an incident's looks, on tape."""

    looks_for: Callable[[Incident, Alert], Looks]
    tape: Tape

    def __call__(self, incident: Incident, alert: Alert) -> Looks:
        """The closed set of tools."""
        real = self.looks_for(incident, alert)
        given: dict[str, Any] = {one.name: getattr(real, one.name) for one in fields(Looks)}
        return TapedLooks(**given, tape=self.tape)
