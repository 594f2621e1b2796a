"""What a verified alert names: addresses, hosts and ids, and only those that stand alone."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from incident_squad.domain.alert import Alert
from incident_squad.policy.typed import access_key, hostname, instance, public_address

_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_IPV6 = re.compile(r"[0-9A-Fa-f:]{2,39}")
# Ids stand in ARNs and paths too, but never as a part of a longer word of any script.
_ACCESS_KEY = re.compile(r"(?<![\w-])AKIA[A-Z0-9]{16}(?![\w-])")
_INSTANCE = re.compile(r"(?<![\w-])i-(?:[0-9a-f]{17}|[0-9a-f]{8})(?![\w-])")
_CIDR = re.compile(r"/[0-9]{1,3}(?![0-9])")
_FQDN = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
_HOST_LABELS = ("host", "hostname", "domain", "fqdn", "server")
# A match may touch these beside white space; a joiner or another script's digit may not.
_ASCII_NEIGHBOURS = frozenset("\"'`()[]{}<>,;:=|/\\!?#@&*+~^$%-")
_QUOTES = frozenset({"Pi", "Pf", "Ps", "Pe"})


def public_addresses_in(alert: Alert) -> tuple[str, ...]:
    """The distinct public IP addresses in an alert, in the order of their mention."""
    text = alert.text()
    return _distinct((*_found(_IPV4, text, public_address), *_found(_IPV6, text, _ipv6)))


def hosts_in(alert: Alert) -> tuple[str, ...]:
    """The hosts that an alert is about.

    Labels that are made for it speak first, then the resource, then an exporter's `instance`,
    then full names in the text: the first of these that names any host is the answer.
    """
    named = [value for label in _HOST_LABELS if (value := alert.labels.get(label))]
    groups: tuple[Iterable[str], ...] = (
        filter(None, map(_host_of, named)),
        filter(None, map(_host_of, [alert.resource or ""])),
        filter(None, map(_host_of, [alert.labels.get("instance", "")])),
        _found(_FQDN, f"{alert.title}\n{alert.description}", hostname),
    )
    return next((hosts for group in groups if (hosts := _distinct(group))), ())


def access_keys_in(alert: Alert) -> tuple[str, ...]:
    """The distinct ids of IAM access keys in an alert, in the order of their mention."""
    return _distinct(map(access_key, _ACCESS_KEY.findall(alert.text())))


def instances_in(alert: Alert) -> tuple[str, ...]:
    """The distinct ids of EC2 instances in an alert, in the order of their mention."""
    return _distinct(map(instance, _INSTANCE.findall(alert.text())))


def _ipv6(text: str) -> str:
    """`2001:db8::7:` is an address and the colon of a sentence."""
    return public_address(text if text.endswith("::") else text.removesuffix(":"))


def _host_of(text: str) -> str | None:
    """`https://a.example:8443/x`, `a.example:8443` and `a.example` are all `a.example`."""
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        return hostname(parts.hostname or "")
    except ValueError:
        return None


def _found(pattern: re.Pattern[str], text: str, check: Callable[[str], str]) -> Iterator[str]:
    for match in pattern.finditer(text):
        if _stands_alone(text, match.start(), match.end()):
            try:
                yield check(match.group())
            except ValueError:
                continue


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    if after == "." and not text[end + 1 : end + 2].strip():
        after = ""  # the end of a sentence
    if _CIDR.match(text, end) or (before == "/" and text[max(start - 2, 0) : start] != "//"):
        return False  # a network, or a version as in `nginx/1.2.3.4`
    return _may_touch(before) and _may_touch(after)


def _may_touch(neighbour: str) -> bool:
    return (
        not neighbour
        or neighbour.isspace()
        or neighbour in _ASCII_NEIGHBOURS
        or unicodedata.category(neighbour) in _QUOTES
    )


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
