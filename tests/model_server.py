"""A model server on this computer that speaks Anthropic's wire form, well or badly as told.

Point the SDK at it with `base_url` or `ANTHROPIC_BASE_URL`. It follows a script: answers in turn,
of which the last one stays, or a function from the request's body to an answer.
"""

import base64
import itertools
import json
import re
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

Body = dict[str, Any]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Says:
    """A sound message. `text` may be any JSON value: it is sent as text.

    A stream comes after `after` seconds, a piece `every` so many, and `breaks_off` in the middle.
    """

    text: Any = ""
    calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    stop: str | None = None
    category: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    after: float = 0.0
    every: float = 0.0
    breaks_off: bool = False


@dataclass(frozen=True)
class Fails:
    """An error of the API."""

    status: int
    type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hangs:
    """Nothing comes, for so many seconds or until the server stops."""

    seconds: float = 3600


@dataclass(frozen=True)
class Drips:
    """A sound answer's beginning, one byte at a time, for ever."""

    every: float = 0.02


@dataclass(frozen=True)
class Sends:
    """These bytes, whatever they are."""

    body: bytes
    type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Floods:
    """A body without an end, as fast as it can be sent."""

    status: int = 200


Answer = Says | Fails | Hangs | Drips | Sends | Floods
Script = Answer | Sequence[Answer] | Callable[[Body], Answer]


BYTES_A_TOKEN = 4


class PromptCache:
    """Counts tokens as the real one would: the longest prefix that an earlier request marked.

    A mark is a `cache_control` on a block, or at the top level, which marks the last block.
    """

    def __init__(self, minimum: int) -> None:
        self._minimum, self._known = minimum, set[str]()
        self._lock = threading.Lock()

    def usage(self, body: Body) -> dict[str, int]:
        """The usage of a request, which is remembered."""
        blocks = _blocks(body)
        texts = [json.dumps({k: v for k, v in one.items() if k != "cache_control"})
                 for one in blocks]  # fmt: skip
        prefixes = ["".join(texts[:place]) for place in range(len(texts) + 1)]
        marks = [place for place, one in enumerate(blocks, 1) if "cache_control" in one]
        marks += [len(blocks)] if "cache_control" in body else []
        with self._lock:
            hits = [p for p in range(len(prefixes)) if prefixes[p] in self._known]
            read = _tokens(prefixes[max(hits, default=0)])
            long = [p for p in marks if _tokens(prefixes[p]) >= self._minimum]
            written = max(0, _tokens(prefixes[max(long, default=0)]) - read)
            self._known |= {prefixes[place] for place in long}
        return {
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written,
            "input_tokens": _tokens(prefixes[-1]) - read - written,
        }


def _tokens(text: str) -> int:
    return len(text.encode()) // BYTES_A_TOKEN


def _blocks(body: Body) -> list[Body]:
    """What a prompt is made of, in the order in which it is cached: tools, system, messages."""
    blocks = [*body.get("tools", ()), *body["system"]]
    for message in body["messages"]:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        blocks += [{"role": message["role"], **part} for part in parts]
    return blocks


class ModelServer:
    """`with ModelServer(script) as server:`; `seen` holds the requests' bodies, `heads` headers.

    With a `cache` its usage tells what the prompt cache would have done; `used` holds it.
    """

    def __init__(self, script: Script, cache: PromptCache | None = None) -> None:
        self.cache = cache
        self.used: list[dict[str, int]] = []
        self.seen: list[Body] = []
        self.heads: list[dict[str, str]] = []
        self.raw: list[bytes] = []
        self._script = script
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def tell(self, script: Script) -> None:
        """Answer by another script from now on."""
        with self._lock:
            self._script = script

    def answer(self, body: Body) -> Answer:
        with self._lock:
            script = self._script
            if isinstance(script, Answer):
                return script
            if callable(script):
                return script(body)
            left = list(script)
            if len(left) > 1:
                self._script = left[1:]
            return left[0]

    def wait(self, seconds: float) -> bool:
        """Whether the server was stopped meanwhile."""
        return self._stopped.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, model: ModelServer, *args: Any) -> None:
        self._model = model
        super().__init__(*args)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = _as_direct(self.path, json.loads(raw or b"{}"))
        self._model.raw.append(raw)
        self._model.seen.append(body)
        self._model.heads.append({k.lower(): v for k, v in self.headers.items()})
        wrong = _wrong(self.path, dict(self.headers), body)
        try:
            self._give(wrong or self._model.answer(body), body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _give(self, answer: Answer, body: Body) -> None:
        match answer:
            case Says():
                time.sleep(answer.after)
                self._say(answer, body)
            case Fails():
                self._json(answer.status, _error(answer.type), answer.headers)
            case Hangs():
                self._model.wait(answer.seconds)
                self.close_connection = True
            case Drips():
                self._drip(answer)
            case Sends():
                self._bytes(answer.status, answer.body, answer.type, answer.headers)
            case Floods():
                self._head(answer.status, "application/json", 10**12)
                while not self._model.wait(0):
                    self.wfile.write(b" " * 65_536)

    def _say(self, answer: Says, body: Body) -> None:
        message = message_of(answer, body)
        if self._model.cache is not None:
            message["usage"] |= self._model.cache.usage(body)
            self._model.used.append(message["usage"])
        if not body.get("stream"):
            self._json(200, message)
            return
        framed = self.path.startswith("/model/")
        kind = "application/vnd.amazon.eventstream" if framed else "text/event-stream"
        self._head(200, kind, None)
        events = list(_events(message))
        for place, (name, event) in enumerate(events):
            self._model.wait(answer.every)
            line = f"event: {name}\ndata: {json.dumps(event)}\n\n".encode()
            self.wfile.write(_frame(event) if framed else line)
            self.wfile.flush()
            if answer.breaks_off and place > len(events) // 2:
                error = json.dumps(_error("overloaded_error"))
                line = f"event: error\ndata: {error}\n\n".encode()
                self.wfile.write(_frame(None) if framed else line)
                break
        self.close_connection = True

    def _drip(self, answer: Drips) -> None:
        self._head(200, "application/json", 10**9)
        while not self._model.wait(answer.every):
            self.wfile.write(b" ")
            self.wfile.flush()

    def _json(self, status: int, value: Body, headers: Mapping[str, str] | None = None) -> None:
        self._bytes(status, json.dumps(value).encode(), "application/json", headers)

    def _bytes(
        self, status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._head(status, kind, len(body), headers)
        self.wfile.write(body)

    def _head(
        self,
        status: int,
        kind: str,
        length: int | None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("request-id", f"req_{next(_numbers):06d}")
        if length is None:
            self.send_header("connection", "close")
        else:
            self.send_header("content-length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()


BEDROCK = re.compile(r"/model/(?P<model>[^/]+)/invoke(?P<stream>-with-response-stream)?")


def _as_direct(path: str, body: Body) -> Body:
    """A request to Bedrock as the direct API would get it: model and stream are in its path."""
    found = BEDROCK.fullmatch(path)
    if found is None or "anthropic_version" not in body:
        return body
    return {**body, "model": unquote(found["model"]), "stream": bool(found["stream"])}


def _frame(event: Body | None) -> bytes:
    """An event in a frame of Bedrock's streams; None is an exception."""
    if event is None:
        headers, payload = {":exception-type": "throttlingException"}, b'{"message": "busy"}'
    else:
        packed = base64.b64encode(json.dumps(event).encode()).decode()
        headers, payload = {":event-type": "chunk"}, json.dumps({"bytes": packed}).encode()
    told = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value))
        + value.encode()
        for name, value in headers.items()
    )  # fmt: skip
    start = struct.pack(">II", 16 + len(told) + len(payload), len(told))
    start += struct.pack(">I", zlib.crc32(start))
    whole = start + told + payload
    return whole + struct.pack(">I", zlib.crc32(whole))


def _wrong(path: str, headers: Mapping[str, str], body: Body) -> Fails | None:
    """What the real API would refuse in version 2026-10-21."""
    known = {name.lower() for name in headers}
    if path.partition("?")[0] != "/v1/messages" and not BEDROCK.fullmatch(path):
        return Fails(404, "not_found_error")
    if not {"authorization", "x-api-key"} & known:
        return Fails(401, "authentication_error")
    if not {"model", "max_tokens", "messages"} <= set(body):
        return Fails(400, "invalid_request_error")
    if {"temperature", "top_p", "top_k", "output_format"} & set(body):
        return Fails(400, "invalid_request_error")
    if body["messages"][-1]["role"] != "user":
        return Fails(400, "invalid_request_error")
    return None


def message_of(answer: Says, body: Body) -> Body:
    """The message in wire form."""
    text = answer.text if isinstance(answer.text, str) else json.dumps(answer.text)
    content: list[Body] = [{"type": "text", "text": text}] if text else []
    content += [
        {"type": "tool_use", "id": f"toolu_{next(_numbers):020d}", "name": name, "input": given}
        for name, given in answer.calls
    ]
    stop = answer.stop or ("tool_use" if answer.calls else "end_turn")
    return {
        "id": f"msg_{next(_numbers):06d}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "stop_details": {"category": answer.category} if answer.category else None,
        "usage": {
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "service_tier": "standard",
            **answer.usage,
        },
    }  # fmt: skip


def _error(kind: str) -> Body:
    return {
        "type": "error",
        "error": {"type": kind, "message": f"told to: {kind}", "details": None},
        "request_id": "req_error",
    }


def _events(message: Body) -> Iterator[tuple[str, Body]]:
    start = {**message, "content": [], "stop_reason": None}
    yield "message_start", {"type": "message_start", "message": start}
    yield "ping", {"type": "ping"}
    for index, block in enumerate(message["content"]):
        yield from _block_events(index, block)
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": message["usage"]["output_tokens"]}
    yield "message_delta", {"type": "message_delta", "delta": delta, "usage": usage}
    yield "message_stop", {"type": "message_stop"}


def _block_events(index: int, block: Body) -> Iterator[tuple[str, Body]]:
    is_text = block["type"] == "text"
    nothing: Body = {"text": ""} if is_text else {"input": {}}
    empty = {**block, **nothing}
    whole = block["text"] if is_text else json.dumps(block["input"])
    kind, name = ("text_delta", "text") if is_text else ("input_json_delta", "partial_json")
    yield (
        "content_block_start",
        {"type": "content_block_start", "index": index, "content_block": empty},
    )
    for place in range(0, len(whole), 9):
        delta = {"type": kind, name: whole[place : place + 9]}
        yield (
            "content_block_delta",
            {"type": "content_block_delta", "index": index, "delta": delta},
        )
    yield "content_block_stop", {"type": "content_block_stop", "index": index}
