"""What the doctor found at one target, in words that say what to mend."""

from typing import Literal

from incident_squad.domain.values import Value

_MARKS = {"good": "ok  ", "mend": "MEND", "note": "note"}


class Found(Value):
    """One check. `mend` has to be mended, `note` is worth knowing."""

    target: str
    kind: Literal["good", "mend", "note"]
    words: str

    @property
    def bad(self) -> bool:
        """Whether it has to be mended."""
        return self.kind == "mend"

    @property
    def mark(self) -> str:
        """Four characters at the start of its line."""
        return _MARKS[self.kind]


def good(target: str, words: str) -> Found:
    """All as it should be."""
    return Found(target=target, kind="good", words=words)


def mend(target: str, words: str) -> Found:
    """Something to mend."""
    return Found(target=target, kind="mend", words=words)


def note(target: str, words: str) -> Found:
    """Something to know."""
    return Found(target=target, kind="note", words=words)
