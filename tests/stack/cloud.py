"""An account of the embedded AWS for tests: what is asked of it is noted, and can be broken."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from incident_squad.adapters.aws_actions.place import Place
from incident_squad.domain.catalog import Policies
from incident_squad.domain.targets import AwsTarget
from tests.fakes import FixedClock

REGION = "us-east-1"
_READS = ("Describe", "Filter", "Get", "List", "AdminGet")


def denied(operation: str) -> Exception:
    """AWS says no, and does nothing."""
    answer: Any = {
        "Error": {"Code": "AccessDeniedException", "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }
    return ClientError(answer, operation)


def broken(operation: str) -> Exception:
    """AWS fails by itself."""
    answer: Any = {
        "Error": {"Code": "InternalFailure", "Message": "oh"},
        "ResponseMetadata": {"HTTPStatusCode": 500},
    }
    return ClientError(answer, operation)


def unanswered(operation: str) -> Exception:
    """Nobody hears the answer."""
    return ReadTimeoutError(endpoint_url=operation)


@dataclass
class Fault:
    """What goes wrong at the n-th call, before it reaches AWS or after it has taken effect."""

    at: int
    after: bool
    make: Callable[[str], Exception]


@dataclass
class Account:
    """Clients of one account.

    `calls` are IAM actions, in the order of the calls; `done` are those that reached AWS.
    """

    endpoint_url: str | None
    calls: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    fault: Fault | None = None

    def __post_init__(self) -> None:
        self._clients: dict[tuple[str, str | None], Any] = {}

    def __call__(self, service: str, region: str | None = None) -> Any:
        key = (service, region)
        if key not in self._clients:
            client: Any = boto3.client(  # type: ignore[call-overload] # any service
                service,
                region_name=region or REGION,
                endpoint_url=self.endpoint_url,
                config=Config(proxies={}, retries={"total_max_attempts": 1}),
            )
            client.meta.events.register("before-call", self._before)
            client.meta.events.register("after-call", self._after)
            self._clients[key] = client
        return self._clients[key]

    def plain(self, service: str) -> Any:
        """A client that is neither noted nor broken: the test's own eyes and hands."""
        key = (f"plain {service}", None)
        if key not in self._clients:
            client: Any = boto3.client(  # type: ignore[call-overload] # any service
                service,
                region_name=REGION,
                endpoint_url=self.endpoint_url,
                config=Config(proxies={}, retries={"total_max_attempts": 1}),
            )
            self._clients[key] = client
        return self._clients[key]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    @property
    def changes(self) -> list[str]:
        """The calls that change something."""
        return [one for one in self.calls if not one.partition(":")[2].startswith(_READS)]

    def place(self, target: AwsTarget, policies: Policies | None = None) -> Place:
        return Place("the-target", target, self, policies or Policies(), FixedClock())

    def _before(self, model: Any, **_: Any) -> None:
        prefix = model.service_model.signing_name
        self.calls.append(f"{prefix}:{model.name}")
        self._break(model.name, after=False)

    def _after(self, model: Any, **_: Any) -> None:
        self.done.add(model.name)
        self._break(model.name, after=True)

    def _break(self, operation: str, *, after: bool) -> None:
        fault = self.fault
        if fault is not None and fault.after is after and len(self.calls) == fault.at:
            raise fault.make(operation)
