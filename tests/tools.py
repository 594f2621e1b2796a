"""The tools over memory, and the intake's handler behind a real HTTP server on the loopback."""

import base64
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.intake.handler import Handler, handler_of
from incident_squad.bootstrap.squad import Squad
from incident_squad.bootstrap.tools import endpoint, preview_step_of
from incident_squad.contracts import PreviewStepInput
from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.limits import IntakeLimits
from incident_squad.domain.metric import MetricQuestion, MetricResult
from incident_squad.domain.plan import PlannedStep
from incident_squad.policy.triage import Triager
from incident_squad.ports import Knowledge
from incident_squad.steps.intake_api import IntakeApi
from incident_squad.steps.mcp_api import McpApi
from incident_squad.steps.preview_step import PreviewStep
from infra.local.config import LocalConfig
from infra.local.knowledge import knowledge_of
from infra.pipeline import MemoryWorld
from tests.fakes import (
    FixedClock,
    MemoryApprovals,
    MemoryIncidents,
    MemorySecrets,
    MemoryTimeline,
)

TOKEN = "the token of the tests"
SENDER = "the secret of the tests"


@cache
def library() -> tuple[Knowledge, Triager]:
    """The shipped runbooks and catalogue."""
    knowledge = knowledge_of(LocalConfig())
    return knowledge, Triager(knowledge.catalog, knowledge.runbooks)


def _no_source(question: MetricQuestion) -> MetricResult:
    raise TransientFailure("no metric source is connected")


class DirectScout:
    """Implements `Scout` by the use case itself, as the function does; records what was asked."""

    def __init__(
        self,
        look: PreviewStep,
        measure: Callable[[MetricQuestion], MetricResult] | None = None,
    ) -> None:
        self._look = look
        self._measure = measure or _no_source
        self.asked: list[str] = []

    def preview(
        self, runbook_id: str, step_index: int, *, incident_id: str | None, service: str | None
    ) -> PlannedStep:
        self.asked.append(f"{runbook_id}/{step_index} {incident_id} {service}")
        request = PreviewStepInput(
            runbook_id=runbook_id, step_index=step_index, incident_id=incident_id, service=service
        )
        return self._look(request).step

    def measure(self, question: MetricQuestion) -> MetricResult:
        self.asked.append(f"{question.source} {question.query}")
        return self._measure(question)


class World(MemoryWorld):
    """A world over memory with the shipped library, and the intake in front of it."""

    def __init__(self) -> None:
        super().__init__(*library())
        self.clock = FixedClock()  # waiting costs nothing here
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        self.approvals = MemoryApprovals(self.clock)
        self.secrets = MemorySecrets({"api-token": f"old\n{TOKEN}", "webhooks/generic": SENDER})
        self.limits = IntakeLimits()
        self.squad = Squad(self)
        self.scout = DirectScout(preview_step_of(self), self.squad.query_metrics())

    def handler(self) -> Handler:
        return handler_of(self._doors, self._mcp)

    def _doors(self) -> IntakeApi:
        return IntakeApi(
            receive=self.squad.receive_alert(),
            secrets=self.secrets,
            clock=self.clock,
            certificates=lambda _: b"",
            confirm=lambda _, __: None,
        )

    def _mcp(self) -> McpApi:
        return McpApi(
            secrets=self.secrets,
            clock=self.clock,
            serve=endpoint(self.squad, lambda: self.scout),
            limits_of=lambda: self.limits,
        )


def event(method: str, path: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """An event as API Gateway makes it."""
    return {
        "httpMethod": method,
        "path": path,
        "headers": dict(headers),
        "queryStringParameters": None,
        "requestContext": {"stage": "live", "requestId": "r", "path": path},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


@contextmanager
def serving(handler: Handler) -> Iterator[str]:
    """The address of a web server that gives every request to the handler."""

    class Exchange(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            said = handler(
                event(self.command, self.path, dict(self.headers.items()), body), LambdaContext()
            )
            text = (said["body"] or "").encode()
            self.send_response(said["statusCode"])
            for name, values in said["multiValueHeaders"].items():
                self.send_header(name, values[0])
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - names of the base class

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/mcp"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
