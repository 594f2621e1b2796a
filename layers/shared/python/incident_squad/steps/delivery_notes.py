"""What the timeline says of deliveries: a dead channel, its return, a message it refused."""

from dataclasses import dataclass

from incident_squad.domain.delivery import Delivery, Lane
from incident_squad.domain.errors import AuditFailure
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.ports import Timeline

NOTED = 2
"""Failures in a row after which the timeline says so: one alone is a hiccup."""


@dataclass(frozen=True)
class DeliveryNotes:
    """Writes about failures, never about success; a note that can't be written stops nothing."""

    timeline: Timeline

    def failing(self, lane: Lane) -> None:
        """Said once an outage of this lane."""
        if lane.failures == NOTED:
            self._note(lane, "DeliveryFailed", f"'{lane.channel}' takes no messages: {lane.error}")

    def recovered(self, lane: Lane) -> None:
        """Said when the outage was."""
        if lane.failures >= NOTED:
            self._note(lane, "DeliveryRecovered", f"'{lane.channel}' takes messages again")

    def refused(self, lane: Lane, delivery: Delivery, why: str) -> None:
        """Said for every message that will never arrive there."""
        told = f"'{lane.channel}' refused '{delivery.message.subject}': {why}"
        self._note(lane, "DeliveryRefused", told)

    def repeated(self, lane: Lane, delivery: Delivery) -> None:
        """Said when a message that may have arrived is sent a second time."""
        if delivery.attempts == NOTED:
            told = f"'{lane.channel}' is given '{delivery.message.subject}' again: it may be twice"
            self._note(lane, "DeliveryRepeated", told)

    def uncertain(self, lane: Lane, delivery: Delivery) -> None:
        """Said when a message may have arrived or not, and is not sent again."""
        told = (
            f"'{lane.channel}' may not have got '{delivery.message.subject}': the attempt broke off"
        )
        self._note(lane, "DeliveryUncertain", told)

    def _note(self, lane: Lane, event: str, summary: str) -> None:
        entry = Entry(
            event=event,
            summary=summary[:2000],
            actor=Actor.system("outbox"),
            data={"channel": lane.channel},
        )
        try:
            self.timeline.append(lane.incident_id, entry)
        except AuditFailure:
            return  # the message itself matters more than the note about it
