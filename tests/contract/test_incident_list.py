"""The list of incidents: one contract for every store."""

from typing import Any

import pytest

from incident_squad.domain.errors import (
    InvalidParameter,
)
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.values import IncidentType, Severity
from incident_squad.ports import IncidentQuery
from tests.contract.stores import Stores


def test_the_list_is_newest_first_and_pages_through_everything_once(stores: Stores) -> None:
    for number in (3, 1, 5, 2, 4):
        stores.open(number)
    assert stores.listed() == [f"20261122-0000{n}" for n in (5, 4, 3, 2, 1)]
    seen, after = [], None
    while True:
        page = stores.incidents.list(IncidentQuery(limit=2, after=after))
        seen += [incident.id[-1] for incident in page.incidents]
        after = page.next
        if after is None:
            break
    assert seen == ["5", "4", "3", "2", "1"]


def test_a_page_that_is_just_full_is_the_last_one(stores: Stores) -> None:
    for number in (1, 2):
        stores.open(number)
    assert stores.incidents.list(IncidentQuery(limit=2)).next is None


def test_an_incident_opened_meanwhile_disturbs_no_page(stores: Stores) -> None:
    for number in (1, 2, 3):
        stores.open(number)
    first = stores.incidents.list(IncidentQuery(limit=1))
    stores.open(4)
    rest = stores.incidents.list(IncidentQuery(limit=9, after=first.next))
    assert [incident.id[-1] for incident in rest.incidents] == ["2", "1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": IncidentStatus.RESOLVED}, ["5"]),
        ({"open_only": True}, ["4", "3", "2", "1"]),
        ({"service": "orders"}, ["5", "3", "2"]),
        ({"severity": Severity.SEV1}, ["5", "2"]),
        ({"type": IncidentType.NETWORK}, ["3", "2"]),
        ({"service": "orders", "open_only": True}, ["3", "2"]),
        ({"service": "orders", "type": IncidentType.NETWORK, "severity": Severity.SEV1}, ["2"]),
        ({"status": IncidentStatus.FIXING, "service": "search"}, ["4"]),
        ({"status": IncidentStatus.RESOLVED, "open_only": True}, []),
        ({"first": "20261121"}, ["5", "4", "3", "2"]),
        ({"last": "20261121"}, ["3", "2", "1"]),
        ({"first": "20261121", "last": "20261121"}, ["3", "2"]),
        ({"first": "20261121", "last": "20261121", "severity": Severity.SEV1}, ["2"]),
        ({"first": "20261123"}, []),
        ({"first": "20261122", "last": "20261120"}, []),
        ({"service": "nobody"}, []),
        ({"open_only": True, "limit": 3}, ["4", "3", "2"]),
    ],
)
def test_the_list_answers_by_any_filters(
    stores: Stores, query: dict[str, Any], found: list[str]
) -> None:
    sev1, network = {"severity": Severity.SEV1}, {"type": IncidentType.NETWORK}
    stores.open(1, day="20261120", service=None, type=IncidentType.DATABASE)
    stores.open(2, day="20261121", status=IncidentStatus.HANDED_OVER, **network, **sev1)
    stores.open(3, day="20261121", status=IncidentStatus.FIXING, **network)
    stores.open(4, service="search", status=IncidentStatus.FIXING)
    stores.open(5, status=IncidentStatus.RESOLVED, **sev1)
    assert [name[-1] for name in stores.listed(**query)] == found


def test_a_changed_incident_moves_in_the_list(stores: Stores) -> None:
    stores.open(1)
    stores.incidents.change("INC-20261122-00001", status=IncidentStatus.RESOLVED, service="x")
    assert stores.listed(status=IncidentStatus.TRIAGING) == []
    assert stores.listed(open_only=True) == []
    assert stores.listed(service="orders") == []
    assert stores.listed(service="x", status=IncidentStatus.RESOLVED) == ["20261122-00001"]


@pytest.mark.parametrize("cursor", ["", "!", "QUJD", "SU5DIw", "é", "A" * 500, "SU5DLTIwMjYxMTIy"])
def test_a_foreign_cursor_is_refused(stores: Stores, cursor: str) -> None:
    with pytest.raises(InvalidParameter):
        stores.incidents.list(IncidentQuery(after=cursor))
