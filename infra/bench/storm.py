"""A storm on the doors: 50 at a time, in process, over stores in memory."""

import resource
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.intake.handler import handler_of
from incident_squad.adapters.memory import MemorySecrets
from incident_squad.bootstrap.squad import Squad
from incident_squad.domain.outcome import Count
from incident_squad.policy.triage import Triager
from incident_squad.ports import IncidentQuery, Knowledge
from incident_squad.steps.intake_api import IntakeApi
from infra.bench.storm_alerts import SECRET, SOURCES, Delivery, storm, strangers
from infra.local.config import LocalConfig
from infra.local.knowledge import knowledge_of
from infra.pipeline import MemoryWorld

AT_A_TIME = 50
ACCEPTED = 202

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


@dataclass(frozen=True)
class Doors:
    """The intake function over a world in memory."""

    world: MemoryWorld
    handler: Handler

    @classmethod
    def open(cls, knowledge: Knowledge) -> "Doors":
        """Doors that every source of the storm has a secret for."""
        world = MemoryWorld(knowledge, Triager(knowledge.catalog, knowledge.runbooks))
        secrets = {f"webhooks/{source}": SECRET for source in SOURCES}
        api = IntakeApi(
            receive=Squad(world).receive_alert(),
            secrets=MemorySecrets(secrets),
            clock=world.clock,
            certificates=lambda _: b"",
            confirm=lambda _topic, _token: None,
            count=world.incidents.count,
            limits_of=lambda: knowledge.catalog.policies.intake,
        )
        return cls(world, handler_of(lambda: api))

    def take(self, deliveries: Sequence[Delivery], at_a_time: int = AT_A_TIME) -> list[float]:
        """Deliver all of them; gives how many seconds each took, raises on any but a 202."""
        with ThreadPoolExecutor(at_a_time) as pool:
            return list(pool.map(self._timed, deliveries))

    def incidents(self) -> int:
        """How many are there."""
        return len(self.world.incidents.list(IncidentQuery(limit=100)).incidents)

    def counted(self) -> Sequence[Count]:
        """What became of today's alerts."""
        return self.world.incidents.counted(f"{self.world.clock.now():%Y%m%d}")

    def _timed(self, delivery: Delivery) -> float:
        started = time.perf_counter()
        answer = self.handler(delivery.event, LambdaContext())
        if answer["statusCode"] != ACCEPTED:
            raise RuntimeError(f"an alert was answered {answer['statusCode']}: {answer['body']}")
        return time.perf_counter() - started


def run(alerts: int) -> Mapping[str, float | int]:
    """A storm of so many alerts, and how long one alert takes beside many open incidents."""
    knowledge = knowledge_of(LocalConfig.read(None))
    doors = Doors.open(knowledge)
    deliveries = list(storm(alerts))
    before, started = _memory_mb(), time.perf_counter()
    seconds = sorted(doors.take(deliveries))
    elapsed = time.perf_counter() - started
    kinds: Counter[str] = Counter()
    for count in doors.counted():
        kinds[count.outcome.accounted.value] += count.number
    return {
        "alerts": alerts,
        "incidents": doors.incidents(),
        "accounted": kinds.total(),
        **dict(sorted(kinds.items())),
        "alerts_per_second": round(alerts / elapsed, 1),
        "p50_ms": _milliseconds(seconds, 0.50),
        "p99_ms": _milliseconds(seconds, 0.99),
        "slowest_ms": _milliseconds(seconds, 1.0),
        "memory_growth_mb": round(_memory_mb() - before, 1),
        **_beside_many(knowledge),
    }


def _beside_many(knowledge: Knowledge) -> dict[str, float]:
    """The median time of one new alert while so many incidents are open."""
    found = {}
    for number in (10, 100, 1000):
        doors = Doors.open(knowledge)
        doors.take(strangers(0, number), at_a_time=4)
        seconds = sorted(doors.take(strangers(number, number + 40), at_a_time=1))
        found[f"open_{number}_ms"] = _milliseconds(seconds, 0.5)
    return found


def _milliseconds(seconds: Sequence[float], share: float) -> float:
    return round(1000 * seconds[min(len(seconds) - 1, int(len(seconds) * share))], 2)


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
