"""A small payment service with a bad release, real traffic, and the hooks of a deployer."""

import http.client
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from infra.local.json_handler import JsonHandler

HOST = "127.0.0.1"
WINDOW_SECONDS = 5.0
"""The error rate is of the requests of these last seconds."""

_REQUEST_EVERY_SECONDS = 0.05
_STOP_SECONDS = 5.0

_HOOKS = {"/deployment/rollback": "to", "/deployment/redeploy": "release"}

Answer = tuple[int, dict[str, Any]]


class BookingFailed(Exception):
    """A payment could not be written down."""


def _charge(amount: int) -> int:
    return amount - amount // 100


def _charge_with_a_bug(amount: int) -> int:
    """The new release divides by what is left after whole fours."""
    return amount - amount // (amount % 4)


RELEASES: Mapping[str, Callable[[int], int]] = {"v41": _charge, "v42": _charge_with_a_bug}
"""What each release does with a payment, the oldest first."""


class PaymentService:
    """Serves payments, and the deployment hooks of `runbooks/README.md`, on a free loopback port.

    A thread pays all the time over real HTTP, and the error rate is counted from its requests.
    `book` writes a payment down; a payment fails when it raises BookingFailed. `calls` are the
    changes that somebody asked for, with what they sent.
    """

    def __init__(self, book: Callable[[int], None] | None = None) -> None:
        self._book = book
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._counted = {200: 0, 500: 0}
        self.reader_token, self.writer_token = secrets.token_hex(16), secrets.token_hex(16)
        self._lock = threading.Lock()
        self._names = list(RELEASES)
        self._release = self._names[-1]
        self._deployed_at = time.monotonic()
        self._served: deque[tuple[float, bool]] = deque()
        self._answered: dict[str, Answer] = {}
        self._ended = threading.Event()
        self._server = _Server(self)
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True),
            threading.Thread(target=self._pay_all_the_time, daemon=True),
        ]

    def __enter__(self) -> Self:
        """Open the service and let customers in."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self._ended.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join(_STOP_SECONDS)
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def release(self) -> str:
        """What runs now."""
        return self._release

    def status(self) -> dict[str, Any]:
        """What `GET /deployment` answers."""
        with self._lock:
            place = self._names.index(self._release)
            return {
                "release": self._release,
                "previousRelease": self._names[place - 1] if place else "",
                "deployedSecondsAgo": round(time.monotonic() - self._deployed_at),
                "errorRate": self._error_rate(),
            }

    def pay(self, amount: int) -> Answer:
        """One payment, by the release that runs."""
        answer: Answer
        try:
            answer = 200, {"charged": RELEASES[self._release](amount)}
            if self._book is not None:
                self._book(amount)
        except (ZeroDivisionError, BookingFailed):
            answer = 500, {"title": "payment failed"}
        with self._lock:
            self._counted[answer[0]] += 1
            self._served.append((time.monotonic(), answer[0] == 200))  # noqa: PLR2004
        return answer

    def metrics(self) -> str:
        """Counters of requests by status, as Prometheus scrapes them."""
        with self._lock:
            lines = [
                f'payment_api_requests_total{{code="{code}"}} {count}'
                for code, count in self._counted.items()
            ]
        return "\n".join(["# TYPE payment_api_requests_total counter", *lines, ""])

    def deploy(self, release: object, key: str | None) -> Answer:
        """Put a release out, once for each idempotency key."""
        with self._lock:
            if key is not None and key in self._answered:
                return self._answered[key]
            answer = self._put_out(release)
            if key is not None:
                self._answered[key] = answer
            return answer

    def _put_out(self, release: object) -> Answer:
        if not isinstance(release, str) or release not in RELEASES:
            return 422, {"title": "no such release"}
        previous, self._release = self._release, release
        self._deployed_at = time.monotonic()
        return 200, {"release": release, "previous": previous}

    def _error_rate(self) -> float:
        oldest = time.monotonic() - WINDOW_SECONDS
        while self._served and self._served[0][0] < oldest:
            self._served.popleft()
        failed = sum(not good for _, good in self._served)
        return round(failed / len(self._served), 4) if self._served else 0.0

    def _pay_all_the_time(self) -> None:
        customer = http.client.HTTPConnection(HOST, self._server.server_port, timeout=5)
        amount = 100
        while not self._ended.wait(_REQUEST_EVERY_SECONDS):
            amount += 1
            try:
                customer.request("GET", f"/pay/{amount}")
                customer.getresponse().read()
            except (OSError, http.client.HTTPException):
                customer.close()  # the next request connects again
        customer.close()


class _Server(ThreadingHTTPServer):
    """A server that knows its service."""

    def __init__(self, service: PaymentService) -> None:
        self.service = service
        super().__init__((HOST, 0), _Handler)


class _Handler(JsonHandler):
    server: _Server

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        service = self.server.service
        amount = self.path.removeprefix("/pay/")
        if amount != self.path and amount.isascii() and amount.isdigit():
            self.answer(*service.pay(int(amount)))
        elif self.path == "/metrics":
            self.answer_text(200, service.metrics())
        elif self.path != "/deployment":
            self.answer(404, {"title": "nothing here"})
        elif not self.may(service.reader_token, service.writer_token):
            self.answer(401, {"title": "who are you?"})
        else:
            self.answer(200, service.status())

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        body, field = self.body(), _HOOKS.get(self.path)
        if field is None:
            self.answer(404, {"title": "nothing here"})
        elif not self.may(self.server.service.writer_token):
            self.answer(403, {"title": "only the writer may"})
        else:
            key = self.headers.get("Idempotency-Key")
            self.server.service.calls.append((f"POST {self.path}", body))
            self.answer(*self.server.service.deploy(body.get(field), key))
