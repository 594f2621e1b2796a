"""Examines ops hosts: whether the programs are there, and whether others could put in their own."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from incident_squad.adapters.aws_actions.place import Clients
from incident_squad.domain.targets import CommandTarget
from infra.local.doctor.clouds import examine_instance
from infra.local.doctor.finding import Found, good, mend, note

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def examine_command(name: str, target: CommandTarget, clients: Clients) -> Iterator[Found]:
    """What is to be said of an ops host; none of its programs is run."""
    if target.instance is not None:
        yield from examine_instance(name, target.instance, target.region, clients)
        yield note(name, "could not check its programs: nobody who only looks runs anything there")
        return
    for program, command in target.commands.items():
        yield from _program(name, program, Path(command.path))


def _program(name: str, program: str, path: Path) -> Iterator[Found]:
    try:
        found = path.stat()
    except PermissionError:
        yield note(name, f"could not check '{program}': {path} is closed to you")
        return
    except OSError:
        yield mend(name, f"'{program}' is not there: {path}")
        return
    if not stat.S_ISREG(found.st_mode) or not os.access(path, os.X_OK):
        yield mend(name, f"'{program}' cannot be run: {path} is no program (chmod +x)")
    elif (by := _writable(path)) is not None:
        yield mend(name, f"others could change what '{program}' does: chmod go-w {by}")
    else:
        yield good(name, f"'{program}' is {path}")


def _writable(path: Path) -> Path | None:
    """The first of the file and its folder that others may write to; a sticky folder is safe."""
    if path.stat().st_mode & _OTHERS_WRITE:
        return path
    folder = path.parent.stat().st_mode
    return path.parent if folder & _OTHERS_WRITE and not folder & stat.S_ISVTX else None
