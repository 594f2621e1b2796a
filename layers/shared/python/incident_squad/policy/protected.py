"""Networks that no step may treat as an attacker's."""

import ipaddress
from collections.abc import Iterable

from incident_squad.domain.errors import InvalidParameter

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def refuse_protected(name: str, address: str, networks: Iterable[Network]) -> None:
    """Raise InvalidParameter when the address is in one of the networks."""
    found = ipaddress.ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None)
    for network in networks:
        if found in network or (mapped is not None and mapped in network):
            raise InvalidParameter(f"'{name}' is in {network}, which is never blocked")
