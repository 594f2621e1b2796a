"""What APIs of signed links answer alike, so that no answer tells one bad link from another."""

from collections.abc import Callable

from incident_squad.domain.approval import Decision
from incident_squad.domain.errors import ApprovalRefused, UnknownIncident
from incident_squad.pages.views import message_page, neutral_page
from incident_squad.pages.web import Answer, Request, problem

_DECISIONS = {"approve": Decision.APPROVED, "reject": Decision.REJECTED}
_LONGEST_LINK = 1000


def may_be_a_link(link: str) -> bool:
    """Whether it is worth a look: a longer text is none of our links."""
    return len(link) <= _LONGEST_LINK


def decided(
    request: Request, link: str, take: Callable[[Decision, str], Answer], *, choices: str
) -> Answer:
    """Take the decision of a form or of JSON: `decision` is `approve` or `reject`.

    `take` is given the decision and the comment; `choices` names the buttons of the page.
    """
    fields = request.fields()
    decision = _DECISIONS.get(str(fields.get("decision")).lower())
    if decision is None:
        return _undecided(request, choices)
    if not may_be_a_link(link):
        return nowhere(request)
    try:
        return take(decision, str(fields.get("comment") or ""))
    except (ApprovalRefused, UnknownIncident):
        return nowhere(request)


def nowhere(request: Request) -> Answer:
    """The one answer to every link that does not count."""
    if request.wants_page:
        return neutral_page()
    return problem(404, "Not Found", "This link does not lead anywhere.")


def _undecided(request: Request, choices: str) -> Answer:
    text = f"Go back and choose {choices}. Nothing has been decided."
    if request.wants_page:
        return message_page(400, "No decision was given", text)
    return problem(400, "Bad Request", "decision must be approve or reject")
