"""What the catalogue's cloud targets ask of roles: what the code uses, on what is named."""

from typing import Any

import pytest

from incident_squad.domain.catalog import Catalog
from incident_squad.policy.aws_actions import ACTIONS, READINGS, Grant
from infra.functions import May
from infra.target_grants import TargetGrant, target_grants
from tests.builders import a_catalog

UUID = "11111111-2222-4333-8444-555555555555"
INSTANCE = "i-0123456789abcdef0"
FULL: dict[str, Any] = {
    "ip_set": {"name": "blocked", "id": UUID, "scope": "CLOUDFRONT"},
    "rate_limit": {"name": "limits", "id": UUID},
    "user_pool": "eu-west-1_Pool",
    "sign_in_log": {"group": "/sign-ins"},
    "iam_users": ["bot"],
    "iam_roles": ["app"],
    "ecs": {"cluster": "shop", "service": "web", "family": "web"},
    "function": {"name": "pay"},
    "db_cluster": "pay",
    "db_instances": ["orders"],
    "quarantine": {"group": "sg-0123456789abcdef0", "instances": [INSTANCE]},
}
CHANGES = ("Update", "Put", "Delete", "Stop", "Modify", "Failover", "Send", "Start", "Reset")


def grants_of(*targets: dict[str, Any]) -> tuple[TargetGrant, ...]:
    catalog = a_catalog().model_dump(mode="json", exclude_unset=True)
    named = {f"target-{place}": target for place, target in enumerate(targets)}
    return target_grants(
        Catalog.model_validate({**catalog, "targets": {**catalog["targets"], **named}})
    )


def held(grants: tuple[TargetGrant, ...], may: May) -> set[str]:
    return {action for grant in grants if grant.may is may for action in grant.actions}


def named(grants: tuple[TargetGrant, ...], action: str) -> set[str]:
    return {resource.name for g in grants if action in g.actions for resource in g.resources}


def all_of(grants: tuple[Grant, ...]) -> set[str]:
    return {action for grant in grants for action in grant.actions}


def test_a_full_target_asks_for_what_the_acts_use_and_no_more() -> None:
    found = grants_of({"kind": "aws", **FULL})
    assert held(found, May.LOOK) == {a for spec in ACTIONS.values() for a in all_of(spec.looks)}
    assert held(found, May.ACT) == {a for spec in ACTIONS.values() for a in all_of(spec.acts)}


def test_those_who_look_can_change_nothing() -> None:
    found = grants_of({"kind": "aws", **FULL})
    for action in held(found, May.LOOK):
        assert not action.partition(":")[2].removeprefix("Admin").startswith(CHANGES)


@pytest.mark.parametrize("field", sorted(set(FULL) - {"user_pool", "sign_in_log"}))
def test_a_target_asks_only_for_what_it_names(field: str) -> None:
    found = grants_of({"kind": "aws", field: FULL[field]})
    fitting = [spec for spec in ACTIONS.values() if set(spec.needs) <= {field}]
    assert held(found, May.ACT) == {a for spec in fitting for a in all_of(spec.acts)}
    assert grants_of({"kind": "aws"}) == grants_of()


def test_readings_need_no_right_that_an_act_does_not_preview_with() -> None:
    for reading in READINGS.values():
        assert any(
            reading.looks == spec.looks and reading.needs == spec.needs for spec in ACTIONS.values()
        )


def test_resources_are_those_of_the_target() -> None:
    found = grants_of({"kind": "aws", **FULL})
    assert named(found, "wafv2:UpdateIPSet") == {f"global/ipset/blocked/{UUID}"}
    assert named(found, "wafv2:UpdateRuleGroup") == {f"regional/rulegroup/limits/{UUID}"}
    assert named(found, "iam:UpdateAccessKey") == {"user/bot"}
    assert named(found, "iam:PutRolePolicy") == {"role/app"}
    assert named(found, "ecs:UpdateService") == {"service/shop/web"}
    assert named(found, "ecs:StopServiceDeployment") == {"service-deployment/shop/web/*"}
    assert named(found, "rds:FailoverDBCluster") == {"cluster:pay"}
    assert named(found, "ec2:ModifyInstanceAttribute") == {
        "security-group/sg-0123456789abcdef0",
        f"instance/{INSTANCE}",
    }
    (waf,) = (g.resources[0] for g in found if "wafv2:UpdateIPSet" in g.actions)
    assert waf.region == "us-east-1"


def test_sending_commands_is_never_for_those_who_only_look() -> None:
    host = {
        "kind": "command",
        "where": "ssm",
        "instance": INSTANCE,
        "commands": {"dmesg": {"path": "/usr/bin/dmesg"}},
    }
    documents = {
        "Squad-Restart": {"type": "command", "instances": [INSTANCE]},
        "AWSSupport-ContainEC2Instance": {"type": "automation"},
    }
    found = grants_of(host, {"kind": "ssm", "documents": documents})
    assert held(found, May.LOOK) == set()
    assert named(found, "ssm:SendCommand") == {
        "document/AWS-RunShellScript",
        "document/Squad-Restart",
        f"instance/{INSTANCE}",
    }
    accounts = {r.name: r.account for g in found for r in g.resources}
    assert accounts["document/AWS-RunShellScript"] is False
    assert accounts["document/Squad-Restart"] is True
    assert accounts["automation-definition/AWSSupport-ContainEC2Instance:*"] is False


def test_a_local_host_and_a_cluster_ask_for_next_to_nothing() -> None:
    local = {"kind": "command", "commands": {"dmesg": {"path": "/usr/bin/dmesg"}}}
    cluster = {"kind": "k8s", "cluster": "shop", "deployments": ["web"]}
    found = grants_of(local, cluster)
    assert held(found, May.LOOK) == {"eks:DescribeCluster"}
    assert held(found, May.ACT) == set()
    assert named(found, "eks:DescribeCluster") == {"cluster/shop"}
