"""Proofs of origin over the raw body: signatures and shared secrets, in constant time."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence

_MAX_SIGNATURES = 20


def secrets_in(said: str) -> tuple[str, ...]:
    """The valid secrets of a text, one a line: several are valid while one replaces another."""
    return tuple(line.strip() for line in said.splitlines() if line.strip())


def header(headers: Mapping[str, object], name: str) -> str:
    """A header's text, whatever the case of its name; empty when it is not there."""
    wanted = name.lower()
    for key, value in headers.items():
        if key.lower() == wanted and isinstance(value, str):
            return value
    return ""


def pagerduty_signed(headers: Mapping[str, object], body: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of the signatures (`v1=<hex>,v1=<hex>`) is by one of the secrets."""
    parts = header(headers, "X-PagerDuty-Signature").split(",")[:_MAX_SIGNATURES]
    given = [part.strip()[3:] for part in parts if part.strip().startswith("v1=")]
    right = [hmac.new(_bytes(s), body, hashlib.sha256).hexdigest() for s in secrets]
    return _any_equal((one, two) for one in given for two in right)


def shares_secret(headers: Mapping[str, object], secrets: Sequence[str]) -> bool:
    """Whether `Authorization` carries a secret, as a bearer token or a Basic password.

    The user's name of Basic does not count: the secret alone is the proof.
    """
    scheme, _, rest = header(headers, "Authorization").strip().partition(" ")
    kind = scheme.lower()
    if kind == "bearer":
        given = rest.strip()
    elif kind == "basic":
        given = _password(rest.strip())
    else:
        return False
    return _any_equal((given, secret) for secret in secrets)


def bears_token(headers: Mapping[str, object], tokens: Sequence[str]) -> bool:
    """Whether `Authorization` carries one of the tokens as a bearer token."""
    scheme, _, given = header(headers, "Authorization").strip().partition(" ")
    return scheme.lower() == "bearer" and _any_equal((given.strip(), right) for right in tokens)


def _password(encoded: str) -> str:
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return pair.partition(":")[2]


def _any_equal(pairs: Iterable[tuple[str, str]]) -> bool:
    # All pairs are compared: the time must not tell which secret nearly matched.
    found = [hmac.compare_digest(_bytes(given), _bytes(right)) for given, right in pairs if right]
    return any(found)


def _bytes(said: str) -> bytes:
    return said.encode("utf-8", "surrogatepass")
