"""Drafts while they are written: what of a growing answer may be shown already, and how often.

A draft goes through the same gates as the final text, and what does not pass is left out. It ends
at the last whole word, so that no gate sees half of a name.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pydantic_core import from_json

EVERY_SECONDS = 0.7
_LOOK_SECONDS = 0.1
_LONGEST = 20_000
"""Characters. A longer answer is none, and reading it again and again would cost too much."""
_MOMENT = 1.0

Gate = Callable[[str], str]
"""What of a text may be shown: all of it, or nothing."""


@dataclass(frozen=True)
class Draft:
    """What has been written so far, as it may be shown; empty where nothing may."""

    number: int
    external: str
    internal: str


class Drafting:
    """Takes the text of an answer as it grows, and tells drafts at a measured pace.

    It is called in the thread that reads the answer, and `stop`ped in the one that waits for it:
    after that nothing more is told. `tell` may fail by its own: then there are no drafts.
    """

    def __init__(
        self,
        external: Gate,
        internal: Gate,
        tell: Callable[[Draft], bool],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._external, self._internal, self._tell, self._now = external, internal, tell, now
        self._lock = threading.Lock()
        self._over = False
        self._last = Draft(0, "", "")
        self._told_at = self._looked_at = float("-inf")

    @property
    def told(self) -> Draft:
        """The last draft; its number is 0 when there was none."""
        return self._last

    def __call__(self, text: str) -> None:
        """All of the answer so far, which is JSON."""
        with self._lock:
            now = self._now()
            early = now < max(self._told_at + EVERY_SECONDS, self._looked_at + _LOOK_SECONDS)
            if self._over or early or len(text) > _LONGEST:
                return
            self._looked_at = now
            found = _parts(text)
            external = self._external(_words(found.get("external")))
            internal = self._internal(_words(found.get("internal")))
            if (external, internal) == (self._last.external, self._last.internal):
                return
            self._told_at = now
            draft = Draft(self._last.number + 1, external, internal)
            self._over = not self._tell(draft)
            self._last = self._last if self._over else draft

    def stop(self) -> None:
        """Tell nothing more; waits a moment for a draft that is just being told."""
        self._over = True
        if self._lock.acquire(timeout=_MOMENT):
            self._lock.release()


def _parts(text: str) -> dict[str, object]:
    try:
        found = from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _words(value: object) -> str:
    """The text up to its last whole word, on one line."""
    text = value if isinstance(value, str) else ""
    return " ".join(text.rpartition(" ")[0].split())
