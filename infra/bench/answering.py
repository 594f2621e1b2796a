"""A model server for timings: it gives a usual answer after so many seconds, on this computer."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "severity": {
        "type": "database", "severity": "SEV2", "service": None, "runbooks": [],
        "confidence": 0.8, "why": ["The alert says so."],
    },
    "rootCause": {
        "rootCause": "Sessions that do nothing hold the connections.", "runbookId": None,
        "confidence": 0.5, "findings": [], "hypotheses": [],
    },
    "external": {
        "external": "We are working on it with priority.", "internal": "It is looked into.",
        "executive": "",
    },
}  # fmt: skip
_LOOKS: Mapping[str, Mapping[str, int]] = {"recent_changes": {}, "similar_incidents": {"limit": 3}}


@contextmanager
def answering(seconds: float) -> Iterator[str]:
    """Serve for as long as it is needed; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, seconds))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: the timings are not about TCP

    def __init__(self, seconds: float, *args: Any) -> None:  # noqa: ANN401 - the base's arguments
        self._seconds = seconds
        super().__init__(*args)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """A sound message, streamed if that was asked for."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(self._seconds)
        message = _message(body)
        streamed = bool(body.get("stream"))
        answer = _stream(message) if streamed else json.dumps(message).encode()
        kind = "text/event-stream" if streamed else "application/json"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def _message(body: Mapping[str, Any]) -> dict[str, Any]:
    content, stop = _content(body)
    usage = {"input_tokens": len(json.dumps(body)) // 4, "output_tokens": 60}
    return {
        "id": "msg_bench", "type": "message", "role": "assistant", "model": body["model"],
        "content": content, "stop_reason": stop, "stop_sequence": None, "usage": usage,
    }  # fmt: skip


def _content(body: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """An answer in the form that is asked for; whoever has tools looks once, then is content."""
    form = body.get("output_config", {}).get("format")
    if form is not None:
        known = form["schema"]["properties"]
        (name,) = (name for name in _ANSWERS if name in known)
        return [{"type": "text", "text": json.dumps(_ANSWERS[name])}], "end_turn"
    if len(body["messages"]) > 1:
        return [{"type": "text", "text": "That is enough."}], "end_turn"
    calls = [
        {"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": given}
        for place, (name, given) in enumerate(_LOOKS.items())
    ]
    return calls, "tool_use"


def _stream(message: Mapping[str, Any]) -> bytes:
    (block,) = message["content"]
    events = (
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0,
         "delta": {"type": "text_delta", "text": block["text"]}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}},
        {"type": "message_stop"},
    )  # fmt: skip
    lines = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return "".join(lines).encode()
