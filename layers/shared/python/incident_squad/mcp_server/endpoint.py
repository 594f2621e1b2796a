"""One HTTP request in, one answer out: the SDK's transport without a web server around it."""

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from incident_squad.mcp_server.server import Offer, make_server
from incident_squad.pages.web import Answer, answer

_PATH = "/api/mcp"
_KIND = "application/json"


class Endpoint:
    """Serves requests one after the other, keeping nothing between them.

    Each request has an event loop and a session manager of its own, so nothing is left running
    when Lambda freezes the process.
    """

    def __init__(self, offer: Offer) -> None:
        self._server: Server[Any] = make_server(offer)

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a POST; names of headers are in lower case."""
        exchange = _Exchange(body)
        asyncio.run(self._serve(_scope(headers), exchange))
        return exchange.answer()

    async def _serve(self, scope: dict[str, Any], exchange: "_Exchange") -> None:
        manager = StreamableHTTPSessionManager(self._server, stateless=True, json_response=True)
        async with manager.run():
            await manager.handle_request(scope, exchange.receive, exchange.send)


class _Exchange:
    """What ASGI reads from and writes to."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 500
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []

    async def receive(self) -> MutableMapping[str, Any]:
        """The body once; after that nothing comes until the exchange is over."""
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Keep what the server says."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
        else:
            self._parts.append(message.get("body", b""))

    def answer(self) -> Answer:
        """What was said, with the headers that all answers have."""
        kind = self._headers.get("content-type", _KIND)
        kept = {n: v for n, v in self._headers.items() if n.startswith("mcp-") or n == "allow"}
        return answer(self._status, b"".join(self._parts).decode(), kind, kept)


def _scope(headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": _PATH,
        "raw_path": _PATH.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (name.encode("latin-1", "replace"), text.encode("latin-1", "replace"))
            for name, text in headers.items()
            # The body was unpacked: its length and coding on the way here are not its own.
            if name not in {"content-length", "transfer-encoding", "content-encoding"}
        ],
        "client": None,
        "server": None,
        "state": {},
    }
