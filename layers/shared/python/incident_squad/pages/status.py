"""The public status page: nothing but published updates and public names."""

from datetime import datetime

from incident_squad.domain.update import StatusUpdate
from incident_squad.domain.values import Moment, Value
from incident_squad.pages.render import page
from incident_squad.pages.web import Answer

CACHE = {"Cache-Control": "public, max-age=15", "X-Robots-Tag": "all"}


class PublicIncident(Value):
    """What customers may know of an incident: its public name and updates, the newest first."""

    name: str
    started: Moment
    open: bool
    updates: tuple[StatusUpdate, ...]


class PublicStatus(Value):
    """What customers may know of everything. `services` are public names, with "is affected"."""

    company: str
    language: str
    services: tuple[tuple[str, bool], ...]
    incidents: tuple[PublicIncident, ...]


def status_page(status: PublicStatus, now: datetime) -> Answer:
    """The page for customers."""
    content = {
        "language": status.language,
        "company": status.company,
        "services": status.services,
        "open": [item for item in status.incidents if item.open],
        "past": [item for item in status.incidents if not item.open],
        "now": now,
    }
    return page("status", content, headers=CACHE)


def status_json(status: PublicStatus) -> dict[str, object]:
    """The same for programs: internal texts are left out, field by field."""
    return {
        "services": [
            {"name": name, "status": "affected" if affected else "running"}
            for name, affected in status.services
        ],
        "incidents": [
            {
                "name": item.name,
                "open": item.open,
                "updates": [
                    update.model_dump(
                        mode="json", include={"state", "at", "external", "next_due_at"}
                    )
                    for update in item.updates
                ],
            }
            for item in status.incidents
        ],
    }
