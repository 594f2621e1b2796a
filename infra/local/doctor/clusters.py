"""Examines clusters: whether the deployments are there, and what the one who asks may do there."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError

from incident_squad.adapters.aws_actions.calls import Denied, Missing
from incident_squad.adapters.k8s_api import Clusters, K8sApi
from incident_squad.domain.errors import SquadError
from incident_squad.domain.targets import K8sTarget
from infra.local.doctor.finding import Found, good, mend, note

_REVIEW = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
Right = tuple[str, str, str]
LOOKS: tuple[Right, ...] = (
    ("get", "apps", "deployments"),
    ("list", "apps", "replicasets"),
    ("list", "", "pods"),
)
ACTS: tuple[Right, ...] = (("patch", "apps", "deployments"), ("get", "", "pods/log"))
TOO_MUCH: tuple[Right, ...] = (
    ("get", "", "secrets"),
    ("create", "", "pods/exec"),
    ("delete", "apps", "deployments"),
    ("create", "rbac.authorization.k8s.io", "rolebindings"),
)


class AskingApi(K8sApi):
    """A cluster that is asked what we may do; asking changes nothing."""

    def may(self, namespace: str, right: Right) -> bool:
        """Whether whoever asks has a right in a namespace."""
        verb, group, resource = right
        kind, _, part = resource.partition("/")
        wanted = {"namespace": namespace, "verb": verb, "group": group, "resource": kind}
        content = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {**wanted, **({"subresource": part} if part else {})}},
        }
        answer: Any = self._asked("POST", _REVIEW, content)
        return bool(answer.get("status", {}).get("allowed"))


def examine_k8s(name: str, target: K8sTarget, clusters: Clusters) -> Iterator[Found]:
    """What is to be said of a cluster target, as whoever asks sees it."""
    try:
        api = AskingApi(clusters.find(target.cluster, target.region))
    except Missing as error:
        yield mend(name, f"the cluster {target.cluster} is not there: {error}")
        return
    except (SquadError, BotoCoreError) as error:
        yield note(name, f"could not check the cluster {target.cluster}: {error}")
        return
    namespaces = []
    for deployment in target.deployments:
        space, _, own = deployment.rpartition("/")
        namespaces.append(space or target.namespace)
        yield from _deployment(name, api, namespaces[-1], own)
    for namespace in dict.fromkeys(namespaces):
        yield from _rights(name, api, namespace)


def _deployment(name: str, api: AskingApi, namespace: str, own: str) -> Iterator[Found]:
    where = f"the deployment {namespace}/{own}"
    try:
        api.deployment(namespace, own)
    except Missing as error:
        yield mend(name, f"{where} is not there: {error}")
    except Denied as error:
        yield note(name, f"could not check {where}: {error}")
    except SquadError as error:
        yield mend(name, f"{where} cannot be seen: {error}")
    else:
        yield good(name, f"{where} is there")


def _rights(name: str, api: AskingApi, namespace: str) -> Iterator[Found]:
    try:
        lacks = [_said(right) for right in (*LOOKS, *ACTS) if not api.may(namespace, right)]
        extra = [_said(right) for right in TOO_MUCH if api.may(namespace, right)]
    except SquadError as error:
        yield note(name, f"could not check what you may do in {namespace}: {error}")
        return
    if lacks:
        words = "Remediate needs it, those who look only get and list"
        yield mend(name, f"in {namespace} you may not {', '.join(lacks)}: {words}")
    if extra:
        words = "let the doctor ask as the roles that the squad has, and give them no more"
        yield note(name, f"in {namespace} you may {', '.join(extra)}, which nothing needs: {words}")
    if not lacks and not extra:
        yield good(name, f"you have the rights in {namespace} that Remediate needs, no more")


def _said(right: Right) -> str:
    return f"{right[0]} {right[2]}"
