"""The HTTP interface to incidents: JSON for programs, pages for people."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from incident_squad.domain.errors import InvalidParameter, PolicyViolation, UnknownIncident
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.values import IncidentType, Severity
from incident_squad.pages.status import CACHE, status_json, status_page
from incident_squad.pages.views import (
    Extra,
    incident_page,
    list_page,
    message_page,
    post_mortem_page,
)
from incident_squad.pages.web import Answer, Request, answer, json_answer, problem
from incident_squad.ports import Clock, IncidentPage, Outbox, Timeline
from incident_squad.steps.alert_accounts import AlertAccounts
from incident_squad.steps.incident_filters import FILTERS, query_of
from incident_squad.steps.post_mortem import PostMortem
from incident_squad.steps.read_incidents import LONGEST_WAIT, ReadIncidents
from incident_squad.steps.read_record import ReadRecord
from incident_squad.steps.readers import Readers
from incident_squad.steps.report import BuildReport, clocks, plain
from incident_squad.steps.view_links import EVERYTHING, ViewLinks

_ID = re.compile(r"INC-[0-9]{8}-[0-9A-HJKMNP-TV-Z]{5,8}")


@dataclass(frozen=True)
class IncidentsApi:
    """Reads for who holds the token or a signed link.

    `tokens` gives the valid bearer tokens, one a line, so that they can rotate. `outbox` shows what
    became of messages.
    """

    read: ReadIncidents
    read_record: ReadRecord
    build_report: BuildReport
    post_mortem_of: PostMortem
    timeline_of: Timeline
    links: ViewLinks
    clock: Clock
    tokens: Callable[[], str]
    accounts: AlertAccounts
    outbox: Outbox | None = None

    def health(self) -> Answer:
        """That the function runs."""
        return json_answer({"status": "ok"})

    def status(self, request: Request) -> Answer:
        """What customers may know, for everybody."""
        status = self.read.public_status()
        if request.wants_page:
            return status_page(status, self.clock.now())
        known = json_answer(status_json(status))
        return Answer(known.status, known.body, {**known.headers, **CACHE})

    def list(self, request: Request) -> Answer:
        """Incidents, newest first, filtered and paged."""
        if not self._admitted(request, EVERYTHING):
            return _unauthorised(request)
        try:
            found = self.read.list(query_of(request.query))
        except InvalidParameter as error:
            return _bad_request(request, str(error))
        if request.wants_page:
            return self._list_page(request, found)
        shown = [{"incidentId": item.id, **plain(item)} for item in found.incidents]
        return json_answer({"incidents": shown, "next": found.next})

    def alerts(self, request: Request) -> Answer:
        """What became of the alerts of a day (`?day=YYYY-MM-DD`)."""
        if not self._admitted(request, EVERYTHING):
            return _unauthorised(request)
        try:
            return json_answer(self.accounts(request.query.get("day")))
        except InvalidParameter as error:
            return problem(400, "Bad Request", str(error))

    def incident(self, request: Request, incident_id: str) -> Answer:
        """One incident with everything beside it."""
        return self._about(request, incident_id, self._incident)

    def timeline(self, request: Request, incident_id: str) -> Answer:
        """Its events, and whether their chain is sound."""
        return self._about(request, incident_id, self._timeline)

    def report(self, request: Request, incident_id: str) -> Answer:
        """The report as it stands now; 409 before triage."""
        return self._about(request, incident_id, self._report)

    def post_mortem(self, request: Request, incident_id: str) -> Answer:
        """The post-mortem draft: Markdown, or a page."""
        return self._about(request, incident_id, self._post_mortem)

    def events(self, request: Request, incident_id: str) -> Answer:
        """What is new since `Last-Event-ID` (or `?after=`), as a short event stream.

        When nothing is, the answer waits for the first event, up to 20 seconds (or `?wait=`).
        204 tells a browser that nothing more will come.
        """
        return self._about(request, incident_id, self._events)

    def _about(
        self, request: Request, incident_id: str, show: Callable[[Request, str], Answer]
    ) -> Answer:
        if not self._admitted(request, incident_id):
            return _unauthorised(request)
        if not _ID.fullmatch(incident_id):
            return _not_found(request)
        try:
            return show(request, incident_id)
        except UnknownIncident:
            return _not_found(request)
        except PolicyViolation as error:
            return problem(409, "Too early", str(error))

    def _incident(self, request: Request, incident_id: str) -> Answer:
        record = self.read_record(incident_id)
        if request.wants_page:
            extra = Extra(
                clocks=clocks(record),
                problems=tuple(self.timeline_of.problems(incident_id)),
                query=_view_query(request),
                person=Readers(self.links, self.tokens).person(request, incident_id),
                list_link=self._admitted(request, EVERYTHING),
                runbooks=self._runbooks(record),
                deliveries=tuple(self.outbox.of_incident(incident_id)) if self.outbox else (),
            )
            return incident_page(record, extra)
        shown = {
            "incidentId": incident_id,
            **plain(record.incident),
            "diagnosis": plain(record.diagnosis),
            "plan": plain(record.plan),
            "steps": plain(record.steps),
            "updates": plain(record.updates),
            "approvals": plain(record.approvals),
            "publicTexts": plain(record.public_texts),
            "clocks": clocks(record),
        }
        return json_answer(shown)

    def _runbooks(self, record: IncidentRecord) -> dict[str, Runbook]:
        """Those that the evidence is about: their thresholds are drawn into charts."""
        known = self.read.knowledge.runbooks
        names = {seen.runbook_id or "" for seen in record.evidence if seen.measured}
        return {name: known[name] for name in names if name in known}

    def _timeline(self, _: Request, incident_id: str) -> Answer:
        record = self.read_record(incident_id)
        problems = list(self.timeline_of.problems(incident_id))
        events = plain(record.events)
        return json_answer(
            {
                "incidentId": incident_id,
                "events": events,
                "sound": not problems,
                "problems": problems,
            }
        )

    def _report(self, _: Request, incident_id: str) -> Answer:
        return json_answer(self.build_report(incident_id).to_json())

    def _post_mortem(self, request: Request, incident_id: str) -> Answer:
        text = self.post_mortem_of(incident_id)
        if request.wants_page:
            return post_mortem_page(incident_id, text, _view_query(request))
        return answer(200, text, "text/markdown; charset=utf-8")

    def last_seen(self, request: Request) -> int:
        """The number of the last event that whoever asks has seen."""
        last = request.headers.get("last-event-id") or request.query.get("after") or "0"
        return int(last) if re.fullmatch(r"[0-9]{1,9}", last) else 0

    def _events(self, request: Request, incident_id: str) -> Answer:
        after = self.last_seen(request)
        given = request.query.get("wait", "")
        wait = timedelta(seconds=int(given)) if re.fullmatch(r"[0-9]{1,2}", given) else LONGEST_WAIT
        stream = self.read.events(incident_id, after, wait)
        if stream is None:
            return answer(204, "", "text/event-stream")
        return answer(200, stream, "text/event-stream; charset=utf-8")

    def _list_page(self, request: Request, found: IncidentPage) -> Answer:
        kept = {name: request.query.get(name, "") for name in FILTERS}
        view = request.query.get("view", "")
        older = {**{k: v for k, v in kept.items() if v}, "next": found.next or ""}
        return list_page(
            {
                "incidents": found.incidents,
                "chosen": kept,
                "view": view,
                "query": _view_query(request),
                "next": urlencode({**older, **({"view": view} if view else {})})
                if found.next
                else "",
                "statuses": ["open", *(status.value for status in IncidentStatus)],
                "severities": [severity.value for severity in Severity],
                "types": [kind.value for kind in IncidentType],
                "services": sorted(self.read.knowledge.catalog.services),
            }
        )

    def _admitted(self, request: Request, subject: str) -> bool:
        return Readers(self.links, self.tokens).admits(request, subject)


def _view_query(request: Request) -> str:
    view = request.query.get("view")
    return f"?{urlencode({'view': view})}" if view else ""


def _unauthorised(request: Request) -> Answer:
    headers = {"WWW-Authenticate": 'Bearer realm="incidents"'}
    if request.wants_page:
        text = "Open it by the link in the notification, or send the bearer token of the interface."
        return message_page(401, "You need a link to see this", text, headers)
    return problem(401, "Unauthorized", "Send a bearer token or a valid view link.", headers)


def _not_found(request: Request) -> Answer:
    if request.wants_page:
        return message_page(404, "There is no such incident", "Check the address.")
    return problem(404, "Not Found", "There is no such incident.")


def _bad_request(request: Request, reason: str) -> Answer:
    if request.wants_page:
        return message_page(400, "That filter is not understood", reason)
    return problem(400, "Bad Request", reason)
