"""What differs between stages: nothing but how long things are kept and how they are watched."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_logs as logs


@dataclass(frozen=True)
class Stage:
    """A stage of deployment, by name. `prod` keeps its data when the stack goes."""

    name: str

    @property
    def keeps_data(self) -> bool:
        """Whether incidents and keys outlive the stack."""
        return self.name == "prod"

    @property
    def removal(self) -> cdk.RemovalPolicy:
        """What becomes of data when the stack is deleted."""
        return cdk.RemovalPolicy.RETAIN if self.keeps_data else cdk.RemovalPolicy.DESTROY

    @property
    def log_retention(self) -> logs.RetentionDays:
        """How long logs are kept: post-mortems read the table, not the logs."""
        return logs.RetentionDays.THREE_MONTHS if self.keeps_data else logs.RetentionDays.ONE_WEEK
