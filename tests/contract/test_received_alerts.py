"""What ReceiveAlert makes of a story of alerts is the same over every store."""

import time
from collections.abc import Callable

from incident_squad.domain.alert import Alert, AlertStatus
from incident_squad.domain.outcome import Outcome, OutcomeKind
from incident_squad.domain.triage import Triage
from incident_squad.ports import IncidentQuery
from incident_squad.steps.receive_alert import ReceiveAlert
from tests.builders import NOW, a_catalog, a_triage, an_alert, later
from tests.contract.stores import Stores, together
from tests.fakes import FixedClock, MemoryKnowledge, MemoryWorkflow


class RealSleep(FixedClock):
    """Time stands still, but who waits lets the others go on."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 10)


def judged(alert: Alert) -> Triage:
    return a_triage(service=alert.service)


def over(stores: Stores, workflow: MemoryWorkflow) -> ReceiveAlert:
    return ReceiveAlert(
        stores.incidents,
        stores.timeline,
        workflow,
        MemoryKnowledge(a_catalog(), {}),
        RealSleep(NOW),
        judged,
    )


def test_a_storm_that_resolves_and_fires_again_is_one_incident(stores: Stores) -> None:
    workflow = MemoryWorkflow()
    receive = over(stores, workflow)
    story = [
        (an_alert(key="k1", started_at=later()), OutcomeKind.OPENED),
        (an_alert(key="k1", started_at=later()), OutcomeKind.ATTACHED),
        (an_alert(key="k2", started_at=later()), OutcomeKind.ATTACHED),
        (an_alert(key="k3", service="search"), OutcomeKind.OPENED),
        (
            an_alert(key="k1", status=AlertStatus.RESOLVED, ended_at=later(seconds=1)),
            OutcomeKind.RESOLVED,
        ),
        (an_alert(key="k1", started_at=later()), OutcomeKind.SUPPRESSED),
        (an_alert(key="k1", started_at=later(seconds=2)), OutcomeKind.ATTACHED),
        (an_alert(key="k1", status=AlertStatus.RESOLVED), OutcomeKind.RESOLVED),
        (an_alert(key="k2", status=AlertStatus.RESOLVED), OutcomeKind.RESOLVED),
        (an_alert(key="k2", status=AlertStatus.RESOLVED), OutcomeKind.SUPPRESSED),
    ]

    outcomes = [receive([alert])[0] for alert, _ in story]

    assert [o.outcome for o in outcomes] == [kind for _, kind in story]
    first = outcomes[0].incident_id or ""
    assert {o.incident_id for o in outcomes} - {None} == {first, outcomes[3].incident_id}
    assert stores.incidents.get(first).source_resolved_at is not None
    assert {alert.key: alert.sent for alert in stores.incidents.alerts(first)} == {"k1": 1, "k2": 1}
    events = [event.event for event in stores.timeline.read(first)]
    assert events.count("AlertFiredAgain") == 1
    assert events.count("AlertResolved") == 3
    assert not stores.timeline.problems(first)
    assert len(workflow.starts) == 2


def test_a_storm_at_the_same_moment_is_one_incident_with_every_alert(stores: Stores) -> None:
    workflow = MemoryWorkflow()
    receive = over(stores, workflow)
    outcomes: list[Outcome] = []

    def send(n: int) -> Callable[[], None]:
        return lambda: outcomes.extend(receive([an_alert(key=f"k{n // 2}")]))

    together(*(send(n) for n in range(12)))

    (incident,) = stores.incidents.list(IncidentQuery()).incidents
    assert [o.incident_id for o in outcomes] == [incident.id] * 12
    assert [o.outcome for o in outcomes].count(OutcomeKind.OPENED) == 1
    assert len(stores.incidents.alerts(incident.id)) == 6
    assert not stores.timeline.problems(incident.id)
    assert len(workflow.starts) == 1
