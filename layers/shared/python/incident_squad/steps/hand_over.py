"""HandOver: a human takes over, with everything known. The incident stays open."""

from dataclasses import dataclass

from incident_squad.contracts import Done, HandOverInput
from incident_squad.domain.approval import ApprovalStatus
from incident_squad.domain.errors import ApprovalRefused
from incident_squad.domain.incident import Incident, IncidentStatus, Stage
from incident_squad.domain.plan import Applier, Plan
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.ports import (
    Approvals,
    Clock,
    IncidentStore,
    Knowledge,
    Message,
    Notifier,
    Timeline,
)
from incident_squad.steps.message_facts import details_of
from incident_squad.steps.standing import standing

HANDED_OVER = "HandedOver"
SEEN_LAST = frozenset({"RecoveryNotSeen", "TasksLeft"})


@dataclass(frozen=True)
class HandOver:
    """Page a human and say why; safe to repeat: the page has the same id each time."""

    incidents: IncidentStore
    approvals: Approvals
    timeline: Timeline
    notifier: Notifier
    knowledge: Knowledge
    clock: Clock

    def __call__(self, request: HandOverInput) -> Done:
        """Hand the incident over to the people on call."""
        incident = self.incidents.get(request.incident_id)
        if not incident.status.open:
            return Done()
        reason = _reason(request)
        self._end_approvals(incident)
        if incident.status is not IncidentStatus.HANDED_OVER:
            self._record(incident, reason, request)
        self.notifier.send(self._page(incident, reason))
        self.incidents.change(
            incident.id,
            status=IncidentStatus.HANDED_OVER,
            stage=Stage.DONE,
            hand_over_reason=reason[:1000],
        )
        return Done()

    def _end_approvals(self, incident: Incident) -> None:
        """No link may decide any more once a human works by hand."""
        now = self.clock.now()
        for approval in self.approvals.of_incident(incident.id):
            if approval.status is not ApprovalStatus.PENDING:
                continue
            expired = approval.expires_at <= now
            status = ApprovalStatus.EXPIRED if expired else ApprovalStatus.VOID
            self.timeline.append(
                incident.id,
                Entry(
                    event="ApprovalExpired" if expired else "ApprovalVoided",
                    summary="Nobody decided in time"
                    if expired
                    else "The request for approval no longer stands",
                    actor=Actor.system("approvals"),
                    data={"approval": approval.id},
                ),
            )
            try:
                self.approvals.decide(approval, status, None, now, "")
            except ApprovalRefused:
                continue  # decided in this very moment: the decision stands in the record

    def _record(self, incident: Incident, reason: str, request: HandOverInput) -> None:
        events = self.timeline.read(incident.id)
        told = {"attempt": incident.attempt, "reason": reason[:1000]}
        if any(e.event == HANDED_OVER and told.items() <= e.data.items() for e in events):
            return  # another try of this very hand-over was cut off after it
        self.timeline.append(
            incident.id,
            Entry(
                event=HANDED_OVER,
                summary=f"Handed over to a human: {reason}"[:2000],
                actor=Actor.agent("squad"),
                data={
                    "error": request.error.error if request.error else "",
                    "standing": list(self._standing(incident)),
                    **told,
                },
            ),
        )

    def _page(self, incident: Incident, reason: str) -> Message:
        diagnosis = self.incidents.diagnosis(incident.id)
        plan = self.incidents.plan(incident.id)
        alerts = self.incidents.alerts(incident.id)
        severity = incident.severity.value if incident.severity else "untriaged"
        known = diagnosis.root_cause if diagnosis else "No diagnosis was reached."
        steps = [
            f"{place}. {step.title}: {step.command}"
            for place, step in enumerate(plan.steps if plan else (), start=1)
        ]
        stands = self._standing(incident)
        tasks = [f"- {task.title}: {task.command}" for task in plan.tasks()] if plan else []
        body = [
            f"Why: {reason}",
            *self._seen_last(incident),
            *_why_nobody(plan),
            f"Known: {known}",
            *(["What the squad has changed:", *stands] if stands else ["Nothing was changed."]),
            *(["For people to do now:", *tasks] if tasks else ()),
            *["Steps to consider:", *steps],
        ]
        return Message(
            id=f"{incident.id}:handover:{incident.attempt}",
            incident_id=incident.id,
            kind="handover",
            recipients=self._recipients(incident),
            subject=f"[{severity}] {incident.id} needs a human: {incident.title}"[:200],
            body="\n".join(body)[:20_000],
            urgent=True,
            details=details_of(incident, alerts[0] if alerts else None),
        )

    def _standing(self, incident: Incident) -> tuple[str, ...]:
        return standing(self.incidents.plan(incident.id), self.incidents.steps(incident.id))

    def _seen_last(self, incident: Incident) -> tuple[str, ...]:
        """What the last look at the symptom saw, where there was one."""
        told = [e for e in self.timeline.read(incident.id) if e.event in SEEN_LAST]
        return (f"Seen: {told[-1].summary}",) if told else ()

    def _recipients(self, incident: Incident) -> tuple[str, ...]:
        catalog = self.knowledge.catalog
        service = catalog.services.get(incident.service or "")
        if service is None:
            return (catalog.people[catalog.vp_engineering].email,)
        return tuple(catalog.people[p].email for p in catalog.teams[service.owner].on_call)


def _why_nobody(plan: Plan | None) -> tuple[str, ...]:
    """What kept the squad from applying the plan, where nobody but people may."""
    if plan is None or plan.applier is not Applier.NOBODY:
        return ()
    return (f"Not applied: {'; '.join(plan.why)}",)


def _reason(request: HandOverInput) -> str:
    if request.error is None or not request.error.error:
        return request.reason
    return f"{request.reason} ({request.error.error}: {_cause(request.error.cause)})"


def _cause(cause: str) -> str:
    """The message of a Lambda error, without its stack trace."""
    head, found, tail = cause.partition('"errorMessage"')
    if not found:
        return cause[:300]
    return tail.split('"')[1][:300] if tail.count('"') > 1 else head[:300]
