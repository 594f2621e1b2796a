"""Hostile requests: no server error, no request to elsewhere, no incident from a stranger."""

import json
import re
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.intake.handler import handler_of
from incident_squad.adapters.memory import FixedClock, MemorySecrets
from incident_squad.bootstrap.squad import Squad
from incident_squad.domain.limits import IntakeLimits
from incident_squad.domain.outcome import Cause, OutcomeKind
from incident_squad.policy.triage import Triager
from incident_squad.ports import IncidentQuery
from incident_squad.steps.intake_api import IntakeApi
from infra.bench.storm_alerts import SECRET
from infra.local.config import LocalConfig
from infra.local.knowledge import knowledge_of
from infra.pipeline import MemoryWorld
from tests.unit.intake import test_proofs as sns
from tests.unit.intake.attacks import Attack, attacks
from tests.unit.intake.samples import NOW

KNOWLEDGE = knowledge_of(LocalConfig.read(None))
TRIAGER = Triager(KNOWLEDGE.catalog, KNOWLEDGE.runbooks)
INSIDE = re.compile(
    r"Traceback|incident_squad|/work|\.py\b|pydantic|boto|dynamo|KeyError|0x[0-9a-f]{6}",
    re.IGNORECASE,
)
ATTACKS = attacks()


class Fortress:
    """The intake function over a whole squad in memory; everything that leaves is noted."""

    def __init__(self, limits: IntakeLimits | None = None) -> None:
        self.world = MemoryWorld(KNOWLEDGE, TRIAGER)
        self.clock = self.world.clock = FixedClock(NOW)
        self.fetched: list[str] = []
        self.confirmed: list[str] = []
        sources = ("pagerduty", "datadog", "alertmanager", "generic")
        api = IntakeApi(
            receive=Squad(self.world).receive_alert(),
            secrets=MemorySecrets({f"webhooks/{source}": SECRET for source in sources}),
            clock=self.clock,
            certificates=self._fetch,
            confirm=lambda topic, _: self.confirmed.append(topic),
            topics=frozenset({sns.TOPIC}),
            count=self.world.incidents.count,
            limits_of=lambda: limits or IntakeLimits(),
        )
        self._handler = handler_of(lambda: api)

    def _fetch(self, address: str) -> bytes:
        self.fetched.append(address)
        return sns.certificate()

    def meet(self, attack: Attack) -> dict[str, Any]:
        return self._handler(attack.event(), LambdaContext())

    def incidents(self) -> int:
        return len(self.world.incidents.list(IncidentQuery()).incidents)

    def counted(self) -> dict[tuple[OutcomeKind, Cause], int]:
        day = f"{self.clock.now():%Y%m%d}"
        found: dict[tuple[OutcomeKind, Cause], int] = {}
        for count in self.world.incidents.counted(day):
            kind = (count.outcome, count.cause)
            found[kind] = found.get(kind, 0) + count.number
        return found


def test_there_are_about_a_hundred_and_each_has_a_name() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names)) >= 100


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_hostile_request_is_answered_and_changes_nothing(attack: Attack) -> None:
    fortress = Fortress()
    answer = fortress.meet(attack)

    status = answer["statusCode"]
    assert status in ({202, 400, 413} if attack.proven else {400, 401, 404, 413})
    assert not INSIDE.search(answer["body"])
    content = json.loads(answer["body"])
    if status != 202:
        assert answer["multiValueHeaders"]["Content-Type"] == ["application/problem+json"]
        assert content["status"] == status
    if not attack.proven:
        assert not fortress.incidents()
    assert not fortress.confirmed
    assert set(fortress.fetched) <= {sns.CERTIFICATE_URL}
    assert sum(fortress.counted().values()) >= 1 or status in {202, 404}


def test_an_attack_that_is_repeated_is_held_back_and_told_when_to_come_again() -> None:
    fortress = Fortress(IntakeLimits(unproven_per_second=2, unproven_burst=5))
    (forged,) = (a for a in ATTACKS if a.name == "forged: a wrong bearer")
    answers = [fortress.meet(forged) for _ in range(8)]
    assert [answer["statusCode"] for answer in answers] == [401] * 5 + [429] * 3
    assert answers[-1]["multiValueHeaders"]["Retry-After"] == ["1"]
    fortress.clock.sleep(1)
    assert fortress.meet(forged)["statusCode"] == 401
    assert fortress.counted()[OutcomeKind.REJECTED, Cause.TOO_MANY] == 3


def test_a_storm_of_one_source_takes_nothing_from_another() -> None:
    fortress = Fortress(IntakeLimits(requests_per_second=1, burst=3))

    def send(source: str) -> int:
        body = json.dumps({"alert": "it is slow"}).encode()
        headers = {"Authorization": f"Bearer {SECRET}"}
        attack = Attack("a", f"/webhooks/{source}", body, headers)
        return int(fortress.meet(attack)["statusCode"])

    assert [send("generic") for _ in range(5)] == [202, 202, 202, 429, 429]
    assert send("datadog") == 202
    fortress.clock.sleep(2)
    assert [send("generic") for _ in range(3)] == [202, 202, 429]


def test_limits_are_what_the_operator_sets() -> None:
    fortress = Fortress(IntakeLimits(body_bytes=1024, depth=4, alerts_per_request=2))
    headers = {"Authorization": f"Bearer {SECRET}"}

    def send(payload: object) -> tuple[int, str]:
        body = json.dumps(payload).encode()
        answer = fortress.meet(Attack("a", "/webhooks/alertmanager", body, headers))
        return answer["statusCode"], json.loads(answer["body"])["detail"]

    alert = {"labels": {"alertname": "x"}}
    assert send({"alerts": [alert] * 3}) == (400, "a message may carry at most 2 alerts")
    assert send({"a": [[[[1]]]]}) == (400, "the body is nested deeper than 4 levels")
    assert send({"a": "x" * 2000}) == (413, "at most 1024 bytes are taken")
    assert fortress.counted()[OutcomeKind.REJECTED, Cause.TOO_MANY] == 3


@settings(max_examples=60)
@given(
    path=st.sampled_from(["/api/mcp", "/webhooks/generic", "/webhooks/alertmanager"]),
    body=st.binary(max_size=200) | st.text(max_size=100).map(str.encode),
    headers=st.dictionaries(
        st.sampled_from(["Authorization", "X-PagerDuty-Signature", "User-Agent", "x-amz-sns-a"]),
        st.text(max_size=40) | st.none() | st.just(f"Bearer {SECRET}"),
    ),
)
def test_nothing_at_all_makes_a_server_error(
    path: str, body: bytes, headers: dict[str, Any]
) -> None:
    answer = Fortress().meet(Attack("a", path, body, headers))
    assert answer["statusCode"] < 500
    assert not INSIDE.search(answer["body"])
