"""Time limits that hold whatever the other side does."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.model import Trouble

T = TypeVar("T")


class Deadline:
    """A moment by which an agent must be done, on the clock that never jumps."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until then; negative when it is past."""
        return self._ends - time.monotonic()


def within(seconds: float, call: Callable[[], T]) -> T:
    """What the call gives; raises ModelFailed (timeout) when it takes longer.

    A call that hangs is left behind in a thread that does not keep the process alive; what it
    gives later is thrown away. So the call must have a limit of its own too.
    """
    answer: Future[T] = Future()
    threading.Thread(target=_fill, args=(answer, call), daemon=True).start()
    try:
        return answer.result(timeout=seconds)
    except FutureTimeout:
        raise ModelFailed(Trouble.TIMEOUT, f"no answer in {seconds:.1f} s") from None


def _fill(answer: "Future[T]", call: Callable[[], T]) -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
        answer.set_exception(error)
    else:
        answer.set_result(result)
