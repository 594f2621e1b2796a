"""Findings of the security review (cdk-nag) that we have looked at and accept."""

import aws_cdk as cdk
from constructs import IConstruct


def accept(scope: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding on one resource, with the reason that a reviewer should judge."""
    cdk.Validations.of(scope).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))
