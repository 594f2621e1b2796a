"""Which processes live below another, as the kernel tells it."""

import os
from pathlib import Path

PROC = Path("/proc")


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent does not."""
    found = _stat(pid)
    return found is not None and found[0] != "Z"


def children() -> set[int]:
    """The living children of this process. A stack is one of them; what a stack of another
    test starts meanwhile is not.
    """
    return _families().get(os.getpid(), set())


def below(pid: int) -> set[int]:
    """All living descendants of a process."""
    return _collect(pid, _families())


def _families() -> dict[int, set[int]]:
    families: dict[int, set[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (found := _stat(int(entry.name))) and found[0] != "Z":
            families.setdefault(int(found[1]), set()).add(int(entry.name))
    return families


def _collect(pid: int, families: dict[int, set[int]]) -> set[int]:
    own = families.get(pid, set())
    return own.union(*(_collect(child, families) for child in own))


def _stat(pid: int) -> list[str] | None:
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
