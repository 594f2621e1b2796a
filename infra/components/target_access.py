"""Statements for the cloud targets of the catalogue, as a role needs them."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from infra.components.review import accept
from infra.functions import May
from infra.target_grants import Resource, TargetGrant

_REVIEWED = "AWS gives these actions no narrower resource, or one that is known at run time only"


def add_target_access(
    policy: iam.Policy, may: frozenset[May], grants: Sequence[TargetGrant]
) -> None:
    """Let the role do what its row of the function table and the catalogue both name."""
    stack = cdk.Stack.of(policy)
    for grant in grants:
        if grant.may not in may:
            continue
        arns = [_arn(stack, resource) for resource in grant.resources]
        policy.add_statements(iam.PolicyStatement(actions=list(grant.actions), resources=arns))
        for resource in grant.resources:
            if resource.open:
                found = _as_reviewed(resource)
                accept(policy, f"AwsSolutions-IAM5[Resource::{found}]", _REVIEWED)


def _arn(stack: cdk.Stack, resource: Resource) -> str:
    return _written(resource, stack.partition, stack.region, stack.account)


def _as_reviewed(resource: Resource) -> str:
    """How the security review writes an ARN that is only known at deployment."""
    return _written(resource, "<AWS::Partition>", "<AWS::Region>", "<AWS::AccountId>")


def _written(resource: Resource, partition: str, region: str, account: str) -> str:
    if not resource.service:
        return "*"
    where = region if resource.region is None else resource.region
    who = account if resource.account else ""
    return f"arn:{partition}:{resource.service}:{where}:{who}:{resource.name}"
