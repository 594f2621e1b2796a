"""One check for each type of parameter: a value passes as it is, or not at all."""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.runbook import Parameter, ParameterType, ParameterValue

LONGEST = 2000
"""Characters of the longest text that any parameter may have."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_EMAIL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}")
_ACCESS_KEY = re.compile(r"AKIA[A-Z0-9]{16}")
_INSTANCE = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_URL = re.compile(r"[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]+")

# Addresses for documentation: nobody has them, and rehearsals are full of them.
_DOCUMENTATION = tuple(
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
# IPv6 ranges that carry an IPv4 address inside, and with it a private one past the check.
_CARRIERS = tuple(
    ipaddress.ip_network(net) for net in ("64:ff9b::/96", "2002::/16", "2001::/32", "::/96")
)


def typed(name: str, parameter: Parameter, value: object) -> ParameterValue:
    """The value, in its one written form; raises InvalidParameter naming the parameter."""
    try:
        checked = _CHECKS[parameter.type](parameter, value)
    except ValueError as problem:
        raise InvalidParameter(f"'{name}' {problem}") from None
    if parameter.choices and checked not in parameter.choices:
        raise InvalidParameter(f"'{name}' must be one of {', '.join(parameter.choices)}")
    return checked


def public_address(text: str) -> str:
    """An address of the internet at large, in its short form; raises ValueError for any other.

    Private, own-link, shared, reserved and multicast ranges are refused, and so are IPv6 forms
    that wrap an IPv4 address.
    """
    if not text.isascii() or "%" in text:
        raise ValueError("is not an IP address")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("is not an IP address") from None
    if any(address in network for network in _DOCUMENTATION):
        return str(address)
    wrapped = any(address in network for network in _CARRIERS)
    if wrapped or address.is_multicast or address.is_reserved or not address.is_global:
        raise ValueError("is a private or reserved address")
    return str(address)


def hostname(text: str) -> str:
    """A host's DNS name in lower case; raises ValueError for addresses and for this machine."""
    name = text.lower() if text.isascii() else ""
    last = name.rpartition(".")[2]
    if len(name) > 253 or not _HOSTNAME.fullmatch(name) or _NUMERIC_LABEL.fullmatch(last):  # noqa: PLR2004
        raise ValueError("is not a host name")
    if last == "localhost":
        raise ValueError("names this machine")
    return name


def access_key(text: str) -> str:
    """The id of a long-lived IAM access key; raises ValueError for anything else."""
    if not _ACCESS_KEY.fullmatch(text):
        raise ValueError("is not the id of an access key")
    return text


def instance(text: str) -> str:
    """The id of an EC2 instance; raises ValueError for anything else."""
    if not _INSTANCE.fullmatch(text):
        raise ValueError("is not the id of an instance")
    return text


def _integer(parameter: Parameter, value: object) -> int:
    if type(value) is not int:
        raise ValueError("must be an integer")
    _bounded(parameter, value)
    return value


def _number(parameter: Parameter, value: object) -> float:
    if type(value) not in {int, float}:
        raise ValueError("must be a number")
    number: int | float = value  # type: ignore[assignment] # its type was just looked at
    _bounded(parameter, number)
    return number


def _bounded(parameter: Parameter, value: float) -> None:
    low, high = parameter.min, parameter.max
    # Written so that "not a number" fails too: it compares as false.
    if low is None or high is None or not low <= value <= high:
        raise ValueError(f"must be from {low} to {high}")


def _boolean(_parameter: Parameter, value: object) -> bool:
    if type(value) is not bool:
        raise ValueError("must be true or false")
    return value


def _string(parameter: Parameter, value: object) -> str:
    text = _text(value)
    if parameter.pattern is not None and not re.fullmatch(parameter.pattern, text, re.ASCII):
        raise ValueError(f"does not fit {parameter.pattern}")
    return text


def _ip(_parameter: Parameter, value: object) -> str:
    return public_address(_text(value))


def _hostname(_parameter: Parameter, value: object) -> str:
    return hostname(_text(value))


def _email(_parameter: Parameter, value: object) -> str:
    text = _text(value)
    local, at, domain = text.rpartition("@")
    if not at or len(text) > 254 or not _EMAIL_NAME.fullmatch(local):  # noqa: PLR2004
        raise ValueError("is not an e-mail address")
    return f"{local}@{hostname(domain)}"


def _url(_parameter: Parameter, value: object) -> str:
    text = _text(value)
    if not _URL.fullmatch(text) or "%00" in text:
        raise ValueError("is not a URL")
    parts = urlsplit(text)
    if parts.scheme != "https" or "@" in parts.netloc or not parts.hostname:
        raise ValueError("must be an https URL without user name")
    if parts.port == 0:
        raise ValueError("has no such port")
    _host(parts.hostname)
    return text


def _host(text: str) -> str:
    return public_address(text) if ":" in text or text[-1].isdigit() else hostname(text)


def _access_key(_parameter: Parameter, value: object) -> str:
    return access_key(_text(value))


def _instance(_parameter: Parameter, value: object) -> str:
    return instance(_text(value))


def _text(value: object) -> str:
    """Plain ASCII only: look-alikes and invisible characters never reach a system."""
    if type(value) is not str:
        raise ValueError("must be a text")
    if not 0 < len(value) <= LONGEST:
        raise ValueError(f"must have 1 to {LONGEST} characters")
    if not value.isascii() or not value.isprintable():
        raise ValueError("may hold plain ASCII characters only")
    return value


_CHECKS: dict[ParameterType, Callable[[Parameter, object], ParameterValue]] = {
    ParameterType.INTEGER: _integer,
    ParameterType.NUMBER: _number,
    ParameterType.STRING: _string,
    ParameterType.BOOLEAN: _boolean,
    ParameterType.IP: _ip,
    ParameterType.EMAIL: _email,
    ParameterType.HOSTNAME: _hostname,
    ParameterType.URL: _url,
    ParameterType.ACCESS_KEY: _access_key,
    ParameterType.INSTANCE: _instance,
}
