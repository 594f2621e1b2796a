"""Every test runs sealed: no network but this computer's own, no real keys, no real model."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from incident_squad.settings import PREFIX, Settings, settings
from tests.fakes import (
    FixedClock,
    MemoryApprovals,
    MemoryIncidents,
    MemoryNotifier,
    MemorySecrets,
    MemorySigner,
    MemoryTimeline,
    MemoryWorkflow,
)

# The same examples on every run and computer: a failure in CI is a failure at home.
hypothesis_settings.register_profile(
    "squad",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("squad")

_FAKE = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_FORBIDDEN = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    *(f"{PREFIX}{name.upper()}" for name in Settings.model_fields),
    *(f"{scheme}_proxy" for scheme in ("http", "https", "all")),
    *(f"{scheme}_PROXY" for scheme in ("HTTP", "HTTPS", "ALL")),
)


class NetworkSealed(RuntimeError):
    """A test tried to reach another computer."""


def _local(host: object) -> bool:
    if host in {None, "", "localhost", b"localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _check(address: object) -> None:
    if isinstance(address, tuple) and not _local(address[0]):
        message = f"tests reach only this computer, not {address[0]}"
        raise NetworkSealed(message)


def _seal(patch: pytest.MonkeyPatch) -> None:
    connect, connect_ex, look_up = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def sealed_connect(self: socket.socket, address: Any) -> None:
        _check(address)
        connect(self, address)

    def sealed_connect_ex(self: socket.socket, address: Any) -> int:
        _check(address)
        return connect_ex(self, address)

    def sealed_look_up(host: Any, *args: Any, **named: Any) -> Any:
        _check((host,))
        return look_up(host, *args, **named)

    patch.setattr(socket.socket, "connect", sealed_connect)
    patch.setattr(socket.socket, "connect_ex", sealed_connect_ex)
    patch.setattr(socket, "getaddrinfo", sealed_look_up)


def _wants_real(config: pytest.Config) -> bool:
    """Whether this run was asked for by `-m aws` or `-m model`, and for nothing else."""
    return config.getoption("markexpr") in {"aws", "model"}


@pytest.fixture(scope="session", autouse=True)
def _sealed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold for the whole session, so that shared fixtures are sealed too."""
    if _wants_real(request.config):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _FAKE.items():
            patch.setenv(name, value)
        for name in _FORBIDDEN:
            patch.delenv(name, raising=False)
        _seal(patch)
        yield


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    """Settings are read once a process; each test is a process of its own."""
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def incidents(clock: FixedClock) -> MemoryIncidents:
    return MemoryIncidents(clock)


@pytest.fixture
def timeline(incidents: MemoryIncidents, clock: FixedClock) -> MemoryTimeline:
    return MemoryTimeline(incidents, clock)


@pytest.fixture
def approvals(clock: FixedClock) -> MemoryApprovals:
    return MemoryApprovals(clock)


@pytest.fixture
def workflow() -> MemoryWorkflow:
    return MemoryWorkflow()


@pytest.fixture
def notifier() -> MemoryNotifier:
    return MemoryNotifier()


@pytest.fixture
def signer() -> MemorySigner:
    return MemorySigner(b"the key of the tests")


@pytest.fixture
def secrets() -> MemorySecrets:
    return MemorySecrets()
