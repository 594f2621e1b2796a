"""The HTTP interface for what people add to an incident: "I am on it", and corrections."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from incident_squad.domain.errors import PolicyViolation, UnknownIncident
from incident_squad.domain.timeline import Actor
from incident_squad.pages.views import message_page
from incident_squad.pages.web import Answer, Request, json_answer, problem
from incident_squad.steps.acknowledge import Acknowledge
from incident_squad.steps.publish_update import PublishUpdate
from incident_squad.steps.readers import Readers
from incident_squad.steps.report import plain

_ID = re.compile(r"INC-[0-9]{8}-[0-9A-HJKMNP-TV-Z]{5,8}")
_EMAIL = re.compile(r"[^@\s]{1,100}@[^@\s]{1,150}")
_LONGEST = 2000


@dataclass(frozen=True)
class ContributionsApi:
    """Whoever may read an incident may say that they are on it; corrections need the token."""

    readers: Readers
    acknowledge: Acknowledge
    publish: PublishUpdate

    def acknowledged(self, request: Request, incident_id: str) -> Answer:
        """Take an acknowledgement, in the name of whom the link was made for and of nobody else.

        The holder of the token may say for whom (`by`); that stands on the timeline as said.
        """
        if not self.readers.admits(request, incident_id):
            return problem(401, "Unauthorized", "Send a bearer token or a valid view link.")
        person = self.readers.person(request, incident_id)
        operator = _operator(request) if self.readers.knows(request) else ""
        who = Actor.human(person or operator or "somebody with the link")
        answer = self._about(incident_id, lambda: {"new": self.acknowledge(incident_id, who)})
        if not request.wants_page or answer.status != 200:  # noqa: PLR2004 - HTTP's own
            return answer
        return message_page(200, "You are on it", "Nobody else will be paged. Go back to see it.")

    def correct(self, request: Request, incident_id: str) -> Answer:
        """Publish a correction: JSON with `external`, and `by` to say for whom."""
        if not self.readers.knows(request):
            return problem(401, "Unauthorized", "Send a bearer token.")
        fields = request.fields()
        text = " ".join(str(fields.get("external") or "").split())
        if not text or len(text) > _LONGEST:
            return problem(400, "Bad Request", f"external must be 1 to {_LONGEST} characters")
        who = Actor.human(_operator(request))
        return self._about(incident_id, lambda: plain(self.publish.correct(incident_id, text, who)))

    def _about(self, incident_id: str, act: Callable[[], dict[str, Any]]) -> Answer:
        nowhere = problem(404, "Not Found", "There is no such incident.")
        if not _ID.fullmatch(incident_id):
            return nowhere
        try:
            return json_answer({"incidentId": incident_id, **act()})
        except UnknownIncident:
            return nowhere
        except PolicyViolation as violation:
            return problem(422, "Unprocessable Content", str(violation))


def _operator(request: Request) -> str:
    """Who holds the token, and for whom they say that they act: a token proves no name."""
    by = str(request.fields().get("by") or "").strip()
    return f"operator for {by}" if _EMAIL.fullmatch(by) else "operator"
