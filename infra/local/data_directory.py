"""The folder that keeps a laptop's squad from one `squad up` to the next."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from incident_squad.domain.values import Value
from infra.local.emulator_process import free_port, port_is_free
from infra.local.emulator_version import VERSION
from infra.local.errors import DataDirectoryLocked, DataDirectoryUnusable

FORMAT = 1
ABOUT = "squad.json"
LOCK = "lock"
# An emulator whose `squad up` was killed saves its state and ends in about this time.
RELEASE_SECONDS = 20.0
# A process that has just been killed may look alive for a moment.
DYING_SECONDS = 1.0
SECRETS = (
    "webhooks/pagerduty", "webhooks/datadog", "webhooks/alertmanager", "webhooks/generic",
    "api-token",
)  # fmt: skip


class About(Value):
    """What the folder says of itself. `secrets` are those that this laptop made up."""

    format: int = FORMAT
    emulator: str = VERSION
    emulator_port: int
    secrets: dict[str, str]


class DataDirectory:
    """One folder, locked while it is open; without a path a temporary one, removed at the end."""

    def __init__(self, path: Path | None) -> None:
        """Open it; raises DataDirectoryLocked or DataDirectoryUnusable."""
        self.kept = path is not None
        self.path = path.resolve() if path else Path(tempfile.mkdtemp(prefix="squad-"))
        _check_ours(self.path)
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self.path / LOCK)
        try:
            self.fresh = not (self.path / ABOUT).exists()
            self.about = self._read()
            _check_state(self.path / "state")
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def lock(self) -> int:
        """The lock's file descriptor: whoever inherits it keeps the folder locked."""
        return self._lock

    def close(self) -> None:
        """Unlock, and remove it when it is temporary."""
        with contextlib.suppress(OSError):
            os.close(self._lock)
        if not self.kept:
            shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _read(self) -> About:
        file = self.path / ABOUT
        about = _new() if self.fresh else _parse(file)
        if not port_is_free(about.emulator_port):
            about = about.model_copy(update={"emulator_port": free_port()})
        partial = file.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(about.model_dump_json(indent=2))
        partial.replace(file)
        return about


def _new() -> About:
    made = {name: secrets.token_urlsafe(32) for name in SECRETS}
    return About(emulator_port=free_port(), secrets=made)


def _parse(file: Path) -> About:
    folder = file.parent
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise DataDirectoryUnusable(f"{file} is damaged: {error}. {_advice(folder)}") from error
    versions = (found.get("format"), found.get("emulator")) if isinstance(found, dict) else None
    if versions != (FORMAT, VERSION):
        raise DataDirectoryUnusable(
            f"{folder} was made by another version of the squad"
            f" (format and emulator {versions}, ours are {(FORMAT, VERSION)}). {_advice(folder)}"
        )
    try:
        return About.model_validate(found)
    except ValidationError as error:
        raise DataDirectoryUnusable(f"{file} is damaged. {_advice(folder)}") from error


def _check_ours(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise DataDirectoryUnusable(f"{path} is not a folder.")
    if path.is_dir() and not (path / ABOUT).exists():
        strangers = {entry.name for entry in path.iterdir()} - {LOCK}
        if strangers:
            raise DataDirectoryUnusable(
                f"{path} is not empty and was not made by `squad up`: choose another folder."
            )


def _check_state(folder: Path) -> None:
    for file in folder.glob("*.json"):
        try:
            json.loads(file.read_text())
        except ValueError as error:
            raise DataDirectoryUnusable(
                f"{file} is damaged: {error}. {_advice(folder.parent)}"
            ) from error


def _advice(folder: Path) -> str:
    return f"Put back a copy of {folder}, or start with another folder: incidents live in there."


def _lock(file: Path) -> int:
    lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(lock)
            patience = DYING_SECONDS if _alive(holder) else RELEASE_SECONDS
            if time.monotonic() - began > patience:
                os.close(lock)
                raise _locked(file.parent, holder) from None
            time.sleep(0.1)
        else:
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            return lock


def _holder(lock: int) -> int:
    said = os.pread(lock, 20, 0).decode(errors="replace")
    return int(said) if said.isdigit() else 0


def _alive(process: int) -> bool:
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
        # A killed process whose parent has not looked yet holds nothing any more.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's process, or a system without /proc
        return True


def _locked(folder: Path, holder: int) -> DataDirectoryLocked:
    return DataDirectoryLocked(
        f"Another `squad up` (process {holder}) works on {folder}: stop it, or choose another"
        " folder with --data."
    )
