"""Vendors of messages on the loopback: they check like the real ones, and fail when told to."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ROUTING_KEY = "R" * 32
API_TOKEN, BOT, STATUS_KEY = "pd-token", "xoxb-token", "sp-key"
WEBHOOK_KEY = b"the key of the outgoing webhook"
SECRETS = {
    "channels/pagerduty": ROUTING_KEY,
    "channels/pagerduty-api": API_TOKEN,
    "channels/slack": BOT,
    "channels/statuspage": STATUS_KEY,
    "channels/webhook": "whsec_" + base64.b64encode(WEBHOOK_KEY).decode(),
}
ROOM = "C0INCIDENTS"
Answer = tuple[int, Any]


@dataclass
class Vendors:
    """All of them, with what arrived.

    `faults` are for the next writing calls: a status (`429`, `503`) refuses without effect, `lost`
    takes effect and answers 500, `cut` takes effect and answers nothing in time.
    """

    faults: deque[str] = field(default_factory=deque)
    url: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    edits: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    simple: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def catalog(self) -> dict[str, Any]:
        """The section `channels` that points here."""
        quick = {"timeout_seconds": 0.4}
        return {
            "pager": {
                "kind": "pagerduty", "routing_key": "channels/pagerduty",
                "api_token": "channels/pagerduty-api", "from_email": "squad@example.com",
                "base_url": self.url, "api_url": self.url, **quick,
            },
            "slack": {
                "kind": "slack", "token": "channels/slack", "channel": ROOM,
                "base_url": f"{self.url}/slack", **quick,
            },
            "status": {
                "kind": "statuspage", "api_key": "channels/statuspage", "page": "page1",
                "components": {"orders": "cmp1"}, "base_url": f"{self.url}/v1", **quick,
            },
            "hook": {
                "kind": "webhook", "url": f"{self.url}/hook", "secret": "channels/webhook", **quick,
            },
            "simple": {"kind": "slack_webhook", "url": "channels/simple", **quick},
            "mail": {
                "kind": "email", "sender": "squad@example.com", "kinds": ["approval", "summary"],
            },
        }  # fmt: skip

    def answer(self, method: str, path: str, headers: Any, body: str) -> Answer | None:
        """What the vendor at this path says; None leaves the caller without an answer."""
        fault = self.faults.popleft() if method != "GET" and self.faults else ""
        if fault.isdecimal():
            return int(fault), {"error": "told to"}
        status, content = self._route(method, path, headers, body)
        if status == 400:
            self.problems.append(f"{method} {path}: {content}")
        if fault == "cut":
            return None
        return (500, {"error": "told to"}) if fault == "lost" else (status, content)

    def _route(  # noqa: PLR0911 - one line a vendor
        self, method: str, path: str, headers: Any, body: str
    ) -> Answer:
        address = urlsplit(path)
        query = dict(parse_qsl(address.query))
        content = json.loads(body) if body else {}
        if address.path == "/v2/enqueue":
            return self._event(content)
        if address.path.startswith("/incidents/"):
            return self._source(method, address.path, headers, content)
        if address.path.startswith("/slack/"):
            return self._slack(address.path.rpartition("/")[2], headers, content or query)
        if address.path.startswith("/v1/pages/page1/"):
            return self._statuspage(method, address.path, headers, content)
        if address.path == "/hook":
            return self._hook(headers, body)
        if address.path == "/services/T1/B1/simple":
            return self._simple(content)
        return 404, {"error": "no such route"}

    def _event(self, event: dict[str, Any]) -> Answer:
        action, payload = event.get("event_action"), event.get("payload") or {}
        sound = (
            event.get("routing_key") == ROUTING_KEY
            and action in {"trigger", "acknowledge", "resolve"}
            and 0 < len(event.get("dedup_key", "")) <= 255
        )
        if action == "trigger":
            sound = sound and 0 < len(payload.get("summary", "")) <= 1024
            sound = sound and bool(payload.get("source"))
            sound = sound and payload.get("severity") in {"critical", "error", "warning", "info"}
        if not sound:
            return 400, {"status": "invalid event", "errors": [event]}
        self.events.append(event)
        return 202, {"status": "success", "dedup_key": event["dedup_key"]}

    def _source(self, method: str, path: str, headers: Any, content: dict[str, Any]) -> Answer:
        if headers.get("Authorization") != f"Token token={API_TOKEN}" or not headers.get("From"):
            return 401, {}
        if path.endswith("/notes") and method == "GET":
            return 200, {"notes": [{"content": note} for note in self.notes]}
        if path.endswith("/notes"):
            self.notes.append(content["note"]["content"])
            return 201, {"note": {}}
        if content["incident"]["type"] != "incident_reference":
            return 400, {"error": "no type"}
        self.statuses.append(content["incident"]["status"])
        return 200, {"incident": {}}

    # One line an answer of theirs reads best.
    def _slack(  # noqa: C901, PLR0911
        self, method: str, headers: Any, content: dict[str, Any]
    ) -> Answer:
        if headers.get("Authorization") != f"Bearer {BOT}":
            return 200, {"ok": False, "error": "invalid_auth"}
        if method == "users.lookupByEmail":
            return 200, {"ok": True, "user": {"id": "U" + content["email"].upper()[:3]}}
        if method == "conversations.open":
            return 200, {"ok": True, "channel": {"id": "D" + content["users"][1:]}}
        if method in {"conversations.history", "conversations.replies"}:
            return 200, self._page(self._found(method, content), content)
        if trouble := _bad_blocks(content):
            return 400, {"ok": False, "error": trouble}
        known = {post["ts"] for post in self.posts if post["channel"] == content["channel"]}
        if method == "chat.update":
            if content["ts"] not in known:
                return 200, {"ok": False, "error": "message_not_found"}
            self.edits.append(content)
            return 200, {"ok": True, "ts": content["ts"]}
        if "thread_ts" in content and content["thread_ts"] not in known:
            return 400, {"ok": False, "error": "thread_not_found"}
        self.posts.append({**content, "ts": f"{1000 + len(self.posts)}.0001"})
        return 200, {"ok": True, "ts": self.posts[-1]["ts"], "channel": content["channel"]}

    def _page(self, found: list[dict[str, Any]], query: dict[str, Any]) -> dict[str, Any]:
        """Two at a time, as if a room were busy."""
        start = int(query.get("cursor", 0))
        following = str(start + 2) if start + 2 < len(found) else ""
        return {
            "ok": True,
            "messages": found[start : start + 2],
            "response_metadata": {"next_cursor": following},
        }

    def _found(self, method: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        inside = [post for post in self.posts if post["channel"] == query["channel"]]
        thread = query.get("ts")
        if method == "conversations.replies":
            return [p for p in inside if thread in {p.get("thread_ts"), p["ts"]}]
        return [p for p in inside if "thread_ts" not in p]

    def _statuspage(  # noqa: PLR0911
        self, method: str, path: str, headers: Any, content: Any
    ) -> Answer:
        if headers.get("Authorization") != f"OAuth {STATUS_KEY}":
            return 401, {"error": "Could not authenticate"}
        name = re.fullmatch(r"/v1/pages/page1/incidents(?:/(\w+))?", path)
        if name is None:
            return 404, {}
        found = next((i for i in self.incidents if i["id"] == name[1]), None)
        if method == "GET":
            return (200, found) if name[1] else (200, self.incidents)
        incident = content["incident"]
        states = {"investigating", "identified", "monitoring", "resolved"}
        if incident.get("status") not in states or not incident.get("body"):
            return 422, {"error": "invalid"}
        if method == "POST":
            if not incident.get("name"):
                return 400, {"error": "name"}
            found = {**incident, "id": f"sp{len(self.incidents)}", "incident_updates": []}
            self.incidents.append(found)
        if found is None:
            return 404, {}
        said = incident["body"].strip().replace("\n", "\r\n")  # they keep texts their own way
        found["incident_updates"].insert(0, {"body": said})
        found["status"] = incident["status"]
        found["components"] = incident.get("components")
        return 200, found

    def _simple(self, content: dict[str, Any]) -> Answer:
        if trouble := _bad_blocks(content):
            return 400, trouble
        self.simple.append(content)
        return 200, "ok"

    def _hook(self, headers: Any, body: str) -> Answer:
        name, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        mac = hmac.new(WEBHOOK_KEY, f"{name}.{at}.{body}".encode(), hashlib.sha256).digest()
        wanted = f"v1,{base64.b64encode(mac).decode()}"
        if not at.isdecimal() or not hmac.compare_digest(
            wanted, headers.get("webhook-signature", "")
        ):
            return 400, {"error": "signature"}
        if all(known["id"] != name for known in self.hooks):  # as every receiver should
            self.hooks.append({"id": name, **json.loads(body)})
        return 204, None


def _bad_blocks(content: dict[str, Any]) -> str:
    blocks = content.get("blocks", [])
    if not content.get("text") or not 0 < len(blocks) <= 50:
        return "no_text"
    for block in blocks:
        text = block.get("text", {}).get("text", "")
        limit = 150 if block["type"] == "header" else 3000
        if block["type"] in {"header", "section"} and not 0 < len(text) <= limit:
            return "invalid_blocks"
        for element in block.get("elements", []):
            if len(element.get("url", "")) > 3000:
                return "invalid_blocks"
    return ""


@contextmanager
def vendors() -> Iterator[Vendors]:  # noqa: C901 - a handler has a method a verb
    """Serve them on a free port of this computer."""
    found = Vendors()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Keep the tests quiet."""

        def do_GET(self) -> None:
            self._respond("GET")

        def do_POST(self) -> None:
            self._respond("POST")

        def do_PUT(self) -> None:
            self._respond("PUT")

        def do_PATCH(self) -> None:
            self._respond("PATCH")

        def _respond(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            answer = found.answer(method, self.path, self.headers, body)
            if answer is None:
                time.sleep(0.6)
                self.close_connection = True
                return
            content = b"" if answer[1] is None else json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            if answer[0] == 429:
                self.send_header("Retry-After", "2")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
