"""How Lambda reaches a use case: parse, log, delegate, dump."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from pydantic import BaseModel, ValidationError

from incident_squad.domain.errors import InvalidConfiguration, SquadError
from incident_squad.settings import settings

NAMESPACE = "IncidentSquad"

logger = Logger(service="incident-squad")

Event = dict[str, Any]
Handler = Callable[[Event, object], dict[str, Any]]
Request = TypeVar("Request", bound=BaseModel)
Answer = TypeVar("Answer", bound=BaseModel)


def step(
    request_type: type[Request],
) -> Callable[[Callable[[Request], Answer]], Handler]:
    """Make a Lambda handler of a state: its input is parsed, its output dumped by contract.

    Errors keep their class: the name is what the workflow's Retry and Catch go by.
    """

    def decorate(use_case: Callable[[Request], Answer]) -> Handler:
        @functools.wraps(use_case)
        def handler(event: Event, context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's form
            with _logged(use_case.__module__, event):
                return _dump(use_case(_parse(request_type, event)))

        return handler

    return decorate


def event_handler(use_case: Callable[[Event], BaseModel]) -> Handler:
    """Make a Lambda handler of a use case that takes an event of AWS as it comes."""

    @functools.wraps(use_case)
    def handler(event: Event, context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's form
        with _logged(use_case.__module__, event):
            return _dump(use_case(event))

    return handler


def measure(**values: float) -> None:
    """Count something for alarms: metrics of this stack, written to the log as EMF."""
    from aws_lambda_powertools import Metrics  # noqa: PLC0415 - few functions count
    from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415

    metrics = Metrics(namespace=NAMESPACE, service="incident-squad")
    metrics.add_dimension(name="stack", value=settings().secrets_prefix.rstrip("/") or "-")
    for name, value in values.items():
        metrics.add_metric(name=name, unit=MetricUnit.NoUnit, value=value)
    metrics.flush_metrics()


def _parse(request_type: type[Request], event: Event) -> Request:
    try:
        return request_type.model_validate(event)
    except ValidationError as error:
        raise InvalidConfiguration(f"the state was given a wrong input: {error}") from error


def _dump(answer: BaseModel) -> dict[str, Any]:
    return answer.model_dump(mode="json", by_alias=True)


@contextmanager
def _logged(name: str, event: Event) -> Iterator[None]:
    extra = {"function": name, "incidentId": event.get("incidentId")}
    logger.info("started", extra=extra)
    try:
        yield
    except SquadError as error:
        logger.warning("%s: %s", type(error).__name__, error, extra=extra)
        raise
    except Exception:
        logger.exception("failed", extra=extra)
        raise
    logger.info("done", extra=extra)
