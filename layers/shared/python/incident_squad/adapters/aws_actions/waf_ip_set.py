"""Blocks addresses at AWS WAF: entries are merged into an IP set and never replace it."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from incident_squad.adapters.aws_actions.calls import Conflict, change, look
from incident_squad.adapters.aws_actions.place import Client, Place, Rows, text
from incident_squad.domain.errors import InvalidConfiguration, InvalidParameter, TargetUnavailable
from incident_squad.domain.targets import WafResource
from incident_squad.policy.protected import refuse_protected
from incident_squad.policy.typed import public_address

ATTEMPTS = 5
"""Tries at an IP set that others change at the same time."""
CLOUDFRONT_REGION = "us-east-1"


@dataclass(frozen=True)
class _Seen:
    """The IP set as it was read, and the token that only this state accepts."""

    addresses: tuple[str, ...]
    version: str
    token: str

    def covers(self, network: str) -> bool:
        """Whether an entry of the set holds all of this network."""
        wanted = ipaddress.ip_network(network)
        entries = map(ipaddress.ip_network, self.addresses)
        return any(wanted.version == one.version and _within(wanted, one) for one in entries)


class BlockIp:
    """`waf_block_ip`: add one public address, which nobody protects, to the IP set."""

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The entry that would be added, unless the set covers it."""
        seen = _read(place)
        entry = _entry(place, arguments, seen)
        return [] if seen.covers(entry) else [_row(place, entry)]

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Add it; all other entries stay, whoever adds or removes some meanwhile."""
        del key  # an entry is there or not: a second try finds it
        seen = _read(place)
        entry = _entry(place, arguments, seen)
        if [dict(row) for row in rows] != [_row(place, entry)]:
            raise InvalidParameter("the planned entry is not the one that would be added")
        if seen.covers(entry):
            return {"ip_set": _ip_set(place).name, "added": []}
        _edit(place, lambda now: _plus(now, entry), lambda now: now.covers(entry))
        return {"ip_set": _ip_set(place).name, "added": [entry]}

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """Remove what was added, and nothing that stood there before."""
        added = [str(entry) for entry in result.get("added", ())]
        if added:
            _edit(
                place,
                lambda now: [one for one in now.addresses if one not in added],
                lambda now: not set(added) & set(now.addresses),
            )
        return {"removed": added}


def blocked(place: Place, arguments: Mapping[str, Any]) -> bool:
    """Whether the IP set covers the address."""
    seen = _read(place)
    return seen.covers(_entry(place, arguments, seen))


def waf(place: Place, resource: WafResource) -> Client:
    """The client for a resource of WAF: those of CloudFront live in one region."""
    region = CLOUDFRONT_REGION if resource.scope == "CLOUDFRONT" else None
    return place.client("wafv2", region)


def names(resource: WafResource) -> dict[str, str]:
    """How WAF wants a resource named."""
    return {"Name": resource.name, "Scope": resource.scope, "Id": resource.id}


def _ip_set(place: Place) -> WafResource:
    if place.target.ip_set is None:
        raise InvalidConfiguration(f"the target '{place.name}' names no ip_set")
    return place.target.ip_set


def _read(place: Place) -> _Seen:
    found = _ip_set(place)
    answer = look(
        f"reading the IP set '{found.name}'", waf(place, found).get_ip_set, **names(found)
    )
    content = answer["IPSet"]
    return _Seen(tuple(content["Addresses"]), content["IPAddressVersion"], answer["LockToken"])


def _edit(
    place: Place, entries: Callable[[_Seen], Sequence[str]], done: Callable[[_Seen], bool]
) -> None:
    found = _ip_set(place)
    for _ in range(ATTEMPTS):
        now = _read(place)
        if done(now):
            return
        try:
            change(
                f"changing the IP set '{found.name}'",
                waf(place, found).update_ip_set,
                lambda: done(_read(place)),
                **names(found),
                Addresses=list(entries(now)),
                LockToken=now.token,
            )
        except Conflict:
            continue
        return
    raise TargetUnavailable(f"others keep changing the IP set '{found.name}'; nothing was changed")


def _plus(now: _Seen, entry: str) -> list[str]:
    return [*now.addresses, entry]


def _entry(place: Place, arguments: Mapping[str, Any], seen: _Seen) -> str:
    try:
        address = ipaddress.ip_address(public_address(text(arguments, "ip")))
    except ValueError as error:
        raise InvalidParameter(f"'ip' {error}") from None
    refuse_protected("ip", str(address), place.policies.never_block)
    if seen.version != f"IPV{address.version}":
        raise InvalidParameter(f"the IP set of '{place.name}' takes {seen.version} only")
    return f"{address}/{address.max_prefixlen}"


def _row(place: Place, entry: str) -> dict[str, str]:
    return {"ip_set": _ip_set(place).name, "address": entry, "change": "is blocked"}


def _within(
    inner: ipaddress.IPv4Network | ipaddress.IPv6Network,
    outer: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> bool:
    first, last = inner.network_address, inner.broadcast_address
    return first in outer and last in outer
