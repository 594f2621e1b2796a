"""Limits of what comes in, checked before anything is parsed."""

import json
import re

from incident_squad.domain.errors import InvalidAlert, SquadError

MAX_BODY = 256 * 1024
MAX_DEPTH = 32

# Possessive: an unclosed quote is read once, not from every quote again.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")


class TooLarge(SquadError):
    """The body is larger than any alert."""


class TooMany(InvalidAlert):
    """One request carries more alerts than are taken; `number` says how many."""

    def __init__(self, number: int, most: int) -> None:
        super().__init__(f"a message may carry at most {most} alerts")
        self.number = number


class TooOften(SquadError):
    """The sender comes too often, or its request takes too long; `wait` is in seconds."""

    def __init__(self, reason: str, wait: float) -> None:
        super().__init__(reason)
        self.wait = wait


def weigh(body: bytes, most: int = MAX_BODY) -> None:
    """Raise TooLarge when the body is larger than is taken."""
    if len(body) > most:
        raise TooLarge(f"at most {most} bytes are taken")


def parse(body: bytes, deepest: int = MAX_DEPTH) -> object:
    """The JSON of a body; raises InvalidAlert, whatever the body is."""
    try:
        said = body.decode()
    except UnicodeDecodeError:
        raise InvalidAlert("the body is not UTF-8") from None
    if not said.strip():
        raise InvalidAlert("the body is empty")
    if _depth(said) > deepest:
        raise InvalidAlert(f"the body is nested deeper than {deepest} levels")
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        # Also what Python says of a number with thousands of digits.
        raise InvalidAlert("the body is not JSON") from None


def _depth(said: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_STRING.sub("", said)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest
