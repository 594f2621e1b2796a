"""The stores under contract, and how to press them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from incident_squad.domain.incident import Incident
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.ports import Approvals, IncidentQuery, IncidentStore, Timeline
from tests.builders import an_alert, an_incident, later
from tests.contract.raw import Raw
from tests.fakes import FixedClock


@dataclass
class Stores:
    clock: FixedClock
    incidents: IncidentStore
    timeline: Timeline
    approvals: Approvals
    raw: Raw

    def open(self, number: int, **fields: Any) -> Incident:
        """Open incident number so-and-so of the day, with an alert of its own."""
        day = fields.pop("day", "20261122")
        incident = an_incident(id=f"INC-{day}-{number:05d}", **fields)
        alert = an_alert(key=f"key-{day}-{number}")
        assert self.incidents.open(incident, alert, later(hours=6)) == incident.id
        return incident

    def listed(self, **query: Any) -> list[str]:
        found = self.incidents.list(IncidentQuery(**query)).incidents
        return [incident.id[4:] for incident in found]


def an_entry(**fields: Any) -> Entry:
    known = {"event": "AlertReceived", "summary": "An alert came", "actor": Actor.system("test")}
    return Entry.model_validate({**known, **fields})


def together(*acts: Callable[[], None]) -> None:
    """Do all of it at the same moment."""
    gate = threading.Barrier(len(acts))

    def start(act: Callable[[], None]) -> None:
        gate.wait()
        act()

    threads = [threading.Thread(target=start, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
