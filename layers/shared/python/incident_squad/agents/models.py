"""The one table of models: which agent asks which, how hard, and what it costs."""

from collections.abc import Mapping
from datetime import date

from pydantic import Field

from incident_squad.domain.model import Effort, Usage
from incident_squad.domain.values import Value

AS_OF = date(2026, 11, 22)
"""The day on which prices were looked up."""


class Price(Value):
    """US dollars for a million tokens."""

    input: float
    output: float
    cache_read: float
    cache_write: float


class Tariff(Value):
    """What a model costs; prompts above `long_from` tokens may cost more.

    A prefix of fewer than `cached_from` tokens is not cached, and nothing says so.
    """

    price: Price
    cached_from: int
    long_from: int | None = None
    long_price: Price | None = None

    def micro_usd(self, usage: Usage) -> int:
        """The cost of a call, rounded up to whole micro-dollars."""
        prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        price = self.price
        if self.long_from is not None and self.long_price is not None and prompt > self.long_from:
            price = self.long_price
        dollars = (
            usage.input_tokens * price.input
            + usage.output_tokens * price.output
            + usage.cache_read_tokens * price.cache_read
            + usage.cache_write_tokens * price.cache_write
        )
        # Dollars for a million tokens are micro-dollars for one.
        return -int(-dollars // 1)


class Seat(Value):
    """How an agent asks: model, effort, the longest answer and the longest wait for one call."""

    model: str
    effort: Effort
    max_tokens: int = Field(ge=1)
    seconds: float = Field(gt=0)


HAIKU, SONNET, OPUS = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"

TARIFFS: Mapping[str, Tariff] = {
    HAIKU: Tariff(
        price=Price(input=0.10, output=0.50, cache_read=0.01, cache_write=0.125),
        cached_from=4096,
        long_from=100_000,
        long_price=Price(input=0.50, output=2.50, cache_read=0.05, cache_write=0.625),
    ),
    SONNET: Tariff(
        price=Price(input=2, output=10, cache_read=0.20, cache_write=2.50), cached_from=1024
    ),
    OPUS: Tariff(price=Price(input=4, output=20, cache_read=0.40, cache_write=5), cached_from=512),
}
"""`cached_from` is published for the models before these and taken over: 4.5, 5 and 5."""

SEATS: Mapping[str, Seat] = {
    "router": Seat(model=HAIKU, effort=Effort.LOW, max_tokens=1200, seconds=3),
    "investigator": Seat(model=HAIKU, effort=Effort.MEDIUM, max_tokens=3000, seconds=10),
    "specialist": Seat(model=SONNET, effort=Effort.LOW, max_tokens=4000, seconds=20),
    "communicator": Seat(model=HAIKU, effort=Effort.LOW, max_tokens=1200, seconds=6),
}
"""Reading, looking and writing need the small model; the conclusion is the large one's."""


def most(seat: Seat, prompt_bytes: int) -> int:
    """Micro-dollars that a call can cost at most: a token is never less than one byte."""
    worst = Usage(cache_write_tokens=prompt_bytes, output_tokens=seat.max_tokens)
    return TARIFFS[seat.model].micro_usd(worst)
