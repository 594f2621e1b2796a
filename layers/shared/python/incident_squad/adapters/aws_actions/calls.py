"""Calls of AWS: what failed before it did anything, what did it after all, and what is open."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
)

from incident_squad.adapters.aws import THROTTLES, code_of
from incident_squad.domain.errors import SquadError, StepFailed, TargetUnavailable

_DENIALS = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure")
_CONFLICTS = ("WAFOptimisticLockException", "PreconditionFailedException")
_NEVER_SENT = (EndpointConnectionError, ConnectTimeoutError)
_SERVER_ERROR = 500


class Denied(TargetUnavailable):
    """The role may not do this."""


class Missing(TargetUnavailable):
    """AWS does not know the resource that the catalogue names."""


class Conflict(TargetUnavailable):
    """Somebody else changed the resource in between; nothing was done."""


def look(doing: str, call: Callable[..., Any], **sent: Any) -> Any:  # noqa: ANN401 - any answer
    """A call that only reads; `doing` completes "while ...". Raises TargetUnavailable."""
    try:
        return call(**sent)
    except ClientError as error:
        raise _refusal(error, doing) from error
    except BotoCoreError as error:
        raise TargetUnavailable(f"AWS cannot be asked while {doing}: {_name(error)}") from error


def change(
    doing: str,
    call: Callable[..., Any],
    took_effect: Callable[[], bool],
    **sent: Any,  # noqa: ANN401
) -> None:
    """A call that changes something.

    A refusal is a TargetUnavailable: nothing was changed. Where the answer is lost, `took_effect`
    looks: the change is there, or it is not (after an error of AWS: TargetUnavailable), or nobody
    can know (StepFailed).
    """
    try:
        call(**sent)
    except ClientError as error:
        if _status(error) < _SERVER_ERROR or code_of(error) in THROTTLES:
            raise _refusal(error, doing) from error
        if not _there(doing, took_effect, error):
            message = (
                f"AWS failed while {doing} ({code_of(error)}); the former state is still there"
            )
            raise TargetUnavailable(message) from error
    except _NEVER_SENT as error:
        raise TargetUnavailable(f"AWS cannot be reached while {doing}: {_name(error)}") from error
    except BotoCoreError as error:
        if not _there(doing, took_effect, error):
            # The request may still be on its way: it is not there yet, and that is all.
            message = f"no answer while {doing} ({_name(error)}); so far the former state is there"
            raise StepFailed(message) from error


def _there(doing: str, took_effect: Callable[[], bool], error: Exception) -> bool:
    try:
        return took_effect()
    except SquadError as blind:
        message = f"nobody knows whether it happened: no answer while {doing} ({_name(error)})"
        raise StepFailed(message) from blind


def _refusal(error: ClientError, doing: str) -> TargetUnavailable:
    code = code_of(error)
    if code in _CONFLICTS:
        return Conflict(f"somebody else changed it while {doing}")
    if code in _DENIALS:
        return Denied(f"the role may not do it while {doing}: {code}")
    if "NotFound" in code or "NoSuch" in code or "Nonexistent" in code:
        return Missing(f"AWS knows no such thing while {doing}: {code}")
    return TargetUnavailable(f"AWS refused {doing}: {code}")


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))


def _name(error: Exception) -> str:
    return code_of(error) if isinstance(error, ClientError) else type(error).__name__
