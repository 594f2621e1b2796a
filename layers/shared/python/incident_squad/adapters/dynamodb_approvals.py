"""Approvals in DynamoDB. A task token is an attribute beside the request, never part of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from incident_squad.adapters.dynamodb_items import (
    PARTITION,
    SORT,
    Item,
    attributes,
    decode,
    incident_key,
    restored,
    stored,
)
from incident_squad.adapters.dynamodb_table import ConditionFailed, DynamoTable
from incident_squad.adapters.records import HUMAN_DECISIONS, refusal
from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.errors import ApprovalRefused
from incident_squad.domain.values import iso
from incident_squad.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PLANS, PUBLIC_TEXTS = "APPROVAL#", "PUBLICTEXT#"
_TOKEN = "task_token"  # noqa: S105 - the attribute's name
_THERE = "attribute_exists(#PK)"
_WAITS = "#status = :pending AND #plan_hash = :plan_hash"
_IN_TIME = "#expires_at > :at"
_STANDS = (
    "#plan_hash = :plan_hash AND ((#status = :pending AND #expires_at > :at)"
    " OR #status IN (:approved, :rejected))"
)


class DynamoApprovals:
    """Implements `Approvals`. Each `prefix` is a kind of requests of its own."""

    def __init__(
        self, client: "DynamoDBClient", table: str, clock: Clock, prefix: str = PLANS
    ) -> None:
        self._table = DynamoTable(client, table, clock)
        self._clock, self._prefix = clock, prefix

    def put(self, approval: Approval, task_token: str) -> None:
        """Store a new request; raises ApprovalRefused when its id is taken."""
        partition, sort = _key(self._prefix, approval)
        fields = {PARTITION: partition, SORT: sort, **stored(approval), _TOKEN: task_token}
        try:
            self._table.put(attributes(fields), "attribute_not_exists(#PK)")
        except ConditionFailed:
            raise ApprovalRefused("a request with this id is already there") from None

    def get(self, incident_id: str, approval_id: str) -> Approval | None:
        """One request, or None."""
        item = self._table.get(incident_key(incident_id), f"{self._prefix}{approval_id}")
        return restored(Approval, item) if item else None

    def of_incident(self, incident_id: str) -> Sequence[Approval]:
        """All requests of an incident, the oldest first."""
        items = self._table.query(incident_key(incident_id), self._prefix)
        found = [restored(Approval, item) for item in items]
        return tuple(sorted(found, key=lambda approval: (approval.created_at, approval.id)))

    def renew_token(self, approval: Approval, task_token: str) -> None:
        """Bind a request that still stands to a new task; raises ApprovalRefused.

        It stands while it waits within its time, or when it was decided: then the new task has
        yet to be told, so it no longer counts as sent.
        """
        self._update(
            approval,
            {_TOKEN: task_token, "sent": False},
            _STANDS,
            plan_hash=approval.plan_hash,
            at=iso(self._clock.now()),
            **{status.value: status.value for status in (ApprovalStatus.PENDING, *HUMAN_DECISIONS)},
        )

    def decide(
        self, approval: Approval, status: ApprovalStatus, by: str | None, at: datetime, comment: str
    ) -> tuple[Approval, str]:
        """Decide once; raises ApprovalRefused when it does not count.

        Only a human's decision can come too late: expiring and voiding are always in time.
        """
        human = status in HUMAN_DECISIONS
        item = self._update(
            approval,
            {"status": status.value, "decided_by": by, "decided_at": iso(at), "comment": comment},
            f"{_WAITS} AND {_IN_TIME}" if human else _WAITS,
            pending=ApprovalStatus.PENDING.value,
            plan_hash=approval.plan_hash,
            at=iso(at) if human else None,
        )
        return restored(Approval, item), str(decode(item[_TOKEN]))

    def task_token(self, approval: Approval) -> str:
        """The token of the waiting task; raises ApprovalRefused when there is no such request."""
        item = self._table.get(*_key(self._prefix, approval))
        if item is None:
            raise ApprovalRefused(refusal(None))
        return str(decode(item[_TOKEN]))

    def mark_sent(self, approval: Approval) -> None:
        """Note that the workflow knows the decision."""
        try:
            self._table.update(_key(self._prefix, approval), {"sent": True}, _THERE)
        except ConditionFailed:
            return

    def _update(
        self, approval: Approval, fields: dict[str, object], condition: str, **values: str | None
    ) -> Item:
        try:
            return self._table.update(
                _key(self._prefix, approval), fields, condition, once=None, **values
            )
        except ConditionFailed as failed:
            there = restored(Approval, failed.item) if failed.item else None
        raise ApprovalRefused(refusal(there))


def _key(prefix: str, approval: Approval) -> tuple[str, str]:
    return incident_key(approval.incident_id), f"{prefix}{approval.id}"
