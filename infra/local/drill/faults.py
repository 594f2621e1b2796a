"""The five faults, two of them in two forms: how each is made, seen and proved to be over."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.local.drill.application import administering
from infra.local.drill.estate import BAD, Estate

DUE_DAYS = 3.0
FRESH = 7.0


@dataclass(frozen=True)
class Fault:
    """`make` breaks the estate, `gone` looks at the estate itself whether it is whole again.

    `runbook` is what the squad should follow; `tls` says whose service it is.
    """

    title: str
    runbook: str
    make: Callable[[Estate], None]
    gone: Callable[[Estate], bool]
    tls: bool = False

    def service(self, estate: Estate) -> str:
        """The service that the alert is about."""
        return estate.layout.tls_service if self.tls else estate.layout.service


def _leak(estate: Estate) -> None:
    estate.application.leak(leave=0)


def _release(estate: Estate) -> None:
    estate.payments.deploy(BAD, None)


def _pause(estate: Estate) -> None:
    with administering(estate.replica) as ask:
        ask("SELECT pg_wal_replay_pause()")


def _replays(estate: Estate) -> bool:
    with administering(estate.replica) as ask:
        paused = bool(ask("SELECT pg_is_wal_replay_paused()")[0][0])
        lag = "SELECT coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp()), 0)"
        return not paused and float(ask(lag)[0][0]) < FRESH


def _waiting(estate: Estate) -> int:
    with administering(estate.primary) as ask:
        found = ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return int(found[0][0])


def _expire(estate: Estate) -> None:
    estate.tls.put_out(DUE_DAYS)


FAULTS: Mapping[str, Fault] = {
    "pool": Fault(
        "the connections of the database are used up",
        "db-connection-pool",
        _leak,
        lambda estate: estate.application.harmful() == 0,
    ),
    "errors": Fault(
        "a bad release fails payments",
        "app-error-rate",
        _release,
        lambda estate: estate.payments.release != BAD,
    ),
    "lag": Fault(
        "replay is paused on the replica", "db-replication-lag", _pause, _replays
    ),
    "locks": Fault(
        "a forgotten transaction holds up a queue of others",
        "db-deadlocks",
        lambda estate: estate.application.queue(),
        lambda estate: _waiting(estate) == 0,
    ),
    "deadlock": Fault(
        "two transactions wait for each other",
        "db-deadlocks",
        lambda estate: estate.application.embrace(),
        lambda estate: _waiting(estate) == 0,
    ),
    "certificate": Fault(
        "a certificate is about to expire",
        "net-certificate-expiry",
        _expire,
        lambda estate: float(estate.tls.status()["daysLeft"]) > FRESH,
        tls=True,
    ),
}  # fmt: skip
