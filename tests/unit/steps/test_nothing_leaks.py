"""500 planted identifiers and secrets: none reaches customers, whoever writes, wherever it is."""

import random
import string
import uuid
from collections.abc import Iterator
from functools import cache

import pytest

from incident_squad.adapters.memory import MemoryLedger
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.agents.rails import Rails
from incident_squad.bootstrap.squad import Squad
from incident_squad.contracts import IncidentInput, UpdateInput
from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Policies
from incident_squad.domain.errors import PolicyViolation
from incident_squad.domain.timeline import Actor
from incident_squad.domain.update import UpdateState
from incident_squad.pages.web import Request
from incident_squad.policy.leak_gate import leaks, normalise
from incident_squad.steps.publish_update import latest
from infra.pipeline import MemoryWorld
from tests.builders import a_diagnosis, an_alert
from tests.model_server import Says
from tests.scripted_model import ScriptedModel
from tests.tools import library

WORDS = ("orbit", "quartz", "falcon", "juniper", "marble", "tundra", "walnut", "zephyr", "cobalt")
OPERATOR = Actor.human("operator")


def identifiers() -> Iterator[str]:
    """Hosts, addresses, accounts, statements and secrets, as they stand in alerts; no two alike."""
    chance = random.Random(500)  # noqa: S311 - planted, not secret

    def some(alphabet: str, length: int) -> str:
        return "".join(chance.choice(alphabet) for _ in range(length))

    letters, digits = string.ascii_letters + string.digits, string.digits
    while True:
        one, two, number = chance.choice(WORDS), chance.choice(WORDS), chance.randint(10, 99)
        yield from (
            f"{one}-{two}-{number}",
            f"{one}-db-{number}.eu-west-3.internal",
            f"{one}-{some('0123456789abcdef', 9)}-{some('bcdfghjklmnpqrstvwxz2456789', 5)}",
            ".".join(str(chance.randint(1, 254)) for _ in range(4)),
            f"2001:db8:{some('123456789abcdef', 4)}::{some('123456789abcdef', 3)}",
            f"arn:aws:rds:eu-west-3:{some(digits, 12)}:db:{one}-{number}",
            f"i-{some('0123456789abcdef', 17)}",
            f"AKIA{some(string.ascii_uppercase + '234567', 16)}",
            f"ghp_{some(letters, 36)}",
            f"xoxb-{some(digits, 11)}-{some(letters, 24)}",
            f"sk-ant-api03-{some(letters, 40)}",
            f"eyJ{some(letters, 20)}.eyJ{some(letters, 30)}.{some(letters, 30)}",
            f"postgres://{one}:{some(letters, 12)}@{two}-{number}:5432/{one}",
            f"password={some(letters, 14)}",
            f"{one}.{two}{number}@example.com",
            f"https://{one}{number}.example.net/d/{two}?token={some(letters, 8)}",
            f"DROP TABLE {one}_{number}",
            f"/srv/{one}/{two}{number}.yaml",
            f"{one}_{two}_{number}",
            str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        )


@cache
def planted() -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in identifiers():
        found.setdefault(name)
        if len(found) == 500:
            return tuple(found)
    raise AssertionError


def alert_with(names: tuple[str, ...]) -> Alert:
    """All of them, wherever an alert can hold a name."""
    labels = ("pod", "instance", "user", "db", "namespace", "queue", "service", "note")
    return an_alert(
        title=f"Connection pool exhausted on {names[0]}, also {names[1]}: 45% of requests fail",
        description=" ".join(names),
        service=names[2],
        resource=names[3],
        labels=dict(zip(labels, names[4:], strict=False)),
        received_at=SystemClock().now(),
    )


def leaking(names: tuple[str, ...]) -> tuple[Rails, ScriptedModel]:
    """A communicator that puts the names into all that it writes."""
    texts = [f"We see trouble with {name} and are looking into it." for name in names]
    answers = [
        Says({"external": text, "internal": text, "executive": text, "severity": "SEV1"})
        for text in texts
    ]
    model = ScriptedModel(answers)
    policies = Policies(model_usd_per_incident=50, model_usd_per_hour=500)
    return Rails(model=model, ledger=MemoryLedger(SystemClock()), policies=policies), model


def public_texts(world: MemoryWorld, squad: Squad) -> str:
    """All that customers could read anywhere."""
    api = squad.incidents_api()
    sent = [
        message.details[field]
        for message in world.notifier.messages
        for field in ("external", "publicName")
        if field in message.details
    ]
    page = api.status(Request(headers={"accept": "text/html"})).body
    return "\n".join([*sent, page, api.status(Request()).body])


def told(names: tuple[str, ...], rails: Rails | None) -> tuple[str, str]:
    """One incident from its alert to its end; gives the public texts, and what colleagues read."""
    world = MemoryWorld(*library())
    squad = Squad(world, lambda: rails)
    (outcome,) = squad.receive_alert()([alert_with(names)])
    incident_id = str(outcome.incident_id)
    squad.triage()(IncidentInput(incident_id=incident_id))
    world.incidents.change(incident_id, hand_over_reason=f"{names[5]} is stuck")
    world.incidents.put_diagnosis(
        incident_id, a_diagnosis(root_cause=f"{names[6]} holds {names[7]}", conclusive=True)
    )
    publish = squad.publish_update()
    for state in UpdateState:
        publish(UpdateInput(incident_id=incident_id, state=state))
        last = latest(world.incidents.updates(incident_id))
        if state is not UpdateState.RESOLVED and last is not None:
            publish.progress(incident_id, last)
    with pytest.raises(PolicyViolation):
        publish.correct(incident_id, f"The trouble with {names[-1]} is over.", OPERATOR)
    updates = world.incidents.updates(incident_id)
    return public_texts(world, squad), "\n".join(update.internal for update in updates)


@pytest.mark.parametrize("writer", ["floor", "leaking model"])
def test_none_of_500_planted_identifiers_is_public(writer: str) -> None:
    internal = ""
    for start in range(0, 500, 50):
        names = planted()[start : start + 50]
        rails = leaking(names) if writer == "leaking model" else None
        public, inside = told(names, rails[0] if rails else None)
        assert "Investigating" in public
        plain = normalise(public).lower()
        assert [name for name in names if name.lower() in plain] == []
        assert rails is None or len(rails[1].asked) > 3
        internal += inside
    assert any(name in internal for name in planted())  # the names did come through the door


def test_no_correction_may_name_one_of_them() -> None:
    catalog = library()[0].catalog
    passed = [name for name in planted() if not leaks(f"The trouble with {name} is over.", catalog)]
    assert passed == []
