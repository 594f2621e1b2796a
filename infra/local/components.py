"""Install what the real-component tests need, where we may; say loudly what is missing elsewhere.

Run as `python -m infra.local.components`. It never fails a developer's run: tests that lack their
component say so themselves, and continuous integration counts that as a failure.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "postgresql-15": ("/usr/lib/postgresql/15/bin/postgres",),
    "pgbouncer": ("/usr/sbin/pgbouncer",),
    "prometheus": ("/usr/bin/prometheus",),
    "prometheus-alertmanager": ("/usr/bin/prometheus-alertmanager",),
    "prometheus-blackbox-exporter": ("/usr/bin/prometheus-blackbox-exporter",),
    "prometheus-postgres-exporter": ("/usr/bin/prometheus-postgres-exporter",),
    "chromium": ("/usr/bin/chromium",),
}
"""Debian package -> the program that shows that it is there."""


def missing() -> list[str]:
    """Packages whose program is not on this machine."""
    return [
        package
        for package, programs in COMPONENTS.items()
        if not any(Path(program).exists() for program in programs)
    ]


def can_install() -> bool:
    """Whether this is a Debian where we are root."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def install(packages: list[str]) -> None:
    """Install from Debian's packages; the tests start servers of their own."""
    environment = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def main() -> None:
    """Install or report."""
    lacking = missing()
    if lacking and can_install():
        sys.stderr.write(f"Installing for the tests: {', '.join(lacking)}\n")
        install(lacking)
        lacking = missing()
    if lacking:
        sys.stderr.write(
            f"NOT INSTALLED: {', '.join(lacking)}. Tests that need them will be skipped, loudly. "
            f"On Debian: sudo apt-get install {' '.join(lacking)}\n"
        )


if __name__ == "__main__":
    main()
