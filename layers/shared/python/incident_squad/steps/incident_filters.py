"""The filters of the incident list, as they stand in an address."""

import re
from collections.abc import Mapping

from pydantic import ValidationError

from incident_squad.domain.errors import InvalidParameter
from incident_squad.ports import IncidentQuery

FILTERS = ("status", "severity", "type", "service", "from", "to", "limit", "next")

_DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:T.*)?")


def query_of(address: Mapping[str, str]) -> IncidentQuery:
    """The query that the filters ask for; raises InvalidParameter naming what is wrong."""
    try:
        return IncidentQuery.model_validate(_fields(address))
    except ValidationError as error:
        names = {"first": "from", "last": "to", "after": "next"}
        wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
        asked = ", ".join(sorted(names.get(name, name) for name in wrong))
        raise InvalidParameter(f"check {asked}") from error


def _fields(address: Mapping[str, str]) -> dict[str, object]:
    given = {name: address[name].strip() for name in FILTERS if address.get(name)}
    status = given.get("status")
    return {
        "status": None if status == "open" else status or None,
        "open_only": status == "open",
        "severity": given.get("severity", "").upper() or None,
        "type": given.get("type") or None,
        "service": given.get("service") or None,
        "first": _day(given.get("from")),
        "last": _day(given.get("to")),
        "limit": given.get("limit") or "50",
        "after": given.get("next") or None,
    }


def _day(text: str | None) -> str | None:
    if not text:
        return None
    found = _DAY.fullmatch(text)
    if found is None:
        raise InvalidParameter("a day is written YYYY-MM-DD")
    return "".join(found.groups())
