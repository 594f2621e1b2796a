"""The HTTP interface over stores in memory, with an incident in it, and a server for it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from incident_squad.adapters.memory import (
    FixedClock,
    MemoryApprovals,
    MemoryIncidents,
    MemoryKnowledge,
    MemorySigner,
    MemoryTimeline,
    MemoryWorkflow,
)
from incident_squad.contracts import UpdateInput
from incident_squad.domain.approval import Approval, ApprovalLink
from incident_squad.domain.evidence import Evidence, EvidenceStatus, Finding, Verdict
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.plan import Plan
from incident_squad.domain.runbook import StepCondition
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.triage import Impact
from incident_squad.domain.update import UpdateState
from incident_squad.domain.values import Risk
from incident_squad.pages.web import Answer, Request, problem
from incident_squad.steps.acknowledge import Acknowledge
from incident_squad.steps.alert_accounts import AlertAccounts
from incident_squad.steps.approval_api import ApprovalApi
from incident_squad.steps.approval_links import write_link
from incident_squad.steps.ask_public import AskPublic
from incident_squad.steps.contributions_api import ContributionsApi
from incident_squad.steps.decide_approval import DecideApproval
from incident_squad.steps.decide_public import DecidePublic
from incident_squad.steps.draft_update import DraftUpdate
from incident_squad.steps.incidents_api import IncidentsApi
from incident_squad.steps.post_mortem import PostMortem
from incident_squad.steps.public_text_api import PublicTextApi
from incident_squad.steps.public_texts import PublicTexts
from incident_squad.steps.publish_update import PublishUpdate
from incident_squad.steps.read_incidents import ReadIncidents
from incident_squad.steps.read_record import ReadRecord
from incident_squad.steps.readers import Readers
from incident_squad.steps.refusals import Refusals
from incident_squad.steps.report import BuildReport
from incident_squad.steps.view_links import ViewLinks
from tests.builders import (
    INCIDENT_ID,
    NOW,
    a_catalog,
    a_diagnosis,
    a_plan,
    a_planned_step,
    a_runbook,
    a_triage,
    an_alert,
    an_incident,
    later,
)
from tests.fakes import MemoryNotifier

TOKEN = "a token of the tests"
APPROVER = "ada@example.com"
CATALOG = a_catalog(
    services={
        "orders": {
            "public_name": {"en": "Orders", "fr": "Commandes"},
            "customers_use_it_to": {"en": "place and pay for orders", "fr": "passer commande"},
            "tier": "revenue",
            "owner": "orders-team",
            "targets": {"database": "orders-db"},
        },
        "search": {"public_name": {"en": "Search"}, "tier": "standard", "owner": "orders-team"},
        "ledger": {"public_name": {"en": "Ledger"}, "tier": "internal", "owner": "orders-team"},
    }
)
RUNBOOK = a_runbook(
    customer={
        "impact": {"en": "see errors or slow pages", "fr": "voir des erreurs"},
        "looking_into": {"en": "a high number of failed requests", "fr": "des échecs"},
        "cause": {"en": "a shortage of capacity", "fr": "un manque de capacité"},
        "fix": {"en": "freeing capacity", "fr": "libérer de la capacité"},
    }
)


class RunningClock(FixedClock):
    """A clock of the tests that goes on while somebody waits."""

    def now(self) -> datetime:
        return self.moment + timedelta(seconds=time.monotonic() - _BEGAN)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


_BEGAN = time.monotonic()


@dataclass
class Website:
    """The interface and the stores under it."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    workflow: MemoryWorkflow = field(default_factory=MemoryWorkflow)
    notifier: MemoryNotifier = field(default_factory=MemoryNotifier)
    signer: MemorySigner = field(default_factory=lambda: MemorySigner(b"the key of the tests"))

    def __post_init__(self) -> None:
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        self.approvals = MemoryApprovals(self.clock)
        self.knowledge = MemoryKnowledge(CATALOG, {"pool": RUNBOOK})
        self.links = ViewLinks(self.signer, self.clock, lambda: "http://127.0.0.1")
        self.public_texts = MemoryApprovals(self.clock)
        self.record = ReadRecord(self.incidents, self.approvals, self.timeline, self.public_texts)
        self.report = BuildReport(self.record, self.knowledge, self.clock)
        self.post_mortem = PostMortem(self.record, self.knowledge, self.clock)
        self.read = ReadIncidents(
            self.incidents, self.timeline, self.knowledge, self.clock, self.public_texts
        )
        decide = DecideApproval(
            incidents=self.incidents,
            approvals=self.approvals,
            timeline=self.timeline,
            workflow=self.workflow,
            signer=self.signer,
            clock=self.clock,
        )
        self.approval_api = ApprovalApi(decide, self.record, self.clock)
        self.texts = PublicTexts(
            self.incidents, self.public_texts, self.timeline, self.notifier, self.clock
        )
        refusals = Refusals(self.incidents, self.timeline)
        self.decide_public = DecidePublic(self.texts, self.signer, refusals)
        self.text_api = PublicTextApi(self.decide_public, self.clock)
        self.contributions = ContributionsApi(
            readers=Readers(self.links, lambda: TOKEN),
            acknowledge=Acknowledge(self.incidents, self.timeline, self.notifier),
            publish=self.publisher(),
        )
        self.api = IncidentsApi(
            read=self.read,
            read_record=self.record,
            build_report=self.report,
            post_mortem_of=self.post_mortem,
            timeline_of=self.timeline,
            links=self.links,
            clock=self.clock,
            tokens=lambda: f"an older token\n{TOKEN}\n",
            accounts=AlertAccounts(self.incidents, self.clock),
        )

    def publisher(self) -> PublishUpdate:
        """What publishes updates here."""
        draft = DraftUpdate(self.incidents, self.timeline, self.knowledge, self.clock, self.record)
        ask = AskPublic(self.texts, self.knowledge, self.signer, lambda: "http://127.0.0.1")
        return PublishUpdate(
            self.incidents, self.timeline, self.notifier, draft, self.links.address, ask
        )

    def publish(self, incident_id: str, state: UpdateState) -> None:
        """Draft and publish an update."""
        self.publisher()(UpdateInput(incident_id=incident_id, state=state))

    def text_link(self) -> str:
        """A public text that waits, and the link that was sent about it."""
        policies = {"approve_public_texts": ["SEV1"]}
        catalog = self.knowledge.catalog.model_dump() | {"policies": policies}
        self.knowledge = MemoryKnowledge(a_catalog(**catalog), {"pool": RUNBOOK})
        self.publish(INCIDENT_ID, UpdateState.MONITORING)
        asked = [message for message in self.notifier.messages if message.kind == "approval"]
        return str(asked[-1].link).rpartition("/")[2]

    def note(self, incident_id: str, event: str, summary: str, agent: str) -> None:
        """Write an event to the timeline."""
        actor = Actor.agent(agent)
        self.timeline.append(incident_id, Entry(event=event, summary=summary, actor=actor))

    def link(self) -> str:
        """A fresh request for approval of the stored plan, and the link that was sent for it."""
        plan = self.incidents.plan(INCIDENT_ID)
        assert plan is not None
        approval = Approval(
            id="0123456789abcdef",
            incident_id=INCIDENT_ID,
            plan_hash=plan.hash,
            approvers=(APPROVER,),
            created_at=self.clock.now(),
            expires_at=later(minutes=30),
        )
        self.approvals.put(approval, "the task token")
        link = ApprovalLink(
            incident_id=INCIDENT_ID,
            approval_id=approval.id,
            approver=APPROVER,
            plan_hash=plan.hash,
            expires=int(approval.expires_at.timestamp()),
        )
        return write_link(link, self.signer)

    def answer(self, method: str, path: str, request: Request) -> Answer:
        """Route a request as API Gateway and the two functions do."""
        match path.strip("/").split("/"):
            case ["approvals", link]:
                decides = method == "POST"
                act = self.approval_api.decide if decides else self.approval_api.show
                return act(request, link)
            case ["publications", link]:
                decides = method == "POST"
                return (self.text_api.decide if decides else self.text_api.show)(request, link)
            case ["incidents", incident_id, "acknowledge"]:
                return self.contributions.acknowledged(request, incident_id)
            case ["incidents", incident_id, *rest] if len(rest) < 2:
                return self._about(incident_id, "".join(rest), request)
            case [page] if page in {"status", "incidents"}:
                return (self.api.status if page == "status" else self.api.list)(request)
            case _:
                return self.api.health() if path == "/health" else problem(404, "Not Found")

    def _about(self, incident_id: str, page: str, request: Request) -> Answer:
        pages = {
            "": self.api.incident,
            "timeline": self.api.timeline,
            "report": self.api.report,
            "postmortem": self.api.post_mortem,
            "events": self.api.events,
        }
        return pages[page](request, incident_id) if page in pages else problem(404, "Not Found")


def the_plan() -> Plan:
    """Look, end sessions, and something for when it recurs."""
    rows = tuple(
        {"pid": pid, "usename": "app", "state": "idle in transaction", "seconds": seconds}
        for pid, seconds in (("4711", "812"), ("4718", "640"), ("4732", "395"))
    )
    steps = (
        a_planned_step(
            title="Count the connections",
            command="SELECT count(*) FROM pg_stat_activity",
            mutates=False,
            risk=Risk.NONE,
            preview=(),
        ),
        a_planned_step(
            step_index=1,
            title="Terminate the stuck sessions, and only those",
            command="SELECT pg_terminate_backend(pid) for each listed session that is still idle",
            parameters={"idle_seconds": 60, "max_sessions": 50},
            preview=rows,
            undo="Nothing to take back: the transactions were rolled back by the database",
        ),
        a_planned_step(
            step_index=2,
            title="Let the pool accept more clients if it recurs",
            when=StepCondition.RECURS,
            preview=(),
        ),
    )
    return a_plan(steps=steps, estimated_time="5-10 minutes")


def a_website(
    title: str = "Connection pool exhausted on prod-db-01: 500/500 in use",
    clock: FixedClock | None = None,
) -> Website:
    """A website with an incident that waits for approval."""
    site = Website(clock or FixedClock(NOW))
    impact = Impact(affected_percent=45, affected_what="requests", degraded=True, revenue=True)
    triage = a_triage(impact=impact)
    incident = an_incident(title=title, opened_at=later(minutes=-4))
    alert = an_alert(
        title=title,
        description="PostgreSQL connection pool exhausted on prod-db-01. Active connections: "
        "500/500. Service: orders. Error rate spike: 45% of requests returning 500.",
        resource="prod-db-01",
        started_at=later(minutes=-6),
    )
    site.clock.moment = later(minutes=-4)
    site.incidents.open(incident, alert, later(days=1))
    site.note(INCIDENT_ID, "AlertReceived", "Alert received from alertmanager", "intake")
    site.incidents.change(
        INCIDENT_ID,
        triage=triage,
        severity=triage.severity,
        type=triage.type,
        status=IncidentStatus.DIAGNOSING,
    )
    site.note(INCIDENT_ID, "Triaged", "SEV1 database, routed to the database specialist", "router")
    site.publish(INCIDENT_ID, UpdateState.INVESTIGATING)
    site.clock.moment = later(minutes=-3)
    _diagnose(site)
    site.incidents.put_plan(the_plan())
    site.note(INCIDENT_ID, "PlanProposed", "2 steps of pool, risk medium", "synthesizer")
    site.incidents.change(INCIDENT_ID, status=IncidentStatus.AWAITING_APPROVAL)
    site.publish(INCIDENT_ID, UpdateState.IDENTIFIED)
    site.clock.moment = NOW
    return site


def _diagnose(site: Website) -> None:
    for number, (query, value, meaning) in enumerate(
        (
            (
                "SELECT round(count(*) / current_setting('max_connections')::int, 3) AS share",
                0.998,
                "At least 80 % of the connections are taken.",
            ),
            (
                "SELECT count(*) AS stuck FROM pg_stat_activity WHERE state LIKE 'idle in tra%'",
                3,
                "Sessions are stuck and keep their connections from everybody else.",
            ),
        ),
        start=1,
    ):
        evidence = Evidence(
            id=f"E{number}",
            source="postgresql orders-db",
            query=query,
            status=EvidenceStatus.OK,
            value=value,
            observed_at=site.clock.now(),
            verdict=Verdict.SUPPORTS,
            meaning=meaning,
        )
        site.incidents.put_evidence(INCIDENT_ID, evidence)
    findings = (
        Finding(statement="99.8 % of the connections are in use.", evidence_ids=("E1",)),
        Finding(
            statement="Three sessions idle in an open transaction since 6 to 13 minutes.",
            evidence_ids=("E2",),
        ),
    )
    site.incidents.put_diagnosis(
        INCIDENT_ID, a_diagnosis(findings=findings, not_seen=("the metrics of prometheus",))
    )
    site.note(INCIDENT_ID, "Diagnosed", "Sessions are stuck and hold all connections.", "database")


@contextmanager
def serve(site: Website) -> Iterator[str]:
    """Serve the website on a free port of this computer; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Keep the tests quiet."""

        def do_GET(self) -> None:
            self._respond("GET", "")

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self._respond("POST", self.rfile.read(length).decode())

        def _respond(self, method: str, body: str) -> None:
            address = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(dict(parse_qsl(address.query)), headers, body)
            answered = site.answer(method, address.path, request)
            content = answered.body.encode()
            self.send_response(answered.status)
            for name, value in answered.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
