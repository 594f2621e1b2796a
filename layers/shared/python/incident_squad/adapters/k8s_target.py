"""Looks at and acts on the deployments that a cluster target names, and no others."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from incident_squad.adapters.k8s_api import Clusters, K8sApi
from incident_squad.adapters.k8s_deployment import Deployment
from incident_squad.adapters.k8s_patches import Act
from incident_squad.adapters.k8s_readings import READINGS, described, previous_logs
from incident_squad.adapters.k8s_rollouts import Restart, RollBack
from incident_squad.adapters.k8s_sizes import Scale, SetLimits
from incident_squad.adapters.targets import (
    as_not_done,
    ended_badly,
    evidence,
    filled,
    filled_for_probe,
    require_arguments,
    target_of,
)
from incident_squad.domain.errors import (
    InvalidConfiguration,
    InvalidParameter,
    SquadError,
    StepFailed,
)
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import Action, K8sAction, K8sProbe, ParameterValue, Probe, Step
from incident_squad.domain.targets import K8sTarget
from incident_squad.policy.k8s_actions import ACTIONS
from incident_squad.ports import Clock, Knowledge

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
ACTS: Mapping[str, Act] = {
    "rollout_restart": Restart(),
    "rollout_undo": RollBack(),
    "set_limits": SetLimits(),
    "scale": Scale(),
}
_LOOKS: Mapping[str, Callable[[Deployment], dict[str, Any]]] = {
    "describe_pods": described,
    "previous_logs": previous_logs,
}


class _Deployments:
    """Finds the deployment that arguments name, within what the target allows."""

    def __init__(self, knowledge: Knowledge, clusters: Clusters) -> None:
        self._knowledge = knowledge
        self._clusters = clusters

    def find(self, target: str | None, arguments: Mapping[str, Any]) -> Deployment:
        """The deployment as it is now."""
        found = target_of(self._knowledge, target, K8sTarget)
        namespace, name = place(found, arguments)
        api = K8sApi(self._clusters.find(found.cluster, found.region))
        return Deployment(api, found, namespace, name, api.deployment(namespace, name))

    def check(self, target: str | None, arguments: Mapping[str, Any]) -> None:
        """Raise unless the target allows this deployment; asks nobody."""
        place(target_of(self._knowledge, target, K8sTarget), arguments)


def place(target: K8sTarget, arguments: Mapping[str, Any]) -> tuple[str, str]:
    """Namespace and name, if the target lists them; raises InvalidParameter otherwise."""
    namespace, name = arguments.get("namespace", target.namespace), arguments.get("deployment")
    if not all(isinstance(one, str) and _NAME.fullmatch(one) for one in (namespace, name)):
        raise InvalidParameter("'deployment' and 'namespace' must be names of Kubernetes")
    own = namespace == target.namespace and name in target.deployments
    if not own and f"{namespace}/{name}" not in target.deployments:
        raise InvalidParameter(f"'{namespace}/{name}' is not among the deployments of the target")
    return str(namespace), str(name)


class K8sProber:
    """Implements `Prober` with the access that the cluster gives to the function's own role."""

    def __init__(self, knowledge: Knowledge, clusters: Clusters, clock: Clock) -> None:
        self._deployments = _Deployments(knowledge, clusters)
        self._clock = clock

    def probe(self, probe: Probe, target: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """Ask one reading; what goes wrong is in the evidence's status."""
        source = f"k8s:{target or 'none'}"
        if not isinstance(probe, K8sProbe):
            return evidence(self._clock, source, "", EvidenceStatus.NOT_CONFIGURED)
        try:
            if probe.reading not in READINGS:
                raise InvalidConfiguration(f"there is no reading '{probe.reading}'")
            arguments = filled_for_probe(probe.arguments, parameters)
            found = self._deployments.find(target, arguments)
            value = READINGS[probe.reading](found, self._clock)
        except SquadError as error:
            status = ended_badly(error)
            return evidence(self._clock, source, probe.reading, status, detail=str(error)[:500])
        asked = f"{probe.reading} {found.label}"
        return evidence(self._clock, source, asked, EvidenceStatus.OK, value=value)


class K8sExecutor:
    """Implements `Executor` for deployments."""

    def __init__(self, knowledge: Knowledge, clusters: Clusters, clock: Clock) -> None:
        self._deployments = _Deployments(knowledge, clusters)
        self._clock = clock

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        """One row for each change."""
        action = _k8s(step.action, mutates=True)
        arguments = _arguments(action, parameters)
        return ACTS[action.action].preview(self._deployments.find(target, arguments), arguments)

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        """Make the changes that are listed, or look; raises TargetUnavailable when nothing was."""
        try:
            action = _k8s(step.action, mutates=step.mutates)
            arguments = _arguments(action, planned.parameters)
            if step.mutates and not planned.preview:
                return {}
            found = self._deployments.find(planned.target, arguments)
            if not step.mutates:
                return _LOOKS[action.action](found)
            act = ACTS[action.action]
            return act.apply(found, planned.preview, idempotency_key, self._clock)
        except SquadError as error:
            raise as_not_done(error) from error

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        """Take back what apply did, by the act that is its counterpart."""
        del idempotency_key  # an undo looks at what is there: a second one finds it done
        action = _k8s(step.action, mutates=True)
        back = step.undo.action if step.undo else None
        if not isinstance(back, K8sAction) or back.action != ACTIONS[action.action].undo:
            raise StepFailed(f"'{step.title}' has no undo that takes it back")
        if not result:
            return {}
        arguments = _arguments(action, planned.parameters)
        found = self._deployments.find(planned.target, arguments)
        return ACTS[action.action].undo(found, result)


def _k8s(action: Action, *, mutates: bool) -> K8sAction:
    if not isinstance(action, K8sAction):
        raise InvalidParameter(f"an action of kind '{action.kind}' is not of a cluster")
    known = ACTIONS if mutates else _LOOKS
    if action.action not in known:
        raise InvalidParameter(f"there is no such action of clusters: '{action.action}'")
    return action


def _arguments(action: K8sAction, parameters: Mapping[str, ParameterValue]) -> dict[str, Any]:
    arguments = filled(action.arguments, parameters)
    own = ACTIONS[action.action].arguments if action.action in ACTIONS else ()
    optional = ("namespace",) if "namespace" in arguments else ()
    require_arguments(arguments, (*own, "deployment", *optional), action.action)
    return arguments
