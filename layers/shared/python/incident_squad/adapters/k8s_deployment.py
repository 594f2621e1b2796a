"""A deployment of a cluster as the squad sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from incident_squad.adapters.k8s_api import K8sApi
from incident_squad.domain.targets import K8sTarget

REVISION = "deployment.kubernetes.io/revision"
HASH_LABEL = "pod-template-hash"


@dataclass(frozen=True)
class Deployment:
    """Its place, and what the API said of it when it was read."""

    api: K8sApi
    target: K8sTarget
    namespace: str
    name: str
    content: Mapping[str, Any]

    @property
    def label(self) -> str:
        """How people know it."""
        return f"{self.namespace}/{self.name}"

    @property
    def version(self) -> str:
        """What a patch must find unchanged."""
        return str(self.content["metadata"]["resourceVersion"])

    @property
    def annotations(self) -> Mapping[str, str]:
        """Of the deployment itself."""
        found: Mapping[str, str] = self.content["metadata"].get("annotations") or {}
        return found

    @property
    def template(self) -> Mapping[str, Any]:
        """What its pods are made from."""
        found: Mapping[str, Any] = self.content["spec"]["template"]
        return found

    @property
    def replicas(self) -> int:
        """How many pods it asks for."""
        return int(self.content["spec"].get("replicas", 1))

    @property
    def revision(self) -> int:
        """The number of its present template."""
        return int(self.annotations.get(REVISION, 0))

    @property
    def labels(self) -> Mapping[str, str]:
        """By which it knows its pods."""
        found: Mapping[str, str] = self.content["spec"]["selector"].get("matchLabels") or {}
        return found

    def fresh(self) -> "Deployment":
        """As it is now."""
        content = self.api.deployment(self.namespace, self.name)
        return Deployment(self.api, self.target, self.namespace, self.name, content)

    def pods(self) -> Sequence[Mapping[str, Any]]:
        """Its pods."""
        return self.api.listed("pods", self.namespace, self.labels)

    def revisions(self) -> dict[int, Mapping[str, Any]]:
        """The templates that the cluster still keeps, by revision, without what it added."""
        sets = self.api.listed("replicasets", self.namespace, self.labels)
        own = [one for one in sets if self._owns(one)]
        return {_revision(one): template_of(one) for one in own if _revision(one)}

    def _owns(self, replica_set: Mapping[str, Any]) -> bool:
        wanted = self.content["metadata"].get("uid")
        owners = replica_set["metadata"].get("ownerReferences") or ()
        return any(owner.get("uid") == wanted for owner in owners)


def template_of(holder: Mapping[str, Any]) -> dict[str, Any]:
    """The template of a deployment or replica set, without the label of its hash."""
    template: dict[str, Any] = dict(holder["spec"]["template"])
    metadata = dict(template.get("metadata") or {})
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _revision(replica_set: Mapping[str, Any]) -> int:
    annotations = replica_set["metadata"].get("annotations") or {}
    text = str(annotations.get(REVISION, ""))
    return int(text) if text.isdigit() else 0
