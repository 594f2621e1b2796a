"""The whole way on the embedded stack, warm: accepted, triaged, planned, repaired."""

import json
import re
import time
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

from infra.bench.figures import describe
from infra.client import SquadClient
from infra.commands.console import results, say
from infra.local.practice import IDLE_SECONDS, Practice
from infra.local.stack import LocalStack

EVENT = Path(__file__).resolve().parents[2] / "events/alertmanager"
ENDED = frozenset({"resolved", "handed_over"})


def run(incidents: int) -> None:
    """Break the practice pool again and again, and time each incident; the first one is cold."""
    figures: dict[str, list[float]] = defaultdict(list)
    with Practice() as practice, LocalStack.start(config=practice.config(), progress=say) as stack:
        for place in range(incidents + 1):
            practice.database.use_up()
            time.sleep(IDLE_SECONDS + 0.5)
            clocks = _one(stack)
            for name, seconds in clocks.items() if place else ():
                figures[name].append(seconds)
    for name, all_seconds in figures.items():
        results.print(describe(f"warm stack: {name}", all_seconds))


def _one(stack: LocalStack) -> dict[str, float]:
    client = SquadClient(url=stack.url, token=stack.token)
    begin = time.perf_counter()
    answer = client.post_alert("alertmanager", _alert(), stack.secrets["alertmanager"])
    accepted = time.perf_counter() - begin
    incident = str(answer["incidentId"])
    message = stack.inbox.wait_for(
        lambda m: m.incident_id == incident and m.kind == "approval", 120
    )
    if message is not None and message.link:
        path = re.sub(r"^https?://[^/]+", "", message.link)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        client.request("POST", path, body=b"decision=approve", headers=form, accept="text/html")
    while client.incident(incident)["status"] not in ENDED:
        time.sleep(0.1)
    clocks = client.incident(incident, "report")["clocks"]
    return {"accepted": accepted, **{name: float(seconds) for name, seconds in clocks.items()}}


def _alert() -> Any:  # noqa: ANN401 - any JSON
    payload = json.loads(next(EVENT.glob("pool-01-*.json")).read_text())
    for alert in payload["alerts"]:
        alert["fingerprint"] = uuid.uuid4().hex[:16]
        alert["startsAt"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    return payload
