"""Certificates come from where they are and nowhere else; confirming is an API call."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from incident_squad.adapters.sns_topics import SnsTopics, certificate
from incident_squad.domain.errors import InvalidConfiguration, TargetUnavailable, TransientFailure

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

TOPIC = "arn:aws:sns:eu-west-3:123456789012:incident-alerts"


class Certificates(BaseHTTPRequestHandler):
    """Answers by the path: a certificate, an endless one, a redirect or nothing."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        status = {"/moved": 302, "/gone": 404}.get(self.path, 200)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/pem")
        self.end_headers()
        self.wfile.write(b"x" * 100_000 if self.path == "/endless" else b"PEM")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Certificates) as found:
        found.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def url(server: ThreadingHTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def test_a_certificate_is_fetched_once(server: ThreadingHTTPServer) -> None:
    assert certificate(url(server, "/pem")) == certificate(url(server, "/pem")) == b"PEM"
    assert server.asked == ["/pem"]  # type: ignore[attr-defined]


def test_a_certificate_is_never_larger_than_one(server: ThreadingHTTPServer) -> None:
    assert len(certificate(url(server, "/endless"))) <= 64 * 1024


@pytest.mark.parametrize("path", ["/moved", "/gone"])
def test_no_redirect_is_followed_and_errors_are_told(
    server: ThreadingHTTPServer, path: str
) -> None:
    with pytest.raises(TargetUnavailable):
        certificate(url(server, path))
    assert server.asked == [path]  # type: ignore[attr-defined]


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(TargetUnavailable):
        certificate("http://127.0.0.1:9/pem")


@pytest.mark.parametrize(
    ("code", "error"),
    [("AuthorizationError", InvalidConfiguration), ("Throttled", TransientFailure)],
)
def test_a_subscription_is_confirmed_where_its_topic_is(code: str, error: type[Exception]) -> None:
    regions: list[str] = []
    client = boto3.client("sns", region_name="eu-west-3")

    def client_of(region: str) -> "SNSClient":
        regions.append(region)
        return client

    expected = {"TopicArn": TOPIC, "Token": "t", "AuthenticateOnUnsubscribe": "true"}
    with Stubber(client) as stub:
        stub.add_response("confirm_subscription", {"SubscriptionArn": TOPIC + ":1"}, expected)
        stub.add_client_error("confirm_subscription", code)
        topics = SnsTopics(client_of)
        topics.confirm(TOPIC, "t")
        with pytest.raises(error):
            topics.confirm(TOPIC, "t")
    assert regions == ["eu-west-3", "eu-west-3"]
