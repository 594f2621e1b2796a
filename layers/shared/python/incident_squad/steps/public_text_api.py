"""The HTTP interface to texts that wait for approval: a GET only shows, a POST decides."""

from dataclasses import dataclass

from incident_squad.domain.approval import Decision
from incident_squad.domain.errors import ApprovalRefused, UnknownIncident
from incident_squad.pages.public_text import public_text_page
from incident_squad.pages.views import message_page, neutral_page
from incident_squad.pages.web import Answer, Request, json_answer, problem
from incident_squad.ports import Clock
from incident_squad.steps.decide_public import DecidePublic, PublicView
from incident_squad.steps.report import plain

_DECISIONS = {"approve": Decision.APPROVED, "reject": Decision.REJECTED}
_LONGEST_LINK = 1000


@dataclass(frozen=True)
class PublicTextApi:
    """The link is the permission. Whatever is wrong with one, the answer is the same."""

    decide_public: DecidePublic
    clock: Clock

    def show(self, request: Request, link: str) -> Answer:
        """The text, and what became of it; changes nothing, however often it is fetched."""
        view = self.decide_public.view(link) if len(link) <= _LONGEST_LINK else None
        return self._shown(request, view) if view else _nowhere(request)

    def decide(self, request: Request, link: str) -> Answer:
        """Take the decision of a form or of JSON: `decision` is `approve` or `reject`."""
        fields = request.fields()
        decision = _DECISIONS.get(str(fields.get("decision")).lower())
        if decision is None:
            return _undecided(request)
        comment = str(fields.get("comment") or "")
        try:
            if len(link) > _LONGEST_LINK:
                return _nowhere(request)
            return self._shown(request, self.decide_public.decide(link, decision, comment))
        except (ApprovalRefused, UnknownIncident):
            return _nowhere(request)

    def _shown(self, request: Request, view: PublicView) -> Answer:
        if not request.wants_page:
            return json_answer({**plain(view.request), "external": view.update.external})
        return public_text_page(
            view.request,
            view.incident,
            view.update,
            view.current,
            approver=view.approver,
            now=self.clock.now(),
        )


def _undecided(request: Request) -> Answer:
    text = "Go back and choose Publish or Keep back. Nothing has been decided."
    if request.wants_page:
        return message_page(400, "No decision was given", text)
    return problem(400, "Bad Request", "decision must be approve or reject")


def _nowhere(request: Request) -> Answer:
    if request.wants_page:
        return neutral_page()
    return problem(404, "Not Found", "This link does not lead anywhere.")
