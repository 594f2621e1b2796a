"""The doors: who sends, whether it is true, what it says, and what became of it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.errors import InvalidAlert, SquadError, TransientFailure, UnprovenSender
from incident_squad.domain.limits import IntakeLimits
from incident_squad.domain.outcome import UNKNOWN_SOURCE, Cause, Count, Outcome, OutcomeKind
from incident_squad.intake import fields, limits
from incident_squad.intake.answers import (
    ACCEPTED,
    BAD_REQUEST,
    NOT_FOUND,
    TOO_LARGE,
    TOO_MANY,
    UNAUTHORIZED,
    UNAVAILABLE,
    Answer,
    problem,
)
from incident_squad.intake.rate import Buckets
from incident_squad.intake.recognise import normalise
from incident_squad.intake.sns_proof import NOTIFICATION, Certificates
from incident_squad.ports import Clock, Secrets
from incident_squad.steps.sender_proof import SenderProof

_log = logging.getLogger(__name__)
_SLOW = "the request took too long: send it again, what was taken is known"


class UnknownSource(SquadError):
    """No route belongs to a source of this name."""


_REFUSALS: tuple[tuple[type[SquadError], int, Cause], ...] = (
    (UnknownSource, NOT_FOUND, Cause.NO_SUCH_SOURCE),
    (limits.TooLarge, TOO_LARGE, Cause.TOO_LARGE),
    (limits.TooMany, BAD_REQUEST, Cause.TOO_MANY),
    (InvalidAlert, BAD_REQUEST, Cause.MALFORMED),
    (UnprovenSender, UNAUTHORIZED, Cause.UNPROVEN),
    (limits.TooOften, TOO_MANY, Cause.TOO_MANY),
)


@dataclass(frozen=True)
class IntakeApi:
    """Take alerts over HTTP and from EventBridge.

    `topics` are the SNS topics that are believed. `certificates` fetches a certificate of SNS,
    `confirm` confirms the subscription to a topic by a token. `count` counts what is refused here;
    `receive` counts the rest itself. `limits_of` gives the limits that the operator set.
    """

    receive: Callable[[Sequence[Alert]], list[Outcome]]
    secrets: Secrets
    clock: Clock
    certificates: Certificates
    confirm: Callable[[str, str], None]
    topics: frozenset[str] = frozenset()
    count: Callable[[Sequence[Count]], None] = field(default=lambda _: None)
    limits_of: Callable[[], IntakeLimits] = IntakeLimits
    buckets: Buckets = field(default_factory=Buckets)

    def post(self, name: str | None, headers: Mapping[str, object], body: bytes) -> Answer:
        """Answer one webhook; `name` is the source of the route, None when it may be any."""
        told = {key: value for key, value in headers.items() if isinstance(value, str)}
        try:
            return self._answer(name, told, body)
        except SquadError as error:
            return self._refused(name, error)

    def bridged(self, event: Mapping[str, object]) -> list[Outcome]:
        """Take an event that EventBridge or CloudWatch hands to the function itself.

        AWS has checked who calls. Raises what is temporary, so that AWS delivers again.
        """
        try:
            alerts = normalise(dict(event), {}, self.clock.now(), Source.CLOUDWATCH)
        except InvalidAlert as invalid:
            return [self._rejected(Source.CLOUDWATCH, invalid)]
        if not alerts:
            return [self._no_alert(Source.CLOUDWATCH, "the event carries no alert")]
        outcomes = self.receive(alerts)
        if any(outcome.cause is Cause.OUT_OF_TIME for outcome in outcomes):
            raise TransientFailure(_SLOW)
        return outcomes

    @cached_property
    def _proof(self) -> SenderProof:
        return SenderProof(self.secrets, self.clock, self.certificates, self.topics)

    def _answer(self, name: str | None, headers: Mapping[str, str], body: bytes) -> Answer:
        most = self.limits_of()
        source = _source(name)
        limits.weigh(body, most.body_bytes)
        try:
            source, payload = self._proof.proven(source, headers, body, most)
        except (UnprovenSender, InvalidAlert):
            self._hold_back(f"unproven:{name}", most.unproven_per_second, most.unproven_burst)
            raise
        self._hold_back(source.value, most.requests_per_second, most.burst)
        outcomes = self._take(source, payload, headers, most)
        if any(outcome.cause is Cause.OUT_OF_TIME for outcome in outcomes):
            return problem(TOO_MANY, _SLOW, wait=1)
        return _accepted(outcomes)

    def _hold_back(self, name: str, per_second: float, burst: int) -> None:
        wait = self.buckets.wait(name, self.clock.now(), per_second=per_second, burst=burst)
        if wait:
            raise limits.TooOften("too many requests: slow down, and send this again", wait)

    def _refused(self, name: str | None, error: SquadError) -> Answer:
        for kind, status, cause in _REFUSALS:
            if isinstance(error, kind):
                self._count_refusal(name, cause, getattr(error, "number", 1))
                return problem(status, _words(error), wait=getattr(error, "wait", None))
        # The sender only needs to know that it must come again, not what is wrong inside.
        _log.warning("no alert was taken: %s: %s", type(error).__name__, error)
        return problem(UNAVAILABLE, "the alert could not be stored, send it again")

    def _count_refusal(self, name: str | None, cause: Cause, number: int) -> None:
        known = name if name in {source.value for source in Source} else None
        source, kind = known or UNKNOWN_SOURCE, OutcomeKind.REJECTED
        # A refusal stands whether it can be counted or not.
        with suppress(SquadError):
            self.count([Count(source=source, outcome=kind, cause=cause, number=number)])

    def _take(
        self, source: Source, payload: object, headers: Mapping[str, str], most: IntakeLimits
    ) -> list[Outcome]:
        message = fields.mapping(payload)
        if source is Source.CLOUDWATCH and "Signature" in message:
            kind = fields.text(message.get("Type"))
            if kind != NOTIFICATION:
                return [self._subscription(kind, message)]
        try:
            now, number = self.clock.now(), most.alerts_per_request
            alerts = normalise(payload, headers, now, source, number)
        except InvalidAlert as invalid:
            # PagerDuty stops sending after three refusals, so only a bad proof is refused.
            if source is not Source.PAGERDUTY:
                raise
            return [self._rejected(source, invalid)]
        return self.receive(alerts) or [self._no_alert(source, "the event carries no alert")]

    def _subscription(self, kind: str, message: Mapping[str, object]) -> Outcome:
        """Confirm by the API: the address in the message is never asked."""
        if kind != "SubscriptionConfirmation":
            return self._no_alert(
                Source.CLOUDWATCH, "the subscription has ended", Cause.SUBSCRIPTION
            )
        self.confirm(str(message.get("TopicArn")), str(message.get("Token")))
        return self._no_alert(
            Source.CLOUDWATCH, "the subscription is confirmed", Cause.SUBSCRIPTION
        )

    def _no_alert(self, source: Source, reason: str, cause: Cause = Cause.NO_ALERT) -> Outcome:
        self.count([Count(source=source.value, outcome=OutcomeKind.IGNORED, cause=cause)])
        return Outcome(outcome=OutcomeKind.IGNORED, reason=reason, cause=cause)

    def _rejected(self, source: Source, invalid: InvalidAlert) -> Outcome:
        kind, cause = OutcomeKind.REJECTED, Cause.MALFORMED
        self.count([Count(source=source.value, outcome=kind, cause=cause)])
        return Outcome(outcome=kind, reason=str(invalid), cause=cause)


def _source(name: str | None) -> Source | None:
    if name is None:
        return None
    try:
        return Source(name)
    except ValueError:
        raise UnknownSource("there is no such source") from None


def _words(error: SquadError) -> str:
    return str(error) or "the request is refused"


def _accepted(outcomes: Sequence[Outcome]) -> Answer:
    told = [
        {"outcome": o.outcome.value, "incidentId": o.incident_id, "reason": o.reason}
        for o in outcomes
    ]
    first = next((o.incident_id for o in outcomes if o.incident_id), None)
    return Answer(status=ACCEPTED, body={"outcomes": told, "incidentId": first})
