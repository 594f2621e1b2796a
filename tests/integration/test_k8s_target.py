"""Acts on deployments of a cluster, as transactions, against an API server of our own."""

import base64
import copy
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.stub import Stubber

from incident_squad.adapters.k8s_api import Cluster, EksClusters
from incident_squad.adapters.k8s_readings import READINGS as READ
from incident_squad.adapters.k8s_target import ACTS, K8sExecutor, K8sProber
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import SquadError, StepFailed, TargetUnavailable
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import K8sProbe, Step
from incident_squad.policy.k8s_actions import ACTIONS, LOOKS, READINGS
from tests.builders import a_catalog, a_planned_step
from tests.cluster import TOKEN, FakeCluster
from tests.fakes import FixedClock, MemoryKnowledge

WEB = "shop/web"
TARGET = {
    "kind": "k8s",
    "cluster": "production",
    "namespace": "shop",
    "deployments": ["web", "kube-system/coredns"],
    "most_replicas": 6,
    "most_memory_mib": 1024,
}
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "rollout_restart": {},
    "rollout_undo": {},
    "set_limits": {"memory_percent": 150},
    "scale": {"add": 2},
}
CAN_BE_UNDONE = sorted(set(ACTIONS) - {"rollout_restart"})


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with FakeCluster() as found:
        found.deploy(WEB, "web:1", "web:2", "web:3")
        yield found


def a_knowledge(**fields: Any) -> MemoryKnowledge:
    catalog = a_catalog().model_dump(mode="json", exclude_unset=True)
    targets = {**catalog.get("targets", {}), "cluster": {**TARGET, **fields}}
    return MemoryKnowledge(Catalog.model_validate({**catalog, "targets": targets}), {})


def an_executor(cluster: FakeCluster, **fields: Any) -> K8sExecutor:
    return K8sExecutor(a_knowledge(**fields), cluster, FixedClock())


def a_step(name: str, **fields: Any) -> Step:
    undo = ACTIONS[name].undo if name in ACTIONS else None
    back = {"kind": "k8s", "target": "cluster", "action": undo or "nothing"}
    condition = {
        "title": "x",
        "probe": {"kind": "k8s", "target": "cluster", "reading": "ready"},
        "expect": {"op": "==", "value": True},
    }
    mutates = name not in LOOKS
    own = {"precheck": condition, "verify": condition, "mutates": True, "risk": "low"}
    known = {
        "title": name,
        "command": name,
        "action": {
            "kind": "k8s",
            "target": "cluster",
            "action": name,
            "arguments": {"deployment": "web", **ARGUMENTS.get(name, {})},
        },
        "undo": {"title": "back", "action": back if undo else None},
        **(own if mutates else {}),
    }
    return Step.model_validate({**known, **fields})


def planned(rows: Any = (), **fields: Any) -> PlannedStep:
    return a_planned_step(kind="k8s", target="cluster", preview=tuple(rows), **fields)


def state(cluster: FakeCluster) -> Any:
    return copy.deepcopy(cluster.deployments[WEB]["spec"])


@pytest.mark.parametrize("name", CAN_BE_UNDONE)
def test_an_act_does_what_its_preview_lists_and_its_undo_gives_back_what_was(
    name: str, cluster: FakeCluster
) -> None:
    executor, step, before = an_executor(cluster), a_step(name), state(cluster)
    rows = executor.preview(step, "cluster", {})
    assert rows
    assert (state(cluster), cluster.patches) == (before, [])

    result = executor.apply(step, planned(rows), "key")
    after = state(cluster)
    assert after != before
    executor.apply(step, planned(rows), "key")
    assert (state(cluster), len(cluster.patches)) == (after, 1)

    executor.undo(step, planned(rows), result, "key:undo")
    assert state(cluster) == before
    executor.undo(step, planned(rows), result, "key:undo")
    assert (state(cluster), len(cluster.patches)) == (before, 2)


def test_previews_say_what_would_be_what(cluster: FakeCluster) -> None:
    executor = an_executor(cluster)
    assert executor.preview(a_step("rollout_undo"), "cluster", {}) == [
        {
            "deployment": WEB,
            "revision": "3",
            "images": "web:3 proxy:1",
            "to": "2",
            "to images": "web:2 proxy:1",
        }
    ]
    assert executor.preview(a_step("set_limits"), "cluster", {}) == [
        {"deployment": WEB, "container": "web", "memory": "512Mi", "to": "768Mi"}
    ]
    assert executor.preview(a_step("scale"), "cluster", {}) == [
        {"deployment": WEB, "replicas": "2", "to": "4"}
    ]


def test_a_restart_happens_once_for_each_key(cluster: FakeCluster) -> None:
    executor, step = an_executor(cluster), a_step("rollout_restart")
    rows = executor.preview(step, "cluster", {})
    executor.apply(step, planned(rows), "key")
    after = state(cluster)
    executor.apply(step, planned(rows), "key")
    assert state(cluster) == after
    assert len(cluster.patches) == 1
    with pytest.raises(StepFailed, match="no undo"):
        executor.undo(step, planned(rows), {"restarted": WEB}, "key")


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_what_changed_since_the_plan_is_not_touched(name: str, cluster: FakeCluster) -> None:
    executor, step = an_executor(cluster), a_step(name)
    rows = executor.preview(step, "cluster", {})
    spec = cluster.deployments[WEB]["spec"]
    spec["replicas"] = 5
    spec["template"]["spec"]["containers"][0] |= {
        "image": "web:4",
        "resources": {"limits": {"memory": "600Mi"}},
    }
    cluster.roll(WEB)
    before = state(cluster)
    with pytest.raises(TargetUnavailable):
        executor.apply(step, planned(rows), "key")
    assert (state(cluster), cluster.patches) == (before, [])


@pytest.mark.parametrize("breaks", ["before", "after", "500"])
@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_a_broken_patch_is_looked_after(name: str, breaks: str, cluster: FakeCluster) -> None:
    executor, step, before = an_executor(cluster), a_step(name), state(cluster)
    rows = executor.preview(step, "cluster", {})
    cluster.breaks = breaks
    if breaks == "after":
        result = executor.apply(step, planned(rows), "key")
        assert state(cluster) != before
        if name in CAN_BE_UNDONE:
            executor.undo(step, planned(rows), result, "key")
            assert state(cluster) == before
        return
    with pytest.raises(StepFailed, match=r"so far shop/web is as it was"):
        executor.apply(step, planned(rows), "key")
    assert state(cluster) == before


@pytest.mark.parametrize("name", CAN_BE_UNDONE)
def test_an_undo_leaves_alone_what_others_changed_since(name: str, cluster: FakeCluster) -> None:
    executor, step = an_executor(cluster), a_step(name)
    rows = executor.preview(step, "cluster", {})
    result = executor.apply(step, planned(rows), "key")
    spec = cluster.deployments[WEB]["spec"]
    spec["replicas"] = 5
    spec["template"]["spec"]["containers"][0] |= {
        "image": "web:9",
        "resources": {"limits": {"memory": "600Mi"}},
    }
    cluster.roll(WEB)
    before = state(cluster)
    with pytest.raises(StepFailed, match="by now"):
        executor.undo(step, planned(rows), result, "key")
    assert state(cluster) == before


@pytest.mark.parametrize(
    "arguments",
    [
        {"deployment": "orders"},
        {"deployment": "web", "namespace": "kube-system"},
        {"deployment": "coredns"},
        {"deployment": "web/../../secrets/x"},
        {"deployment": "web?fieldManager=x"},
        {"deployment": "w\u0435b"},
        {"deployment": "web\n"},
        {"deployment": 7},
        {"deployment": "web", "force": "true"},
        {},
    ],
)
def test_only_deployments_of_the_target_are_touched(
    arguments: Mapping[str, Any], cluster: FakeCluster
) -> None:
    cluster.deploy("shop/orders", "o:1", "o:2")
    executor = an_executor(cluster)
    action = {"kind": "k8s", "target": "cluster", "action": "rollout_undo", "arguments": arguments}
    step = a_step("rollout_undo", action=action)
    with pytest.raises(SquadError):
        executor.preview(step, "cluster", {})
    with pytest.raises(TargetUnavailable):
        executor.apply(step, planned([{"deployment": "shop/orders"}]), "key")
    assert cluster.patches == []


def test_another_namespace_is_reached_when_the_target_names_it(cluster: FakeCluster) -> None:
    cluster.deploy("kube-system/coredns", "dns:1")
    arguments = {"deployment": "coredns", "namespace": "kube-system"}
    action = {
        "kind": "k8s",
        "target": "cluster",
        "action": "rollout_restart",
        "arguments": arguments,
    }
    step, executor = a_step("rollout_restart", action=action), an_executor(cluster)
    rows = executor.preview(step, "cluster", {})
    executor.apply(step, planned(rows), "key")
    assert cluster.patches == ["kube-system/coredns"]


def test_sizes_keep_to_the_bounds_of_the_target(cluster: FakeCluster) -> None:
    small = an_executor(cluster, most_replicas=3, most_memory_mib=700)
    for name, most in (("scale", "3 allowed"), ("set_limits", "700 allowed")):
        with pytest.raises(SquadError, match=most):
            small.preview(a_step(name), "cluster", {})


def test_without_a_former_revision_there_is_nothing_to_go_back_to(cluster: FakeCluster) -> None:
    cluster.deploy(WEB, "web:1")
    assert an_executor(cluster).preview(a_step("rollout_undo"), "cluster", {}) == []


def ask(cluster: Any, reading: str, **arguments: Any) -> Evidence:
    prober = K8sProber(a_knowledge(), cluster, FixedClock())
    given = {"deployment": "$service", **arguments}
    probe = K8sProbe(kind="k8s", target="cluster", reading=reading, arguments=given)
    return prober.probe(probe, "cluster", {"service": "web"})


def test_readings_tell_what_the_pods_are_at(cluster: FakeCluster) -> None:
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    waits = {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"name": "web", "restartCount": 7, "state": waits, "lastState": ended}
    fine = {"name": "sidecar", "restartCount": 0, "state": {"running": {}}}
    pod = {"metadata": {"name": "web-1"}, "status": {"containerStatuses": [status, fine]}}
    cluster.pods[WEB] = [pod]
    expected = {
        "ready": True,
        "oom_kills": 1,
        "restarts": 7,
        "waiting": 1,
        "unavailable": 0,
        "replicas": 2,
        "revision_age_seconds": 600,
    }
    assert {name: ask(cluster, name).value for name in READINGS} == expected
    cluster.deployments[WEB]["status"]["availableReplicas"] = 1
    assert ask(cluster, "ready").value is False
    executor = an_executor(cluster)
    seen = executor.apply(a_step("describe_pods"), planned(mutates=False), "key")
    assert (seen["container"], seen["last_end"]) == (["web", "sidecar"], ["OOMKilled 137", ""])
    logs = executor.apply(a_step("previous_logs"), planned(mutates=False), "key")
    assert logs == {"pod": "web-1", "lines": ["OutOfMemoryError: heap", "bye"]}
    assert cluster.patches == []


class Elsewhere:
    """Finds the cluster with something wrong about it."""

    def __init__(self, cluster: FakeCluster, **wrong: str) -> None:
        self._found = cluster.find("production", None)
        self._wrong = wrong

    def find(self, name: str, region: str | None) -> Cluster:
        known = {
            "endpoint": self._found.endpoint,
            "authority": self._found.authority,
            "token": self._found.token,
        }
        return Cluster(**{**known, **self._wrong})


def test_what_goes_wrong_with_a_look_is_in_the_evidence(cluster: FakeCluster) -> None:
    with FakeCluster() as other:
        stranger = Elsewhere(cluster, authority=other.authority)
        assert ask(stranger, "ready").status is EvidenceStatus.ERROR
    assert ask(Elsewhere(cluster, token="another"), "ready").status is EvidenceStatus.DENIED
    plain = Elsewhere(cluster, endpoint="http://127.0.0.1:1")
    assert ask(plain, "ready").status is EvidenceStatus.NOT_CONFIGURED
    away = Elsewhere(cluster, endpoint="https://127.0.0.1:1")
    assert ask(away, "ready").status is EvidenceStatus.ERROR
    assert ask(cluster, "ready", namespace="kube-system").status is not EvidenceStatus.OK
    assert ask(cluster, "secrets").status is EvidenceStatus.NOT_CONFIGURED
    del cluster.deployments[WEB]
    assert ask(cluster, "ready").status is EvidenceStatus.NOT_CONFIGURED


def test_names_and_code_agree() -> None:
    assert set(ACTS) == set(ACTIONS)
    assert set(READ) == set(READINGS)


def test_a_token_is_a_question_to_sts_that_is_good_for_this_cluster_alone() -> None:
    clients = {name: boto3.client(name, region_name="eu-west-1") for name in ("eks", "sts")}
    found = {
        "endpoint": "https://cluster.example",
        "certificateAuthority": {"data": base64.b64encode(b"pem").decode()},
    }
    with Stubber(clients["eks"]) as script:
        script.add_response("describe_cluster", {"cluster": found}, {"name": "production"})
        script.add_client_error("describe_cluster", "ResourceNotFoundException")
        clusters = EksClusters(lambda service, _: clients[service])
        cluster = clusters.find("production", None)
        with pytest.raises(TargetUnavailable):
            clusters.find("production", None)
    assert (cluster.endpoint, cluster.authority) == ("https://cluster.example", "pem")
    start, _, encoded = cluster.token.partition(".")
    assert start == "k8s-aws-v1"
    signed = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    asked = parse_qs(signed.query)
    assert signed.hostname == "sts.eu-west-1.amazonaws.com"
    assert asked["Action"] == ["GetCallerIdentity"]
    assert asked["X-Amz-Expires"] == ["60"]
    assert "x-k8s-aws-id" in asked["X-Amz-SignedHeaders"][0].split(";")
    assert TOKEN not in cluster.token
    for client in clients.values():
        client.close()
