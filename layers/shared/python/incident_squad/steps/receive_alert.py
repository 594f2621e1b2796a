"""ReceiveAlert: every alert ends somewhere, and one storm is one incident."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from incident_squad.domain.alert import Alert, AlertStatus
from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.incident import Incident
from incident_squad.domain.incident_id import new_incident_id
from incident_squad.domain.outcome import Cause, Outcome, OutcomeKind
from incident_squad.domain.triage import Triage
from incident_squad.policy.causes import cause_of
from incident_squad.policy.quiet import quieted
from incident_squad.ports import Clock, IncidentStore, Knowledge, Timeline, Workflow
from incident_squad.steps.aftermath import Aftermath
from incident_squad.steps.alert_record import AlertLog, ended, one, over_key, page_of
from incident_squad.steps.attach_alert import AttachAlert
from incident_squad.steps.correlation import Correlation
from incident_squad.steps.settle_alert import SettleAlert

CLAIM = timedelta(days=7)
"""How long an incident holds a key that is not sent again."""

_ATTEMPTS = 60
_TRIES, _PAUSE = 120, 0.05
_LATE = "a late delivery: the source has already said that it is over"


@dataclass(frozen=True)
class ReceiveAlert:
    """Open an incident for an alert, or put it with the one that it belongs to.

    Each delivery is counted once, as what became of it, and in the same write as the alert itself
    wherever an alert is stored: what is counted as opened or attached is there.
    """

    incidents: IncidentStore
    timeline: Timeline
    workflow: Workflow
    knowledge: Knowledge
    clock: Clock
    triager: Callable[[Alert], Triage]

    def __call__(self, alerts: Sequence[Alert]) -> list[Outcome]:
        """What became of each alert, in their order.

        Those that fire go first, so that a group which heals one fault and brings another never
        looks healed in between. Raises TransientFailure or AuditFailure: the sender tries again.
        What is beyond the time of a request is rejected: the sender tries again, too.
        """
        limit = self.knowledge.catalog.policies.intake.seconds_per_request
        deadline = self.clock.now() + timedelta(seconds=limit)
        firing_first = sorted(range(len(alerts)), key=lambda n: not alerts[n].status.failing)
        outcomes = {n: self._in_time(alerts[n], deadline) for n in firing_first}
        return [outcomes[n] for n in range(len(alerts))]

    @cached_property
    def _correlation(self) -> Correlation:
        return Correlation(self.incidents, self.knowledge, self.clock)

    @cached_property
    def _log(self) -> AlertLog:
        return AlertLog(self.incidents, self.timeline)

    @cached_property
    def _attach(self) -> AttachAlert:
        parts = (self.incidents, self.timeline, self.workflow, self.clock)
        return AttachAlert(*parts, self._correlation, self._log, CLAIM)

    @cached_property
    def _settle(self) -> SettleAlert:
        return SettleAlert(self.incidents, self.clock, self._correlation, self._log)

    @cached_property
    def _aftermath(self) -> Aftermath:
        return Aftermath(self.incidents, self.clock)

    def _in_time(self, alert: Alert, deadline: datetime) -> Outcome:
        if self.clock.now() > deadline:
            reason = "the request took too long; send the rest again"
            return self._counted(alert, OutcomeKind.REJECTED, Cause.OUT_OF_TIME, reason)
        if page_of(alert):
            return self._settle.echo(alert, page_of(alert))
        if alert.status is AlertStatus.RESOLVED:
            return self._settle.resolve(alert)
        if alert.status is AlertStatus.INFORMATION:
            return self._settle.note(alert)
        return self._fire(alert)

    def _fire(self, alert: Alert) -> Outcome:
        holder = self.incidents.holder_of(alert.key)
        incident = self._correlation.taking(holder)
        if incident is not None:
            return self._attach(incident, alert, None) or self._fire(alert)
        absorbed = self._aftermath.absorb(self._correlation.known(holder), alert)
        if absorbed is not None:
            return absorbed
        if holder is not None:
            self.incidents.release(alert.key, holder)
        if self._is_late(alert):
            return self._counted(alert, OutcomeKind.SUPPRESSED, Cause.LATE, _LATE)
        return self._judge(alert)

    def _judge(self, alert: Alert) -> Outcome:
        triage = self.triager(alert)
        quiet = quieted(alert, triage, self.knowledge.catalog, self.clock.now())
        if quiet is not None:
            cause, reason = quiet
            return self._counted(alert, OutcomeKind.SUPPRESSED, cause, reason)
        for _ in range(_TRIES):
            outcome = self._placed(alert, triage)
            if outcome is not None:
                return outcome
            self.clock.sleep(_PAUSE)
        raise TransientFailure("other alerts of this service are being taken")

    def _placed(self, alert: Alert, triage: Triage) -> Outcome | None:
        """Join the incident that is there by now, or open one that nobody else opens."""
        related = self._correlation.related(alert, triage)
        if related is not None:
            return self._attach(related, alert, triage) or self._fire(alert)
        with self._correlation.opening(alert, triage) as mine:
            # Between the look and the lock somebody may have opened it.
            if not mine or self._correlation.related(alert, triage) is not None:
                return None
            opened = self._opened(alert, triage)
        if opened is None:
            return self._fire(alert)
        self._log.begin(opened, alert)
        # The incident is stored: if it can't be started now, the sweeper starts it.
        with suppress(TransientFailure):
            self.workflow.start(opened)
        return ended(OutcomeKind.OPENED, Cause.NEW, opened, "a new incident")

    def _opened(self, alert: Alert, triage: Triage) -> Incident | None:
        """The new incident, or None when the alert's key is another incident's by now."""
        counts = (one(alert, OutcomeKind.OPENED, Cause.NEW),)
        for attempt in range(_ATTEMPTS):
            incident = self._new(alert, triage, attempt)
            self._correlation.take(alert, triage, incident, CLAIM)
            until = self.clock.now() + CLAIM
            try:
                holder = self.incidents.open(incident, alert, until, counts)
            except TransientFailure:
                continue
            return incident if holder == incident.id else None
        raise TransientFailure("no incident could be opened just now")

    def _new(self, alert: Alert, triage: Triage, attempt: int) -> Incident:
        now = self.clock.now()
        return Incident(
            id=new_incident_id(now, attempt),
            title=alert.title,
            source=alert.source.value,
            opened_at=now,
            updated_at=now,
            last_alert_at=now,
            service=triage.service or alert.service,
            type=triage.type,
            opening_key=alert.key,
            lead_key=alert.key,
            cause=cause_of(triage),
            stated_severity=triage.severity,
        )

    def _is_late(self, alert: Alert) -> bool:
        """Whether it fires from before its own end, which we know of, closed or never opened."""
        over = self.incidents.holder_of(over_key(alert.key)) if alert.started_at else None
        return bool(over and alert.started_at and alert.started_at < datetime.fromisoformat(over))

    def _counted(
        self,
        alert: Alert,
        kind: OutcomeKind,
        cause: Cause,
        reason: str,
    ) -> Outcome:
        self.incidents.count((one(alert, kind, cause),))
        return Outcome(outcome=kind, reason=reason, cause=cause)
