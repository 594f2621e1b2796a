"""Every use case, wired from one world.

Imports stand inside the methods on purpose: a function must not pay at its cold start for use
cases that it never runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from incident_squad import ports
    from incident_squad.agents.rails import Rails
    from incident_squad.bootstrap.world import World
    from incident_squad.domain.values import IncidentType
    from incident_squad.steps.approval_api import ApprovalApi
    from incident_squad.steps.close_incident import CloseIncident
    from incident_squad.steps.contributions_api import ContributionsApi
    from incident_squad.steps.decide_approval import DecideApproval
    from incident_squad.steps.deliver_messages import DeliverMessages
    from incident_squad.steps.draft_update import DraftUpdate
    from incident_squad.steps.hand_over import HandOver
    from incident_squad.steps.incidents_api import IncidentsApi
    from incident_squad.steps.investigate import Investigate
    from incident_squad.steps.keep_promises import KeepPromises
    from incident_squad.steps.notify_on_call import NotifyOnCall
    from incident_squad.steps.post_mortem import PostMortem
    from incident_squad.steps.public_text_api import PublicTextApi
    from incident_squad.steps.public_texts import PublicTexts
    from incident_squad.steps.publish_update import PublishUpdate
    from incident_squad.steps.query_metrics import QueryMetrics
    from incident_squad.steps.read_record import ReadRecord
    from incident_squad.steps.receive_alert import ReceiveAlert
    from incident_squad.steps.recent_changes import RecentChanges
    from incident_squad.steps.record_failure import RecordFailure
    from incident_squad.steps.remediate import Remediate
    from incident_squad.steps.report import BuildReport
    from incident_squad.steps.request_approval import RequestApproval
    from incident_squad.steps.stream_events import StreamEvents
    from incident_squad.steps.sweep import Sweep
    from incident_squad.steps.synthesize import Synthesize
    from incident_squad.steps.triage import Triage
    from incident_squad.steps.undo_remediation import UndoRemediation
    from incident_squad.steps.verify_recovery import VerifyRecovery
    from incident_squad.steps.view_links import ViewLinks


def no_model() -> None:
    """The floor alone."""


@dataclass(frozen=True)
class Squad:
    """Every use case, wired from one world.

    `rails` gives those on which a model is asked, or None where none is configured.
    """

    world: World
    rails: Callable[[], Rails | None] = no_model

    def receive_alert(self) -> ReceiveAlert:
        """Alerts in, incidents out."""
        from incident_squad.steps.receive_alert import ReceiveAlert

        w = self.world
        return ReceiveAlert(
            incidents=w.incidents,
            timeline=w.timeline,
            workflow=w.workflow,
            knowledge=w.knowledge,
            clock=w.clock,
            triager=w.triager,
        )

    def triage(self) -> Triage:
        """The router."""
        from incident_squad.bootstrap.agents import refine_triage
        from incident_squad.steps.triage import Triage

        w = self.world
        return Triage(
            incidents=w.incidents,
            timeline=w.timeline,
            triager=w.triager,
            refiner=refine_triage(w, self.rails()),
            page_ahead=lambda incident, triage: self.notify_on_call().ahead(incident, triage),
        )

    def investigate(self, specialist: IncidentType) -> Investigate:
        """One specialist."""
        from incident_squad.bootstrap.agents import refine_diagnosis
        from incident_squad.steps.investigate import Investigate

        w = self.world
        return Investigate(
            specialist=specialist,
            incidents=w.incidents,
            timeline=w.timeline,
            knowledge=w.knowledge,
            probers=w.probers,
            recent_changes=self.recent_changes(),
            clock=w.clock,
            refiner=refine_diagnosis(w, self.rails(), lambda: self.synthesize().planner),
        )

    def recent_changes(self) -> RecentChanges:
        """What was deployed shortly before an alert."""
        from incident_squad.steps.recent_changes import RecentChanges

        w = self.world
        return RecentChanges(
            knowledge=w.knowledge, probers=w.probers, telemetry=w.telemetry, clock=w.clock
        )

    def query_metrics(self) -> QueryMetrics:
        """The agents' tool for metrics."""
        from incident_squad.steps.query_metrics import QueryMetrics

        w = self.world
        return QueryMetrics(
            incidents=w.incidents, timeline=w.timeline, telemetry=w.telemetry, clock=w.clock
        )

    def notify_on_call(self) -> NotifyOnCall:
        """The first page."""
        from incident_squad.steps.notify_on_call import NotifyOnCall

        w = self.world
        return NotifyOnCall(
            incidents=w.incidents,
            timeline=w.timeline,
            notifier=w.notifier,
            knowledge=w.knowledge,
            clock=w.clock,
            view_link=self.view_links().address,
        )

    def draft_update(self, *, model: bool = True) -> DraftUpdate:
        """The communicator's drafts; without `model` the floor writes them alone."""
        from incident_squad.bootstrap.agents import refine_update
        from incident_squad.steps.draft_update import DraftUpdate

        w = self.world
        return DraftUpdate(
            incidents=w.incidents,
            timeline=w.timeline,
            knowledge=w.knowledge,
            clock=w.clock,
            read_record=self.read_record(),
            refiner=refine_update(w, self.rails()) if model else None,
        )

    def publish_update(self, *, model: bool = True) -> PublishUpdate:
        """The communicator's publications."""
        from incident_squad.steps.ask_public import AskPublic
        from incident_squad.steps.publish_update import PublishUpdate

        w = self.world
        return PublishUpdate(
            incidents=w.incidents,
            timeline=w.timeline,
            notifier=w.notifier,
            draft_update=self.draft_update(model=model),
            view_link=self.view_links().address,
            ask=AskPublic(self.public_texts(), w.knowledge, w.signer, w.public_url),
        )

    def public_texts(self) -> PublicTexts:
        """What becomes of texts that customers read once a human has approved them."""
        from incident_squad.steps.public_texts import PublicTexts

        w = self.world
        return PublicTexts(
            incidents=w.incidents,
            requests=w.public_texts,
            timeline=w.timeline,
            notifier=w.notifier,
            clock=w.clock,
        )

    def synthesize(self) -> Synthesize:
        """Diagnosis and plan in one."""
        from incident_squad.steps.planning import Planner
        from incident_squad.steps.synthesize import Synthesize

        w = self.world
        return Synthesize(
            incidents=w.incidents,
            approvals=w.approvals,
            timeline=w.timeline,
            knowledge=w.knowledge,
            planner=Planner(knowledge=w.knowledge, executors=w.executors, clock=w.clock),
            clock=w.clock,
        )

    def request_approval(self) -> RequestApproval:
        """Links to approvers."""
        from incident_squad.steps.request_approval import RequestApproval

        w = self.world
        return RequestApproval(
            incidents=w.incidents,
            approvals=w.approvals,
            timeline=w.timeline,
            notifier=w.notifier,
            signer=w.signer,
            knowledge=w.knowledge,
            clock=w.clock,
            decide=self.decide_approval(),
            public_url=w.public_url,
        )

    def decide_approval(self) -> DecideApproval:
        """Decisions by link."""
        from incident_squad.steps.decide_approval import DecideApproval

        w = self.world
        return DecideApproval(
            incidents=w.incidents,
            approvals=w.approvals,
            timeline=w.timeline,
            workflow=w.workflow,
            signer=w.signer,
            clock=w.clock,
        )

    def remediate(self) -> Remediate:
        """One step of a plan."""
        from incident_squad.steps.remediate import Remediate

        w = self.world
        return Remediate(
            incidents=w.incidents,
            timeline=w.timeline,
            approvals=w.approvals,
            knowledge=w.knowledge,
            probers=w.probers,
            executors=w.executors,
            clock=w.clock,
        )

    def undo_remediation(self) -> UndoRemediation:
        """Steps taken back."""
        from incident_squad.steps.undo_remediation import UndoRemediation

        w = self.world
        return UndoRemediation(
            incidents=w.incidents,
            timeline=w.timeline,
            knowledge=w.knowledge,
            executors=w.executors,
            clock=w.clock,
        )

    def verify_recovery(self) -> VerifyRecovery:
        """Whether the symptom is gone."""
        from incident_squad.steps.verify_recovery import VerifyRecovery

        w = self.world
        return VerifyRecovery(
            incidents=w.incidents,
            timeline=w.timeline,
            knowledge=w.knowledge,
            probers=w.probers,
            clock=w.clock,
        )

    def close_incident(self) -> CloseIncident:
        """The end of an incident."""
        from incident_squad.steps.close_incident import CloseIncident

        w = self.world
        return CloseIncident(
            incidents=w.incidents,
            timeline=w.timeline,
            clock=w.clock,
            build_report=self.build_report(),
        )

    def hand_over(self) -> HandOver:
        """A human takes over."""
        from incident_squad.steps.hand_over import HandOver

        w = self.world
        return HandOver(
            incidents=w.incidents,
            approvals=w.approvals,
            timeline=w.timeline,
            notifier=w.notifier,
            knowledge=w.knowledge,
            clock=w.clock,
        )

    def record_failure(self) -> RecordFailure:
        """Executions that died."""
        from incident_squad.steps.record_failure import RecordFailure

        return RecordFailure(incidents=self.world.incidents, hand_over=self.hand_over())

    def sweep(self) -> Sweep:
        """What a crash left behind."""
        from incident_squad.steps.sweep import Sweep

        w = self.world
        return Sweep(
            incidents=w.incidents,
            approvals=w.approvals,
            timeline=w.timeline,
            workflow=w.workflow,
            decide=self.decide_approval(),
            hand_over=self.hand_over(),
            clock=w.clock,
            receive=self.receive_alert(),
        )

    def deliver_messages(self, channels: ports.Channels) -> DeliverMessages:
        """What empties the outbox."""
        from secrets import SystemRandom

        from incident_squad.steps.deliver_messages import DeliverMessages
        from incident_squad.steps.delivery_notes import DeliveryNotes

        w = self.world
        return DeliverMessages(
            outbox=w.outbox,
            channels=channels,
            notes=DeliveryNotes(w.timeline),
            clock=w.clock,
            chance=SystemRandom().random,
        )

    def keep_promises(self) -> KeepPromises:
        """Promised updates, and pages that nobody answers."""
        from incident_squad.steps.keep_promises import KeepPromises

        w = self.world
        return KeepPromises(
            incidents=w.incidents,
            timeline=w.timeline,
            notifier=w.notifier,
            knowledge=w.knowledge,
            clock=w.clock,
            publish=self.publish_update(model=False),
            view_link=self.view_links().address,
            texts=self.public_texts(),
        )

    def contributions_api(self) -> ContributionsApi:
        """What people add to an incident over HTTP."""
        from incident_squad.steps.acknowledge import Acknowledge
        from incident_squad.steps.contributions_api import ContributionsApi
        from incident_squad.steps.readers import Readers

        w = self.world
        return ContributionsApi(
            readers=Readers(self.view_links(), lambda: w.secrets.get("api-token")),
            acknowledge=Acknowledge(w.incidents, w.timeline, w.notifier),
            publish=self.publish_update(model=False),
        )

    def read_record(self) -> ReadRecord:
        """All that is stored of an incident."""
        from incident_squad.steps.read_record import ReadRecord

        w = self.world
        return ReadRecord(w.incidents, w.approvals, w.timeline, w.public_texts)

    def build_report(self) -> BuildReport:
        """The report."""
        from incident_squad.steps.report import BuildReport

        w = self.world
        return BuildReport(read_record=self.read_record(), knowledge=w.knowledge, clock=w.clock)

    def post_mortem(self) -> PostMortem:
        """The post-mortem draft."""
        from incident_squad.steps.post_mortem import PostMortem

        w = self.world
        return PostMortem(read_record=self.read_record(), knowledge=w.knowledge, clock=w.clock)

    def view_links(self) -> ViewLinks:
        """Signed links to look at an incident."""
        from incident_squad.steps.view_links import ViewLinks

        w = self.world
        return ViewLinks(signer=w.signer, clock=w.clock, public_url=w.public_url)

    def incidents_api(self) -> IncidentsApi:
        """Incidents over HTTP."""
        from incident_squad.steps.alert_accounts import AlertAccounts
        from incident_squad.steps.incidents_api import IncidentsApi
        from incident_squad.steps.read_incidents import ReadIncidents

        w = self.world
        return IncidentsApi(
            read=ReadIncidents(
                incidents=w.incidents,
                timeline=w.timeline,
                knowledge=w.knowledge,
                clock=w.clock,
                requests=w.public_texts,
            ),
            read_record=self.read_record(),
            build_report=self.build_report(),
            post_mortem_of=self.post_mortem(),
            timeline_of=w.timeline,
            links=self.view_links(),
            clock=w.clock,
            tokens=lambda: w.secrets.get("api-token"),
            outbox=w.outbox,
            accounts=AlertAccounts(w.incidents, w.clock),
        )

    def approval_api(self) -> ApprovalApi:
        """Approvals over HTTP."""
        from incident_squad.steps.approval_api import ApprovalApi

        return ApprovalApi(
            decide_approval=self.decide_approval(),
            read_record=self.read_record(),
            clock=self.world.clock,
        )

    def public_text_api(self) -> PublicTextApi:
        """Decisions about public texts over HTTP."""
        from incident_squad.steps.decide_public import DecidePublic
        from incident_squad.steps.public_text_api import PublicTextApi
        from incident_squad.steps.refusals import Refusals

        w = self.world
        refusals = Refusals(w.incidents, w.timeline)
        return PublicTextApi(DecidePublic(self.public_texts(), w.signer, refusals), w.clock)

    def stream_events(self) -> StreamEvents:
        """An incident's events in one long answer."""
        from incident_squad.steps.stream_events import StreamEvents

        api = self.incidents_api()
        return StreamEvents(api, api.read, self.world.clock)
