"""Sizes of a deployment: memory limits of its containers, and the number of its pods."""

import math
from collections.abc import Mapping
from typing import Any

from incident_squad.adapters.aws_actions.place import number
from incident_squad.adapters.k8s_deployment import Deployment
from incident_squad.adapters.k8s_patches import Rows, merge, require, settle, single
from incident_squad.domain.errors import InvalidConfiguration, InvalidParameter, StepFailed
from incident_squad.ports import Clock

MEBIBYTE = 1024 * 1024
_UNITS = {
    "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip


class SetLimits:
    """`set_limits`: memory limits of all containers, in percent of what they are."""

    def preview(self, now: Deployment, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """Each container from how much to how much."""
        percent = number(arguments, "memory_percent", 101, 400)
        rows = [
            _limit_row(now, name, limit, _grown(now, limit, percent))
            for name, limit in _limits(now).items()
        ]
        if not rows:
            raise InvalidConfiguration(f"no container of {now.label} has a memory limit")
        return rows

    def apply(self, now: Deployment, rows: Rows, key: str, clock: Clock) -> dict[str, Any]:
        """Set the planned limits, if the containers still have the former ones."""
        del key, clock
        former = {row["container"]: row["memory"] for row in rows}
        wanted = {row["container"]: row["to"] for row in rows}
        limits = _limits(now)
        found = {name: limits.get(name) for name in wanted}
        if found != wanted:
            again = [_limit_row(now, name, former[name], to) for name, to in wanted.items()]
            require(found == former and [dict(row) for row in rows] == again, now)
            _set_limits(now, wanted)
        return {"limits": wanted, "previous_limits": former}

    def undo(self, now: Deployment, result: Mapping[str, Any]) -> dict[str, Any]:
        """Set the former limits, unless others are set by now."""
        ours, former = dict(result["limits"]), dict(result["previous_limits"])
        limits = _limits(now)
        found = {name: limits.get(name) for name in ours}
        if found not in (ours, former):
            raise StepFailed(f"the limits of {now.label} are {found} by now: they are left alone")
        if found != former:
            _set_limits(now, former)
        return {"limits": former}


class Scale:
    """`scale`: so many more pods."""

    def preview(self, now: Deployment, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """From how many to how many; never more than the target allows."""
        most = now.target.most_replicas
        wanted = now.replicas + number(arguments, "add", 1, 100)
        if wanted > most:
            raise InvalidParameter(f"{wanted} pods would be more than the {most} allowed")
        return [_scale_row(now, now.replicas, wanted)]

    def apply(self, now: Deployment, rows: Rows, key: str, clock: Clock) -> dict[str, Any]:
        """Set the planned number, if the former one is still set."""
        del key, clock
        row = single(rows, now)
        former, wanted = int(row["replicas"]), int(row["to"])
        require(dict(row) == _scale_row(now, former, wanted), now)
        if now.replicas != wanted:
            require(now.replicas == former, now)
            _set_replicas(now, wanted)
        return {"replicas": wanted, "previous_replicas": former}

    def undo(self, now: Deployment, result: Mapping[str, Any]) -> dict[str, Any]:
        """Set the former number, unless another one is set by now."""
        ours, former = int(result["replicas"]), int(result["previous_replicas"])
        if now.replicas not in {ours, former}:
            raise StepFailed(f"{now.label} asks for {now.replicas} pods by now: it is left alone")
        if now.replicas != former:
            _set_replicas(now, former)
        return {"replicas": former}


def quantity(written: str) -> int:
    """Bytes of a quantity as Kubernetes writes it (`512Mi`, `1.5G`)."""
    unit = written.lstrip("0123456789.")
    if unit not in _UNITS or not written.removesuffix(unit):
        raise InvalidConfiguration(f"'{written}' is no quantity of memory")
    return math.ceil(float(written.removesuffix(unit)) * _UNITS[unit])


def _set_limits(now: Deployment, limits: Mapping[str, str]) -> None:
    containers = [
        {"name": name, "resources": {"limits": {"memory": memory}}}
        for name, memory in limits.items()
    ]
    settle(
        now,
        lambda: merge(now, {"template": {"spec": {"containers": containers}}}),
        lambda seen: {name: _limits(seen).get(name) for name in limits} == limits,
    )


def _set_replicas(now: Deployment, wanted: int) -> None:
    operations = (
        {"op": "test", "path": "/spec/replicas", "value": now.replicas},
        {"op": "replace", "path": "/spec/replicas", "value": wanted},
    )
    settle(
        now,
        lambda: now.api.patch(now.namespace, now.name, operations),
        lambda seen: seen.replicas == wanted,
    )


def _limits(now: Deployment) -> dict[str, str]:
    found = {}
    for container in now.template["spec"]["containers"]:
        limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
        if limit:
            found[str(container["name"])] = str(limit)
    return found


def _grown(now: Deployment, limit: str, percent: int) -> str:
    wanted = math.ceil(quantity(limit) * percent / 100 / MEBIBYTE)
    most = now.target.most_memory_mib
    if wanted > most:
        raise InvalidParameter(f"{wanted} MiB would be more than the {most} allowed")
    return f"{wanted}Mi"


def _limit_row(now: Deployment, container: str, limit: str, to: str) -> dict[str, str]:
    return {"deployment": now.label, "container": container, "memory": limit, "to": to}


def _scale_row(now: Deployment, former: int, wanted: int) -> dict[str, str]:
    return {"deployment": now.label, "replicas": str(former), "to": str(wanted)}
