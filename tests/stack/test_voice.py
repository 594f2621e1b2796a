"""Messages and live events on the embedded stack, with vendors on the loopback."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from infra.client import ApiError, SquadClient
from infra.local.config import LocalConfig
from infra.local.stack import LocalStack
from tests.stack.http import call
from tests.vendors_of_messages import ROOM, SECRETS, Vendors, vendors

pytestmark = pytest.mark.stack

POOL = next(Path("events/alertmanager").glob("pool-01*.json"))


@pytest.fixture(scope="module")
def fake() -> Iterator[Vendors]:
    with vendors() as found:
        yield found


@pytest.fixture(scope="module")
def stack(fake: Vendors) -> Iterator[LocalStack]:
    # A laptop that runs many tests at once answers slowly: the time limit is the real one.
    wanted = ("pager", "slack", "status", "hook")
    channels = {n: {**c, "timeout_seconds": 8} for n, c in fake.catalog().items() if n in wanted}
    config = LocalConfig(catalog={"channels": channels}, secrets=SECRETS)
    with LocalStack.start(config=config, progress=lambda _: None) as running:
        yield running


@pytest.fixture(scope="module")
def client(stack: LocalStack) -> SquadClient:
    return SquadClient(url=stack.url, token=stack.token)


class Listener:
    """A browser that follows an incident: when it has seen which event."""

    def __init__(self, stack: LocalStack, incident_id: str) -> None:
        self.seen: dict[int, float] = {}
        self._url = f"{stack.url}/incidents/{incident_id}/events"
        self._headers = {"Authorization": f"Bearer {stack.token}"}
        self.over = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self.over:
            with suppress(OSError):  # the stack may end first
                self._look()
            time.sleep(0.1)

    def _look(self) -> None:
        last = max(self.seen, default=0)
        answer = call(f"{self._url}?wait=3&after={last}", headers=self._headers)
        for line in answer.body.decode().split("\n"):
            if line.startswith("id: "):
                self.seen.setdefault(int(line[4:]), time.time())

    def end(self) -> None:
        self.over = True
        self._thread.join(30)


def handed_over(client: SquadClient, incident_id: str) -> list[dict[str, Any]]:
    """Wait until a human is asked for: there is no database to look at."""
    found: list[dict[str, Any]] = []
    for _ in range(400):
        found = client.incident(incident_id, "timeline")["events"]
        if any(event["event"] == "HandedOver" for event in found):
            return found
        time.sleep(0.3)
    raise AssertionError(found)


def within(seconds: float, holds: Any) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.2)
    return bool(holds())


def test_an_incident_reaches_every_channel_and_is_seen_live(
    stack: LocalStack, client: SquadClient, fake: Vendors
) -> None:
    alert = json.loads(POOL.read_text())
    answer = client.post_alert("alertmanager", alert, stack.secrets["alertmanager"])
    incident_id = answer["incidentId"]
    listener = Listener(stack, incident_id)
    events = handed_over(client, incident_id)
    assert within(60, lambda: len(fake.hooks) >= 3 and len(fake.posts) >= 4)
    listener.end()

    assert fake.problems == []
    assert fake.events[0]["event_action"] == "trigger"
    assert {event["dedup_key"] for event in fake.events} == {incident_id}
    ids = [h["data"]["id"] for h in fake.hooks]
    assert len(ids) == len(set(ids))
    rooms = {post["channel"] for post in fake.posts}
    assert ROOM in rooms
    assert all(room == ROOM or room.startswith("D") for room in rooms)
    assert "thread_ts" not in fake.posts[0]
    (public,) = fake.incidents
    assert public["incident_updates"][-1]["body"].startswith("[Investigating]")
    # Those who subscribed to the topic miss nothing.
    kinds = {message.kind for message in stack.inbox.messages()}
    assert {"page", "update", "handover"} <= kinds

    late = sorted(
        listener.seen[e["n"]] - datetime.fromisoformat(e["at"]).timestamp()
        for e in events
        if e["n"] in listener.seen
    )
    assert len(late) > 5
    # A computer that runs many tests at once is slow now and then; nothing else may be.
    assert late[len(late) // 4] < 1

    shown = client.incident(incident_id, accept="text/html")
    assert "Who was told" in shown
    assert "I am on it" in shown


def test_somebody_who_waits_for_events_holds_nobody_up(
    stack: LocalStack, client: SquadClient
) -> None:
    (incident,) = client.get("/incidents")["incidents"]
    listeners = [Listener(stack, incident["incidentId"]) for _ in range(3)]
    time.sleep(0.5)
    began = time.monotonic()
    client.incident(incident["incidentId"])
    assert time.monotonic() - began < 15
    client.request(
        "POST", f"/incidents/{incident['incidentId']}/acknowledge", body=b"by=a@b.example"
    )
    for listener in listeners:
        listener.end()


def test_a_correction_goes_out_and_a_leak_does_not(client: SquadClient, fake: Vendors) -> None:
    (incident,) = client.get("/incidents")["incidents"]
    path = f"/incidents/{incident['incidentId']}/updates"
    typed = {"Content-Type": "application/json"}
    with pytest.raises(ApiError, match="422"):
        client.request("POST", path, body=b'{"external": "10.0.0.3 is down"}', headers=typed)
    client.request("POST", path, body=b'{"external": "Cards work."}', headers=typed)
    said = "Correction: Cards work."
    assert within(60, lambda: said in fake.incidents[0]["incident_updates"][0]["body"])
