"""A streamed answer: put together into the whole message, and read as it grows."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from incident_squad.adapters.anthropic_wire import word
from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.model import Trouble

Json = dict[str, Any]
OnText = Callable[[str], None]

_DELTAS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}


class Growing:
    """A message that comes in events; `on_text` is told all of its text so far."""

    def __init__(self, on_text: OnText, decode: "Decode | None" = None) -> None:
        self._on_text, self._decode = on_text, decode or sse_events
        self._message: Json = {}
        self._blocks: dict[int, Json] = {}
        self._inputs: dict[int, str] = {}
        self._over = False

    @property
    def begun(self) -> bool:
        """Whether text has come: then another try would say something else."""
        return any(block.get("text") for block in self._blocks.values())

    def body(self, chunks: Iterable[bytes]) -> bytes:
        """The whole message as one body; raises ModelFailed when it breaks off or is no stream."""
        try:
            for event in self._decode(chunks):
                self._take(event)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ModelFailed(Trouble.MALFORMED, "the stream is not in form") from None
        if not self._over:
            raise ModelFailed(Trouble.UNAVAILABLE, "the stream broke off", self._tokens)
        content = [self._blocks[place] for place in sorted(self._blocks)]
        return json.dumps({**self._message, "content": content}).encode()

    def _take(self, event: Json) -> None:
        match event["type"]:
            case "message_start":
                self._message = dict(event["message"])
            case "content_block_start":
                self._blocks[int(event["index"])] = dict(event["content_block"])
            case "content_block_delta":
                self._grow(int(event["index"]), event["delta"])
            case "content_block_stop":
                self._end_block(int(event["index"]))
            case "message_delta":
                self._message |= event["delta"]
                self._message["usage"] = {**self._message.get("usage", {}), **event["usage"]}
            case "message_stop":
                self._over = True
            case "error":
                self._fail(event["error"])

    def _grow(self, place: int, delta: Json) -> None:
        name = _DELTAS.get(str(delta["type"]))
        if name is None:
            return
        if name == "partial_json":
            self._inputs[place] = self._inputs.get(place, "") + str(delta[name])
            return
        block = self._blocks[place]
        block[name] = str(block.get(name, "")) + str(delta[name])
        if name == "text":
            texts = (self._blocks[n].get("text", "") for n in sorted(self._blocks))
            self._on_text("".join(texts))

    def _fail(self, error: Json) -> None:
        kind = word(str(error["type"]))
        busy = kind in {"overloaded_error", "rate_limit_error"}
        trouble = Trouble.OVERLOADED if busy else Trouble.UNAVAILABLE
        raise ModelFailed(trouble, f"midway: {kind}", self._tokens)

    @property
    def _tokens(self) -> tuple[int, int, int, int]:
        """What was used by now, at most: a token is never less than one byte."""
        usage = self._message.get("usage") or {}
        read, written = (
            max(0, int(usage.get(f"cache_{name}_input_tokens") or 0))
            for name in ("read", "creation")
        )
        said = sum(len(json.dumps(block)) for block in self._blocks.values())
        return max(0, int(usage.get("input_tokens") or 0)), said, read, written

    def _end_block(self, place: int) -> None:
        given = self._inputs.pop(place, None)
        if given:
            self._blocks[place]["input"] = json.loads(given)


Decode = Callable[[Iterable[bytes]], Iterator[Json]]


def bedrock_events(chunks: Iterable[bytes]) -> Iterator[Json]:
    """The same events in Bedrock's frames, each packed once more."""
    from botocore.eventstream import EventStreamBuffer, ParserError  # noqa: PLC0415 - heavy

    frames: Any = EventStreamBuffer()
    for chunk in chunks:
        frames.add_data(chunk)
        try:
            for frame in frames:
                yield _unpacked(frame.headers, json.loads(frame.payload))
        except ParserError as error:
            raise ValueError("not in frames") from error


def _unpacked(headers: Json, payload: Json) -> Json:
    trouble = headers.get(":exception-type") or headers.get(":error-code")
    if trouble:
        busy = (
            str(trouble).lower().startswith(("throttling", "modelnotready", "serviceunavailable"))
        )
        return {"type": "error", "error": {"type": "overloaded_error" if busy else "api_error"}}
    found: Json = json.loads(base64.b64decode(payload["bytes"]))
    return found


def sse_events(chunks: Iterable[bytes]) -> Iterator[Json]:
    """The data of server-sent events; names of events are in their data, too."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield json.loads(line.removeprefix(b"data:"))
