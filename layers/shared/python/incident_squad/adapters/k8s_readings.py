"""What can be read of a deployment and its pods."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from incident_squad.adapters.k8s_deployment import REVISION, Deployment
from incident_squad.ports import Clock

ROWS = 20
_STUCK = frozenset({"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerError"})


def ready(now: Deployment, clock: Clock) -> bool:
    """Whether the present release runs on all of its pods, and no other one."""
    del clock
    status, wanted = now.content.get("status") or {}, now.replicas
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    observed = status.get("observedGeneration", 0) >= now.content["metadata"].get("generation", 0)
    return bool(observed and all(count == wanted for count in counts))


def oom_kills(now: Deployment, clock: Clock) -> int:
    """How many containers were killed for lack of memory the last time that they ended."""
    del clock
    return sum(_ended(state).get("reason") == "OOMKilled" for _, state in _containers(now))


def restarts(now: Deployment, clock: Clock) -> int:
    """How often its containers were restarted."""
    del clock
    return sum(int(state.get("restartCount", 0)) for _, state in _containers(now))


def waiting(now: Deployment, clock: Clock) -> int:
    """How many containers cannot start, or start again and again."""
    del clock
    return sum(_waits(state) in _STUCK for _, state in _containers(now))


def unavailable(now: Deployment, clock: Clock) -> int:
    """How many of the pods that it asks for are not available."""
    del clock
    return max(0, now.replicas - int((now.content.get("status") or {}).get("availableReplicas", 0)))


def replicas(now: Deployment, clock: Clock) -> int:
    """How many pods it asks for."""
    del clock
    return now.replicas


def revision_age_seconds(now: Deployment, clock: Clock) -> int:
    """For how long the present revision has been there; a very long time when nobody knows."""
    for one in now.api.listed("replicasets", now.namespace, now.labels):
        metadata = one["metadata"]
        if (metadata.get("annotations") or {}).get(REVISION) == str(now.revision):
            made = datetime.fromisoformat(str(metadata["creationTimestamp"]))
            return int((clock.now() - made).total_seconds())
    return 10**9


READINGS: Mapping[str, Callable[[Deployment, Clock], bool | int]] = {
    "ready": ready,
    "oom_kills": oom_kills,
    "restarts": restarts,
    "waiting": waiting,
    "unavailable": unavailable,
    "replicas": replicas,
    "revision_age_seconds": revision_age_seconds,
}


def described(now: Deployment) -> dict[str, Any]:
    """Its containers, as lists of equal length: what people read first."""
    rows = [_row(pod, state) for pod, state in _containers(now)][:ROWS]
    columns = ("pod", "container", "restarts", "waits_for", "last_end")
    return {name: [row[name] for row in rows] for name in columns}


def previous_logs(now: Deployment) -> dict[str, Any]:
    """The last lines of the container that was restarted most often."""
    found = max(_containers(now), key=lambda one: one[1].get("restartCount", 0), default=None)
    if found is None or not found[1].get("restartCount"):
        return {"pod": "", "lines": []}
    pod, state = found
    log = now.api.previous_log(now.namespace, pod, str(state["name"]))
    return {"pod": pod, "lines": [line[:300] for line in log.splitlines()[-ROWS:]]}


def _containers(now: Deployment) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for pod in now.pods():
        for state in (pod.get("status") or {}).get("containerStatuses") or ():
            yield str(pod["metadata"]["name"]), state


def _ended(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """How a container ended last."""
    for moment in ("state", "lastState"):
        ended: Mapping[str, Any] | None = (state.get(moment) or {}).get("terminated")
        if ended:
            return ended
    return {}


def _waits(state: Mapping[str, Any]) -> str:
    return str(((state.get("state") or {}).get("waiting") or {}).get("reason", ""))


def _row(pod: str, state: Mapping[str, Any]) -> dict[str, str]:
    ended = _ended(state)
    end = f"{ended.get('reason', '')} {ended.get('exitCode', '')}".strip()
    return {
        "pod": pod,
        "container": str(state.get("name", "")),
        "restarts": str(state.get("restartCount", 0)),
        "waits_for": _waits(state),
        "last_end": end,
    }
