"""Which processes live below another, as the kernel tells it."""

import os
from pathlib import Path

PROC = Path("/proc")


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent does not."""
    found = _stat(pid)
    return found is not None and found[0] != "Z"


def below(pid: int | None = None) -> set[int]:
    """All living descendants of a process, by default of this one."""
    children: dict[int, set[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (found := _stat(int(entry.name))) and found[0] != "Z":
            children.setdefault(int(found[1]), set()).add(int(entry.name))
    return _collect(os.getpid() if pid is None else pid, children)


def _collect(pid: int, children: dict[int, set[int]]) -> set[int]:
    own = children.get(pid, set())
    return own.union(*(_collect(child, children) for child in own))


def _stat(pid: int) -> list[str] | None:
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
