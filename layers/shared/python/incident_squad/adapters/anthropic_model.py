"""Claude through the anthropic SDK: the direct API, or Bedrock with AWS's own credentials.

The SDK takes most of a second to import, so it is imported when the first question is asked.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from incident_squad.adapters.anthropic_stream import Decode, Growing, OnText, sse_events
from incident_squad.adapters.anthropic_wire import reply_of, word
from incident_squad.domain.errors import ModelFailed, SquadError
from incident_squad.domain.model import ModelReply, ModelRequest, Trouble

TRIES = 3
_FIRST_PAUSE = 0.3
_WORTH_WAITING = 0.5
"""Share of the time that is left that may go into waiting for another try."""
_BUSY = frozenset({408, 409, 429, 529})
_SERVER_ERROR = 500


class AnthropicModel:
    """Implements `Model` with one client, which keeps its connections while the process is warm.

    `connect` makes the client: `direct` or `bedrock`. `prefix` stands before names of models,
    `decode` reads the events of streams.
    """

    def __init__(
        self, connect: Callable[[], Any], prefix: str = "", decode: Decode = sse_events
    ) -> None:
        self._connect = connect
        self._prefix, self._decode = prefix, decode
        self._lock = threading.Lock()

    @cached_property
    def _connected(self) -> Any:  # noqa: ANN401 - the SDK's clients share no base type
        return self._connect()

    def ask(
        self, request: ModelRequest, seconds: float, on_text: OnText | None = None
    ) -> ModelReply:
        """One call, tried again while that fits into the time; raises ModelFailed.

        What has begun to be told by `on_text` is not tried again.
        """
        ends = time.monotonic() + seconds
        client = self._client()
        for attempt in range(1, TRIES + 1):
            left = ends - time.monotonic()
            if left <= 0:
                raise ModelFailed(Trouble.TIMEOUT, f"no answer in {seconds:.1f} s")
            growing = Growing(on_text, self._decode) if on_text else None
            try:
                return reply_of(self._send(client, request, ends, growing), request.model)
            except _Busy as busy:
                wait = _pause(busy, attempt)
                left = ends - time.monotonic()
                begun = growing is not None and growing.begun
                if begun or attempt == TRIES or wait > left * _WORTH_WAITING:
                    raise ModelFailed(busy.trouble, busy.detail) from None
                time.sleep(wait)
        raise ModelFailed(Trouble.UNAVAILABLE, "no try was made")

    def warm(self) -> None:
        """Load the SDK and make the client ahead of the first question; raises ModelFailed."""
        self._client()

    def close(self) -> None:
        """Let the client go; the next question makes a new one, with a key that is read anew."""
        client = self.__dict__.pop("_connected", None)
        if client is not None:
            client.close()

    def _client(self) -> Any:  # noqa: ANN401 - the SDK's clients share no base type
        with self._lock:  # two agents of one process must not make two clients
            try:
                return self._connected
            except SquadError as error:
                detail = f"{type(error).__name__} where its key is kept"
                raise ModelFailed(Trouble.UNAVAILABLE, detail) from error

    def _send(
        self,
        client: Any,  # noqa: ANN401 - the SDK's clients share no base type
        request: ModelRequest,
        ends: float,
        growing: Growing | None,
    ) -> bytes:
        import anthropic  # noqa: PLC0415 - heavy

        try:
            with client.messages.with_streaming_response.create(
                **_wire(request, self._prefix),
                **({"stream": True} if growing else {}),
                timeout=max(0.05, ends - time.monotonic()),
            ) as response:
                chunks = _in_time(response.iter_bytes(), ends)
                return growing.body(chunks) if growing else b"".join(chunks)
        except anthropic.APITimeoutError:
            raise ModelFailed(Trouble.TIMEOUT, "the connection was silent") from None
        except anthropic.AuthenticationError as error:
            self.close()  # the key may have been rotated meanwhile
            raise _status(error) from None
        except anthropic.APIStatusError as error:
            raise _status(error) from None
        except anthropic.APIConnectionError:
            raise _Busy(Trouble.UNAVAILABLE, "no connection") from None
        except anthropic.AnthropicError as error:
            raise ModelFailed(Trouble.UNAVAILABLE, type(error).__name__) from None
        except _transport_errors() as error:
            raise _broken(error) from None


class _Busy(Exception):
    """Worth another try; `after` is what the server asks to wait, in seconds."""

    def __init__(self, trouble: Trouble, detail: str, after: float | None = None) -> None:
        super().__init__(detail)
        self.trouble, self.detail, self.after = trouble, detail, after


def direct(key: Callable[[], str], address: str | None = None) -> Callable[[], Any]:
    """A maker of clients of the direct API; without an address the SDK has its own ways.

    It reads `ANTHROPIC_BASE_URL` then.
    """

    def connect() -> Any:  # noqa: ANN401 - the SDK's clients share no base type
        import anthropic  # noqa: PLC0415 - heavy

        from incident_squad.adapters.anthropic_http import limited_client  # noqa: PLC0415 - heavy

        return anthropic.Anthropic(
            api_key=key().strip(),
            base_url=address,
            max_retries=0,
            open_telemetry=False,
            http_client=limited_client(),
        )

    return connect


def bedrock(region: str) -> Callable[[], Any]:
    """A maker of clients of Bedrock in a region, signed with the function's own role.

    The SDK itself reads `ANTHROPIC_BEDROCK_BASE_URL`.
    """

    def connect() -> Any:  # noqa: ANN401 - the SDK's clients share no base type
        import anthropic  # noqa: PLC0415 - heavy

        from incident_squad.adapters.anthropic_http import limited_client  # noqa: PLC0415 - heavy

        return anthropic.AnthropicBedrock(
            aws_region=region,
            max_retries=0,
            open_telemetry=False,
            http_client=limited_client(),
        )

    return connect


BEDROCK_PREFIX = "global.anthropic."
"""Of the inference profiles that serve a model from wherever there is room."""


def _wire(request: ModelRequest, prefix: str) -> dict[str, Any]:
    """The call's arguments. The prefix that never changes comes first and is cached."""
    import anthropic  # noqa: PLC0415 - heavy

    config: dict[str, Any] = {"effort": request.effort.value}
    if request.answer_schema is not None:
        schema = anthropic.transform_schema(request.answer_schema)
        config["format"] = {"type": "json_schema", "schema": schema}
    arguments: dict[str, Any] = {
        "model": f"{prefix}{request.model}",
        "max_tokens": request.max_tokens,
        "system": [
            {"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}}
        ],
        "messages": _messages(request),
        "output_config": config,
    }
    if request.tools:
        arguments["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
    return arguments


def _messages(request: ModelRequest) -> list[dict[str, Any]]:
    """The turns in blocks; in a talk with tools the last one is marked.

    What was said so far is the prefix of the next turn. Bedrock knows marks on blocks alone.
    """
    turns = [{**turn, "content": _content(turn["content"])} for turn in request.messages]
    if request.tools:
        turns[-1]["content"][-1]["cache_control"] = {"type": "ephemeral"}
    return turns


def _content(content: str | Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [dict(block) for block in content]


def _in_time(chunks: Iterable[bytes], ends: float) -> Iterator[bytes]:
    """The body. Its size is limited below; here it is the whole call's time that counts."""
    for chunk in chunks:
        yield chunk
        if time.monotonic() > ends:
            raise ModelFailed(Trouble.TIMEOUT, "the answer came too slowly")


def _status(error: Any) -> Exception:  # noqa: ANN401 - typed by the SDK, imported late
    status, kind = int(error.status_code), word(str(error.type))
    detail = f"{status} {kind}"
    if status in _BUSY or kind == "overloaded_error":
        return _Busy(Trouble.OVERLOADED, detail, _after(error.response.headers))
    if status >= _SERVER_ERROR:
        return _Busy(Trouble.UNAVAILABLE, detail, _after(error.response.headers))
    return ModelFailed(Trouble.UNAVAILABLE, detail)


def _after(headers: Any) -> float | None:  # noqa: ANN401 - a mapping of texts
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    return None


def _pause(busy: _Busy, attempt: int) -> float:
    own = _FIRST_PAUSE * float(2 ** (attempt - 1)) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
    return max(own, busy.after or 0.0)


def _transport_errors() -> tuple[type[Exception], ...]:
    import httpx2  # noqa: PLC0415 - heavy, and there only with the SDK

    return (httpx2.HTTPError, httpx2.StreamError)


def _broken(error: Exception) -> Exception:
    """What it means when the body breaks off: the SDK no longer stands between."""
    import httpx2  # noqa: PLC0415 - heavy, and there only with the SDK

    if isinstance(error, httpx2.TimeoutException):
        return ModelFailed(Trouble.TIMEOUT, "the connection went silent")
    if isinstance(error, httpx2.DecodingError):
        return ModelFailed(Trouble.MALFORMED, "the body is too long or packed")
    return _Busy(Trouble.UNAVAILABLE, "the connection broke off")
