"""What is said to a model and what comes back, whoever makes the model."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from incident_squad.domain.values import Value


class Trouble(StrEnum):
    """Why a model's answer could not be used. Each is a normal outcome: the floor stands."""

    REFUSAL = "refusal"
    TRUNCATED = "max_tokens"
    MALFORMED = "malformed"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    BUDGET = "budget"
    CIRCUIT_OPEN = "circuit_open"
    NO_TIME = "no_time"


OUTAGES = frozenset({Trouble.TIMEOUT, Trouble.OVERLOADED, Trouble.UNAVAILABLE, Trouble.MALFORMED})
"""What speaks of the model's health: a refusal or an empty purse does not."""

CERTAIN_OUTAGES = frozenset({Trouble.OVERLOADED, Trouble.UNAVAILABLE})
"""After the retries of a call these leave no doubt; a timeout may be our own impatience."""

OUTAGE_SECONDS = 60
"""How long a model that is down is left alone."""


class Effort(StrEnum):
    """How hard a model thinks."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class ToolSpec(Value):
    """A tool as a model sees it; `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolCall(Value):
    """A model's wish to use a tool. Nothing in it is trusted."""

    id: str
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Usage(Value):
    """Tokens of a call, as the model's maker counted them."""

    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cache_read_tokens: int = Field(default=0, ge=0)
    cache_write_tokens: int = Field(default=0, ge=0)

    @property
    def total(self) -> int:
        """All tokens, whatever they cost."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
        )


class ModelRequest(Value):
    """One call. `system` is the stable prefix that is cached; `messages` are wire-form turns.

    With `answer_schema` (a JSON schema) the answer is that JSON; with `tools` it may be calls.
    """

    agent: str
    model: str
    effort: Effort
    system: str
    messages: tuple[dict[str, Any], ...]
    tools: tuple[ToolSpec, ...] = ()
    answer_schema: dict[str, Any] | None = None
    max_tokens: int = Field(ge=1)


class ModelReply(Value):
    """A complete answer: text, tool calls, or both. `content` is the turn in wire form."""

    model: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    content: tuple[dict[str, Any], ...] = ()
    usage: Usage = Usage()


class Spend(Value):
    """What models have cost: whole micro-dollars, so that sums are exact.

    `cached_tokens` are those of `tokens` that were read from the prompt cache.
    """

    micro_usd: int = Field(default=0, ge=0)
    tokens: int = Field(default=0, ge=0)
    calls: int = Field(default=0, ge=0)
    cached_tokens: int = Field(default=0, ge=0)

    @property
    def usd(self) -> float:
        """The same in dollars."""
        return self.micro_usd / 1_000_000

    def plus(self, other: "Spend") -> "Spend":
        """The sum."""
        return Spend(
            micro_usd=self.micro_usd + other.micro_usd,
            tokens=self.tokens + other.tokens,
            calls=self.calls + other.calls,
            cached_tokens=self.cached_tokens + other.cached_tokens,
        )


class ModelUse(Value):
    """How an answer was made: `engine` made it, `reason` says why another maker's was not used."""

    engine: str
    reason: str = ""
    spend: Spend = Spend()
