"""The seal around the tests holds, so that no test depends on anybody else's computer."""

import socket

import pytest

from incident_squad.adapters.system_clock import SystemClock


def test_other_computers_are_out_of_reach() -> None:
    with socket.socket() as plain, pytest.raises(RuntimeError, match="only this computer"):
        plain.connect(("192.0.2.1", 80))
    with pytest.raises(RuntimeError, match="only this computer"):
        socket.getaddrinfo("example.com", 443)
    with pytest.raises(RuntimeError, match="only this computer"):
        socket.create_connection(("example.com", 443), timeout=1)


def test_this_computer_is_within_reach() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=1) as connection,
    ):
        assert connection.getpeername() == server.getsockname()


def test_the_system_clock_tells_whole_milliseconds_in_utc() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.002)
    assert clock.now() > before
    assert before.microsecond % 1000 == 0
    assert before.tzname() == "UTC"
