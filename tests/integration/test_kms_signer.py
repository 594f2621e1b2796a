"""Signatures: the KMS key and the local key keep the same contract."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from incident_squad.adapters.kms_signer import KmsSigner
from incident_squad.adapters.local_signer import LocalSigner
from incident_squad.domain.errors import InvalidConfiguration, InvalidParameter, TransientFailure
from incident_squad.ports import Signer
from tests.integration.stubs import scripted

MESSAGE = b"v1\nINC-20261122-7F3KQ\napproval01"


@pytest.fixture
def kms() -> Iterator[Signer]:
    with mock_aws():
        client = boto3.client("kms", region_name="us-east-1")
        key = client.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")
        yield KmsSigner(client, key["KeyMetadata"]["KeyId"])
        client.close()


@pytest.fixture
def local() -> Signer:
    return LocalSigner(b"a key")


@pytest.fixture(params=["kms", "local"])
def signer(request: pytest.FixtureRequest) -> Signer:
    found: Signer = request.getfixturevalue(request.param)
    return found


def test_a_signature_holds_for_its_message_alone(signer: Signer) -> None:
    mac = signer.sign(MESSAGE)
    assert len(mac) == 32
    assert signer.verify(MESSAGE, mac)
    assert not signer.verify(MESSAGE + b"x", mac)


def test_any_changed_byte_breaks_a_signature(signer: Signer) -> None:
    mac = signer.sign(MESSAGE)
    for place in range(32):
        changed = bytes(byte ^ (place == at) for at, byte in enumerate(mac))
        assert not signer.verify(MESSAGE, changed)


@pytest.mark.parametrize("mac", [b"", b"x", b"x" * 31, b"x" * 33, b"x" * 9999])
def test_what_is_no_signature_is_refused_and_not_an_error(signer: Signer, mac: bytes) -> None:
    assert not signer.verify(MESSAGE, mac)


def test_the_key_does_not_show() -> None:
    assert "a key" not in repr(LocalSigner(b"a key"))


def test_kms_signs_what_it_can_take(kms: Signer) -> None:
    for message in (b"", b"x" * 4097):
        with pytest.raises(InvalidParameter):
            kms.sign(message)
        assert not kms.verify(message, b"x" * 32)


def test_kms_errors_are_never_a_valid_signature() -> None:
    with scripted("kms") as (client, script):
        signer = KmsSigner(client, "key")
        script.add_client_error("verify_mac", "ThrottlingException")
        with pytest.raises(TransientFailure):
            signer.verify(MESSAGE, b"x" * 32)
        script.add_client_error("verify_mac", "DisabledException")
        with pytest.raises(InvalidConfiguration):
            signer.verify(MESSAGE, b"x" * 32)
        script.add_client_error("generate_mac", "AccessDeniedException")
        with pytest.raises(InvalidConfiguration, match="AccessDenied"):
            signer.sign(MESSAGE)
