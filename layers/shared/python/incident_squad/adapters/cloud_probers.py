"""Probers of clouds, clusters and hosts, whose code is loaded when one of them is first asked."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from incident_squad.adapters.aws_clients import LazyClients
from incident_squad.domain.evidence import Evidence
from incident_squad.domain.runbook import Probe
from incident_squad.ports import Clock, Knowledge, Prober

Clients = Callable[[str, str | None], Any]


class LateProber:
    """Implements `Prober` by one that is made when it is first asked."""

    def __init__(self, make: Callable[[], Prober]) -> None:
        self._make = make

    @cached_property
    def _prober(self) -> Prober:
        return self._make()

    def probe(self, probe: Probe, target: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """Ask the prober."""
        return self._prober.probe(probe, target, parameters)


def cloud_probers(
    knowledge: Knowledge, clock: Clock, clients: Clients | None = None
) -> dict[str, Prober]:
    """One prober for each kind."""
    found = clients or LazyClients()
    return {
        "aws": LateProber(lambda: _aws(knowledge, clock, found)),
        "k8s": LateProber(lambda: _k8s(knowledge, clock, found)),
        "command": LateProber(lambda: _command(knowledge, clock, found)),
    }


def _aws(knowledge: Knowledge, clock: Clock, clients: Clients) -> Prober:
    from incident_squad.adapters.aws_target import AwsProber  # noqa: PLC0415 - loaded late

    return AwsProber(knowledge, clients, clock)


def _k8s(knowledge: Knowledge, clock: Clock, clients: Clients) -> Prober:
    from incident_squad.adapters.k8s_api import EksClusters  # noqa: PLC0415 - loaded late
    from incident_squad.adapters.k8s_target import K8sProber  # noqa: PLC0415 - loaded late

    return K8sProber(knowledge, EksClusters(clients), clock)


def _command(knowledge: Knowledge, clock: Clock, clients: Clients) -> Prober:
    from incident_squad.adapters.command_target import CommandProber  # noqa: PLC0415 - loaded late

    return CommandProber(knowledge, clients, clock)
