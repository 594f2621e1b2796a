"""Proof that a message comes from Amazon SNS, and from a topic that we trust."""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from incident_squad.domain.errors import UnprovenSender
from incident_squad.intake import fields

NOTIFICATION = "Notification"
MAX_AGE = timedelta(days=1)
"""SNS repeats deliveries for a long time; what is older than this is a replay."""

_COLONS = 5  # arn:partition:sns:region:account:name
_AHEAD = timedelta(minutes=15)
_CERTIFICATE = re.compile(
    r"https://sns\.([a-z]{2}(?:-[a-z]+)+-[0-9])\.amazonaws\.com(?:\.cn)?"
    r"/SimpleNotificationService-[0-9a-f]{32,64}\.pem"
)
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL"),
        *("Timestamp", "Token", "TopicArn", "Type"),
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]

Certificates = Callable[[str], bytes]
"""Fetches a certificate (PEM) from an address of AWS that has been checked."""


def check_sns(
    message: Mapping[str, object],
    *,
    topics: Collection[str],
    certificates: Certificates,
    now: datetime,
) -> None:
    """Raise UnprovenSender unless SNS signed this message for one of the topics.

    Nothing is fetched before topic, address and age are right; the address is fetched only when
    it is a certificate of SNS itself, in the region of the topic.
    """
    topic = fields.text(message.get("TopicArn"), 300)
    if topic not in topics or topic.count(":") != _COLONS:
        raise UnprovenSender("the topic is not one of those that are believed")
    address = fields.text(message.get("SigningCertURL"), 300)
    found = _CERTIFICATE.fullmatch(address)
    if found is None or found.group(1) != topic.split(":")[3]:
        raise UnprovenSender("the certificate's address is not one of SNS in the topic's region")
    sent = fields.moment(message.get("Timestamp"))
    if sent is None or not now - MAX_AGE <= sent <= now + _AHEAD:
        raise UnprovenSender("the message is too old, or from the future")
    signed = _string_to_sign(message)
    try:
        signature = base64.b64decode(fields.text(message.get("Signature"), 2000), validate=True)
    except (binascii.Error, ValueError):
        raise UnprovenSender("the signature is no Base64") from None
    version = fields.text(message.get("SignatureVersion"), 10)
    # Imported here: cryptography takes 70 ms, and every other source starts without it.
    from incident_squad.intake import sns_signature  # noqa: PLC0415

    if not sns_signature.verified(certificates(address), signature, signed, version):
        raise UnprovenSender("the signature is not SNS's")


def _string_to_sign(message: Mapping[str, object]) -> bytes:
    names = _SIGNED.get(fields.text(message.get("Type"), 40))
    if names is None:
        raise UnprovenSender("SNS sends no message of this type")
    parts = []
    for name in names:
        value = message.get(name)
        if name == "Subject" and value is None:
            continue
        if not isinstance(value, str):
            raise UnprovenSender(f"{name} is missing")
        parts.append(f"{name}\n{value}\n")
    return "".join(parts).encode("utf-8", "surrogatepass")
