"""The address that people and monitoring systems talk to: a reverse proxy on the loopback.

The emulator serves an API under a long path of its own; behind this proxy every route has the
path that it has on AWS.
"""

import asyncio
import errno
import io
import threading
from collections.abc import Coroutine, Iterable
from typing import Any, Self, TypeVar

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from infra.local.emulator_process import HOST
from infra.local.errors import LocalStackError, PortTaken

LARGEST_BODY = 10 * 1024 * 1024
ANSWER_SECONDS = 60.0
CHUNK = 64 * 1024

# Headers of one hop, and those that each side of the proxy makes for itself.
HOP = frozenset(
    {
        "connection", "content-length", "date", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "server", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
# The emulator lets every web page read every answer; API Gateway does not.
EMULATORS_OWN = "access-control-"

T = TypeVar("T")


class Gateway:
    """Listens at once and answers 503 until `open` says where the API is. Port 0: any free one."""

    def __init__(self, port: int, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        """Listen; raises PortTaken."""
        self._upstream: str | None = None
        self._timeout = aiohttp.ClientTimeout(total=answer_seconds)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self.port = self._run(self._listen(port))
        except OSError as error:
            self._end_loop()
            raise _explain(port, error) from error

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def open(self, upstream: str) -> None:
        """Forward every request to this address, followed by the request's own path."""
        self._upstream = upstream.rstrip("/")

    def close(self) -> None:
        """Stop listening; requests under way are cut off."""
        if self._thread.is_alive():
            self._run(self._shut())
            self._end_loop()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self, port: int) -> int:
        self._client = aiohttp.ClientSession(
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), timeout=self._timeout
        )
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", r"/{path:[\s\S]*}", self._forward)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        try:
            await site.start()
        except OSError:
            await self._shut()
            raise
        return int(self._runner.addresses[0][1])

    async def _shut(self) -> None:
        await self._runner.cleanup()
        await self._client.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if self._upstream is None:
            return _problem(503, "The squad is starting")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _problem(413, f"The body is larger than {LARGEST_BODY} bytes")
        try:
            return await self._exchange(request, body, self._upstream)
        except TimeoutError:
            return _problem(504, "The squad did not answer in time")
        except aiohttp.ClientError as error:
            return _problem(502, f"The squad cannot be reached: {type(error).__name__}")

    async def _exchange(
        self, request: web.Request, body: bytes, upstream: str
    ) -> web.StreamResponse:
        # The path goes through as it came: decoding and encoding again could change a link.
        address = URL(upstream + request.raw_path, encoded=True)
        headers = CIMultiDict(_passed_on(request.headers.items()))
        headers["X-Forwarded-For"] = request.remote or HOST
        headers["X-Forwarded-Proto"] = request.scheme
        sent = io.BytesIO(body) if body else None
        async with self._client.request(
            request.method, address, data=sent, headers=headers, allow_redirects=False
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            response.headers.extend(CIMultiDict(_passed_on(answer.headers.items())))
            response.content_length = answer.content_length
            await response.prepare(request)
            async for part in answer.content.iter_chunked(CHUNK):
                await response.write(part)
            await response.write_eof()
            return response


def _passed_on(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in headers
        if name.lower() not in HOP and not name.lower().startswith(EMULATORS_OWN)
    ]


def _problem(status: int, title: str) -> web.Response:
    return web.json_response(
        {"type": "about:blank", "title": title, "status": status},
        status=status,
        content_type="application/problem+json",
    )


def _explain(port: int, error: OSError) -> LocalStackError:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(
            f"Port {port} is taken on {HOST}: stop what uses it, or choose another with --port."
        )
    return PortTaken(f"Port {port} of {HOST} cannot be used: {error.strerror}")
