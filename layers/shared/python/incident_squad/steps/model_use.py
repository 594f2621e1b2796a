"""What the timeline keeps of a model's use: light, since every function that drafts imports it."""

from typing import Any

from incident_squad.domain.model import ModelUse


def as_data(use: ModelUse | None) -> dict[str, Any]:
    """What the timeline keeps of a use; nothing when no model is configured."""
    if use is None:
        return {}
    return {
        "model": {
            "engine": use.engine,
            "reason": use.reason,
            "calls": use.spend.calls,
            "cachedTokens": use.spend.cached_tokens,
        }
    }


def as_cost(use: ModelUse | None) -> dict[str, Any]:
    """Tokens and money, as an entry of the timeline names them."""
    if use is None:
        return {}
    return {"tokens": use.spend.tokens, "cost_usd": use.spend.usd}
