"""The key that signs approval and view links; it never leaves KMS."""

from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.components.names import Names
from infra.stage import Stage


class Signing(Construct):
    """An HMAC key. Losing it voids every link that is out, and nothing else."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            description="Signs the links of Incident Squad",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            alias=f"alias/{names.stack}-links",
            removal_policy=stage.removal,
        )
