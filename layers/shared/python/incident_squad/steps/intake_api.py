"""The doors: who sends, whether it is true, what it says, and what became of it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.errors import (
    InvalidAlert,
    InvalidConfiguration,
    SquadError,
    UnprovenSender,
)
from incident_squad.domain.outcome import Outcome, OutcomeKind
from incident_squad.intake import fields, limits
from incident_squad.intake.answers import (
    ACCEPTED,
    BAD_REQUEST,
    NOT_FOUND,
    TOO_LARGE,
    UNAUTHORIZED,
    UNAVAILABLE,
    Answer,
    problem,
)
from incident_squad.intake.proof import pagerduty_signed, secrets_in, shares_secret
from incident_squad.intake.recognise import normalise, recognise
from incident_squad.intake.sns_proof import NOTIFICATION, Certificates, check_sns
from incident_squad.ports import Clock, Secrets

_log = logging.getLogger(__name__)


class UnknownSource(SquadError):
    """No route belongs to a source of this name."""


@dataclass(frozen=True)
class IntakeApi:
    """Take alerts over HTTP and from EventBridge.

    `topics` are the SNS topics that are believed. `certificates` fetches a certificate of SNS,
    `confirm` confirms the subscription to a topic by a token.
    """

    receive: Callable[[Sequence[Alert]], list[Outcome]]
    secrets: Secrets
    clock: Clock
    certificates: Certificates
    confirm: Callable[[str, str], None]
    topics: frozenset[str] = frozenset()

    def post(self, name: str | None, headers: Mapping[str, object], body: bytes) -> Answer:
        """Answer one webhook; `name` is the source of the route, None when it may be any."""
        told = {key: value for key, value in headers.items() if isinstance(value, str)}
        try:
            source = _source(name)
            limits.weigh(body)
            source, payload = self._proven(source, told, body)
            return _accepted(self._take(source, payload, told))
        except UnknownSource:
            return problem(NOT_FOUND, "there is no such source")
        except limits.TooLarge as large:
            return problem(TOO_LARGE, str(large))
        except InvalidAlert as invalid:
            return problem(BAD_REQUEST, str(invalid))
        except UnprovenSender as unproven:
            return problem(UNAUTHORIZED, str(unproven))
        except SquadError as error:
            # The sender only needs to know that it must come again, not what is wrong inside.
            _log.warning("no alert was taken: %s: %s", type(error).__name__, error)
            return problem(UNAVAILABLE, "the alert could not be stored, send it again")

    def bridged(self, event: Mapping[str, object]) -> list[Outcome]:
        """Take an event that EventBridge or CloudWatch hands to the function itself.

        AWS has checked who calls. Raises what is temporary, so that AWS delivers again.
        """
        try:
            alerts = normalise(dict(event), {}, self.clock.now(), Source.CLOUDWATCH)
        except InvalidAlert as invalid:
            return [Outcome(outcome=OutcomeKind.REJECTED, reason=str(invalid))]
        return self.receive(alerts)

    def _proven(
        self, source: Source | None, headers: Mapping[str, str], body: bytes
    ) -> tuple[Source, object]:
        """The source and the payload of a sender who has proven who it is."""
        if source is not None and source is not Source.CLOUDWATCH:
            # Nothing of a stranger is parsed when the route itself says whose proof is due.
            self._check(source, headers, body, {})
            return source, limits.parse(body)
        payload = limits.parse(body)
        if not isinstance(payload, dict):
            raise InvalidAlert("an alert is a JSON object")
        found = source or recognise(headers, payload)
        self._check(found, headers, body, payload)
        return found, payload

    def _check(
        self,
        source: Source,
        headers: Mapping[str, str],
        body: bytes,
        payload: Mapping[str, object],
    ) -> None:
        if source is Source.CLOUDWATCH and "Signature" in payload:
            check_sns(
                payload,
                topics=self.topics,
                certificates=self.certificates,
                now=self.clock.now(),
            )
            return
        valid = self._valid_secrets(source)
        signed = source is Source.PAGERDUTY
        if not (
            pagerduty_signed(headers, body, valid) if signed else shares_secret(headers, valid)
        ):
            raise UnprovenSender(f"this is not proven to come from {source.value}")

    def _valid_secrets(self, source: Source) -> tuple[str, ...]:
        try:
            return secrets_in(self.secrets.get(f"webhooks/{source.value}"))
        except InvalidConfiguration:
            # A source without a secret is a source that nobody connected.
            return ()

    def _take(self, source: Source, payload: object, headers: Mapping[str, str]) -> list[Outcome]:
        message = fields.mapping(payload)
        if source is Source.CLOUDWATCH and "Signature" in message:
            kind = fields.text(message.get("Type"))
            if kind != NOTIFICATION:
                return [self._subscription(kind, message)]
        try:
            alerts = normalise(payload, headers, self.clock.now(), source)
        except InvalidAlert as invalid:
            # PagerDuty stops sending after three refusals, so only a bad proof is refused.
            if source is not Source.PAGERDUTY:
                raise
            return [Outcome(outcome=OutcomeKind.REJECTED, reason=str(invalid))]
        return self.receive(alerts)

    def _subscription(self, kind: str, message: Mapping[str, object]) -> Outcome:
        """Confirm by the API: the address in the message is never asked."""
        if kind != "SubscriptionConfirmation":
            return Outcome(outcome=OutcomeKind.IGNORED, reason="the subscription has ended")
        self.confirm(str(message.get("TopicArn")), str(message.get("Token")))
        return Outcome(outcome=OutcomeKind.IGNORED, reason="the subscription is confirmed")


def _source(name: str | None) -> Source | None:
    if name is None:
        return None
    try:
        return Source(name)
    except ValueError:
        raise UnknownSource from None


def _accepted(outcomes: Sequence[Outcome]) -> Answer:
    if not outcomes:
        reason = "the event carries no alert"
        outcomes = [Outcome(outcome=OutcomeKind.IGNORED, reason=reason)]
    told = [
        {"outcome": o.outcome.value, "incidentId": o.incident_id, "reason": o.reason}
        for o in outcomes
    ]
    first = next((o.incident_id for o in outcomes if o.incident_id), None)
    return Answer(status=ACCEPTED, body={"outcomes": told, "incidentId": first})
