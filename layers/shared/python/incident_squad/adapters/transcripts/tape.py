"""The tape between code that judges and the world: it records what crosses, or plays it again."""

import json
import threading
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from incident_squad.domain import errors
from incident_squad.domain.errors import SquadError, TransientFailure
from incident_squad.domain.transcript import Crossing

T = TypeVar("T")

MOST = 20_000
"""So many crossings are no judgement any more."""

_TICK = timedelta(milliseconds=1)

WRITES = frozenset(
    {
        "incidents.change",
        "incidents.put_evidence",
        "incidents.put_diagnosis",
        "incidents.put_plan",
        "incidents.put_update",
        "incidents.put_report",
        "timeline.append",
    }
)
"""What a judgement brings about: these are compared when it is made again."""


class Tape(ABC):
    """What crosses, in the order in which it came back. `whole` is False when some is missing."""

    def __init__(self) -> None:
        self.crossings: list[Crossing] = []
        self.whole = True
        self._lock = threading.Lock()

    @property
    @abstractmethod
    def playing(self) -> bool:
        """Whether answers come from the tape and not from the world."""

    @abstractmethod
    def cross(self, port: str, asked: object, call: Callable[[], T], form: TypeAdapter[T]) -> T:
        """The answer to what is asked (JSON data); raises the SquadError that came instead."""

    def _note(self, crossing: Crossing) -> None:
        with self._lock:
            self.crossings.append(crossing)


class Recording(Tape):
    """Asks the world, and keeps what it said. What cannot be kept is no trouble of who asks."""

    @property
    def playing(self) -> bool:
        """It is not."""
        return False

    @property
    def changed(self) -> bool:
        """Whether something was brought about, and all of it is on the tape."""
        return self.whole and any(one.port in WRITES for one in self.crossings)

    def cross(self, port: str, asked: object, call: Callable[[], T], form: TypeAdapter[T]) -> T:
        """The world's answer."""
        try:
            answer = call()
        except SquadError as error:
            name, detail = type(error).__name__, str(error)
            self._note(Crossing(port=port, asked=asked, error=name, detail=detail))
            raise
        try:
            said = form.dump_python(answer, mode="json")
            self._note(Crossing(port=port, asked=asked, answer=said))
        except (TypeError, ValueError):
            self.whole = False
        return answer


class Playback(Tape):
    """Gives what was said then, whoever asks for it in whatever order.

    The same question gets its answers in turn, and the last one stays. Where only the order counts
    (the clock, models, writes), answers come in their order, whatever was asked. `instead` gives
    answers by port where there is none on the tape.
    """

    def __init__(
        self,
        recorded: Iterable[Crossing],
        instead: Mapping[str, Callable[[Any], object]] | None = None,
    ) -> None:
        super().__init__()
        self._end = datetime.fromtimestamp(0, UTC)
        self._left: dict[str, deque[Crossing]] = defaultdict(deque)
        self._instead = instead or {}
        for one in recorded:
            self._left[_place(one.port, one.asked)].append(one)
            if one.port == "clock.now":
                self._end = datetime.fromisoformat(str(one.answer))

    @property
    def playing(self) -> bool:
        """It is."""
        return True

    def cross(self, port: str, asked: object, call: Callable[[], T], form: TypeAdapter[T]) -> T:
        """The answer from the tape; raises TransientFailure when it holds none."""
        del call
        with self._lock:
            found = self._next(port, asked)
        if found is None:
            found = self._missing(port, asked)
        if len(self.crossings) > MOST:
            raise TransientFailure("this replay comes to no end")
        self._note(found.model_copy(update={"asked": asked}))
        if found.error:
            raise _error(found)
        return form.validate_json(json.dumps(found.answer))

    def _next(self, port: str, asked: object) -> Crossing | None:
        left = self._left.get(_place(port, asked))
        if port.startswith("clock."):
            return left.popleft() if left else self._later(port, asked)
        return None if not left else left.popleft() if len(left) > 1 else left[0]

    def _later(self, port: str, asked: object) -> Crossing:
        """Beyond the tape time goes on by what is slept, or who waits would wait for ever."""
        if port == "clock.sleep" and isinstance(asked, dict):
            self._end += timedelta(seconds=float(asked["args"][0]))
            return Crossing(port=port)
        self._end += _TICK
        return Crossing(port=port, answer=self._end.isoformat())

    def _missing(self, port: str, asked: object) -> Crossing:
        if port not in self._instead:
            raise TransientFailure(f"the transcript holds no answer of {port} to this question")
        return Crossing(port=port, asked=asked, answer=self._instead[port](asked))


def jsonable(asked: object) -> Any:  # noqa: ANN401 - JSON data
    """What is asked, as JSON data; None when it cannot be."""
    try:
        return to_jsonable_python(asked, bytes_mode="base64", serialize_unknown=True)
    except (TypeError, ValueError):
        return None


def _place(port: str, asked: object) -> str:
    if port in WRITES or port.startswith(("clock.", "model.", "desk.")):
        return port  # here the order counts alone
    return f"{port} {json.dumps(asked, sort_keys=True)}"


def _error(found: Crossing) -> SquadError:
    """The error of then, by its class."""
    kind = getattr(errors, found.error, TransientFailure)
    made: SquadError = kind(found.detail)
    return made
