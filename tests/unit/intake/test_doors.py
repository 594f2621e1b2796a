"""The doors over HTTP: proof first, a clear answer to everything, and never a 5xx for bad input."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from hypothesis import given
from hypothesis import strategies as st

from functions.intake.handler import handler_of
from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.errors import AuditFailure, SquadError, TransientFailure
from incident_squad.domain.outcome import Outcome, OutcomeKind
from incident_squad.intake import limits
from incident_squad.intake.answers import Answer, body_of
from incident_squad.intake.recognise import recognise
from incident_squad.steps.intake_api import IntakeApi
from tests.fakes import FixedClock, MemorySecrets
from tests.unit.intake import test_proofs as sns
from tests.unit.intake.samples import NOW, names, sample

INCIDENT = "INC-20261123-7F3KQ"
SECRETS = {f"webhooks/{s}": f"old\n{s}-secret" for s in ("alertmanager", "datadog", "generic")}


class Doors:
    """IntakeApi over a use case that remembers what it was given."""

    def __init__(self, fails: SquadError | None = None) -> None:
        self.received: list[Alert] = []
        self.confirmed: list[tuple[str, str]] = []
        self.fails = fails
        secrets = MemorySecrets({**SECRETS, "webhooks/pagerduty": "pd-old\npd-new"})
        pem = sns.certificate()
        self.api = IntakeApi(
            receive=self._receive,
            secrets=secrets,
            clock=FixedClock(NOW),
            certificates=lambda _: pem,
            confirm=lambda topic, token: self.confirmed.append((topic, token)),
            topics=frozenset({sns.TOPIC}),
        )

    def _receive(self, alerts: Sequence[Alert]) -> list[Outcome]:
        if self.fails:
            raise self.fails
        self.received += alerts
        kind = OutcomeKind.OPENED
        return [Outcome(outcome=kind, incident_id=INCIDENT, reason="new") for _ in alerts]

    def post(self, source: str | None, payload: object, **headers: str) -> Answer:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.api.post(source, headers, body)


def proof(source: Source, body: bytes) -> dict[str, str]:
    if source is Source.PAGERDUTY:
        mac = hmac.new(b"pd-new", body, hashlib.sha256).hexdigest()
        return {"X-PagerDuty-Signature": f"v1={mac}"}
    return {"Authorization": f"Bearer {source.value}-secret"}


SAMPLES = [name for name in names() if not name.startswith("cloudwatch/")]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("own_route", [True, False])
def test_a_proven_sender_is_answered_202(name: str, own_route: bool) -> None:
    doors, payload = Doors(), sample(name)
    body, source = json.dumps(payload).encode(), recognise({}, payload)
    route = source.value if own_route else None

    answer = doors.api.post(route, proof(source, body), body)

    assert answer.status == 202
    assert {alert.source for alert in doors.received} <= {source}
    outcomes = answer.body["outcomes"]
    assert len(outcomes) == max(1, len(doors.received))
    assert answer.body["incidentId"] == (INCIDENT if doors.received else None)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": ""}])
def test_nobody_unproven_is_heard(name: str, headers: dict[str, str]) -> None:
    doors = Doors()
    for route in (None, name.split("/", maxsplit=1)[0]):
        answer = doors.post(route, sample(name), **headers)
        assert answer.status == 401
        assert answer.content_type == "application/problem+json"
    assert not doors.received
    assert not doors.confirmed


def test_a_secret_of_one_source_does_not_open_another() -> None:
    doors = Doors()
    answer = doors.post(
        "alertmanager",
        sample("alertmanager/grouped-firing-and-resolved"),
        Authorization="Bearer generic-secret",
    )
    assert answer.status == 401


def test_a_source_that_nobody_connected_proves_nothing() -> None:
    answer = Doors().post(
        "cloudwatch", sample("cloudwatch/eventbridge-alarm"), Authorization="Bearer "
    )
    assert answer.status == 401


def test_an_alarm_that_sns_signed_is_taken() -> None:
    doors = Doors()
    text = sample("cloudwatch/sns-alarm")["Message"]
    for route in (None, "cloudwatch"):
        assert doors.post(route, sns.message(Message=text)).status == 202
    assert [alert.title for alert in doors.received] == ["orders-prod-cpu"] * 2
    forged = sns.message(Message=text, unsigned={"Message": text.replace("97", "98")})
    assert doors.post(None, forged).status == 401


def test_a_subscription_is_confirmed_by_the_api() -> None:
    doors = Doors()
    asked = sns.message(
        Type="SubscriptionConfirmation", Token="t1", SubscribeURL="http://169.254.169.254/"
    )
    answer = doors.post(None, asked)
    assert answer.body["outcomes"][0]["outcome"] == "ignored"
    assert doors.confirmed == [(sns.TOPIC, "t1")]
    asked["Token"] = "t2"
    assert doors.post(None, asked).status == 401
    assert len(doors.confirmed) == 1


def test_pagerduty_is_refused_only_for_a_bad_signature() -> None:
    doors = Doors()
    odd: list[object] = [{"event": {}}, {"event": {"event_type": "incident.triggered"}}, [1]]
    for payload in odd:
        body = json.dumps(payload).encode()
        answer = doors.api.post("pagerduty", proof(Source.PAGERDUTY, body), body)
        assert answer.status == 202
        assert answer.body["outcomes"][0]["outcome"] == "rejected"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"   ", "empty"),
        (b"{", "JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 200_000, "deeper"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "deeper"),
        (b'{"alert": ' + b"9" * 9000 + b"}", "JSON"),
        (b"null", "object"),
        (b"[]", "object"),
        (b'"text"', "object"),
        (b"12", "object"),
        (b"{}", "text"),
        (b'{"alert": null}', "text"),
        (b'{"alerts": "many"}', "text"),
        (json.dumps({"alerts": [{"labels": {"a": "b"}}] * 501}).encode(), "at most 500"),
    ],
)
def test_what_is_malformed_is_answered_400_with_a_sentence(body: bytes, said: str) -> None:
    answer = Doors().post("generic", body, Authorization="Bearer generic-secret")
    assert (answer.status, answer.body["status"]) == (400, 400)
    assert said in answer.body["detail"]


def test_brackets_within_texts_are_not_depth() -> None:
    body = json.dumps({"alert": '[{"' * 999}).encode()
    assert Doors().post("generic", body, Authorization="Bearer old").status == 202


def test_unclosed_quotes_take_no_time() -> None:
    with pytest.raises(SquadError):
        limits.parse(b'"\\' * (limits.MAX_BODY // 2))


def test_a_large_body_is_answered_413() -> None:
    body = b'{"alert": "' + b"x" * limits.MAX_BODY + b'"}'
    for route in (None, "generic"):
        assert Doors().post(route, body, Authorization="Bearer generic-secret").status == 413


def test_an_unknown_source_is_answered_404() -> None:
    assert Doors().post("nagios", {"alert": "x"}).status == 404


@pytest.mark.parametrize("error", [TransientFailure("table squad-x"), AuditFailure("chain")])
def test_what_is_temporary_is_answered_503_without_details(error: SquadError) -> None:
    answer = Doors(error).post(None, {"alert": "x"}, Authorization="Bearer generic-secret")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert str(error) not in json.dumps(answer.body)


@given(
    route=st.sampled_from([None, *(s.value for s in Source), "x"]),
    body=st.binary(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    authorization=st.sampled_from(["", "Bearer generic-secret", "Bearer datadog-secret", "\x00"]),
)
def test_no_body_makes_a_server_error(route: str | None, body: bytes, authorization: str) -> None:
    answer = Doors().api.post(route, {"Authorization": authorization, "x": "\ud800"}, body)
    assert answer.status in {202, 400, 401, 404}
    json.dumps(answer.body)


def event(path: str, /, **fields: Any) -> dict[str, Any]:
    """An event of API Gateway."""
    context = {"stage": "live", "requestId": "r", "path": path}
    return {
        "httpMethod": "POST",
        "path": path,
        "headers": {"Authorization": "Bearer generic-secret"},
        "requestContext": context,
        "body": '{"alert": "x"}',
        "isBase64Encoded": False,
        **fields,
    }


def call(doors: Doors, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    handler = handler_of(lambda: doors.api)
    answer = handler(asked, LambdaContext())
    return int(answer["statusCode"]), json.loads(answer["body"])


@pytest.mark.parametrize("path", ["/api/mcp", "/webhooks/generic"])
def test_both_routes_lead_to_the_doors(path: str) -> None:
    doors = Doors()
    status, body = call(doors, event(path))
    assert (status, body["incidentId"]) == (202, INCIDENT)
    assert body["outcomes"] == [{"outcome": "opened", "incidentId": INCIDENT, "reason": "new"}]


def test_a_body_in_base64_is_read_as_it_was_sent() -> None:
    body = json.dumps(sample("pagerduty/incident-triggered")).encode()
    asked = event(
        "/webhooks/pagerduty",
        headers=proof(Source.PAGERDUTY, body),
        body=base64.b64encode(body).decode(),
        isBase64Encoded=True,
    )
    assert call(Doors(), asked)[0] == 202


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"body": None}, 400),
        ({"body": "", "headers": None}, 401),
        ({"body": "%%", "isBase64Encoded": True}, 400),
        ({"body": "\ud800"}, 400),
        ({"headers": None}, 401),
        ({"headers": {"Authorization": None}}, 401),
        ({"headers": {}, "multiValueHeaders": None}, 401),
        ({"queryStringParameters": None, "pathParameters": None}, 202),
        ({"httpMethod": "GET"}, 404),
        ({"path": "/webhooks/generic/more"}, 404),
        ({"path": "/webhooks/"}, 404),
        ({"path": "/webhooks/%2e%2e"}, 404),
    ],
)
def test_odd_events_are_answered_too(fields: dict[str, Any], status: int) -> None:
    found, body = call(Doors(), event("/webhooks/generic", **fields))
    assert found == status
    assert status == 202 or body["status"] == status


def test_an_event_of_eventbridge_comes_straight_in() -> None:
    doors = Doors()
    handler = handler_of(lambda: doors.api)
    told = sample("cloudwatch/eventbridge-alarm")
    answer = handler(told, LambdaContext())
    assert answer["outcomes"][0]["outcome"] == "opened"
    answer = handler({"odd": 1}, LambdaContext())
    assert answer["outcomes"][0]["outcome"] == "rejected"
    assert len(doors.received) == 1


def test_a_fault_of_our_own_shows_nothing_of_the_inside() -> None:
    def broken() -> IntakeApi:
        raise RuntimeError("secret inside")

    answer = handler_of(broken)(event("/api/mcp"), LambdaContext())
    assert answer["statusCode"] == 500
    assert "secret inside" not in answer["body"]


def test_a_body_that_is_no_text_is_an_empty_one() -> None:
    assert body_of(7, is_base64=False) == b""
