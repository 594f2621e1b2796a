"""Whether two alerts can be one fault: what is a symptom of anything, and what is a cause.

A symptom (errors, latency, a backlog) follows from nearly every fault, so it joins whatever is open
around it. A cause (a certificate that ran out, a full disk) is a fault of its own: it joins only
its like, a cause that it is known to come with, or an incident that so far shows only symptoms.
A runbook that is not named here is taken for a cause: better two incidents than one that hides
another.
"""

from incident_squad.domain.triage import Triage
from incident_squad.domain.values import IncidentType

SYMPTOMS = frozenset(
    [
        "app-crash-loop",
        "app-error-rate",
        "app-host-saturation",
        "app-queue-backlog",
        "db-cpu-load",
        "db-slow-queries",
        "net-latency",
        "net-load-balancer-errors",
        "false-alarm",
        "unclear-failure",
    ]
)
"""Runbooks of what users and neighbours feel, whatever the fault is."""

SHARED = frozenset({"net-dns-failure", "sec-ddos"})
"""Causes that hit services which do not depend on each other: one such fault is one incident."""

_FLOOD = "sec-ddos"
_TOGETHER = (
    frozenset({"db-connection-pool", "db-deadlocks"}),
    frozenset({"db-disk-space", "db-replication-lag"}),
    frozenset({"app-deploy-failure", "app-oom-kill"}),
    frozenset({"sec-unauthorized-access", "sec-leaked-credentials", "sec-data-exfiltration"}),
    frozenset({"sec-cve-exploitation", "sec-malware"}),
)


def cause_of(triage: Triage) -> str | None:
    """The cause that an alert names, or None when it shows a symptom; of an attack, always one."""
    named = triage.runbook_id
    if triage.type is IncidentType.SECURITY:
        return named or "security"
    return None if named is None or named in SYMPTOMS else named


def one_fault(kind: IncidentType | None, known: str | None, triage: Triage) -> bool:
    """Whether an alert can belong to an incident of this type and cause (None: only symptoms)."""
    cause = cause_of(triage)
    if (kind is IncidentType.SECURITY) != (triage.type is IncidentType.SECURITY):
        # Of all attacks only a flood looks like an outage from outside.
        return None in {cause, known} and _FLOOD in {cause, known}
    if cause is None or known is None or cause == known:
        return True
    return any({cause, known} <= together for together in _TOGETHER)


def spread_up(kind: IncidentType | None, known: str | None, triage: Triage, *, above: bool) -> bool:
    """Whether it can be one fault that spread from a service to those that depend on it.

    `above` says that the alert is about the dependent one. What is felt up there must be a symptom,
    or the very cause that is known below: a cause up there is a fault of its own.
    """
    felt = cause_of(triage) if above else known
    below = known if above else cause_of(triage)
    return one_fault(kind, known, triage) and (felt is None or below is not None)
