"""Incidents, their alerts, and the claims on alerts' keys: one contract for every store."""

from typing import Any

import pytest

from incident_squad.domain.errors import (
    AuditFailure,
    InvalidParameter,
    TransientFailure,
    UnknownIncident,
)
from incident_squad.domain.incident import Stage
from incident_squad.domain.values import Severity
from tests.builders import (
    INCIDENT_ID,
    a_triage,
    an_alert,
    an_incident,
    later,
)
from tests.contract.stores import Stores, an_entry


def test_an_opened_incident_comes_back_as_it_was(stores: Stores) -> None:
    incident = an_incident(triage=a_triage(), severity=Severity.SEV2, service=None)
    alert = an_alert(labels={"zone": "é", "": "x"}, links=("https://a.example",), resource="")
    assert stores.incidents.open(incident, alert, later(hours=6)) == INCIDENT_ID
    assert stores.incidents.get(INCIDENT_ID) == incident
    assert stores.incidents.alerts(INCIDENT_ID) == (alert,)
    assert stores.incidents.holder_of(alert.key) == INCIDENT_ID


def test_the_same_alert_opens_one_incident(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=6))
    second = an_incident(id="INC-20261122-7F3KR")
    assert stores.incidents.open(second, an_alert(), later(hours=6)) == INCIDENT_ID
    with pytest.raises(UnknownIncident):
        stores.incidents.get(second.id)
    assert stores.incidents.alerts(second.id) == ()


def test_opening_again_after_a_crash_finds_the_incident(stores: Stores) -> None:
    for _ in range(2):
        opened = stores.incidents.open(an_incident(), an_alert(), later(hours=6))
        assert opened == INCIDENT_ID


def test_a_taken_id_is_worth_another_try_and_claims_nothing(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=6))
    other = an_alert(key="another")
    with pytest.raises(TransientFailure):
        stores.incidents.open(an_incident(), other, later(hours=6))
    assert stores.incidents.holder_of("another") is None
    assert stores.incidents.alert(INCIDENT_ID, "another") is None


def test_a_claim_that_ran_out_is_free_before_it_is_deleted(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(key="k"), later(minutes=5))
    stores.clock.moment = later(minutes=5)
    assert stores.incidents.holder_of("k") is None
    second = an_incident(id="INC-20261122-7F3KR")
    assert stores.incidents.open(second, an_alert(key="k"), later(hours=6)) == second.id
    assert stores.incidents.holder_of("k") == second.id


def test_a_claim_is_held_to_its_last_millisecond(stores: Stores) -> None:
    stores.incidents.claim("k", "INC-1", later(seconds=1))
    stores.clock.moment = later(milliseconds=999)
    assert stores.incidents.claim("k", "INC-2", later(hours=1)) == "INC-1"
    stores.clock.moment = later(seconds=1)
    assert stores.incidents.claim("k", "INC-2", later(hours=1)) == "INC-2"


def test_only_the_holder_prolongs_and_releases_a_claim(stores: Stores) -> None:
    assert stores.incidents.claim("k", "INC-1", later(minutes=1)) == "INC-1"
    assert stores.incidents.claim("k", "INC-2", later(hours=9)) == "INC-1"
    assert stores.incidents.claim("k", "INC-1", later(hours=9)) == "INC-1"
    stores.clock.moment = later(hours=8)
    stores.incidents.release("k", "INC-2")
    assert stores.incidents.holder_of("k") == "INC-1"
    stores.incidents.release("k", "INC-1")
    assert stores.incidents.holder_of("k") is None
    stores.incidents.release("k", "INC-1")


def test_a_newer_state_of_an_alert_replaces_the_older_one_in_its_place(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(key="a"), later(hours=6))
    stores.incidents.attach(INCIDENT_ID, an_alert(key="b", received_at=later(seconds=1)))
    stores.incidents.attach(INCIDENT_ID, an_alert(key="c", received_at=later(seconds=2)))
    newer = an_alert(key="a", received_at=later(seconds=9), status="resolved", service=None)
    stores.incidents.attach(INCIDENT_ID, newer)
    stores.incidents.attach(INCIDENT_ID, an_alert(key="a", received_at=later(seconds=5)))
    assert [a.key for a in stores.incidents.alerts(INCIDENT_ID)] == ["a", "b", "c"]
    assert stores.incidents.alert(INCIDENT_ID, "a") == newer


def test_the_alert_that_opened_the_incident_stays_first(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(key="opener"), later(hours=6))
    stores.incidents.attach(INCIDENT_ID, an_alert(key="early", received_at=later(seconds=-5)))
    for key in "xyz":
        stores.incidents.attach(INCIDENT_ID, an_alert(key=key))
    keys = [alert.key for alert in stores.incidents.alerts(INCIDENT_ID)]
    assert keys[:2] == ["opener", "early"]
    assert sorted(keys[2:]) == ["x", "y", "z"]


def test_change_sets_the_named_fields_and_the_time(stores: Stores) -> None:
    stores.incidents.open(an_incident(service="orders"), an_alert(), later(hours=6))
    stores.clock.moment = later(minutes=1)
    changed = stores.incidents.change(
        INCIDENT_ID, severity=Severity.SEV1, triage=a_triage(), service=None, stage=Stage.RESPOND
    )
    assert changed == stores.incidents.get(INCIDENT_ID)
    assert changed == an_incident(
        severity=Severity.SEV1,
        triage=a_triage(),
        service=None,
        stage=Stage.RESPOND,
        updated_at=later(minutes=1),
    )


@pytest.mark.parametrize("bad", [{"id": "INC-20261122-00001"}, {"colour": 1}, {"severity": "P1"}])
def test_change_refuses_what_an_incident_cannot_be(stores: Stores, bad: dict[str, Any]) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=6))
    with pytest.raises(InvalidParameter):
        stores.incidents.change(INCIDENT_ID, **bad)
    assert stores.incidents.get(INCIDENT_ID) == an_incident()


def test_nobody_knows_an_unknown_incident(stores: Stores) -> None:
    for act in (stores.incidents.get, stores.incidents.change, stores.timeline.problems):
        with pytest.raises(UnknownIncident):
            act(INCIDENT_ID)
    with pytest.raises(AuditFailure):
        stores.timeline.append(INCIDENT_ID, an_entry())
    assert stores.incidents.alerts(INCIDENT_ID) == ()
    assert stores.incidents.diagnosis(INCIDENT_ID) is None
    assert stores.incidents.plan(INCIDENT_ID) is None
    assert stores.incidents.report(INCIDENT_ID) is None
    assert stores.timeline.read(INCIDENT_ID) == ()
