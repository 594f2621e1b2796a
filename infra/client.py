"""The squad's HTTP API, as the command line uses it: on the embedded stack or on AWS."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

RUNNING = Path(".squad/running.json")
"""Where `squad up` says how to reach it, for the commands in other terminals."""


class ApiError(Exception):
    """The API refused or could not be reached; the message is for people."""


@dataclass(frozen=True)
class SquadClient:
    """Talks to one squad. `token` is the bearer token of reads."""

    url: str
    token: str
    pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)

    def get(
        self, path: str, accept: str = "application/json", query: Mapping[str, object] | None = None
    ) -> Any:  # noqa: ANN401 - JSON or text
        """GET a path; JSON is parsed, other answers are text. None in a query is left out."""
        shown = {key: str(value) for key, value in (query or {}).items() if value is not None}
        address = f"{path}?{urlencode(shown)}" if shown else path
        return self.request("GET", address, accept=accept)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        accept: str = "application/json",
    ) -> Any:  # noqa: ANN401 - whatever JSON the API answers
        """One call; raises ApiError with the API's own words."""
        sent = {"Accept": accept, "Authorization": f"Bearer {self.token}", **(headers or {})}
        try:
            answer = self.pool.request(
                method,
                self.url.rstrip("/") + path,
                body=body,
                headers=sent,
                timeout=urllib3.Timeout(connect=5, read=60),
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(f"{self.url} cannot be reached: {error}") from error
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's own boundary
            raise ApiError(
                f"{method} {path.split('?', maxsplit=1)[0]}: {answer.status} {_problem(answer)}"
            )
        if "json" in answer.headers.get("content-type", ""):
            return answer.json()
        return answer.data.decode()

    def incident(self, incident_id: str, part: str = "", accept: str = "application/json") -> Any:  # noqa: ANN401 - JSON or text
        """An incident, or its `timeline`, `report` or `postmortem`."""
        suffix = f"/{part}" if part else ""
        return self.get(f"/incidents/{quote(incident_id, safe='')}{suffix}", accept=accept)

    def correct(self, incident_id: str, external: str, by: str) -> Any:  # noqa: ANN401 - JSON
        """Publish a correction of what customers were told."""
        return self.request(
            "POST",
            f"/incidents/{quote(incident_id, safe='')}/updates",
            body=json.dumps({"external": external, "by": by}).encode(),
            headers={"Content-Type": "application/json"},
        )

    def post_alert(self, source: str, payload: Any, secret: str) -> Any:  # noqa: ANN401
        """Send an alert as its source would, proving that it is that source."""
        body = json.dumps(payload).encode()
        headers = {"Content-Type": "application/json", **_proof(source, body, secret)}
        return self.request("POST", f"/webhooks/{source}", body=body, headers=headers)


def running() -> SquadClient:
    """The client of the `squad up` that runs in this folder."""
    try:
        found = json.loads(RUNNING.read_text())
        return SquadClient(url=found["url"], token=found["token"])
    except (OSError, ValueError, KeyError) as error:
        raise ApiError(
            "no embedded stack runs in this folder: start one with `squad up`, "
            "or name a stack on AWS with --stack"
        ) from error


def _proof(source: str, body: bytes, secret: str) -> dict[str, str]:
    if source == "pagerduty":
        mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {"X-PagerDuty-Signature": f"v1={mac}"}
    return {"Authorization": f"Bearer {secret}"}


def _problem(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        problem = json.loads(answer.data)
        return str(problem.get("detail") or problem.get("title") or problem)[:500]
    except (ValueError, AttributeError):
        return answer.data.decode(errors="replace")[:300]
