"""The facts of an incident that channels build their own forms from."""

from collections.abc import Callable, Iterator

from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.delivery import Message
from incident_squad.domain.incident import Incident
from incident_squad.domain.update import StatusUpdate
from incident_squad.domain.values import iso

_PAGERDUTY = "pagerduty:"


def details_of(incident: Incident, alert: Alert | None) -> dict[str, str]:
    """What every message about an incident carries; `sourceIncident` is PagerDuty's own id."""
    known = {
        "severity": incident.severity.value if incident.severity else "",
        "type": incident.type.value if incident.type else "",
        "service": incident.service or "",
        "status": incident.status.value,
        "source": incident.source,
        "sourceIncident": _theirs(alert),
    }
    return {name: text for name, text in known.items() if text}


def update_details(update: StatusUpdate, *, public: bool) -> dict[str, str]:
    """What an update adds; `external` only when customers are concerned."""
    known = {"state": update.state.value}
    if public:
        known |= {"external": update.external, "publicName": update.public_name}
    if update.next_due_at is not None:
        known["nextDueAt"] = iso(update.next_due_at)
    return known


def calls(page: Message, view_link: Callable[..., str]) -> Iterator[Message]:
    """A page once more for each person who is woken, with the link that speaks in their name."""
    for person in page.recipients:
        if "@" in person:
            own = {
                "id": f"{page.id}:{person}",
                "kind": "call",
                "recipients": (person,),
                "link": view_link(page.incident_id, person),
            }
            yield page.model_copy(update=own)


def _theirs(alert: Alert | None) -> str:
    if alert is None or alert.source is not Source.PAGERDUTY:
        return ""
    return alert.key.removeprefix(_PAGERDUTY).partition("#")[0]
