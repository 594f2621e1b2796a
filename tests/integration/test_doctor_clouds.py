"""The doctor on clouds, clusters and hosts: there or not, too few rights or too many, or unseen."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from click.testing import CliRunner

from incident_squad.domain.targets import AwsTarget, CommandTarget, K8sTarget, SsmTarget
from infra.commands.doctor import doctor
from infra.local.config import LocalConfig
from infra.local.doctor.clouds import examine_aws, examine_ssm
from infra.local.doctor.clusters import ACTS, LOOKS, examine_k8s
from infra.local.doctor.examination import Eyes, examine
from infra.local.doctor.finding import Found
from infra.local.doctor.hosts import examine_command
from infra.local.doctor.roles import Roles, examine_roles
from tests.builders import a_catalog
from tests.cluster import FakeCluster
from tests.infra.test_target_grants import FULL, INSTANCE

Ask = Callable[[str, dict[str, Any]], Any]


class FakeAws:
    """Clients of every service; `answer` gives what an operation answers, or raises."""

    def __init__(self, answer: Ask) -> None:
        self._answer = answer
        self.asked: list[str] = []

    def __call__(self, service: str, region: str | None = None) -> Any:
        return FakeService(self, service, region)

    def ask(self, operation: str, sent: dict[str, Any]) -> Any:
        self.asked.append(operation)
        return self._answer(operation, sent)


class FakeService:
    def __init__(self, aws: FakeAws, name: str, region: str | None) -> None:
        self._aws, self._name = aws, name
        self.meta = type("Meta", (), {"region_name": region or "eu-west-1"})

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **sent: self._aws.ask(f"{self._name}:{operation}", sent)


def fails(code: str) -> Ask:
    def answer(operation: str, sent: dict[str, Any]) -> Any:
        del sent
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

    return answer


def everything(operation: str, sent: dict[str, Any]) -> Any:
    del sent
    if operation.endswith("describe_instance_information"):
        return {"InstanceInformationList": [{"PingStatus": "Online"}]}
    return {"services": [{}], "logGroups": [{}]}


def full(**fields: Any) -> AwsTarget:
    return AwsTarget.model_validate({"kind": "aws", **(fields or FULL)})


def kinds(found: Iterator[Found]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {"good": [], "mend": [], "note": []}
    for one in found:
        told[one.kind].append(one.words)
    return told


def test_every_resource_of_a_target_is_looked_for_and_nothing_is_changed() -> None:
    aws = FakeAws(everything)
    told = kinds(examine_aws("t", full(), aws))
    assert len(told["good"]) == len(FULL)
    assert not told["mend"] + told["note"]
    verbs = {operation.partition(":")[2].partition("_")[0] for operation in aws.asked}
    assert verbs == {"describe", "get", "list"}


@pytest.mark.parametrize("field", sorted(FULL))
def test_a_resource_that_is_missing_has_to_be_mended(field: str) -> None:
    told = kinds(examine_aws("t", full(**{field: FULL[field]}), FakeAws(fails("NoSuchThing"))))
    assert len(told["mend"]) == 1
    assert "is not there" in told["mend"][0]


def test_an_empty_list_is_a_thing_that_is_not_there() -> None:
    aws = FakeAws(lambda *_: {"services": [], "logGroups": []})
    target = full(ecs=FULL["ecs"], sign_in_log=FULL["sign_in_log"])
    assert len(kinds(examine_aws("t", target, aws))["mend"]) == 2


def test_what_the_asker_may_not_look_at_is_said_and_not_guessed() -> None:
    told = kinds(examine_aws("t", full(), FakeAws(fails("AccessDenied"))))
    assert len(told["note"]) == len(FULL)
    assert all("could not check" in words for words in told["note"])
    assert not told["good"] + told["mend"]


def test_without_credentials_one_word_is_enough() -> None:
    def nobody(*_: Any) -> Any:
        raise NoCredentialsError

    told = kinds(examine_aws("t", full(), FakeAws(nobody)))
    assert told["note"] == ["could not check the IP set blocked: Unable to locate credentials"]
    assert not told["good"] + told["mend"]


def test_a_target_without_resources_is_of_no_use() -> None:
    empty = AwsTarget.model_validate({"kind": "aws"})
    assert "names no resource" in kinds(examine_aws("t", empty, FakeAws(everything)))["note"][0]


def test_documents_and_the_agents_of_instances_are_looked_for() -> None:
    target = SsmTarget.model_validate(
        {"kind": "ssm", "documents": {"Shop-Look": {"type": "command", "instances": [INSTANCE]}}}
    )
    assert len(kinds(examine_ssm("t", target, FakeAws(everything)))["good"]) == 2

    def lost(operation: str, sent: dict[str, Any]) -> Any:
        listed = [{"PingStatus": "ConnectionLost"}]
        found: Any = everything(operation, sent)
        return {"InstanceInformationList": listed} if "InstanceInformationList" in found else found

    told = kinds(examine_ssm("t", target, FakeAws(lost)))
    assert "ConnectionLost" in told["mend"][0]


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with FakeCluster() as found:
        found.deploy("shop/web", "web:1", "web:2")
        yield found


def of_cluster(cluster: FakeCluster, *deployments: str) -> dict[str, list[str]]:
    target = K8sTarget.model_validate(
        {"kind": "k8s", "cluster": "c", "namespace": "shop", "deployments": deployments or ["web"]}
    )
    return kinds(examine_k8s("t", target, cluster))


NEEDED = {f"{verb} {resource}" for verb, _, resource in (*LOOKS, *ACTS)}


def test_rights_in_a_cluster_are_asked_for_one_by_one(cluster: FakeCluster) -> None:
    cluster.rights = NEEDED
    told = of_cluster(cluster)
    assert len(told["good"]) == 2
    cluster.rights = NEEDED - {"get pods/log"}
    assert "you may not get pods/log" in of_cluster(cluster)["mend"][0]
    cluster.rights = NEEDED | {"get secrets", "create pods/exec"}
    assert "you may get secrets, create pods/exec" in of_cluster(cluster)["note"][0]
    assert cluster.patches == []


def test_a_cluster_that_does_not_tell_rights_is_not_called_good(cluster: FakeCluster) -> None:
    told = of_cluster(cluster, "web", "ghost")
    assert "could not check what you may do in shop" in told["note"][0]
    assert "shop/ghost is not there" in told["mend"][0]


def of_host(path: Path) -> dict[str, list[str]]:
    commands = {"look": {"path": str(path)}}
    target = CommandTarget.model_validate({"kind": "command", "commands": commands})
    return kinds(examine_command("t", target, FakeAws(everything)))


def test_programs_are_there_can_be_run_and_belong_to_few(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    program = tmp_path / "look"
    assert "is not there" in of_host(program)["mend"][0]
    program.write_text("#!/bin/sh\n")
    program.chmod(0o644)
    assert "cannot be run" in of_host(program)["mend"][0]
    program.chmod(0o757)
    assert "others could change" in of_host(program)["mend"][0]
    program.chmod(0o755)
    assert of_host(program)["good"]
    tmp_path.chmod(0o777)
    assert f"chmod go-w {tmp_path}" in of_host(program)["mend"][0]


def test_programs_of_an_instance_cannot_be_seen_from_here() -> None:
    target = CommandTarget.model_validate(
        {"kind": "command", "where": "ssm", "instance": INSTANCE, "commands": {"a": {"path": "/a"}}}
    )
    told = kinds(examine_command("t", target, FakeAws(everything)))
    assert told["good"] == [f"the instance {INSTANCE} is there"]
    assert "could not check its programs" in told["note"][0]


def roles(allowed: Callable[[str, str], bool]) -> Roles:
    def answer(operation: str, sent: dict[str, Any]) -> Any:
        if operation == "lambda:get_function_configuration":
            return {"Role": f"arn:aws:iam::123456789012:role/{sent['FunctionName']}"}
        results = [
            {
                "EvalActionName": action,
                "EvalDecision": "allowed" if allowed(sent["PolicySourceArn"], action) else "no",
            }
            for action in sent["ActionNames"]
        ]
        return {"EvaluationResults": results}

    return Roles.of("IncidentSquad-prod", FakeAws(answer))


def of_roles(allowed: Callable[[str, str], bool]) -> dict[str, list[str]]:
    catalog = a_catalog().model_copy(update={"targets": {"waf": full(ip_set=FULL["ip_set"])}})
    return kinds(examine_roles("waf", catalog, roles(allowed)))


def test_the_roles_of_a_deployed_squad_may_do_what_is_needed_and_no_more() -> None:
    told = of_roles(lambda role, action: role.endswith("remediate") or "Get" in action)
    assert told["good"]
    assert not told["mend"]
    too_little = of_roles(lambda _, action: "Get" in action)["mend"]
    assert any("remediate may not wafv2:UpdateIPSet" in words for words in too_little)
    too_much = of_roles(lambda *_: True)["mend"]
    assert any("synthesize may wafv2:UpdateIPSet" in words for words in too_much)


def test_roles_that_nobody_may_read_are_not_called_good() -> None:
    catalog = a_catalog().model_copy(update={"targets": {"waf": full(ip_set=FULL["ip_set"])}})
    known = roles(lambda *_: True)
    blind = Roles(known.arns, "eu-west-1", "1", FakeAws(fails("AccessDenied"))("iam").simulate)
    assert "could not check the roles" in kinds(examine_roles("waf", catalog, blind))["note"][0]


def test_the_whole_examination_goes_through_every_kind(cluster: FakeCluster) -> None:
    cluster.rights = NEEDED
    targets = {
        "own-waf": {"kind": "aws", "ip_set": FULL["ip_set"]},
        "own-documents": {"kind": "ssm", "documents": {"Shop-Look": {"type": "automation"}}},
        "own-cluster": {"kind": "k8s", "cluster": "c", "namespace": "shop", "deployments": ["web"]},
        "own-host": {"kind": "command", "commands": {"true": {"path": "/bin/true"}}},
    }
    used = {"waf": "own-waf", "a": "own-documents", "cluster": "own-cluster", "b": "own-host"}
    catalog = {"targets": targets, "services": {"website": {"targets": used}}}
    eyes = Eyes(FakeAws(everything), cluster)
    found = examine(LocalConfig(catalog=catalog), eyes)
    assert {one.target for one in found} == set(targets)
    assert not [one for one in found if one.bad]


def test_a_stack_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("catalog: {}\n")
    ran = CliRunner().invoke(
        doctor,
        ["--config", str(config), "--stack", "no-such"],
        env={"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null"},
    )
    assert ran.exit_code == 1
    assert "the stack 'no-such' cannot be read" in ran.output
