"""A model that is really asked from the command line: with somebody's key, or at their server."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from incident_squad.adapters.anthropic_model import AnthropicModel, direct
from incident_squad.agents.models import SEATS, TARIFFS, Seat
from incident_squad.agents.prompt_files import FOLDER, PromptFolder
from incident_squad.agents.rails import Desk, Rails
from incident_squad.domain.catalog import Policies
from incident_squad.ports import Ledger
from infra.client import ApiError
from infra.environment import variable

PATIENCE = 120.0
KEY, ADDRESS = "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"


def live_model() -> AnthropicModel:
    """Claude by the key in the shell; raises ApiError without one.

    The SDK itself reads the address: a server of one's own may need no key.
    """
    key = variable(KEY) or ("none" if variable(ADDRESS) else None)
    if key is None:
        raise ApiError(f"a model is asked with your key: set {KEY}, or {ADDRESS} for your server")
    return AnthropicModel(direct(lambda: key))


def seats_with(model: str | None) -> Mapping[str, Seat]:
    """The table of seats, all taken by one model if one is named; raises ApiError."""
    if model is None:
        return SEATS
    if model not in TARIFFS:
        raise ApiError(f"there is no price for {model}: known are {', '.join(TARIFFS)}")
    return {name: seat.model_copy(update={"model": model}) for name, seat in SEATS.items()}


@dataclass(frozen=True)
class PatientRails(Rails):
    """Rails outside an incident: nobody is in a hurry."""

    def desk(self, incident_id: str, seconds: float) -> Desk:
        """Where one agent works, for as long as a call may take."""
        return super().desk(incident_id, max(seconds, PATIENCE))


@contextmanager
def live_rails(
    ledger: Ledger,
    policies: Policies,
    *,
    model: str | None = None,
    prompts: Path | None = None,
    kind: type[Rails] = Rails,
) -> Iterator[Rails]:
    """Rails for a live model, as long as it is needed; raises ApiError."""
    seats, asked = seats_with(model), live_model()
    try:
        asked.warm()
        yield kind(
            model=asked,
            ledger=ledger,
            policies=policies,
            seats=seats,
            prompts=PromptFolder(prompts or FOLDER),
        )
    finally:
        asked.close()
