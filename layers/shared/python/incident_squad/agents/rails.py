"""The rails that every question to a model runs on: time, money, health, and what may leave."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from incident_squad.agents.breaker import Breaker
from incident_squad.agents.deadline import Deadline, within
from incident_squad.agents.fence import Fence
from incident_squad.agents.models import SEATS, TARIFFS, Seat, most
from incident_squad.agents.prompt_files import PromptFolder
from incident_squad.agents.redaction import safe_to_send
from incident_squad.domain.catalog import Policies
from incident_squad.domain.errors import ModelFailed, SquadError, TransientFailure
from incident_squad.domain.model import (
    OUTAGES,
    ModelReply,
    ModelRequest,
    ModelUse,
    Spend,
    ToolSpec,
    Trouble,
    Usage,
)
from incident_squad.domain.triage import FLOOR
from incident_squad.ports import Ledger, Model

OnText = Callable[[str], None]

_LEAST_SECONDS = 0.3
"""With less time than this a call is not worth its money."""


@dataclass(frozen=True)
class Rails:
    """One for a process: the breaker remembers how the model has been."""

    model: Model
    ledger: Ledger
    policies: Policies
    breaker: Breaker = field(default_factory=Breaker)
    seats: Mapping[str, Seat] = field(default_factory=lambda: SEATS)
    prompts: PromptFolder = field(default_factory=PromptFolder)

    def desk(self, incident_id: str, seconds: float) -> "Desk":
        """Where one agent works on one incident, for so long."""
        return Desk(self, incident_id, Deadline(seconds))


class Desk:
    """One agent's work on one incident. `spend` counts what it has cost."""

    def __init__(self, rails: Rails, incident_id: str, deadline: Deadline) -> None:
        self._rails, self._incident, self._deadline = rails, incident_id, deadline
        self.prompts = rails.prompts
        self.spend = Spend()
        self.models: list[str] = []

    @property
    def left(self) -> float:
        """Seconds that are left for this work; negative when its time is over."""
        return self._deadline.left

    def fence(self) -> Fence:
        """A fence for one talk."""
        return Fence()

    def ask(
        self,
        seat: str,
        system: str,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[ToolSpec] = (),
        answer_schema: dict[str, Any] | None = None,
        on_text: OnText | None = None,
    ) -> ModelReply:
        """One call by the table of seats; raises ModelFailed and nothing else.

        `on_text` is told the text as it grows, in another thread, and not when it is replayed.
        """
        chosen = self._rails.seats[seat]
        asked = ModelRequest(
            agent=seat,
            model=chosen.model,
            effort=chosen.effort,
            system=system,
            messages=tuple(dict(message) for message in messages),
            tools=tuple(tools),
            answer_schema=answer_schema,
            max_tokens=chosen.max_tokens,
        )
        safe = safe_to_send(asked, self._rails.policies.secret_words)
        reply = self.answered(safe, on_text)
        self.models.append(reply.model)
        return reply

    def answered(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        """The answer to a request that is safe to send; raises ModelFailed."""
        self._check_time()
        if not self._rails.breaker.admits():
            raise ModelFailed(Trouble.CIRCUIT_OPEN, "the model failed several times just now")
        return self._paid(request, self._rails.seats[request.agent], on_text)

    def use(self, reason: str = "") -> ModelUse:
        """How an answer was made in the end; with no model's answer in it, the floor made it."""
        engine = f"claude:{self.models[-1]}" if self.models and not reason else FLOOR
        return ModelUse(engine=engine, reason=reason, spend=self.spend)

    def _check_time(self) -> None:
        if self._deadline.left < _LEAST_SECONDS:
            raise ModelFailed(Trouble.NO_TIME, "no time is left for a call")

    def _paid(self, request: ModelRequest, seat: Seat, on_text: OnText | None) -> ModelReply:
        most_usd = most(seat, size_of(request))
        self._reserve(most_usd)
        seconds = max(0.0, min(seat.seconds, self._deadline.left))
        try:
            reply = within(seconds, lambda: self._rails.model.ask(request, seconds, on_text))
        except ModelFailed as failure:
            self._note_failure(failure)
            self._settle(most_usd, self._cost_of_failure(failure, request, most_usd))
            raise
        if self._rails.breaker.worked():
            with suppress(SquadError):
                self._rails.ledger.worked()
        self._settle(most_usd, _cost(request.model, reply.usage))
        return reply

    def _note_failure(self, failure: ModelFailed) -> None:
        """For this process, and for all others: a dead model must not cost each of them a slice."""
        self._rails.breaker.failed(failure.trouble)
        if failure.trouble in OUTAGES:
            with suppress(SquadError):
                self._rails.ledger.failed(failure.trouble)

    def _reserve(self, most_usd: int) -> None:
        policies = self._rails.policies
        per_incident = int(policies.model_usd_per_incident * 1_000_000)
        per_hour = int(policies.model_usd_per_hour * 1_000_000)
        try:
            kept = self._rails.ledger.reserve(self._incident, most_usd, per_incident, per_hour)
        except ModelFailed:
            raise
        except SquadError as error:
            # Who cannot write down what is spent must not spend.
            raise ModelFailed(Trouble.BUDGET, "the ledger cannot be written") from error
        if not kept:
            raise ModelFailed(Trouble.BUDGET, "the cap of this incident or hour is reached")

    def _settle(self, reserved: int, cost: Spend) -> None:
        self.spend = self.spend.plus(cost)
        try:
            self._rails.ledger.settle(self._incident, reserved, cost)
        except TransientFailure:
            return  # the reservation stays, which is more than the call has cost

    def _cost_of_failure(self, failure: ModelFailed, request: ModelRequest, most_usd: int) -> Spend:
        """What is billed for a failed call; nobody knows for one that was left behind: all."""
        if failure.trouble == Trouble.TIMEOUT:
            return Spend(micro_usd=most_usd, calls=1)
        read, written, cached, stored = failure.tokens
        usage = Usage(
            input_tokens=read,
            output_tokens=written,
            cache_read_tokens=cached,
            cache_write_tokens=stored,
        )
        return _cost(request.model, usage)


def _cost(model: str, usage: Usage) -> Spend:
    return Spend(
        micro_usd=TARIFFS[model].micro_usd(usage),
        tokens=usage.total,
        calls=1,
        cached_tokens=usage.cache_read_tokens,
    )


def size_of(request: ModelRequest) -> int:
    """Bytes of all that is sent."""
    body = [
        request.system,
        request.messages,
        request.answer_schema,
        [tool.model_dump() for tool in request.tools],
    ]
    return len(json.dumps(body, ensure_ascii=False).encode())
