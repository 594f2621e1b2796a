"""Transcripts: all that a judgement was told from outside, so that it can be made again."""

import hashlib
import json
from typing import Any

from incident_squad.domain.values import Moment, Value


class Crossing(Value):
    """One thing that came from outside: who was asked what, and what came back.

    `port` is whose method it was (`incidents.get`, `model.router`). `asked` and `answer` are JSON.
    `error` is the class of an error that came instead, `detail` its text.
    """

    port: str
    asked: Any = None
    answer: Any = None
    error: str = ""
    detail: str = ""


class Transcript(Value):
    """One run of a judging state. `knowledge` is the digest of what the squad knew then.

    `asks` says whether a model was configured.
    """

    incident_id: str
    state: str
    request: dict[str, Any]
    at: Moment
    asks: bool
    knowledge: str
    crossings: tuple[Crossing, ...]

    @property
    def model_calls(self) -> int:
        """How often a model was asked."""
        return sum(one.port.startswith(MODEL) for one in self.crossings)

    @property
    def evidence_ids(self) -> tuple[str, ...]:
        """The observations that it stored."""
        return tuple(
            str(one.asked["args"][1]["id"])
            for one in self.crossings
            if one.port == "incidents.put_evidence"
        )


MODEL = "model."


class KnownThen(Value):
    """What the squad knew: the catalogue, and the runbooks by name, as JSON."""

    catalog: dict[str, Any]
    runbooks: dict[str, Any]

    @property
    def digest(self) -> str:
        """The same for the same knowledge."""
        text = json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]
