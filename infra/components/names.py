"""Physical names that must be known before the resource exists, so that no cycle arises."""

from collections.abc import Iterable
from dataclasses import dataclass

import aws_cdk as cdk

WEBHOOK_SOURCES = ("pagerduty", "datadog", "alertmanager", "generic")
"""Sources that prove themselves with a secret of ours; SNS signs with its own certificate."""


@dataclass(frozen=True)
class Names:
    """Names within one stack. The workflow and its functions need each other's: strings do."""

    stack: str

    @property
    def machine(self) -> str:
        """The state machine."""
        return self.stack

    @property
    def public_url(self) -> str:
        """The parameter that holds the address under which people reach the API."""
        return f"/{self.stack}/public-url"

    @property
    def secrets(self) -> str:
        """What stands before every secret's name."""
        return f"{self.stack}/"

    @property
    def functions(self) -> str:
        """What stands before every function's name."""
        return f"{self.stack}-"

    def function(self, name: str) -> str:
        """A Lambda function."""
        return f"{self.functions}{name}"

    def function_arn(self, stack: cdk.Stack, name: str) -> str:
        """A function's ARN, built by name: functions that call each other would make a cycle."""
        return _arn(stack, "lambda", "function", self.function(name))

    def machine_arn(self, stack: cdk.Stack) -> str:
        """The state machine's ARN, built by name."""
        return _arn(stack, "states", "stateMachine", self.machine)

    def executions_arn(self, stack: cdk.Stack) -> str:
        """All executions of the state machine."""
        return _arn(stack, "states", "execution", f"{self.machine}:*")

    def public_url_arn(self, stack: cdk.Stack) -> str:
        """The parameter's ARN."""
        return stack.format_arn(
            service="ssm", resource="parameter", resource_name=self.public_url.removeprefix("/")
        )

    def target_secret_arn(self, stack: cdk.Stack, name: str) -> str:
        """A target's secret: Secrets Manager ends its ARN with six characters of its own."""
        return _arn(stack, "secretsmanager", "secret", f"{self.secrets}{name}-??????")

    def channel_secrets_arn(self, stack: cdk.Stack) -> str:
        """Credentials of channels to people: the catalogue names them at run time."""
        return _arn(stack, "secretsmanager", "secret", f"{self.secrets}channels/*")

    def metric_secrets_arn(self, stack: cdk.Stack) -> str:
        """Credentials of metric sources, which only read: the catalogue names them at run time."""
        return _arn(stack, "secretsmanager", "secret", f"{self.secrets}metrics/*")

    def model_arns(self, stack: cdk.Stack, models: Iterable[str]) -> list[str]:
        """Models of Bedrock behind their global inference profiles, wherever these are served."""
        places = (("inference-profile", "global.anthropic.", stack.region, stack.account),
                  ("foundation-model", "anthropic.", stack.region, ""),
                  ("foundation-model", "anthropic.", "", ""))  # fmt: skip
        return [
            stack.format_arn(
                service="bedrock",
                region=region,
                account=account,
                resource=resource,
                resource_name=f"{prefix}{model}",
            )
            for model in models
            for resource, prefix, region, account in places
        ]

    def identities_arn(self, stack: cdk.Stack) -> str:
        """What SES may send from: the sender is in the catalogue."""
        return stack.format_arn(service="ses", resource="identity", resource_name="*")


def _arn(stack: cdk.Stack, service: str, resource: str, name: str) -> str:
    return stack.format_arn(
        service=service,
        resource=resource,
        resource_name=name,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
