"""What a model costs in time and bytes, beside the floor: ours, since it answers in 200 ms."""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from statistics import mean
from typing import Any

from incident_squad.adapters.anthropic_model import AnthropicModel, direct
from incident_squad.adapters.memory import MemoryLedger
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.agents.rails import Rails, size_of
from incident_squad.domain.catalog import Policies
from incident_squad.domain.model import ModelReply, ModelRequest
from infra.bench.answering import answering
from infra.bench.figures import describe
from infra.client import SquadClient
from infra.commands.console import results, say
from infra.local.config import LocalConfig
from infra.local.stack import LocalStack
from infra.pipeline import Pipeline

ANSWERS_IN = 0.2
ALERTS = (
    "Pods of search were OOMKilled 3 times, exit code 137. 20% of users affected.",
    "Replication lag of orders-db-replica is 340 seconds. Service: orders. 30% of users affected.",
    "DNS lookups of media.example.com fail with SERVFAIL. 20% of users affected.",
    "Pods of billing are in CrashLoopBackOff since the deployment. 20% of users affected.",
)
"""Of different services and kinds: alerts that belong together would be one incident."""

_ENDED = frozenset({"handed_over", "resolved", "awaiting_approval"})


@dataclass
class Timed:
    """Implements `Model` over another one, and notes each call."""

    model: AnthropicModel
    seconds: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def ask(
        self, request: ModelRequest, seconds: float, on_text: Callable[[str], None] | None = None
    ) -> ModelReply:
        """One call, timed."""
        self.sizes.append(size_of(request))
        begin = time.perf_counter()
        try:
            return self.model.ask(request, seconds, on_text)
        finally:
            self.seconds.append(time.perf_counter() - begin)


def run(incidents: int) -> None:
    """Reports in process, then incidents on the embedded stack: with the model and without."""
    with answering(ANSWERS_IN) as address:
        _in_process(address, incidents)
        _on_the_stack(address)


def _in_process(address: str, incidents: int) -> None:
    pipeline, model = Pipeline.load(None), AnthropicModel(direct(lambda: "a key", address))
    model.warm()
    timed = Timed(model)
    caps = {"model_usd_per_incident": 50, "model_usd_per_hour": 50}
    policies = Policies().model_copy(update=caps)
    rails = Rails(timed, MemoryLedger(SystemClock()), policies)
    floor = [_seconds(partial(pipeline.report, _payload(n))) for n in range(incidents)]
    asked = [_seconds(partial(pipeline.report, _payload(n), rails)) for n in range(incidents)]
    model.close()
    results.print(describe("report of one alert, in process, floor", floor))
    results.print(describe(f"the same with a model in {ANSWERS_IN * 1000:.0f} ms", asked))
    own = [seconds - ANSWERS_IN for seconds in timed.seconds]
    results.print(describe("own part of one call (SDK, wire, reading)", own))
    calls = len(timed.seconds) / incidents
    ours = mean(asked) - mean(floor) - calls * ANSWERS_IN
    results.print(
        f"one incident: {calls:.1f} calls, {sum(timed.sizes) / incidents:,.0f} bytes of prompts, "
        f"{ours * 1000:.1f} ms of our own beyond the floor and the model's answers"
    )


def _on_the_stack(address: str) -> None:
    """Warm: the first incident of each stack is left out."""
    told = {"ANTHROPIC_API_KEY": "a key", "ANTHROPIC_BASE_URL": address}
    for name, environment in (("floor", {}), ("model", told)):
        config = LocalConfig(environment=environment)
        clocks: dict[str, list[float]] = defaultdict(list)
        with LocalStack.start(config=config, progress=say) as stack:
            for number in range(len(ALERTS)):
                found = _incident(stack, number)
                for clock in ("triaged", "diagnosed", "planned") if number else ():
                    clocks[clock].append(float(found[clock]))
        for clock, seconds in clocks.items():
            results.print(describe(f"warm stack, {name}: {clock}", seconds))


def _incident(stack: LocalStack, number: int) -> dict[str, Any]:
    client = SquadClient(url=stack.url, token=stack.token)
    answer = client.post_alert("generic", _payload(number), stack.secrets["generic"])
    incident = str(answer["incidentId"])
    end = time.monotonic() + 120
    while client.incident(incident)["status"] not in _ENDED and time.monotonic() < end:
        time.sleep(0.05)
    return dict(client.incident(incident, "report")["clocks"])


def _payload(number: int) -> dict[str, Any]:
    return {"alert": ALERTS[number % len(ALERTS)]}


def _seconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin
