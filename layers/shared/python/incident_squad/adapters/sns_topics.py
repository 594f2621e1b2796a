"""What SNS asks of a subscriber over HTTPS: its certificates, and to confirm."""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import boto3
import urllib3

from incident_squad.adapters.aws import CLIENT, translated
from incident_squad.domain.errors import TargetUnavailable

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_TIMEOUT = urllib3.Timeout(total=3)
_MAX_CERTIFICATE = 64 * 1024
_OK = 200


@lru_cache(maxsize=8)
def certificate(address: str) -> bytes:
    """The certificate at an address that the caller has checked; raises TargetUnavailable.

    Redirects are not followed: they could lead anywhere.
    """
    pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)
    try:
        answer = pool.request("GET", address, redirect=False, preload_content=False)
        body = answer.read(_MAX_CERTIFICATE)
        answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise TargetUnavailable("the certificate of SNS can't be fetched") from error
    if answer.status != _OK:
        raise TargetUnavailable(f"the certificate of SNS can't be fetched: {answer.status}")
    return body


class SnsTopics:
    """Confirms subscriptions by the API, never by the address that a message names."""

    def __init__(self, client_of: "Callable[[str], SNSClient] | None" = None) -> None:
        self._client_of = client_of or _client_of

    def confirm(self, topic: str, token: str) -> None:
        """Confirm a subscription to a topic; from then on unsubscribing takes credentials."""
        with translated(f"confirming the subscription to '{topic}'"):
            self._client_of(topic.split(":")[3]).confirm_subscription(
                TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true"
            )


def _client_of(region: str) -> "SNSClient":
    client: SNSClient = boto3.client("sns", region_name=region, config=CLIENT)
    return client
