"""The pages: what each shows, taken from values alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field

from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.delivery import Delivery, DeliveryStatus
from incident_squad.domain.incident import Incident, IncidentStatus
from incident_squad.domain.plan import Applier, Plan, PlannedStep
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.runbook import Runbook, StepCondition
from incident_squad.domain.values import Value
from incident_squad.pages.charts import charts
from incident_squad.pages.moments import (
    DRAFT_WRITTEN,
    being_written,
    glance,
    standing_of,
    waiting_text,
)
from incident_squad.pages.render import page
from incident_squad.pages.web import Answer
from incident_squad.policy.escalation import last_page, who_is_on_it
from incident_squad.policy.notification import impact_in_words

NEUTRAL_TITLE = "This link does not lead anywhere"
NEUTRAL_TEXT = (
    "It may have expired, been used before, or been mistyped. If you expected to decide about an "
    "incident, ask the people on call: the incident itself is not affected by this page."
)
_PATH = ("Triage", "Diagnosis", "Fix", "Recovery", "Resolved")
_PLACE = {
    IncidentStatus.TRIAGING: 0,
    IncidentStatus.DIAGNOSING: 1,
    IncidentStatus.AWAITING_APPROVAL: 2,
    IncidentStatus.FIXING: 2,
    IncidentStatus.VERIFYING: 3,
    IncidentStatus.RESOLVED: 5,
}


class Extra(Value):
    """What an incident's page shows besides the record: clocks, faults, messages, its links."""

    clocks: dict[str, float] = Field(default_factory=dict)
    problems: tuple[str, ...] = ()
    query: str = ""
    person: str = ""
    list_link: bool = False
    deliveries: tuple[Delivery, ...] = ()
    runbooks: dict[str, Runbook] = Field(default_factory=dict)


def approval_page(
    approval: Approval, plan: Plan, approver: str, record: IncidentRecord, now: datetime
) -> Answer:
    """What an approver decides about, and the form to decide with."""
    left = max(0, int((approval.expires_at - now).total_seconds() // 60))
    planned = [step for step in plan.steps if step.when is StepCondition.ALWAYS]
    alert = record.alert
    content = {
        **_story(record),
        "approval": approval,
        "plan": plan,
        "approver": approver,
        "started": (alert.started_at if alert else None) or record.incident.opened_at,
        "minutes_left": f"{left} minute{'' if left == 1 else 's'}",
        "now": planned,
        "later": [step for step in plan.steps if step.when is not StepCondition.ALWAYS],
    }
    return page("approval", content)


def decided_page(approval: Approval, incident: Incident, *, delivered: bool) -> Answer:
    """What was decided and what happens now."""
    approved = approval.status is ApprovalStatus.APPROVED
    content = {
        "approval": approval,
        "incident": incident,
        "approved": approved,
        "delivered": delivered,
    }
    return page("decided", content)


def neutral_page() -> Answer:
    """One page for every link that does not count, so that it tells nothing about why."""
    return message_page(404, NEUTRAL_TITLE, NEUTRAL_TEXT)


def message_page(
    status: int, title: str, text: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """A short message."""
    return page("message", {"title": title, "text": text}, status=status, headers=headers)


def incident_page(record: IncidentRecord, extra: Extra) -> Answer:
    """Everything about an incident; it renews itself while something happens."""
    plan = record.plan
    content = {
        **_story(record),
        "plan": plan,
        "approval": record.approval,
        "steps": [_step(record, place) for place in range(len(plan.steps))] if plan else [],
        "updates": [(update, standing_of(record, update)) for update in reversed(record.updates)],
        "events": [event for event in reversed(record.events) if event.event != DRAFT_WRITTEN],
        "draft": being_written(record),
        "held": waiting_text(record),
        "glance": glance(record),
        "last": record.events[-1].n if record.events else 0,
        "path": progress(record),
        "clocks": extra.clocks,
        "problems": extra.problems,
        "query": extra.query,
        "person": extra.person,
        "list_link": extra.list_link,
        "channels": channel_rows(extra.deliveries),
        "cost": cost(record),
        "charts": charts(record, extra.runbooks),
        "on_it": who_is_on_it(record.events),
        "can_acknowledge": record.incident.status.open and last_page(record.events) > 0,
    }
    return page("incident", content)


def channel_rows(deliveries: Sequence[Delivery]) -> list[dict[str, object]]:
    """One row a channel: how many messages it took, how many wait, and what its trouble is."""
    rows: dict[str, dict[str, object]] = {}
    for name in dict.fromkeys(delivery.channel for delivery in deliveries):
        own = [delivery for delivery in deliveries if delivery.channel == name]
        counted = Counter(delivery.status for delivery in own)
        troubles = [delivery.error for delivery in own if delivery.error]
        rows[name] = {
            "name": name,
            "delivered": counted[DeliveryStatus.DELIVERED],
            "waiting": counted[DeliveryStatus.WAITING],
            "refused": counted[DeliveryStatus.REFUSED],
            "uncertain": counted[DeliveryStatus.UNCERTAIN],
            "trouble": troubles[-1] if troubles else "",
        }
    return list(rows.values())


def cost(record: IncidentRecord) -> tuple[int, float]:
    """What models were asked for this incident: tokens, and US dollars."""
    tokens = sum(event.tokens for event in record.events)
    return tokens, sum(event.cost_usd for event in record.events)


def list_page(content: Mapping[str, object]) -> Answer:
    """The list of incidents with its filters."""
    return page("list", content)


def post_mortem_page(incident_id: str, text: str, query: str) -> Answer:
    """The post-mortem draft as text to copy."""
    return page("postmortem", {"incident_id": incident_id, "text": text, "query": query})


def progress(record: IncidentRecord) -> Sequence[tuple[str, str]]:
    """The stages of the work; each is `done`, `now` or still to come (empty)."""
    status = record.incident.status
    names = list(_PATH)
    if record.plan is not None and record.plan.applier is Applier.HUMAN:
        names[2] = "Approval" if status is IncidentStatus.AWAITING_APPROVAL else "Fix"
    if status is IncidentStatus.HANDED_OVER:
        place = 2 if record.plan else 1 if record.diagnosis is None else 2
        names[place] = "With a human"
    else:
        place = _PLACE[status]
    return [
        (name, "done" if n < place else "now" if n == place else "") for n, name in enumerate(names)
    ]


def _story(record: IncidentRecord) -> dict[str, object]:
    incident, alert = record.incident, record.alert
    text = alert.description if alert and alert.description.strip() else incident.title
    return {
        "incident": incident,
        "alert": text[:2000],
        "impact": impact_in_words(incident.triage) if incident.triage else "not known yet",
        "found": record.diagnosis,
        "evidence": {evidence.id: evidence for evidence in record.evidence},
    }


def _step(record: IncidentRecord, place: int) -> tuple[PlannedStep, str, str]:
    steps, done = record.plan.steps if record.plan else (), record.step_record(place)
    return steps[place], record.step_status(place).value, done.detail if done else ""
