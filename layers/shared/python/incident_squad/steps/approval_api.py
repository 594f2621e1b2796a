"""The HTTP interface to approvals: a GET only shows, a POST decides."""

from dataclasses import dataclass

from incident_squad.domain.approval import Decision
from incident_squad.pages.views import approval_page, decided_page
from incident_squad.pages.web import Answer, Request, json_answer
from incident_squad.ports import Clock
from incident_squad.steps.decide_approval import DecideApproval, Decided
from incident_squad.steps.link_answers import decided, may_be_a_link, nowhere
from incident_squad.steps.read_record import ReadRecord
from incident_squad.steps.report import plain


@dataclass(frozen=True)
class ApprovalApi:
    """The link is the permission. Whatever is wrong with one, the answer is the same."""

    decide_approval: DecideApproval
    read_record: ReadRecord
    clock: Clock

    def show(self, request: Request, link: str) -> Answer:
        """What the link is about; changes nothing, however often it is fetched."""
        view = self.decide_approval.view(link) if may_be_a_link(link) else None
        if view is None:
            return nowhere(request)
        if not request.wants_page:
            return json_answer({**plain(view.approval), "plan": plain(view.plan)})
        record = self.read_record(view.incident.id)
        return approval_page(view.approval, view.plan, view.approver, record, self.clock.now())

    def decide(self, request: Request, link: str) -> Answer:
        """Take the decision of a form or of JSON: `decision` is `approve` or `reject`."""

        def take(decision: Decision, comment: str) -> Answer:
            return _taken(request, self.decide_approval.decide(link, decision, comment))

        return decided(request, link, take, choices="Approve or Reject")


def _taken(request: Request, taken: Decided) -> Answer:
    if request.wants_page:
        return decided_page(taken.approval, taken.incident, delivered=taken.delivered)
    return json_answer({**plain(taken.approval), "delivered": taken.delivered})
