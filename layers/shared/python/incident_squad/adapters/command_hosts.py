"""Where programs run: on this machine without a shell, or on an instance by Systems Manager."""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from incident_squad.adapters.ssm_runs import Run, SsmRuns
from incident_squad.domain.errors import InvalidParameter, StepFailed, TargetUnavailable

LARGEST = 64 * 1024
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHELL_DOCUMENT = "AWS-RunShellScript"
_PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+")
"""What no shell reads as anything but text."""


@dataclass(frozen=True)
class Printed:
    """How a program ended and what it printed, both streams together."""

    code: int
    text: str


class Host(Protocol):
    """Runs one program."""

    def run(self, argv: Sequence[str], seconds: int, key: str) -> Printed:
        """Run it to its end.

        Raises TargetUnavailable when it was not started, StepFailed when its end is unknown.
        """
        ...


class LocalHost:
    """This machine. The program gets a minimal environment: nothing of ours leaks into it."""

    def run(self, argv: Sequence[str], seconds: int, key: str) -> Printed:
        """Run it in a process group of its own, which ends with it."""
        try:
            process = subprocess.Popen(  # noqa: S603 - an argument list of the allow-list, never a shell
                list(argv),
                env={"PATH": PATH, "LANG": "C.UTF-8", "SQUAD_IDEMPOTENCY_KEY": key},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise TargetUnavailable(f"'{argv[0]}' cannot be started: {error.strerror}") from error
        try:
            text = _read(process, argv[0], seconds)
            return Printed(process.wait(timeout=1), text)
        except subprocess.TimeoutExpired:
            raise StepFailed(f"'{argv[0]}' closed its output and did not end") from None
        finally:
            _end(process)


class InstanceHost:
    """An instance with the agent of Systems Manager."""

    def __init__(self, runs: SsmRuns, instance: str) -> None:
        self._runs = runs
        self._instance = instance

    def run(self, argv: Sequence[str], seconds: int, key: str) -> Printed:
        """Run it by the document that takes a line for a shell: only plain words get there."""
        for word in argv:
            if not _PLAIN.fullmatch(word):
                raise InvalidParameter(f"'{word}' is no plain word, as an instance needs it")
        run = Run(
            document=SHELL_DOCUMENT,
            parameters={"commands": [" ".join(argv)], "executionTimeout": [str(seconds)]},
            instances=(self._instance,),
            key=key,
            seconds=seconds,
        )
        ended: Mapping[str, object] = self._runs.run(run)
        return Printed(0, self._runs.output(str(ended["command_id"]), self._instance))


def _read(process: "subprocess.Popen[bytes]", name: str, seconds: int) -> str:
    deadline, content = time.monotonic() + seconds, bytearray()
    stream: IO[bytes] | None = process.stdout
    if stream is None:
        return ""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise StepFailed(f"'{name}' was stopped after {seconds} s: look what it has done")
            chunk = os.read(stream.fileno(), 8192)
            if not chunk:
                return content.decode(errors="replace")
            content += chunk
            if len(content) > LARGEST:
                raise StepFailed(f"'{name}' printed more than {LARGEST // 1024} KiB")


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdout is not None:
        process.stdout.close()
    with contextlib.suppress(ProcessLookupError):  # it is gone, and all that it started
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
