"""StreamEvents: the events of an incident as they come, for as long as somebody listens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from incident_squad.pages.web import Answer, Request
from incident_squad.ports import Clock
from incident_squad.steps.incidents_api import IncidentsApi
from incident_squad.steps.read_incidents import ReadIncidents

HEARTBEAT = timedelta(seconds=15)
"""The longest silence: API Gateway ends a stream that says nothing for five minutes."""

LONGEST = timedelta(minutes=14)
"""How long one answer goes on: Lambda ends after 15 minutes, and a browser comes back by itself."""

_NUMBER = re.compile(r"^id: ([0-9]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Opened:
    """An answer that has begun. `parts` are whole server-sent events, or heartbeats."""

    headers: dict[str, str]
    parts: Iterator[str]


@dataclass(frozen=True)
class StreamEvents:
    """Admits and resumes as the waiting answer does, and then goes on."""

    api: IncidentsApi
    read: ReadIncidents
    clock: Clock
    heartbeat: timedelta = HEARTBEAT
    longest: timedelta = LONGEST

    def __call__(self, request: Request, incident_id: str) -> Answer | Opened:
        """The stream, or a whole answer when there is none: refused, unknown, or all is told."""
        at_once = Request({**request.query, "wait": "0"}, request.headers, request.body)
        first = self.api.events(at_once, incident_id)
        if first.status != 200:  # noqa: PLR2004 - HTTP's own
            return first
        after = _last(first.body, self.api.last_seen(request))
        return Opened(dict(first.headers), self._go_on(incident_id, first.body, after))

    def _go_on(self, incident_id: str, first: str, after: int) -> Iterator[str]:
        end = self.clock.now() + self.longest
        yield first
        while self.clock.now() < end:
            part = self.read.events(incident_id, after, self.heartbeat)
            if part is None:
                return  # over: a browser that asks again is told so
            after = _last(part, after)
            yield part


def _last(part: str, known: int) -> int:
    """The number of the last event in a part; values cannot forge one: JSON has no raw newline."""
    found = _NUMBER.findall(part)
    return int(found[-1]) if found else known
