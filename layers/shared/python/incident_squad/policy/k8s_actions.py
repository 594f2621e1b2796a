"""What the squad can do with deployments of a cluster and read of them: names and arguments.

Every name takes `deployment`, and `namespace` where the target's own is not meant.
"""

from incident_squad.domain.values import Value


class K8sActionSpec(Value):
    """An act. `undo` is the name that takes it back, or None when there is nothing to take back."""

    arguments: tuple[str, ...] = ()
    undo: str | None = None


ACTIONS: dict[str, K8sActionSpec] = {
    "rollout_restart": K8sActionSpec(),
    "rollout_undo": K8sActionSpec(undo="rollout_redo"),
    "set_limits": K8sActionSpec(arguments=("memory_percent",), undo="restore_limits"),
    "scale": K8sActionSpec(arguments=("add",), undo="restore_scale"),
}
"""Acts by name."""

LOOKS = ("describe_pods", "previous_logs")
"""Steps that only look, by name."""

READINGS = (
    "ready",
    "oom_kills",
    "restarts",
    "waiting",
    "unavailable",
    "replicas",
    "revision_age_seconds",
)
"""Probes by name."""
