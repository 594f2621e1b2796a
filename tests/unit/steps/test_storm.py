"""A storm: one fault felt everywhere, three other outages hidden in it, 50 alerts at a time."""

import random
from collections import Counter

import pytest

from incident_squad.domain.incident import Incident
from incident_squad.domain.outcome import OutcomeKind
from incident_squad.ports import IncidentQuery, Knowledge
from infra.bench.storm import Doors
from infra.bench.storm_alerts import Delivery, storm
from infra.local.config import LocalConfig
from infra.local.knowledge import knowledge_of

ALERTS = 4000
CAUSES = {
    "db-connection-pool",
    "db-disk-space",
    "net-certificate-expiry",
    "sec-unauthorized-access",
}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return knowledge_of(LocalConfig.read(None))


def incidents(doors: Doors) -> list[Incident]:
    return list(doors.world.incidents.list(IncidentQuery(limit=100)).incidents)


@pytest.fixture(scope="module")
def after(knowledge: Knowledge) -> Doors:
    doors = Doors.open(knowledge)
    doors.take(list(storm(ALERTS)))
    return doors


def test_it_is_exactly_four_incidents(after: Doors) -> None:
    assert sorted(str(i.cause) for i in incidents(after)) == sorted(CAUSES)
    assert len(after.world.workflow.starts) == 4


def test_every_alert_is_accounted_for(after: Doors) -> None:
    kinds: Counter[OutcomeKind] = Counter()
    sources: Counter[str] = Counter()
    for count in after.counted():
        kinds[count.outcome] += count.number
        sources[count.source] += count.number
    assert kinds == {OutcomeKind.OPENED: 4, OutcomeKind.ATTACHED: ALERTS - 4}
    assert set(sources.values()) == {ALERTS // 4}


def test_its_timeline_stays_short_and_tells_how_many(after: Doors) -> None:
    (storm_itself,) = (i for i in incidents(after) if i.cause == "db-connection-pool")
    events = after.world.timeline.read(storm_itself.id)
    told = [event.summary for event in events if event.event == "AlertAttached"]
    assert 20 < len(told) < 40
    assert " times so far" in told[-1]
    assert not after.world.timeline.problems(storm_itself.id)
    assert len(after.world.incidents.alerts(storm_itself.id)) > 900


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_first(knowledge: Knowledge, seed: int) -> None:
    deliveries: list[Delivery] = list(storm(400))
    random.Random(seed).shuffle(deliveries)  # noqa: S311 - an order, not a secret
    doors = Doors.open(knowledge)
    doors.take(deliveries)
    assert sorted(str(i.cause) for i in incidents(doors)) == sorted(CAUSES)
