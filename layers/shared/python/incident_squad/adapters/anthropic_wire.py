"""Claude's answers as they come over the wire, read strictly: a wrong form is a typed outcome."""

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.model import ModelReply, ToolCall, Trouble, Usage

_ENOUGH = frozenset({"end_turn", "stop_sequence", "tool_use"})
_CUT_OFF = frozenset({"max_tokens", "model_context_window_exceeded"})


class _Lenient(BaseModel):
    """New fields of the API are no trouble, wrong ones are."""

    model_config = ConfigDict(extra="allow", frozen=True)


class _Block(_Lenient):
    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: dict[str, Any] | None = None


class _Usage(_Lenient):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Details(_Lenient):
    category: str | None = None


class _Message(_Lenient):
    type: Literal["message"]
    role: Literal["assistant"]
    content: list[_Block]
    stop_reason: str | None
    stop_details: _Details | None = None
    usage: _Usage


def reply_of(body: bytes, model: str) -> ModelReply:
    """The answer in a body; raises ModelFailed when it is refused, cut off or not in form."""
    message = _message(body)
    usage = _usage(message.usage)
    _check(message, usage)
    calls = tuple(
        ToolCall(id=block.id, name=block.name[:100], arguments=block.input or {})
        for block in message.content
        if block.type == "tool_use"
    )
    return ModelReply(
        model=model,
        text="".join(block.text for block in message.content if block.type == "text"),
        calls=calls,
        content=tuple(b.model_dump(mode="json", exclude_unset=True) for b in message.content),
        usage=usage,
    )


def word(text: str) -> str:
    """A word of the API as it may stand in a report; whatever else a server sends may not."""
    return text if re.fullmatch(r"[a-z_]{1,40}", text) else "unknown"


def _message(body: bytes) -> _Message:
    try:
        return _Message.model_validate_json(body)
    except ValidationError as error:
        # The error quotes what was sent, so only its places are told.
        places = sorted({".".join(str(part) for part in e["loc"]) for e in error.errors()})
        detail = f"not a message: {', '.join(places)[:200] or 'not JSON'}"
        raise ModelFailed(Trouble.MALFORMED, detail) from None


def _usage(found: _Usage) -> Usage:
    """Negative counts would be a credit: they count as none."""
    return Usage(
        input_tokens=max(0, found.input_tokens),
        output_tokens=max(0, found.output_tokens),
        cache_read_tokens=max(0, found.cache_read_input_tokens or 0),
        cache_write_tokens=max(0, found.cache_creation_input_tokens or 0),
    )


def _check(message: _Message, usage: Usage) -> None:
    tokens = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
    )
    if message.stop_reason == "refusal":
        category = message.stop_details.category if message.stop_details else None
        raise ModelFailed(Trouble.REFUSAL, word(category or "no_category"), tokens)
    if message.stop_reason in _CUT_OFF:
        raise ModelFailed(Trouble.TRUNCATED, "the answer was cut off", tokens)
    if message.stop_reason not in _ENOUGH:
        raise ModelFailed(Trouble.MALFORMED, "it stopped for an unknown reason", tokens)
