"""The laptop's one reader of the environment."""

import os
from collections.abc import Mapping
from pathlib import Path

# What a program needs to run at all. Everything else stays outside: the emulator's Lambdas
# inherit its environment, and a shell holds keys that no Lambda should see.
PASSED_ON = frozenset(
    {
        "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "NODE_EXTRA_CA_CERTS",
        "PATH", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE", "SYSTEMROOT", "TZ",
        "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "VIRTUAL_ENV",
    }
)  # fmt: skip
LOOPBACK = "127.0.0.1,localhost"

# The CDK's JavaScript side prints a banner for every Node release that it does not list.
_QUIET = {
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
}


def variable(name: str) -> str | None:
    """One variable of this process, or None."""
    return os.environ.get(name)


def minimal_environment(extra: Mapping[str, str], *, temporary: Path) -> dict[str, str]:
    """The environment of a child process: no keys, no AWS profile, its own temporary folder."""
    passed = {name: value for name, value in os.environ.items() if name in PASSED_ON}
    return {
        **passed,
        "TMPDIR": str(temporary),
        "NO_PROXY": LOOPBACK,
        "no_proxy": LOOPBACK,
        **extra,
    }


def quieten_node() -> None:
    """Keep the CDK silent about Node's age; call it before `aws_cdk` is imported."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
