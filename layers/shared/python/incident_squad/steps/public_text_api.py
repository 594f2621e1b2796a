"""The HTTP interface to texts that wait for approval: a GET only shows, a POST decides."""

from dataclasses import dataclass

from incident_squad.domain.approval import Decision
from incident_squad.pages.public_text import public_text_page
from incident_squad.pages.web import Answer, Request, json_answer
from incident_squad.ports import Clock
from incident_squad.steps.decide_public import DecidePublic, PublicView
from incident_squad.steps.link_answers import decided, may_be_a_link, nowhere
from incident_squad.steps.report import plain


@dataclass(frozen=True)
class PublicTextApi:
    """The link is the permission. Whatever is wrong with one, the answer is the same."""

    decide_public: DecidePublic
    clock: Clock

    def show(self, request: Request, link: str) -> Answer:
        """The text, and what became of it; changes nothing, however often it is fetched."""
        view = self.decide_public.view(link) if may_be_a_link(link) else None
        return self._shown(request, view) if view else nowhere(request)

    def decide(self, request: Request, link: str) -> Answer:
        """Take the decision of a form or of JSON: `decision` is `approve` or `reject`."""

        def take(decision: Decision, comment: str) -> Answer:
            return self._shown(request, self.decide_public.decide(link, decision, comment))

        return decided(request, link, take, choices="Publish or Keep back")

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
