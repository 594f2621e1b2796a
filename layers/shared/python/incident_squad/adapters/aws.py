"""What all AWS adapters share: client settings, and what an error of AWS means to the squad."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError

from incident_squad.domain.errors import InvalidConfiguration, SquadError, TransientFailure

CLIENT = Config(
    connect_timeout=2,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 3},
)
"""Settings of every client: a call that hangs must end long before its function does."""

SENDING = CLIENT.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
"""The same for clients that send messages: a second try of the SDK's own would be a second message
that nobody knows of.
"""

THROTTLES = frozenset(
    {
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "TransactionInProgressException",
        "LimitExceededException",
    }
)
"""Errors that say "not now"; the call was not carried out."""

_BROKEN = frozenset({"InternalServerError", "InternalFailure", "ServiceUnavailable"})
_OUTAGES = (AwsConnectionError, HTTPClientError)


def code_of(error: ClientError) -> str:
    """The name of an error of AWS, without a namespace."""
    return str(error.response.get("Error", {}).get("Code", "")).rpartition("#")[2]


def failure(error: ClientError | BotoCoreError, doing: str) -> SquadError:
    """What an error means: TransientFailure when another try may help, else what to mend.

    The text of the error stays in its cause: it may quote what was sent.
    """
    if isinstance(error, _OUTAGES):
        return TransientFailure(f"AWS could not be reached while {doing}")
    if not isinstance(error, ClientError):
        return InvalidConfiguration(f"AWS can't be asked while {doing}: {type(error).__name__}")
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in THROTTLES or code in _BROKEN or status >= 500:  # noqa: PLR2004 - server errors
        return TransientFailure(f"AWS is busy while {doing}: {code}")
    return InvalidConfiguration(f"AWS refused {doing}: {code}")


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn errors of AWS into the squad's; `doing` completes "while ..."."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise failure(error, doing) from error
