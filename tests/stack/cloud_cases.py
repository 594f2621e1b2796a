"""Resources for each act in AWS, what is asked of it, and how its state is seen from outside."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from incident_squad.domain.targets import AwsTarget
from tests.stack.cloud import Account

ATTACKER = "203.0.113.42"


@dataclass(frozen=True)
class Case:
    """A target, the arguments of the act, and a look at what it is to change."""

    target: AwsTarget
    arguments: Mapping[str, Any]
    state: Callable[[], object]


def a_name(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex[:8]}"


def waf_block_ip(account: Account) -> Case:
    waf, name = account.plain("wafv2"), a_name("blocked")
    made = waf.create_ip_set(
        Name=name,
        Scope="REGIONAL",
        IPAddressVersion="IPV4",
        Addresses=["198.51.100.7/32", "192.0.2.0/24"],
    )["Summary"]
    ip_set = {"name": name, "id": made["Id"]}

    def state() -> object:
        found = waf.get_ip_set(Name=name, Scope="REGIONAL", Id=made["Id"])
        return sorted(found["IPSet"]["Addresses"])

    return Case(AwsTarget(kind="aws", ip_set=ip_set), {"ip": ATTACKER}, state)


def waf_rate_limit(account: Account) -> Case:
    waf, name = account.plain("wafv2"), a_name("limits")
    seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "x"}
    rule = {
        "Name": "per-address",
        "Priority": 0,
        "Statement": {"RateBasedStatement": {"Limit": 5000, "AggregateKeyType": "IP"}},
        "Action": {"Block": {}},
        "VisibilityConfig": seen,
    }
    made = waf.create_rule_group(
        Name=name, Scope="REGIONAL", Capacity=10, Rules=[rule], VisibilityConfig=seen
    )["Summary"]

    def state() -> object:
        found = waf.get_rule_group(Name=name, Scope="REGIONAL", Id=made["Id"])
        return found["RuleGroup"]["Rules"]

    target = AwsTarget(kind="aws", rate_limit={"name": name, "id": made["Id"]})
    return Case(target, {"requests": 1000}, state)


def accounts(account: Account, signed_in: Mapping[str, str]) -> tuple[AwsTarget, str]:
    """A pool with these users, and a log that says from where each signed in."""
    pools, logs = account.plain("cognito-idp"), account.plain("logs")
    pool = pools.create_user_pool(PoolName=a_name("pool"))["UserPool"]["Id"]
    group = a_name("/sign-ins/pool")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    events = []
    for name, address in signed_in.items():
        mail = [
            {"Name": "email", "Value": f"{name}@example.com"},
            {"Name": "email_verified", "Value": "true"},
        ]
        pools.admin_create_user(UserPoolId=pool, Username=name, UserAttributes=mail)
        pools.admin_set_user_password(
            UserPoolId=pool, Username=name, Password="Aa1!aaaaaaaa", Permanent=True
        )
        events.append({"userName": name, "ipAddress": address, "eventResponse": "Pass"})
    events.append({"userName": "amy", "ipAddress": ATTACKER, "eventResponse": "Fail"})
    events.append({"userName": "not-of-this-pool", "ipAddress": ATTACKER, "eventResponse": "Pass"})
    now = int(time.time() * 1000)
    messages = [json.dumps(event) for event in events] + [f"{ATTACKER} is no JSON"]
    logs.put_log_events(
        logGroupName=group,
        logStreamName="one",
        logEvents=[{"timestamp": now, "message": message} for message in messages],
    )
    return AwsTarget(kind="aws", user_pool=pool, sign_in_log={"group": group}), pool


def cognito_reset_passwords(account: Account) -> Case:
    target, pool = accounts(account, {"amy": ATTACKER, "ben": ATTACKER, "cleo": "198.51.100.9"})
    pools = account.plain("cognito-idp")

    def state() -> object:
        found = (pools.admin_get_user(UserPoolId=pool, Username=n) for n in ("amy", "ben", "cleo"))
        return [user["UserStatus"] for user in found]

    return Case(target, {"logged_in_from": ATTACKER}, state)


def cognito_sign_out(account: Account) -> Case:
    case = cognito_reset_passwords(account)
    return Case(case.target, case.arguments, lambda: "AdminUserGlobalSignOut" in account.done)


def iam_deactivate_key(account: Account) -> Case:
    iam, user = account.plain("iam"), a_name("deployer")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]

    def state() -> object:
        return [k["Status"] for k in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]]

    return Case(AwsTarget(kind="aws", iam_users=(user,)), {"access_key": key}, state)


def iam_revoke_sessions(account: Account) -> Case:
    iam, role = account.plain("iam"), a_name("app")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")

    def state() -> object:
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        return [iam.get_role_policy(RoleName=role, PolicyName=n)["PolicyDocument"] for n in names]

    return Case(AwsTarget(kind="aws", iam_roles=(role,)), {"role": role}, state)


def ecs_rollback(account: Account) -> Case:
    ecs, name = account.plain("ecs"), a_name("web")
    ecs.create_cluster(clusterName="shop")
    for _ in range(3):
        container = {"name": "a", "image": "i", "memory": 10}
        ecs.register_task_definition(family=name, containerDefinitions=[container])
    ecs.create_service(cluster="shop", serviceName=name, taskDefinition=f"{name}:3", desiredCount=0)

    def state() -> object:
        found = ecs.describe_services(cluster="shop", services=[name])["services"][0]
        return found["taskDefinition"].rpartition("/")[2]

    service = {"cluster": "shop", "service": name, "family": name}
    return Case(AwsTarget(kind="aws", ecs=service), {}, state)


def a_function(account: Account) -> str:
    functions, name = account.plain("lambda"), a_name("pay")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as packed:
        packed.writestr("h.py", "def f(e, c): return 1")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/x",
        Handler="h.f",
        Code={"ZipFile": code.getvalue()},
    )
    for release in ("a", "b"):
        functions.update_function_configuration(FunctionName=name, Description=release)
        functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
    return name


def lambda_rollback(account: Account) -> Case:
    functions, name = account.plain("lambda"), a_function(account)

    def state() -> object:
        return functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]

    return Case(AwsTarget(kind="aws", function={"name": name}), {}, state)


def lambda_concurrency(account: Account) -> Case:
    functions, name = account.plain("lambda"), a_function(account)

    def state() -> object:
        found = functions.get_function_concurrency(FunctionName=name)
        return found.get("ReservedConcurrentExecutions")

    target = AwsTarget(kind="aws", function={"name": name})
    return Case(target, {"limit": 0}, state)


def aurora_failover(account: Account) -> Case:
    rds, name = account.plain("rds"), a_name("pay")
    rds.create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        MasterUsername="a",
        MasterUserPassword="bbbbbbbbbb",
    )
    for member in ("1", "2", "3"):
        rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-{member}",
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )

    def state() -> object:
        found = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        members = found["DBClusterMembers"]
        return [m["DBInstanceIdentifier"] for m in members if m["IsClusterWriter"]]

    return Case(AwsTarget(kind="aws", db_cluster=name), {}, state)


def security_group_quarantine(account: Account) -> Case:
    ec2 = account.plain("ec2")
    groups = [
        ec2.create_security_group(GroupName=a_name("g"), Description="x")["GroupId"]
        for _ in range(3)
    ]
    made = ec2.run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SecurityGroupIds=groups[:2]
    )
    instance = made["Instances"][0]["InstanceId"]

    def state() -> object:
        found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        return sorted(group["GroupId"] for group in found["SecurityGroups"])

    quarantine = {"group": groups[2], "instances": [instance]}
    target = AwsTarget(kind="aws", quarantine=quarantine)
    return Case(target, {"instance": instance}, state)


def rds_grow_storage(account: Account) -> Case:
    rds, name = account.plain("rds"), a_name("orders")
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=100,
    )

    def state() -> object:
        found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return found["AllocatedStorage"]

    target = AwsTarget(kind="aws", db_instances=(name,))
    return Case(target, {"instance": name, "percent": 150}, state)
