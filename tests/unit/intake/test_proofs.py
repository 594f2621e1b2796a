"""A sender is believed only when it proves who it is, and garbage proves nothing."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from incident_squad.domain.errors import UnprovenSender
from incident_squad.intake.proof import pagerduty_signed, secrets_in, shares_secret
from incident_squad.intake.sns_proof import check_sns
from tests.unit.intake.samples import NOW

BODY = b'{"event":{"event_type":"incident.triggered"}}'
TOPIC = "arn:aws:sns:eu-west-3:123456789012:incident-alerts"
CERTIFICATE_URL = (
    "https://sns.eu-west-3.amazonaws.com/SimpleNotificationService-" + "0a" * 16 + ".pem"
)


def signed(secret: str, body: bytes = BODY) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_one_right_signature_of_several_is_enough() -> None:
    headers = {"x-pagerduty-signature": f"v1={'0' * 64}, {signed('new')}"}
    assert pagerduty_signed(headers, BODY, ["old", "new"])
    assert not pagerduty_signed(headers, BODY, ["old"])
    assert not pagerduty_signed(headers, BODY + b" ", ["new"])
    assert not pagerduty_signed(headers, BODY, [])


@pytest.mark.parametrize(
    "said", ["", "v1=", "v1", "v0=" + "0" * 64, "v1=\u00e9", ",,,", "v1=" * 99]
)
def test_garbage_is_no_signature(said: str) -> None:
    assert not pagerduty_signed({"X-PagerDuty-Signature": said}, BODY, ["s", "\u00e9"])


@pytest.mark.parametrize(
    "said", ["Bearer s1", "bearer s2", "Bearer  s2 ", basic("any", "s1"), basic("", "s2")]
)
def test_a_shared_secret_is_a_bearer_token_or_a_password(said: str) -> None:
    assert shares_secret({"AUTHORIZATION": said}, ["s1", "s2"])


@pytest.mark.parametrize(
    "said",
    [
        "",
        "s1",
        "Bearer",
        "Bearer ",
        "Bearer s",
        "Token s1",
        "Basic",
        "Basic s1",
        "Basic !!",
        basic("s1", ""),
        basic("s1", "x"),
        "Basic " + base64.b64encode(b"\xff:s").decode(),
    ],
)
def test_anything_else_shares_nothing(said: str) -> None:
    assert not shares_secret({"Authorization": said}, ["s1", ""])
    assert not shares_secret({"Authorization": said}, [])


@given(st.text(), st.text())
def test_garbage_headers_raise_nothing(one: str, two: str) -> None:
    headers = {"Authorization": f"{one} {two}", "X-PagerDuty-Signature": one}
    assert not shares_secret(headers, ["a-secret-of-its-own"])
    assert not pagerduty_signed(headers, two.encode("utf-8", "replace"), ["a-secret-of-its-own"])


def test_a_secret_holds_one_value_a_line() -> None:
    assert secrets_in("new\n\n old \r\n") == ("new", "old")
    assert secrets_in(" \n") == ()


KEY = rsa.generate_private_key(65537, 2048)


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = KEY) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=9))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def message(**fields: Any) -> dict[str, Any]:
    """A message that SNS signed as it stands, before `unsigned` is laid over it."""
    unsigned = fields.pop("unsigned", {})
    told = {
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": TOPIC,
        "Message": "h\u00e9\nllo",
        "Timestamp": "2026-11-23T09:59:00.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL,
        **fields,
    }
    plain = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    confirming = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    names = plain if told["Type"] == "Notification" else confirming
    text = "".join(f"{name}\n{told[name]}\n" for name in names if name in told)
    digest = hashes.SHA1() if told["SignatureVersion"] == "1" else hashes.SHA256()  # noqa: S303
    raw = KEY.sign(text.encode(), padding.PKCS1v15(), digest)
    return {**told, "Signature": base64.b64encode(raw).decode(), **unsigned}


def check(said: dict[str, Any], fetch: Callable[[str], bytes] | None = None) -> None:
    pem = certificate()
    check_sns(said, topics={TOPIC}, certificates=fetch or (lambda _: pem), now=NOW)


@pytest.mark.parametrize(
    "fields",
    [
        {"SignatureVersion": "1"},
        {"SignatureVersion": "2"},
        {"Subject": "ALARM"},
        {"Timestamp": "2026-11-22T12:00:00.000Z"},
        {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": "https://x.test"},
        {"Type": "UnsubscribeConfirmation", "Token": "t", "SubscribeURL": "https://x.test"},
    ],
)
def test_what_sns_signed_is_believed(fields: dict[str, Any]) -> None:
    check(message(**fields))


FILE = "/SimpleNotificationService-" + "0a" * 16 + ".pem"


@pytest.mark.parametrize(
    "address",
    [
        "http://sns.eu-west-3.amazonaws.com" + FILE,
        "https://sns.us-east-1.amazonaws.com" + FILE,
        "https://sns.eu-west-3.amazonaws.com.evil.test" + FILE,
        "https://sns.eu-west-3.amazonaws.com@evil.test" + FILE,
        "https://evil.test/?https://sns.eu-west-3.amazonaws.com" + FILE,
        "https://evil.test#sns.eu-west-3.amazonaws.com" + FILE,
        "https://sns.eu-west-3.amazonaws.com:8443" + FILE,
        "https://sns.eu-west-3.amazonaws.com/x" + FILE,
        "https://sns.eu-west-3.amazonaws.com" + FILE + "?x",
        "https://bucket.s3.amazonaws.com" + FILE,
        "https://sns.eu-west-3.amazonaws.com/..%2f" + FILE,
        "https://169.254.169.254/latest/meta-data",
        "",
        None,
        7,
    ],
)
def test_no_certificate_is_fetched_from_elsewhere(address: object) -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return certificate()

    with pytest.raises(UnprovenSender, match="certificate"):
        check(message(unsigned={"SigningCertURL": address}), fetch)
    assert not asked


@pytest.mark.parametrize(
    ("unsigned", "reason"),
    [
        ({"Message": "changed"}, "signature"),
        ({"Subject": "added"}, "signature"),
        ({"Signature": "AAAA"}, "signature"),
        ({"Signature": "no base64!"}, "Base64"),
        ({"Signature": None}, "signature"),
        ({"SignatureVersion": "3"}, "signature"),
        ({"SignatureVersion": None}, "signature"),
        ({"TopicArn": TOPIC + "2"}, "topic"),
        ({"TopicArn": None}, "topic"),
        ({"TopicArn": ["x"]}, "topic"),
        ({"Type": "Other"}, "type"),
        ({"MessageId": None}, "MessageId"),
        ({"Timestamp": "2026-11-20T09:59:00.000Z"}, "old"),
        ({"Timestamp": "2026-11-23T11:59:00.000Z"}, "future"),
        ({"Timestamp": "soon"}, "old"),
    ],
)
def test_forged_stale_and_broken_messages_are_refused(
    unsigned: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnprovenSender, match=reason):
        check(message(unsigned=unsigned))


@pytest.mark.parametrize(
    "pem",
    [b"", b"<html>", certificate(ec.generate_private_key(ec.SECP256R1()))],
    ids=["nothing", "a page", "another kind of key"],
)
def test_a_certificate_that_is_none_proves_nothing(pem: bytes) -> None:
    with pytest.raises(UnprovenSender, match="signature"):
        check(message(), lambda _: pem)


def test_a_topic_s_name_cannot_hide_its_region() -> None:
    odd = "sns:no:arn"
    said = message(TopicArn=odd)
    with pytest.raises(UnprovenSender, match="topic"):
        check_sns(said, topics={odd}, certificates=lambda _: certificate(), now=NOW)
