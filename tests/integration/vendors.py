"""Metric vendors on the loopback: they check what the real ones check, and can misbehave."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Params = Mapping[str, list[str]]
Reply = tuple[int, object]

PROMETHEUS_TOKEN, API_KEY, APP_KEY, PAGERDUTY_KEY = "prom-token", "dd-api", "dd-app", "pd-key"
LEAF = re.compile(r"(avg|max|min|sum|count):[a-z][\w.]*\{[^{}]*\}")


@dataclass
class Asked:
    method: str
    path: str
    params: Params
    headers: Mapping[str, str]
    body: Any


@dataclass
class Vendor:
    """`answer` is the vendor's own behaviour; `misbehave` takes its place while it is set."""

    answer: Callable[[Asked], Reply]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    misbehave: Callable[[BaseHTTPRequestHandler], None] | None = None


@contextmanager
def serve(answer: Callable[[Asked], Reply]) -> Iterator[Vendor]:
    vendor = Vendor(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            params = parse_qs(address.query, keep_blank_values=True)
            asked = Asked(
                self.command, address.path, params, headers, json.loads(body) if body else None
            )
            vendor.asked.append(asked)
            try:
                if vendor.misbehave is not None:
                    vendor.misbehave(self)
                    return
                send(self, *vendor.answer(asked))
            except OSError:
                return  # the client has had enough

        do_POST = do_GET  # noqa: N815 - the name that http.server calls
        do_PUT = do_GET  # noqa: N815
        do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        vendor.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield vendor
        server.shutdown()
        thread.join()


def send(
    handler: BaseHTTPRequestHandler,
    status: int,
    content: object,
    headers: Mapping[str, str] | None = None,
) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    handler.send_response(status)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def prometheus(asked: Asked) -> Reply:
    """The HTTP API as far as it is documented for queries."""
    if asked.headers.get("authorization") != f"Bearer {PROMETHEUS_TOKEN}":
        return 401, b"Unauthorized\n"
    if asked.method != "GET" or asked.path not in {"/api/v1/query", "/api/v1/query_range"}:
        return 404, b"404 page not found\n"
    query = asked.params.get("query", [""])[0]
    if not query or query.count("(") != query.count(")"):
        return 400, _bad('invalid parameter "query": 1:5: parse error: unclosed left parenthesis')
    if asked.path == "/api/v1/query":
        at = float(asked.params["time"][0])
        series = [{"metric": {"__name__": "up"}, "value": [at, "0.5"]}]
        return 200, {"status": "success", "data": {"resultType": "vector", "result": series}}
    start, end = (float(asked.params[name][0]) for name in ("start", "end"))
    step = float(asked.params["step"][0].removesuffix("s"))
    if (end - start) / step > 11_000:
        return 400, _bad("exceeded maximum resolution of 11,000 points per timeseries.")
    count = int((end - start) // step) + 1
    values = [[start + step * place, str(place)] for place in range(count)]
    values[0][1] = "NaN"
    series = [{"metric": {"__name__": "up", "job": "a"}, "values": values}]
    return 200, {"status": "success", "data": {"resultType": "matrix", "result": series}}


def _bad(error: str) -> dict[str, str]:
    return {"status": "error", "errorType": "bad_data", "error": error}


def datadog(asked: Asked) -> Reply:  # noqa: PLR0911 - a line for each rule of the vendor
    """`/api/v1/query` and `/api/v1/events`."""
    keys = (asked.headers.get("dd-api-key"), asked.headers.get("dd-application-key"))
    if keys != (API_KEY, APP_KEY):
        return 403, {"errors": ["Forbidden"]}
    if asked.method != "GET":
        return 405, {"errors": ["Method not allowed"]}
    if asked.path == "/api/v1/events":
        tags = asked.params["tags"][0].split(",")
        at = int(asked.params["end"][0]) - 600
        mine = {"title": "Deployed api v42", "date_happened": at, "tags": tags}
        other = {**mine, "title": "Deployed another", "tags": ["service:other"]}
        return 200, {"events": [mine, other]}
    if asked.path != "/api/v1/query":
        return 404, {"errors": ["Not found"]}
    start, end = (asked.params.get(name, [""])[0] for name in ("from", "to"))
    if not (start.isdigit() and end.isdigit() and int(start) < int(end)):
        return 400, {"errors": ["Invalid time range"]}
    query = asked.params["query"][0]
    leaf = LEAF.match(query)
    if leaf is None or "last_" in query:
        return 400, {"errors": [f"Error parsing query: unable to parse {query}: Rule 'scope'"]}
    at = int(start) * 1000
    series = {
        "metric": "system.cpu.user",
        "scope": "service:api",
        "interval": 20,
        "unit": [{"family": "percentage", "name": "percent"}, None],
        "pointlist": [[at, 10.0], [at + 20_000, None], [at + 40_000, 30.0]],
    }
    return 200, {"status": "ok", "query": query, "series": [series]}


def pagerduty(asked: Asked) -> Reply:  # noqa: PLR0911 - a line for each rule of the vendor
    """Lists, analytics and change events of the REST API v2."""
    if asked.headers.get("authorization") != f"Token token={PAGERDUTY_KEY}":
        return 401, {"error": {"message": "Unauthorized", "code": 2006}}
    if asked.headers.get("accept") != "application/vnd.pagerduty+json;version=2":
        return 400, {"error": {"message": "Bad Request", "errors": ["Accept is wrong"]}}
    if asked.path == "/analytics/metrics/incidents/all":
        return _analytics(asked)
    if asked.method != "GET":
        return 405, {"error": {"message": "Method not allowed"}}
    name = asked.path.rpartition("/")[2]
    if name not in {"incidents", "log_entries", "oncalls", "change_events"}:
        return 404, {"error": {"message": "Not Found", "code": 2100}}
    limit, offset = int(asked.params["limit"][0]), int(asked.params["offset"][0])
    if limit > 100:
        return 400, {"error": {"message": "Invalid Input", "errors": ["Limit is too large"]}}
    return 200, {name: [_record(offset + n) for n in range(2)], "more": False, "limit": limit}


def _record(number: int) -> dict[str, Any]:
    return {
        "id": f"PINC{number}",
        "title": "Payments fail",
        "summary": "Release v42",
        "status": "triggered",
        "urgency": "high",
        "created_at": "2026-11-22T11:50:00Z",
        "timestamp": "2026-11-22T11:50:00Z",
        "service": {"id": "PABC123", "type": "service_reference", "summary": "Payments"},
    }


def _analytics(asked: Asked) -> Reply:
    if asked.method != "POST" or "created_at_start" not in asked.body["filters"]:
        return 400, {"error": {"message": "Invalid Input Provided", "errors": ["filters"]}}
    row = {"range_start": "2026-11-20T00:00:00.000000", "mean_seconds_to_resolve": 300}
    later = {"range_start": "2026-11-21T00:00:00.000000", "mean_seconds_to_resolve": 100}
    return 200, {"data": [row, later], "aggregate_unit": asked.body.get("aggregate_unit")}


def trickle(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then: every read ends in time, and the whole never does."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def trickle_headers(handler: BaseHTTPRequestHandler) -> None:
    """The same before the answer has even begun."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(200):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def hang(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(10)


def saying(
    status: int, content: object, headers: Mapping[str, str] | None = None
) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: send(handler, status, content, headers)


def raw(content: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """Bytes as they are, and the end of the connection."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(content)

    return reply


def huge(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, b'{"status":"success","data":"' + b"x" * 3_000_000 + b'"}')
