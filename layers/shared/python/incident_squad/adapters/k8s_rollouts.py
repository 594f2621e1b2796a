"""Rollouts of a deployment: a restart, and the way back to its former revision."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from incident_squad.adapters.k8s_deployment import Deployment, template_of
from incident_squad.adapters.k8s_patches import Rows, merge, require, settle, single
from incident_squad.domain.errors import StepFailed
from incident_squad.domain.values import iso
from incident_squad.ports import Clock

ACT = "incident-squad/act"
RESTARTED = "kubectl.kubernetes.io/restartedAt"


class Restart:
    """`rollout_restart`: new pods of the same release, one after the other."""

    def preview(self, now: Deployment, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The deployment."""
        del arguments
        return [_restart_row(now)]

    def apply(self, now: Deployment, rows: Rows, key: str, clock: Clock) -> dict[str, Any]:
        """Annotate the template, once for each key."""
        mark = hashlib.sha256(key.encode()).hexdigest()[:32]
        if _mark(now) == mark:
            return {"restarted": now.label}
        require([dict(row) for row in rows] == [_restart_row(now)], now)
        annotations = {RESTARTED: iso(clock.now()), ACT: mark}
        template = {"metadata": {"annotations": annotations}}
        settle(
            now,
            lambda: merge(now, {"template": template}),
            lambda seen: _mark(seen) == mark,
        )
        return {"restarted": now.label}

    def undo(self, now: Deployment, result: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing: another restart would change as little as this one."""
        del now, result
        return {}


class RollBack:
    """`rollout_undo`: the template of the revision before the present one."""

    def preview(self, now: Deployment, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """From which revision to which, with their images; nothing without a former one."""
        del arguments
        kept = now.revisions()
        former = max((one for one in kept if one < now.revision), default=0)
        return [_revision_row(now, former, kept[former])] if former else []

    def apply(self, now: Deployment, rows: Rows, key: str, clock: Clock) -> dict[str, Any]:
        """Put the planned revision's template."""
        del key, clock
        row = single(rows, now)
        kept, planned = now.revisions(), int(row["to"])
        newer = int(row["revision"])
        if newer != now.revision:
            # A rollback gives the former template a new number: a second try finds it there.
            require(_images(template_of(now.content)) == row["to images"], now)
            return _rolled(newer, kept.get(newer), template_of(now.content))
        require(planned in kept and dict(row) == _revision_row(now, planned, kept[planned]), now)
        _put_template(now, kept[planned])
        return _rolled(newer, template_of(now.content), kept[planned])

    def undo(self, now: Deployment, result: Mapping[str, Any]) -> dict[str, Any]:
        """Put the newer revision's template again, unless another release is there by now."""
        newer = int(result["previous_revision"])
        if now.revision == newer:
            return {"revision": str(newer)}
        kept = now.revisions()
        if newer not in kept:
            if _digest(template_of(now.content)) == result.get("previous_template"):
                return {"revision": str(now.revision)}
            raise StepFailed(f"the cluster keeps no revision {newer} of {now.label} any more")
        if _digest(template_of(now.content)) != result.get("template"):
            raise StepFailed(f"{now.label} runs another release by now: it is left alone")
        _put_template(now, kept[newer])
        return {"revision": str(newer)}


def _put_template(now: Deployment, template: Mapping[str, Any]) -> None:
    operations = (
        {"op": "test", "path": "/metadata/resourceVersion", "value": now.version},
        {"op": "replace", "path": "/spec/template", "value": template},
    )
    settle(
        now,
        lambda: now.api.patch(now.namespace, now.name, operations),
        lambda seen: template_of(seen.content) == template,
    )


def _mark(now: Deployment) -> str:
    return str(((now.template.get("metadata") or {}).get("annotations") or {}).get(ACT, ""))


def _images(template: Mapping[str, Any]) -> str:
    return " ".join(str(one.get("image", "")) for one in template["spec"]["containers"])


def _digest(template: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()


def _rolled(
    newer: int, newer_template: Mapping[str, Any] | None, template: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "previous_revision": str(newer),
        "previous_template": _digest(newer_template) if newer_template else "",
        "template": _digest(template),
    }


def _restart_row(now: Deployment) -> dict[str, str]:
    change = "restarts all of its pods, one after the other"
    return {"deployment": now.label, "revision": str(now.revision), "change": change}


def _revision_row(now: Deployment, to: int, template: Mapping[str, Any]) -> dict[str, str]:
    return {
        "deployment": now.label,
        "revision": str(now.revision),
        "images": _images(template_of(now.content)),
        "to": str(to),
        "to images": _images(template),
    }
