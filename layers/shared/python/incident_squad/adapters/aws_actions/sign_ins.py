"""Finds accounts with a successful sign-in from an address, in the log that the target names."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from incident_squad.adapters.aws_actions.calls import Missing, look
from incident_squad.adapters.aws_actions.place import Place, text
from incident_squad.adapters.json_answers import select
from incident_squad.domain.errors import InvalidConfiguration, InvalidParameter
from incident_squad.domain.targets import SignInLog
from incident_squad.policy.protected import refuse_protected
from incident_squad.policy.typed import public_address

MOST_PAGES = 50
MOST_CHARACTERS = 128
"""Of a user's name in Cognito."""


def accounts(place: Place, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Users of the pool who signed in from there, with their status, sorted by name.

    Raises InvalidParameter when there are more than the target allows: a person decides then.
    """
    address = _address(place, arguments)
    names = sorted(set(_names(place, address)))
    if len(names) > place.target.most_users:
        most = place.target.most_users
        raise InvalidParameter(f"{len(names)} accounts signed in from there, more than {most}")
    found = {name: status(place, name) for name in names}
    return {name: state for name, state in found.items() if state is not None}


def status(place: Place, name: str) -> str | None:
    """Where an account of the pool stands (`CONFIRMED`, `RESET_REQUIRED`, ...), or None."""
    try:
        answer = look(
            "reading an account",
            place.client("cognito-idp").admin_get_user,
            UserPoolId=user_pool(place),
            Username=name,
        )
    except Missing:
        return None
    return str(answer["UserStatus"])


def user_pool(place: Place) -> str:
    """The pool that the target names."""
    if place.target.user_pool is None:
        raise InvalidConfiguration(f"the target '{place.name}' names no user_pool")
    return place.target.user_pool


def _address(place: Place, arguments: Mapping[str, Any]) -> str:
    try:
        address = public_address(text(arguments, "logged_in_from"))
    except ValueError as error:
        raise InvalidParameter(f"'logged_in_from' {error}") from None
    refuse_protected("logged_in_from", address, place.policies.never_block)
    return address


def _names(place: Place, address: str) -> Iterator[str]:
    log = place.target.sign_in_log
    if log is None:
        raise InvalidConfiguration(f"the target '{place.name}' names no sign_in_log")
    for message in _messages(place, log, address):
        entry = _parsed(message)
        fits = select(entry, log.address) == address and select(entry, log.outcome) == log.success
        name = select(entry, log.user)
        if fits and isinstance(name, str) and 0 < len(name) <= MOST_CHARACTERS:
            yield name


def _messages(place: Place, log: SignInLog, address: str) -> Iterator[str]:
    since = place.clock.now() - timedelta(hours=log.hours)
    asked: dict[str, Any] = {
        "logGroupName": log.group,
        "startTime": int(since.timestamp() * 1000),
        # Only a first sieve: digits, dots and colons, which the check above has seen to.
        "filterPattern": f'"{address}"',
    }
    client = place.client("logs")
    for _ in range(MOST_PAGES):
        answer = look("reading the sign-in log", client.filter_log_events, **asked)
        yield from (str(event.get("message", "")) for event in answer.get("events", ()))
        if not answer.get("nextToken"):
            return
        asked["nextToken"] = answer["nextToken"]
    raise InvalidParameter("the sign-in log holds more than can be read: a person has to look")


def _parsed(message: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return None
