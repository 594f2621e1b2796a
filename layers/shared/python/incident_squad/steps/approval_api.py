"""The HTTP interface to approvals: a GET only shows, a POST decides."""

from dataclasses import dataclass

from incident_squad.domain.approval import Decision
from incident_squad.domain.errors import ApprovalRefused, UnknownIncident
from incident_squad.pages.views import approval_page, decided_page, message_page, neutral_page
from incident_squad.pages.web import Answer, Request, json_answer, problem
from incident_squad.ports import Clock
from incident_squad.steps.decide_approval import DecideApproval, Decided
from incident_squad.steps.read_record import ReadRecord
from incident_squad.steps.report import plain

_DECISIONS = {"approve": Decision.APPROVED, "reject": Decision.REJECTED}
_LONGEST_LINK = 1000


@dataclass(frozen=True)
class ApprovalApi:
    """The link is the permission. Whatever is wrong with one, the answer is the same."""

    decide_approval: DecideApproval
    read_record: ReadRecord
    clock: Clock

    def show(self, request: Request, link: str) -> Answer:
        """What the link is about; changes nothing, however often it is fetched."""
        view = self.decide_approval.view(link) if len(link) <= _LONGEST_LINK else None
        if view is None:
            return _nowhere(request)
        if not request.wants_page:
            return json_answer({**plain(view.approval), "plan": plain(view.plan)})
        record = self.read_record(view.incident.id)
        return approval_page(view.approval, view.plan, view.approver, record, self.clock.now())

    def decide(self, request: Request, link: str) -> Answer:
        """Take the decision of a form or of JSON: `decision` is `approve` or `reject`."""
        fields = request.fields()
        decision = _DECISIONS.get(str(fields.get("decision")).lower())
        if decision is None:
            return _undecided(request)
        try:
            if len(link) > _LONGEST_LINK:
                return _nowhere(request)
            decided = self.decide_approval.decide(link, decision, str(fields.get("comment") or ""))
        except (ApprovalRefused, UnknownIncident):
            return _nowhere(request)
        return _decided(request, decided)


def _decided(request: Request, decided: Decided) -> Answer:
    if request.wants_page:
        return decided_page(decided.approval, decided.incident, delivered=decided.delivered)
    return json_answer({**plain(decided.approval), "delivered": decided.delivered})


def _undecided(request: Request) -> Answer:
    text = "Go back and choose Approve or Reject. Nothing has been decided."
    if request.wants_page:
        return message_page(400, "No decision was given", text)
    return problem(400, "Bad Request", "decision must be approve or reject")


def _nowhere(request: Request) -> Answer:
    if request.wants_page:
        return neutral_page()
    return problem(404, "Not Found", "This link does not lead anywhere.")
