"""The deterministic triage floor."""

from incident_squad.policy.triage.triager import Triager, triage

__all__ = ["Triager", "triage"]
