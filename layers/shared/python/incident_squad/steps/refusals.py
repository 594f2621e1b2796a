"""Decisions by link that did not count: they are noted where the link aims at."""

from dataclasses import dataclass

from incident_squad.domain.errors import ApprovalRefused, UnknownIncident
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.ports import IncidentStore, Timeline
from incident_squad.steps.approval_links import aim_of

REFUSALS_NOTED = 20
"""Refused attempts that are written to one incident's timeline: a flood must not bury it."""

_REFUSED = "ApprovalRefused"


@dataclass(frozen=True)
class Refusals:
    """Notes refused attempts, up to a number that a flood cannot exceed."""

    incidents: IncidentStore
    timeline: Timeline

    def note(self, link: str, refusal: ApprovalRefused) -> None:
        """Write why a decision by this link did not count; a link without an aim is nobody's."""
        aim = aim_of(link)
        if aim is None:
            return
        try:
            self.incidents.get(aim[0])
        except UnknownIncident:
            return
        noted = [event for event in self.timeline.read(aim[0]) if event.event == _REFUSED]
        if len(noted) < REFUSALS_NOTED:
            self.timeline.append(
                aim[0],
                Entry(
                    event=_REFUSED,
                    summary=f"A decision by link did not count: {refusal}",
                    actor=Actor.system("approvals"),
                    data={"approval": aim[1]},
                ),
            )
