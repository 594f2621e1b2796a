"""Who sends an alert, and whether it is true."""

from collections.abc import Mapping
from dataclasses import dataclass

from incident_squad.domain.alert import Source
from incident_squad.domain.errors import InvalidAlert, InvalidConfiguration, UnprovenSender
from incident_squad.domain.limits import IntakeLimits
from incident_squad.intake import limits
from incident_squad.intake.proof import pagerduty_signed, secrets_in, shares_secret
from incident_squad.intake.recognise import recognise
from incident_squad.intake.sns_proof import Certificates, check_sns
from incident_squad.ports import Clock, Secrets


@dataclass(frozen=True)
class SenderProof:
    """Checks a sender by the rules of its source. Nothing is fetched before it is plausible."""

    secrets: Secrets
    clock: Clock
    certificates: Certificates
    topics: frozenset[str]

    def proven(
        self,
        source: Source | None,
        headers: Mapping[str, str],
        body: bytes,
        most: IntakeLimits,
    ) -> tuple[Source, object]:
        """The source and the payload of a sender who has proven who it is.

        Raises UnprovenSender, or InvalidAlert for what cannot be read.
        """
        if source is not None and source is not Source.CLOUDWATCH:
            # Nothing of a stranger is parsed when the route itself says whose proof is due.
            self._check(source, headers, body, {})
            return source, limits.parse(body, most.depth)
        payload = limits.parse(body, most.depth)
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
            now, topics = self.clock.now(), self.topics
            check_sns(payload, topics=topics, certificates=self.certificates, now=now)
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
