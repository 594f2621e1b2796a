"""Alerts are conserved: each ends as exactly one outcome, and one storm is one incident."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_squad.domain.alert import Alert, AlertStatus
from incident_squad.domain.errors import SquadError, TransientFailure
from incident_squad.domain.incident import Incident, IncidentStatus, Stage
from incident_squad.domain.incident_id import new_incident_id
from incident_squad.domain.outcome import Cause, Count, Outcome, OutcomeKind
from incident_squad.domain.triage import RunbookCandidate, Triage
from incident_squad.domain.values import Environment, IncidentType, Severity
from incident_squad.ports import IncidentQuery
from incident_squad.steps.receive_alert import ReceiveAlert
from tests.builders import a_catalog, a_triage, an_alert, later
from tests.fakes import (
    FixedClock,
    MemoryIncidents,
    MemoryKnowledge,
    MemoryTimeline,
    MemoryWorkflow,
)

RESOLVED = AlertStatus.RESOLVED
MINUTE = timedelta(minutes=1)


def judged(alert: Alert) -> Triage:
    """A triager that reads its answer from labels."""
    return a_triage(
        type=IncidentType(alert.labels.get("type", "database")),
        severity=Severity(alert.labels.get("sev", "SEV2")),
        service=alert.service,
        environment=alert.environment or Environment.PRODUCTION,
        noise="noise" in alert.labels,
        runbooks=(RunbookCandidate(runbook_id=alert.labels.get("runbook", "pool"), score=0.9),),
    )


def services() -> MemoryKnowledge:
    common = {"public_name": {"en": "X"}, "tier": "standard", "owner": "orders-team"}
    catalog = a_catalog(
        services={
            "shop": {**common, "depends_on": ["orders"]},
            "orders": {**common, "depends_on": ["orders-db"]},
            "orders-db": common,
        },
    )
    return MemoryKnowledge(catalog, {})


class Squad:
    """ReceiveAlert over stores in memory."""

    def __init__(self, clock: FixedClock | None = None) -> None:
        self.clock = clock or FixedClock()
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        self.workflow = MemoryWorkflow()
        self.receive = ReceiveAlert(
            self.incidents, self.timeline, self.workflow, services(), self.clock, judged
        )

    def say(self, key: str = "k1", **fields: Any) -> Outcome:
        known = {"received_at": self.clock.moment, **fields}
        (outcome,) = self.receive([an_alert(key=key, **known)])
        return outcome

    def opened(self) -> tuple[Incident, ...]:
        return self.incidents.list(IncidentQuery(limit=100)).incidents

    def events(self) -> list[str]:
        return [event.event for i in self.opened() for event in self.timeline.read(i.id)]

    def close(self, outcome: Outcome) -> None:
        assert outcome.incident_id
        self.incidents.change(outcome.incident_id, status=IncidentStatus.RESOLVED, stage=Stage.DONE)


@pytest.fixture
def squad() -> Squad:
    return Squad()


def test_an_alert_opens_an_incident_and_starts_its_workflow(squad: Squad) -> None:
    outcome = squad.say(title="No connections left")

    assert outcome.outcome is OutcomeKind.OPENED
    (incident,) = squad.opened()
    assert incident.id == outcome.incident_id
    assert (incident.title, incident.service, incident.source) == (
        "No connections left",
        "orders",
        "alertmanager",
    )
    assert squad.events() == ["AlertReceived"]
    assert [start.incident_id for start in squad.workflow.starts] == [incident.id]


def test_the_same_alert_again_is_counted_and_not_told(squad: Squad) -> None:
    first = squad.say()
    squad.clock.sleep(5)
    again = squad.say()

    assert (again.outcome, again.incident_id) == (OutcomeKind.ATTACHED, first.incident_id)
    assert squad.events() == ["AlertReceived"]
    (alert,) = squad.incidents.alerts(first.incident_id or "")
    assert alert.sent == 2


def test_alerts_of_the_same_service_go_together(squad: Squad) -> None:
    first = squad.say("k1")
    second = squad.say("k2", labels={"type": "application"})

    assert (second.outcome, second.incident_id) == (OutcomeKind.ATTACHED, first.incident_id)
    assert squad.events() == ["AlertReceived", "AlertAttached"]


def test_alerts_of_a_direct_dependency_and_the_same_type_go_together(squad: Squad) -> None:
    first = squad.say("k1", service="orders")
    below = squad.say("k2", service="orders-db")
    above = squad.say("k3", service="shop")
    assert {below.incident_id, above.incident_id} == {first.incident_id}


def test_another_type_at_another_service_is_never_swallowed(squad: Squad) -> None:
    squad.say("k1", service="orders")
    other = squad.say("k2", service="orders-db", labels={"type": "security"})
    assert other.outcome is OutcomeKind.OPENED


@pytest.mark.parametrize(
    "fields",
    [
        {"service": "stranger"},
        {"service": None},
        {"environment": Environment.STAGING},
        {"labels": {"noise": "yes"}},
    ],
)
def test_what_has_nothing_to_do_with_it_opens_its_own_incident(
    squad: Squad, fields: dict[str, Any]
) -> None:
    squad.say("k1")
    assert squad.say("k2", **fields).outcome is OutcomeKind.OPENED


def test_a_real_alert_never_ends_in_the_incident_of_a_drill(squad: Squad) -> None:
    squad.say("k1", labels={"noise": "yes"})
    assert squad.say("k2").outcome is OutcomeKind.OPENED


def test_an_incident_that_heard_nothing_for_long_takes_no_new_alerts(squad: Squad) -> None:
    first = squad.say("k1")
    squad.clock.sleep(25 * 60)
    assert squad.say("k2").incident_id == first.incident_id
    squad.clock.sleep(25 * 60)
    assert squad.say("k3").incident_id == first.incident_id
    squad.clock.sleep(31 * 60)
    assert squad.say("k4").outcome is OutcomeKind.OPENED
    assert squad.say("k1").incident_id == first.incident_id


def test_a_worse_alert_raises_the_severity(squad: Squad) -> None:
    first = squad.say("k1")
    squad.incidents.change(first.incident_id or "", severity=Severity.SEV3)
    squad.say("k2", labels={"sev": "SEV1"})
    squad.say("k3", labels={"sev": "SEV4"})

    assert squad.opened()[0].severity is Severity.SEV1
    assert squad.events().count("SeverityRaised") == 1


def test_the_source_has_resolved_when_all_its_alerts_have(squad: Squad) -> None:
    first = squad.say("k1")
    squad.say("k2")

    squad.say("k1", status=RESOLVED)
    assert squad.opened()[0].source_resolved_at is None
    last = squad.say("k2", status=RESOLVED)

    assert (last.outcome, last.incident_id) == (OutcomeKind.RESOLVED, first.incident_id)
    assert squad.opened()[0].source_resolved_at == squad.clock.moment
    assert squad.events()[-2:] == ["AlertResolved", "AlertResolved"]
    assert squad.incidents.holder_of("k1") is None


def test_a_resolve_with_nothing_open_is_suppressed_with_a_reason(squad: Squad) -> None:
    outcome = squad.say(status=RESOLVED)
    assert outcome.outcome is OutcomeKind.SUPPRESSED
    assert "nothing is open" in outcome.reason
    squad.say()
    squad.say(status=RESOLVED)
    assert squad.say(status=RESOLVED).outcome is OutcomeKind.SUPPRESSED
    assert squad.events().count("AlertResolved") == 1


def test_what_fires_again_is_seen_on_the_open_incident(squad: Squad) -> None:
    first = squad.say(started_at=later())
    squad.say(status=RESOLVED, ended_at=later(minutes=1))
    again = squad.say(started_at=later(minutes=2))

    assert (again.outcome, again.incident_id) == (OutcomeKind.ATTACHED, first.incident_id)
    assert squad.events()[-1] == "AlertFiredAgain"
    assert squad.opened()[0].source_resolved_at is None
    assert squad.say(status=RESOLVED, ended_at=later(minutes=3)).outcome is OutcomeKind.RESOLVED


def test_flapping_without_a_service_is_one_incident_too(squad: Squad) -> None:
    squad.say(service=None)
    for _ in range(5):
        squad.say(service=None, status=RESOLVED)
        squad.say(service=None)
    assert len(squad.opened()) == 1


@pytest.mark.parametrize("resolve_first", [True, False])
def test_what_fires_after_the_end_opens_a_new_incident(squad: Squad, resolve_first: bool) -> None:
    first = squad.say()
    if resolve_first:
        squad.say(status=RESOLVED)
    squad.close(first)
    again = squad.say()
    assert again.outcome is OutcomeKind.OPENED
    assert again.incident_id != first.incident_id


def test_what_fires_while_its_incident_is_being_closed_opens_a_new_one(squad: Squad) -> None:
    first = squad.say()
    squad.incidents.change(first.incident_id or "", stage=Stage.CLOSE)
    assert squad.say("k2").outcome is OutcomeKind.OPENED


def test_what_fires_at_the_very_moment_of_closing_does_not_vanish(squad: Squad) -> None:
    class ClosingMeanwhile(MemoryIncidents):
        def attach(self, incident_id: str, alert: Alert, counts: Sequence[Count] = ()) -> None:
            super().attach(incident_id, alert, counts)
            self.change(incident_id, status=IncidentStatus.RESOLVED, stage=Stage.DONE)

    squad.incidents = ClosingMeanwhile(squad.clock)
    squad.timeline = MemoryTimeline(squad.incidents, squad.clock)
    squad.receive = ReceiveAlert(
        squad.incidents, squad.timeline, squad.workflow, services(), squad.clock, judged
    )
    first = squad.say("k1")
    second = squad.say("k2")
    assert second.outcome is OutcomeKind.OPENED
    assert second.incident_id != first.incident_id
    assert squad.incidents.holder_of("k2") == second.incident_id


def test_a_service_that_somebody_else_is_opening_for_too_long_is_left_to_a_later_try(
    squad: Squad,
) -> None:
    class Busy(MemoryIncidents):
        def claim(self, key: str, incident_id: str, until: datetime) -> str:
            opening = key.startswith("opening:")
            return "somebody" if opening else super().claim(key, incident_id, until)

    receive = ReceiveAlert(
        Busy(squad.clock), squad.timeline, squad.workflow, services(), squad.clock, judged
    )
    with pytest.raises(TransientFailure):
        receive([an_alert()])
    assert squad.clock.slept < 10


def test_late_deliveries_change_nothing(squad: Squad) -> None:
    squad.say(started_at=later())
    squad.say(status=RESOLVED, ended_at=later(minutes=5))
    late = squad.say(started_at=later())
    assert late.outcome is OutcomeKind.SUPPRESSED

    squad.say(started_at=later(minutes=6))
    late = squad.say(status=RESOLVED, ended_at=later(minutes=5))
    assert late.outcome is OutcomeKind.SUPPRESSED
    assert squad.opened()[0].source_resolved_at is None


def test_news_about_a_known_alert_is_noted_once(squad: Squad) -> None:
    first = squad.say()
    news: dict[str, Any] = {
        "status": AlertStatus.INFORMATION,
        "labels": {"event_type": "ack", "event_id": "e1"},
    }
    noted, repeated = squad.say(**news), squad.say(**news)

    assert (noted.outcome, noted.incident_id) == (OutcomeKind.ATTACHED, first.incident_id)
    assert repeated.outcome is OutcomeKind.SUPPRESSED
    assert squad.events() == ["AlertReceived", "AlertAttached"]
    assert squad.say(status=RESOLVED).outcome is OutcomeKind.RESOLVED
    assert squad.opened()[0].source_resolved_at is not None


def test_news_about_nothing_known_is_ignored(squad: Squad) -> None:
    assert squad.say(status=AlertStatus.INFORMATION).outcome is OutcomeKind.IGNORED
    assert not squad.opened()


def test_missing_data_opens_an_incident(squad: Squad) -> None:
    assert squad.say(status=AlertStatus.NO_DATA).outcome is OutcomeKind.OPENED


def test_a_group_that_heals_one_fault_and_brings_another_never_looks_healed(squad: Squad) -> None:
    squad.say("k1")
    resolved, firing = squad.receive([an_alert(key="k1", status=RESOLVED), an_alert(key="k2")])

    assert (resolved.outcome, firing.outcome) == (OutcomeKind.RESOLVED, OutcomeKind.ATTACHED)
    assert squad.opened()[0].source_resolved_at is None
    assert squad.events() == ["AlertReceived", "AlertAttached", "AlertResolved"]


SYMPTOM, CERT = {"runbook": "net-latency"}, {"runbook": "net-certificate-expiry"}


def test_another_cause_at_the_same_service_opens_its_own_incident(squad: Squad) -> None:
    storm = squad.say("k1")
    other = squad.say("k2", labels=CERT)
    assert other.outcome is OutcomeKind.OPENED
    assert squad.say("k3", labels=CERT).incident_id == other.incident_id
    assert squad.say("k4").incident_id == storm.incident_id
    assert squad.say("k5", labels=SYMPTOM).incident_id == storm.incident_id


def test_a_break_in_during_a_storm_opens_its_own_incident(squad: Squad) -> None:
    squad.say("k1", labels=SYMPTOM)
    assert squad.say("k2", labels={"type": "security"}).outcome is OutcomeKind.OPENED


def test_symptoms_take_the_first_cause_and_no_second_one(squad: Squad) -> None:
    felt = squad.say("k1", service="shop", labels=SYMPTOM)
    cause = squad.say("k2", service="orders-db")
    assert cause.incident_id == felt.incident_id
    incident = squad.incidents.get(felt.incident_id or "")
    assert (incident.cause, incident.lead_key, incident.opening_key) == ("pool", "k2", "k1")
    assert squad.say("k3", service="orders", labels=CERT).outcome is OutcomeKind.OPENED
    assert squad.say("k4", service="orders", labels=SYMPTOM).incident_id == felt.incident_id


def test_a_cause_above_is_no_consequence_of_what_is_below(squad: Squad) -> None:
    squad.say("k1", service="orders-db")
    assert squad.say("k2", service="shop", labels=CERT).outcome is OutcomeKind.OPENED


def test_a_cause_that_hits_everybody_is_one_incident(squad: Squad) -> None:
    dns = {"runbook": "net-dns-failure"}
    first = squad.say("k1", service="stranger", labels=dns)
    assert squad.say("k2", service="orders", labels=dns).incident_id == first.incident_id


def test_alerts_of_one_host_that_nobody_knows_are_one_incident(squad: Squad) -> None:
    first = squad.say("k1", service=None, resource="db-77")
    assert squad.say("k2", service=None, resource="DB-77").incident_id == first.incident_id
    assert squad.say("k3", service="search", resource="db-77").incident_id == first.incident_id
    assert squad.say("k4", service=None, resource="db-78").outcome is OutcomeKind.OPENED


def test_an_incident_in_human_hands_still_takes_its_alerts(squad: Squad) -> None:
    first = squad.say("k1")
    squad.incidents.change(
        first.incident_id or "", status=IncidentStatus.HANDED_OVER, stage=Stage.DONE
    )
    assert squad.say("k1").incident_id == first.incident_id
    assert squad.say("k2").incident_id == first.incident_id
    squad.incidents.change(first.incident_id or "", stage=Stage.CLOSE)
    assert squad.say("k3").outcome is OutcomeKind.OPENED


def test_a_resolve_that_comes_first_is_remembered(squad: Squad) -> None:
    squad.say(status=RESOLVED, ended_at=later(minutes=1))
    late = squad.say(started_at=later())
    assert (late.outcome, late.cause) == (OutcomeKind.SUPPRESSED, Cause.LATE)
    assert not squad.opened()
    assert squad.say(started_at=later(minutes=1)).outcome is OutcomeKind.OPENED


def test_an_old_firing_after_the_incident_was_closed_opens_nothing(squad: Squad) -> None:
    first = squad.say(started_at=later())
    squad.say(status=RESOLVED, ended_at=later(minutes=5))
    squad.close(first)
    assert squad.say(started_at=later()).cause is Cause.LATE
    squad.say(status=RESOLVED, ended_at=later(minutes=1))
    assert squad.say(started_at=later(minutes=3)).cause is Cause.LATE
    assert squad.say(started_at=later(minutes=6)).outcome is OutcomeKind.OPENED


def test_what_says_no_time_is_never_taken_for_late(squad: Squad) -> None:
    squad.say(status=RESOLVED, ended_at=later(minutes=1))
    assert squad.say().outcome is OutcomeKind.OPENED


def quiet(squad: Squad) -> None:
    window = {"services": ["orders"], "reason": "new disks", "start": later(), "end": later(days=1)}
    catalog = a_catalog(maintenance={"disks": window})
    squad.receive = ReceiveAlert(
        squad.incidents,
        squad.timeline,
        squad.workflow,
        MemoryKnowledge(catalog, {}),
        squad.clock,
        judged,
    )


def test_maintenance_suppresses_with_its_reason_and_takes_what_is_already_open(
    squad: Squad,
) -> None:
    first = squad.say("k1")
    quiet(squad)
    assert squad.say("k1").incident_id == first.incident_id
    told = squad.say("k2")
    assert (told.outcome, told.cause) == (OutcomeKind.SUPPRESSED, Cause.MAINTENANCE)
    assert "new disks" in told.reason
    assert squad.say("k1", status=RESOLVED).outcome is OutcomeKind.RESOLVED
    squad.clock.sleep(86_400)
    assert squad.say("k2").outcome is OutcomeKind.OPENED


def test_what_is_beyond_the_time_of_a_request_is_sent_again(squad: Squad) -> None:
    class Slow(MemoryIncidents):
        def holder_of(self, key: str) -> str | None:
            squad.clock.sleep(4)
            return super().holder_of(key)

    squad.incidents = Slow(squad.clock)
    squad.timeline = MemoryTimeline(squad.incidents, squad.clock)
    squad.receive = ReceiveAlert(
        squad.incidents, squad.timeline, squad.workflow, services(), squad.clock, judged
    )
    outcomes = squad.receive([an_alert(key=f"k{n}") for n in range(10)])
    late = [outcome for outcome in outcomes if outcome.cause is Cause.OUT_OF_TIME]
    assert late
    assert {outcome.outcome for outcome in late} == {OutcomeKind.REJECTED}
    assert outcomes[0].outcome is OutcomeKind.OPENED


def test_a_flapping_storm_is_told_in_short(squad: Squad) -> None:
    squad.say("other")
    for n in range(60):
        squad.say(started_at=later(minutes=n))
        squad.say(status=RESOLVED, ended_at=later(minutes=n, seconds=30))
    assert len(squad.opened()) == 1
    assert len(squad.events()) < 50
    last = squad.timeline.read(squad.opened()[0].id)[-1]
    assert "40 times so far" in last.summary


class RealSleep(FixedClock):
    """Time stands still, but who waits lets the others go on."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 10)


def test_a_storm_at_the_same_moment_is_one_incident() -> None:
    squad = Squad(RealSleep())
    ready = threading.Barrier(20)

    def send(n: int) -> Outcome:
        ready.wait()
        return squad.say(f"k{n // 2}")

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(send, range(20)))

    assert len(squad.opened()) == 1
    assert sum(o.outcome is OutcomeKind.OPENED for o in outcomes) == 1
    assert {o.incident_id for o in outcomes} == {squad.opened()[0].id}
    assert len(squad.incidents.alerts(squad.opened()[0].id)) == 10


def test_incidents_that_open_in_the_same_tick_get_ids_of_their_own(squad: Squad) -> None:
    for n in range(20):
        assert squad.say(f"k{n}", service=f"s{n}").outcome is OutcomeKind.OPENED
    assert len(squad.opened()) == 20


def test_a_scope_of_a_crashed_opening_is_taken_over(squad: Squad) -> None:
    squad.incidents.claim("service:production:orders", "INC-20261122-00000", later(days=1))
    assert squad.say().outcome is OutcomeKind.OPENED
    assert squad.clock.slept <= 2


def test_an_incident_that_could_not_be_started_is_accepted(squad: Squad) -> None:
    class Throttled(MemoryWorkflow):
        def start(self, incident: Incident) -> None:
            raise TransientFailure("throttled")

    squad.receive = ReceiveAlert(
        squad.incidents, squad.timeline, Throttled(), services(), squad.clock, judged
    )
    assert squad.say().outcome is OutcomeKind.OPENED


class Crashing:
    """Stands before a port and raises at the nth call that writes, before or after the write."""

    def __init__(self, inner: object, crash: Callable[[], bool], *, after: bool) -> None:
        self._inner, self._crash, self._after = inner, crash, after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)
        writes = {"open", "change", "attach", "claim", "release", "append", "start"}
        return self._write(call) if name in writes else call

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


class Crashed(SquadError):
    """The function died here."""


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("place", range(20))
def test_after_a_crash_at_any_write_the_sender_s_next_try_mends_all(
    squad: Squad, place: int, after: bool
) -> None:
    counter = iter(range(10_000))

    def crash() -> bool:
        return next(counter) == place

    ports: list[Any] = [
        Crashing(port, crash, after=after)
        for port in (squad.incidents, squad.timeline, squad.workflow)
    ]
    squad.receive = ReceiveAlert(ports[0], ports[1], ports[2], services(), squad.clock, judged)
    story: list[dict[str, Any]] = [
        {"key": "k1", "started_at": later()},
        {"key": "k2", "started_at": later()},
        {"key": "k1", "status": RESOLVED, "ended_at": later(minutes=1)},
        {"key": "k2", "status": RESOLVED, "ended_at": later(minutes=1)},
        {"key": "k2", "started_at": later(minutes=2)},
    ]
    for said in story:
        try:
            squad.say(**said)
        except Crashed:
            squad.clock.sleep(30)
            squad.say(**said)

    (incident,) = squad.opened()
    assert incident.source_resolved_at is None
    states = {alert.key: alert.status for alert in squad.incidents.alerts(incident.id)}
    assert states == {"k1": RESOLVED, "k2": AlertStatus.FIRING}
    assert squad.incidents.holder_of("k2") == incident.id
    assert len(squad.workflow.starts) == 1
    told = squad.events()
    wanted = {"AlertReceived", "AlertAttached", "AlertResolved", "AlertFiredAgain"}
    assert set(told) == wanted
    assert not squad.timeline.problems(incident.id)


def test_ids_are_in_the_order_of_time() -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    assert new_incident_id(moment) == "INC-20261122-00000"
    ids = [new_incident_id(moment + timedelta(milliseconds=3 * n)) for n in range(2000)]
    assert ids == sorted(set(ids))


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)), st.integers(0, 100))  # noqa: DTZ001
def test_every_moment_has_a_valid_id(moment: datetime, ticks: int) -> None:
    aware = moment.replace(tzinfo=UTC)
    found = new_incident_id(aware, ticks)
    Incident(id=found, title="t", source="s", opened_at=aware, updated_at=aware)
    assert found <= new_incident_id(aware, ticks + 1)
