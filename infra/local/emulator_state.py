"""Keeps the emulator's state on disk while it runs: upstream saves at an orderly end only.

Everything is written every second or so, where it changed. DynamoDB holds the truth about
incidents, so each of its writes also goes to a journal before it is answered: what was
acknowledged survives `kill -9`. (A power failure may still take the last moments.)
"""
# ruff: noqa: SLF001, ANN401 - MiniStack has no public way to save its state while it runs

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import persistence, responses
from ministack.services import dynamodb

READS = ("BatchGetItem", "Describe", "GetItem", "List", "Query", "Scan", "TransactGetItems")
TABLES = "dynamodb"
# Touched after each complete snapshot: whoever waits for one looks at its time.
COMPLETE = "complete"

Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[tuple[Any, ...]]]


class Journal:
    """DynamoDB's writes since the last snapshot, a line each, in files with rising numbers."""

    def __init__(self, folder: Path) -> None:
        """Continue after the files that are there."""
        self._folder = folder
        self._number = max((number for number, _ in self._files()), default=0)
        self._file = self._next()
        self.dirty = True

    def record(self, request: dict[str, str]) -> None:
        """Write one request; it is with the operating system when this returns."""
        self._file.write(json.dumps(request).encode() + b"\n")
        self.dirty = True

    def turn(self) -> int:
        """Begin a new file; a snapshot taken now holds everything before it. Gives its number."""
        self._file.close()
        self._file = self._next()
        self.dirty = False
        return self._number

    def forget_before(self, number: int) -> None:
        """Remove what a snapshot holds."""
        for found, file in self._files():
            if found < number:
                file.unlink()

    def since(self, number: int) -> Iterator[dict[str, str]]:
        """The requests that a snapshot does not hold, in order."""
        for found, file in sorted(self._files()):
            if found >= number:
                yield from (json.loads(line) for line in file.read_bytes().splitlines())

    def _next(self) -> Any:
        self._number += 1
        return (self._folder / f"journal-{self._number}").open("ab", buffering=0)

    def _files(self) -> list[tuple[int, Path]]:
        return [(int(f.name.split("-")[1]), f) for f in self._folder.glob("journal-*")]


class Keeper:
    """Writes the state of all services to `folder`, each only when it changed."""

    def __init__(self, folder: Path) -> None:
        """Take over saving and loading from MiniStack."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._journal = Journal(folder)
        self._written: dict[str, str] = {}
        dynamodb.handle_request = self._journalled(dynamodb.handle_request)
        load = app._load_persisted_state
        app._load_persisted_state = lambda: self._load(load)
        app.save_all = lambda _services: self._write(self._changes())

    def run(self, seconds: float) -> None:
        """Take a snapshot every so many seconds, in a thread of its own."""
        threading.Thread(target=self._forever, args=(seconds,), daemon=True).start()

    def _forever(self, seconds: float) -> None:
        while True:
            time.sleep(seconds)
            if app._MAIN_LOOP is not None:
                changes = asyncio.run_coroutine_threadsafe(self._collect(), app._MAIN_LOOP)
                self._write(changes.result())

    async def _collect(self) -> dict[str, str]:
        # On the server's own loop: no request is half done while its effects are copied.
        return self._changes()

    def _changes(self) -> dict[str, str]:
        services = app._build_persistence_save_dict()
        if not self._journal.dirty:
            services.pop(TABLES, None)
        return {name: text for name, get in services.items() if (text := self._text(name, get))}

    def _text(self, name: str, get: Callable[[], Any]) -> str:
        extra = {"journal": self._journal.turn()} if name == TABLES else {}
        try:
            state = get()
        except RuntimeError:  # a thread of its own changed it meanwhile: the next round has it
            self._journal.dirty = True
            return ""
        if state is None:
            return ""
        version = persistence._state_format_version(name)
        held = {"__ministack_format__": version, **extra, "payload": state}
        return json.dumps(held, default=persistence._json_default)

    def _write(self, changes: dict[str, str]) -> None:
        for name, text in changes.items():
            if self._written.get(name) != text:
                file = self._folder / f"{name}.json"
                partial = file.with_suffix(".partial")
                partial.write_text(text)
                partial.replace(file)
                self._written[name] = text
        if TABLES in changes:
            self._journal.forget_before(json.loads(changes[TABLES])["journal"])
        (self._folder / COMPLETE).touch()

    def _journalled(self, handle: Handler) -> Handler:
        async def journalled(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
        ) -> tuple[Any, ...]:
            answer = await handle(method, path, headers, body, query)
            target = headers.get("x-amz-target", "")
            if answer[0] == 200 and not target.rpartition(".")[2].startswith(READS):  # noqa: PLR2004
                self._journal.record(_request(target, body))
            return answer

        self._replay = handle
        return journalled

    def _load(self, load: Callable[[], None]) -> None:
        load()
        for request in self._journal.since(_journal_number(self._folder / f"{TABLES}.json")):
            responses._request_account_id.set(request["account"])
            responses._request_region.set(request["region"])
            _drive(
                self._replay("POST", "/", {"x-amz-target": request["target"]},
                             request["body"].encode(), {})
            )  # fmt: skip


def _request(target: str, body: bytes) -> dict[str, str]:
    return {
        "target": target,
        "body": body.decode(),
        "account": responses.get_account_id(),
        "region": responses.get_region(),
    }


def _journal_number(file: Path) -> int:
    return int(json.loads(file.read_text()).get("journal", 0)) if file.exists() else 0


def _drive(call: Awaitable[Any]) -> None:
    """Run a coroutine that never waits (DynamoDB's answers are computed at once)."""
    try:
        call.__await__().send(None)
    except StopIteration:
        return
    raise RuntimeError("DynamoDB's handler waits: its journal cannot be replayed")
