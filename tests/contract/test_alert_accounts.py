"""Alerts are conserved over every store: what came in is what was counted, whatever crashes."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from incident_squad.domain.alert import Alert, AlertStatus, Source
from incident_squad.domain.errors import SquadError
from incident_squad.domain.outcome import Cause, Count, OutcomeKind
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import Severity
from incident_squad.ports import IncidentQuery
from incident_squad.steps.alert_accounts import AlertAccounts
from incident_squad.steps.receive_alert import ReceiveAlert
from tests.builders import NOW, a_catalog, a_triage, an_alert, later
from tests.contract.stores import Stores, together
from tests.fakes import MemoryKnowledge, MemoryWorkflow

DAY = "20261122"
OPENED, ATTACHED = OutcomeKind.OPENED, OutcomeKind.ATTACHED
WRITES = {
    "open", "change", "attach", "claim", "release", "append", "start", "count", "number",
    "state_severity",
}  # fmt: skip


class Crashed(SquadError):
    """The function died here."""


class Crashing:
    """Stands before a port and raises at a call that writes, before or after the write."""

    def __init__(self, inner: object, crash: Callable[[], bool], *, after: bool) -> None:
        self._inner, self._crash, self._after = inner, crash, after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)
        return self._write(call) if name in WRITES else call

    def _write(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def write(*args: Any, **named: Any) -> Any:
            crash = self._crash()
            if crash and not self._after:
                raise Crashed
            result = call(*args, **named)
            if crash:
                raise Crashed
            return result

        return write


def judged(alert: Alert) -> Triage:
    return a_triage(service=alert.service, severity=Severity(alert.labels.get("sev", "SEV2")))


def receiver(stores: Stores, incidents: Any, timeline: Any, workflow: Any) -> ReceiveAlert:
    knowledge = MemoryKnowledge(a_catalog(), {})
    return ReceiveAlert(incidents, timeline, workflow, knowledge, stores.clock, judged)


def kinds(stores: Stores) -> Counter[OutcomeKind]:
    found: Counter[OutcomeKind] = Counter()
    for count in stores.incidents.counted(DAY):
        found[count.outcome] += count.number
    return found


def test_counts_add_up_from_all_sides(stores: Stores) -> None:
    one = Count(source="generic", outcome=OutcomeKind.REJECTED, cause=Cause.MALFORMED)
    together(*(lambda: stores.incidents.count([one, one]) for _ in range(8)))
    stores.incidents.count([one.model_copy(update={"number": -1})])
    assert stores.incidents.counted(DAY) == (one.model_copy(update={"number": 15}),)
    assert stores.incidents.counted("20261121") == ()


def test_an_opening_that_fails_counts_nothing(stores: Stores) -> None:
    stores.open(1)
    opened = (Count(source="generic", outcome=OPENED, cause=Cause.NEW),)
    held = an_alert(key="key-20261122-1")
    other = stores.incidents.get("INC-20261122-00001").model_copy(
        update={"id": "INC-20261122-00002"}
    )
    assert stores.incidents.open(other, held, later(hours=1), opened) == "INC-20261122-00001"
    assert not stores.incidents.counted(DAY)


def test_what_fires_is_known_without_reading_a_storm(stores: Stores) -> None:
    incident = stores.open(1)
    keys = [f"k{n}" for n in range(5)]
    for key in keys:
        stores.incidents.attach(incident.id, an_alert(key=key))
    for key in ["key-20261122-1", *keys]:
        assert stores.incidents.still_firing(incident.id)
        done = an_alert(key=key, status=AlertStatus.RESOLVED, received_at=later(seconds=1))
        stores.incidents.attach(incident.id, done)
        stores.incidents.attach(incident.id, an_alert(key=key))  # older news change nothing
    assert not stores.incidents.still_firing(incident.id)


def test_a_storm_is_read_in_part_and_its_first_alert_is_in_it(stores: Stores) -> None:
    incident = stores.open(1, opening_key="key-20261122-1")
    for n in range(12):
        stores.incidents.attach(incident.id, an_alert(key=f"k{n}", received_at=later(seconds=n)))
    found = stores.incidents.alerts(incident.id, 4)
    assert len(found) == 4
    assert found[0].key == "key-20261122-1"
    assert len(stores.incidents.alerts(incident.id)) == 13


def test_a_severity_is_only_ever_raised(stores: Stores) -> None:
    incident = stores.open(1)
    assert not stores.incidents.state_severity(incident.id, Severity.SEV3)
    stores.incidents.change(incident.id, severity=Severity.SEV3)
    assert not stores.incidents.state_severity(incident.id, Severity.SEV4)
    assert stores.incidents.state_severity(incident.id, Severity.SEV1)
    assert not stores.incidents.state_severity(incident.id, Severity.SEV2)
    assert not stores.incidents.state_severity(incident.id, Severity.SEV1)
    found = stores.incidents.get(incident.id)
    assert (found.severity, found.stated_severity) == (Severity.SEV1, Severity.SEV1)


def test_what_happens_is_numbered(stores: Stores) -> None:
    incident = stores.open(1)
    numbers: list[int] = []
    together(*(lambda: numbers.append(stores.incidents.number(incident.id, "A")) for _ in "12345"))
    assert sorted(numbers) == [1, 2, 3, 4, 5]
    assert stores.incidents.number(incident.id, "B") == 1


STORY: list[dict[str, Any]] = [
    {"key": "k1", "started_at": NOW},
    {"key": "k1", "started_at": NOW},
    {"key": "k2", "started_at": NOW, "labels": {"sev": "SEV1"}},
    {"key": "k1", "status": AlertStatus.RESOLVED, "ended_at": later(minutes=1)},
    {"key": "k1", "started_at": NOW},
    {"key": "k3", "status": AlertStatus.RESOLVED, "ended_at": later(minutes=1)},
    {"key": "k3", "started_at": NOW},
    {"key": "k2", "status": AlertStatus.RESOLVED, "ended_at": later(minutes=1)},
    {"key": "k4", "status": AlertStatus.INFORMATION},
]


def test_every_delivery_ends_as_one_outcome_and_is_counted(stores: Stores) -> None:
    receive = receiver(stores, stores.incidents, stores.timeline, MemoryWorkflow())
    outcomes = [receive([an_alert(**said)])[0] for said in STORY]
    assert kinds(stores) == Counter(outcome.outcome for outcome in outcomes)
    causes = {count.cause for count in stores.incidents.counted(DAY)}
    assert {Cause.LATE, Cause.SENT_AGAIN, Cause.SAME_FAULT, Cause.NOTHING_OPEN} <= causes

    told = AlertAccounts(stores.incidents, stores.clock)("2026-11-22")
    assert told["received"] == sum(told["outcomes"].values()) == len(STORY)
    assert told["outcomes"] == {"opened": 1, "attached": 4, "suppressed": 4, "rejected": 0}
    assert {row["source"] for row in told["counts"]} == {Source.ALERTMANAGER.value}


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("place", range(0, 44, 4))
def test_after_a_crash_nothing_is_lost_or_doubled(stores: Stores, place: int, after: bool) -> None:
    """Deliveries = answered ones + the one that crashed, if it was stored; incidents = opened."""
    calls = iter(range(10_000))

    def crash() -> bool:
        return next(calls) == place

    workflow = MemoryWorkflow()
    ports = [
        Crashing(port, crash, after=after) for port in (stores.incidents, stores.timeline, workflow)
    ]
    receive = receiver(stores, *ports)
    answered = 0
    for said in STORY:
        try:
            receive([an_alert(**said, received_at=stores.clock.moment)])
        except Crashed:
            stores.clock.sleep(30)
            receive([an_alert(**said, received_at=stores.clock.moment)])
        answered += 1

    (incident,) = stores.incidents.list(IncidentQuery()).incidents
    counted = kinds(stores)
    assert counted[OPENED] == 1
    assert answered <= counted.total() <= answered + 1
    assert not stores.incidents.still_firing(incident.id)
    assert stores.incidents.get(incident.id).source_resolved_at is not None
    states = {alert.key: alert.status for alert in stores.incidents.alerts(incident.id)}
    assert states == {"k1": AlertStatus.RESOLVED, "k2": AlertStatus.RESOLVED}
    assert not stores.timeline.problems(incident.id)
    assert len({start.incident_id for start in workflow.starts}) <= 1


def test_a_day_is_asked_for_as_a_day(stores: Stores) -> None:
    accounts = AlertAccounts(stores.incidents, stores.clock)
    assert accounts(None)["day"] == "2026-11-22"
    for odd in ("yesterday", "2026-1-1", "2026-11-22T00", "٢٠٢٦-11-22"):
        with pytest.raises(SquadError):
            accounts(odd)
    assert isinstance(stores.clock.moment, datetime)
