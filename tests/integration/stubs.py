"""Real clients whose answers are scripted, one after the other; nothing is sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.stub import Stubber


@contextmanager
def scripted(service: str) -> Iterator[tuple[Any, Stubber]]:
    """A client of the service and its script; all of the script must be used."""
    once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    client = boto3.client(service, region_name="us-east-1", config=once)  # type: ignore[call-overload]
    with Stubber(client) as script:
        yield client, script
        script.assert_no_pending_responses()
    client.close()
