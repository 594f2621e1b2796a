"""Triage judges an incident by its leading alert, and as bad as its worst one."""

from dataclasses import replace
from typing import Any

from incident_squad.contracts import IncidentInput, TriageOutput
from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.incident import Incident
from incident_squad.domain.model import ModelUse
from incident_squad.domain.triage import Triage as Judgement
from incident_squad.domain.values import IncidentType, Severity
from incident_squad.steps.triage import Triage
from tests.builders import INCIDENT_ID, a_triage, an_alert, an_incident, later
from tests.fakes import FixedClock, MemoryIncidents, MemoryTimeline


def judged(alert: Alert) -> Judgement:
    return a_triage(
        type=IncidentType(alert.labels.get("type", "application")),
        severity=Severity(alert.labels.get("sev", "SEV3")),
    )


class Squad:
    def __init__(self, **fields: Any) -> None:
        clock = FixedClock()
        self.incidents = MemoryIncidents(clock)
        self.timeline = MemoryTimeline(self.incidents, clock)
        first = an_alert(key="first")
        incident = an_incident(opening_key="first", **fields)
        self.incidents.open(incident, first, later(hours=1))
        self.triage = Triage(self.incidents, self.timeline, judged)

    def run(self) -> TriageOutput:
        return self.triage(IncidentInput(incident_id=INCIDENT_ID))

    def events(self) -> list[str]:
        return [event.event for event in self.timeline.read(INCIDENT_ID)]


def test_the_opening_alert_leads() -> None:
    squad = Squad()
    squad.incidents.attach(INCIDENT_ID, an_alert(key="other", labels={"type": "network"}))
    assert squad.run() == TriageOutput(type=IncidentType.APPLICATION, severity=Severity.SEV3)


def test_the_first_that_names_a_cause_leads_where_the_opening_one_shows_a_symptom() -> None:
    squad = Squad(cause="db-connection-pool", lead_key="other")
    squad.incidents.attach(INCIDENT_ID, an_alert(key="other", labels={"type": "database"}))
    assert squad.run().type is IncidentType.DATABASE


def test_the_worst_alert_says_how_bad_it_is() -> None:
    squad = Squad(stated_severity=Severity.SEV1)
    assert squad.run().severity is Severity.SEV1
    found = squad.incidents.get(INCIDENT_ID)
    assert (found.severity, found.triage and found.triage.severity) == (Severity.SEV1,) * 2
    assert found.triage is not None
    assert "as bad as that" in found.triage.why[-1]


def test_a_harmless_alert_never_lowers_it() -> None:
    assert Squad(stated_severity=Severity.SEV4).run().severity is Severity.SEV3


def test_a_worse_alert_that_comes_meanwhile_counts() -> None:
    squad = Squad()

    def slow(alert: Alert) -> Judgement:
        squad.incidents.state_severity(INCIDENT_ID, Severity.SEV2)
        return judged(alert)

    squad.triage = Triage(squad.incidents, squad.timeline, slow)
    assert squad.run().severity is Severity.SEV2
    assert squad.incidents.get(INCIDENT_ID).severity is Severity.SEV2
    assert squad.events() == ["Triaged", "SeverityRaised"]


def test_a_repeated_call_gives_the_same_again() -> None:
    squad = Squad()
    assert squad.run() == squad.run()
    assert squad.events() == ["Triaged"]


def test_a_storm_is_not_read() -> None:
    squad = Squad()

    class Storm(MemoryIncidents):
        def alerts(self, *_: object) -> Any:
            raise AssertionError("a storm was read")

    squad.incidents.__class__ = Storm
    assert squad.run().severity is Severity.SEV3


def test_people_are_paged_before_a_model_is_asked() -> None:
    squad = Squad()
    said: list[str] = []

    def refine(_: Incident, __: Alert, floor: Judgement) -> tuple[Judgement, ModelUse]:
        said.append("asked")
        return floor, ModelUse(engine="floor")

    def page(_: Incident, floor: Judgement) -> None:
        said.append(f"paged {floor.severity}")
        raise TransientFailure("nobody took it")

    squad.triage = replace(squad.triage, refiner=refine, page_ahead=page)
    squad.run()
    assert said == ["paged SEV3", "asked"]


def test_without_a_model_nobody_is_paged_twice() -> None:
    squad = Squad()
    said: list[str] = []
    squad.triage = replace(squad.triage, page_ahead=lambda *_: said.append("paged"))
    squad.run()
    assert said == []
