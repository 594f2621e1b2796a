"""Approvals in memory."""

import threading
from collections.abc import Sequence
from datetime import datetime

from incident_squad.adapters.records import HUMAN_DECISIONS, copy_of, refusal
from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.errors import ApprovalRefused
from incident_squad.domain.values import iso
from incident_squad.ports import Clock


class MemoryApprovals:
    """Implements `Approvals`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._requests: dict[tuple[str, str], Approval] = {}
        self._tokens: dict[tuple[str, str], str] = {}

    def put(self, approval: Approval, task_token: str) -> None:
        """Store a new request; raises ApprovalRefused when its id is taken."""
        with self._lock:
            if _key(approval) in self._requests:
                raise ApprovalRefused("a request with this id is already there")
            self._requests[_key(approval)] = copy_of(approval)
            self._tokens[_key(approval)] = task_token

    def get(self, incident_id: str, approval_id: str) -> Approval | None:
        """One request, or None."""
        stored = self._requests.get((incident_id, approval_id))
        return copy_of(stored) if stored else None

    def of_incident(self, incident_id: str) -> Sequence[Approval]:
        """All requests of an incident, the oldest first."""
        with self._lock:
            found = [a for a in self._requests.values() if a.incident_id == incident_id]
        return tuple(copy_of(a) for a in sorted(found, key=lambda a: (a.created_at, a.id)))

    def renew_token(self, approval: Approval, task_token: str) -> None:
        """Bind a request that still stands to a new task; raises ApprovalRefused.

        It stands while it waits within its time, or when it was decided: then the new task has
        yet to be told, so it no longer counts as sent.
        """
        with self._lock:
            stored = self._requests.get(_key(approval))
            if stored is None or not self._stands(stored, approval.plan_hash):
                raise ApprovalRefused(refusal(stored))
            self._requests[_key(approval)] = stored.model_copy(update={"sent": False})
            self._tokens[_key(approval)] = task_token

    def decide(
        self, approval: Approval, status: ApprovalStatus, by: str | None, at: datetime, comment: str
    ) -> tuple[Approval, str]:
        """Decide once; raises ApprovalRefused when it does not count."""
        with self._lock:
            stored = self._requests.get(_key(approval))
            if stored is None or not _decidable(stored, approval.plan_hash, status, at):
                raise ApprovalRefused(refusal(stored))
            news = {"status": status, "decided_by": by, "decided_at": at, "comment": comment}
            decided = copy_of(stored.model_copy(update=news))
            self._requests[_key(approval)] = decided
            return decided, self._tokens[_key(approval)]

    def task_token(self, approval: Approval) -> str:
        """The token of the waiting task; raises ApprovalRefused when there is no such request."""
        try:
            return self._tokens[_key(approval)]
        except KeyError:
            raise ApprovalRefused(refusal(None)) from None

    def mark_sent(self, approval: Approval) -> None:
        """Note that the workflow knows the decision."""
        with self._lock:
            stored = self._requests.get(_key(approval))
            if stored:
                self._requests[_key(approval)] = stored.model_copy(update={"sent": True})

    def _stands(self, stored: Approval, plan_hash: str) -> bool:
        waiting = stored.status is ApprovalStatus.PENDING
        in_time = iso(stored.expires_at) > iso(self._clock.now())
        stands = stored.status in HUMAN_DECISIONS or (waiting and in_time)
        return stands and stored.plan_hash == plan_hash


def _decidable(stored: Approval, plan_hash: str, status: ApprovalStatus, at: datetime) -> bool:
    in_time = status not in HUMAN_DECISIONS or iso(stored.expires_at) > iso(at)
    same_plan = stored.plan_hash == plan_hash
    return stored.status is ApprovalStatus.PENDING and in_time and same_plan


def _key(approval: Approval) -> tuple[str, str]:
    return approval.incident_id, approval.id
