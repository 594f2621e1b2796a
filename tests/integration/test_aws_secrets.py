"""Secrets and parameters: fresh enough to rotate, steady when AWS is not."""

from datetime import timedelta

import pytest

from incident_squad.adapters.aws_parameters import PublicUrl
from incident_squad.adapters.aws_secrets import LIFETIME, AwsSecrets
from incident_squad.domain.errors import InvalidConfiguration, TransientFailure
from tests.fakes import FixedClock
from tests.integration.stubs import scripted

ASKED = {"SecretId": "squad/api-token"}


def test_a_secret_is_read_by_its_prefixed_name_and_remembered(clock: FixedClock) -> None:
    with scripted("secretsmanager") as (client, script):
        script.add_response("get_secret_value", {"SecretString": "s3cret"}, ASKED)
        secrets = AwsSecrets(client, "squad/", clock)
        assert [secrets.get("api-token") for _ in range(3)] == ["s3cret"] * 3


def test_a_rotated_secret_is_seen_after_a_minute(clock: FixedClock) -> None:
    with scripted("secretsmanager") as (client, script):
        for text in ("old", "new"):
            script.add_response("get_secret_value", {"SecretString": text}, ASKED)
        secrets = AwsSecrets(client, "squad/", clock)
        assert secrets.get("api-token") == "old"
        clock.moment += LIFETIME - timedelta(milliseconds=1)
        assert secrets.get("api-token") == "old"
        clock.moment += timedelta(milliseconds=1)
        assert secrets.get("api-token") == "new"


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidRequestException"])
def test_a_missing_secret_is_named(clock: FixedClock, code: str) -> None:
    with scripted("secretsmanager") as (client, script):
        script.add_client_error("get_secret_value", code)
        with pytest.raises(InvalidConfiguration, match="squad/api-token"):
            AwsSecrets(client, "squad/", clock).get("api-token")


@pytest.mark.parametrize("answer", [{"SecretBinary": b"x"}, {"SecretString": " \n"}])
def test_a_secret_without_text_is_none(clock: FixedClock, answer: dict[str, object]) -> None:
    with scripted("secretsmanager") as (client, script):
        script.add_response("get_secret_value", answer)
        with pytest.raises(InvalidConfiguration, match="holds no text"):
            AwsSecrets(client, "squad/", clock).get("api-token")


def test_the_last_known_secret_serves_while_aws_is_down(clock: FixedClock) -> None:
    with scripted("secretsmanager") as (client, script):
        script.add_response("get_secret_value", {"SecretString": "s3cret"})
        script.add_client_error("get_secret_value", "InternalServiceError", http_status_code=500)
        secrets = AwsSecrets(client, "squad/", clock)
        secrets.get("api-token")
        clock.moment += LIFETIME
        assert secrets.get("api-token") == "s3cret"


def test_a_secret_that_was_deleted_serves_no_longer(clock: FixedClock) -> None:
    with scripted("secretsmanager") as (client, script):
        script.add_response("get_secret_value", {"SecretString": "s3cret"})
        script.add_client_error("get_secret_value", "ResourceNotFoundException")
        secrets = AwsSecrets(client, "squad/", clock)
        secrets.get("api-token")
        clock.moment += LIFETIME
        with pytest.raises(InvalidConfiguration):
            secrets.get("api-token")


def test_nothing_known_while_aws_is_down_is_worth_another_try(clock: FixedClock) -> None:
    with scripted("secretsmanager") as (client, script):
        script.add_client_error("get_secret_value", "ThrottlingException")
        with pytest.raises(TransientFailure):
            AwsSecrets(client, "squad/", clock).get("api-token")


def test_the_public_address_is_read_once_in_a_while(clock: FixedClock) -> None:
    with scripted("ssm") as (client, script):
        for address in ("https://a.example/prod/", "https://b.example"):
            script.add_response(
                "get_parameter", {"Parameter": {"Value": address}}, {"Name": "/squad/url"}
            )
        public_url = PublicUrl(client, "/squad/url", clock)
        assert [public_url(), public_url()] == ["https://a.example/prod"] * 2
        clock.moment += timedelta(minutes=5)
        assert public_url() == "https://b.example"


def test_a_missing_address_is_named(clock: FixedClock) -> None:
    with scripted("ssm") as (client, script):
        script.add_client_error("get_parameter", "ParameterNotFound")
        with pytest.raises(InvalidConfiguration, match="/squad/url"):
            PublicUrl(client, "/squad/url", clock)()
