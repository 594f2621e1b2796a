"""The stores and services of the squad, held in memory: for work without a stack, and for tests.

They keep the rules of the AWS ones; `tests/contract` holds both together.
"""

from incident_squad.adapters.memory.approvals import MemoryApprovals
from incident_squad.adapters.memory.incidents import MemoryIncidents
from incident_squad.adapters.memory.ledger import MemoryLedger
from incident_squad.adapters.memory.outbox import MemoryOutbox
from incident_squad.adapters.memory.services import (
    MemoryKnowledge,
    MemoryNotifier,
    MemorySecrets,
    MemorySigner,
)
from incident_squad.adapters.memory.telemetry import MemoryTelemetry
from incident_squad.adapters.memory.timeline import MemoryTimeline
from incident_squad.adapters.memory.times import FixedClock, TickingClock
from incident_squad.adapters.memory.workflow import MemoryWorkflow, Start

__all__ = [
    "FixedClock",
    "MemoryApprovals",
    "MemoryIncidents",
    "MemoryKnowledge",
    "MemoryLedger",
    "MemoryNotifier",
    "MemoryOutbox",
    "MemorySecrets",
    "MemorySigner",
    "MemoryTelemetry",
    "MemoryTimeline",
    "MemoryWorkflow",
    "Start",
    "TickingClock",
]
