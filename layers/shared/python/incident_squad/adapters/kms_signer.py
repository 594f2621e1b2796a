"""Signatures by a KMS key, which nobody can take out."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from incident_squad.adapters.aws import code_of, failure, translated
from incident_squad.domain.errors import InvalidParameter

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_MAC_BYTES = 32
_LONGEST_MESSAGE = 4096


class KmsSigner:
    """Implements `Signer`. Who signs needs kms:GenerateMac, who verifies kms:VerifyMac."""

    def __init__(self, client: "KMSClient", key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def sign(self, message: bytes) -> bytes:
        """The message's MAC, 32 bytes; raises InvalidParameter beyond 4096 bytes."""
        if not 0 < len(message) <= _LONGEST_MESSAGE:
            raise InvalidParameter("KMS signs 1 to 4096 bytes")
        with translated("signing"):
            answer = self._client.generate_mac(
                KeyId=self._key_id, MacAlgorithm="HMAC_SHA_256", Message=message
            )
        return bytes(answer["Mac"])

    def verify(self, message: bytes, mac: bytes) -> bool:
        """Whether the MAC is the message's. What no call could accept is not sent."""
        if len(mac) != _MAC_BYTES or not 0 < len(message) <= _LONGEST_MESSAGE:
            return False
        try:
            answer = self._client.verify_mac(
                KeyId=self._key_id, MacAlgorithm="HMAC_SHA_256", Message=message, Mac=mac
            )
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and code_of(error) == "KMSInvalidMacException":
                return False
            raise failure(error, "verifying a signature") from error
        return bool(answer["MacValid"])
