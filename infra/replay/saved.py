"""A past incident as one file: its transcripts, and what the squad knew."""

import base64
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from incident_squad.domain.errors import InvalidConfiguration
from incident_squad.domain.transcript import KnownThen, Transcript
from incident_squad.ports import Knowledge, Transcripts
from infra.replay.rerun import knowledge_then

FORMAT = 1


@dataclass(frozen=True)
class PastIncident:
    """One incident's transcripts, and the knowledge that each of them refers to by its digest."""

    transcripts: Sequence[Transcript]
    knowledge: Mapping[str, KnownThen]

    @property
    def incident_id(self) -> str:
        """The incident."""
        return self.transcripts[0].incident_id

    @classmethod
    def read_from(cls, store: Transcripts, incident_id: str) -> Self:
        """Raises InvalidConfiguration when nothing of it was kept, or no longer is."""
        transcripts = store.of_incident(incident_id)
        if not transcripts:
            raise InvalidConfiguration(
                f"there is no transcript of {incident_id}: it is unknown or its time is over"
            )
        known = {one.knowledge: store.knowledge(one.knowledge) for one in transcripts}
        return cls(transcripts, {name: one for name, one in known.items() if one is not None})

    def known(self) -> Callable[[Transcript], Knowledge]:
        """What was known in each state; raises InvalidConfiguration when it is gone."""
        read = {name: knowledge_then(known) for name, known in self.knowledge.items()}
        if any(one.knowledge not in read for one in self.transcripts):
            raise InvalidConfiguration("what the squad knew then is gone: give --runbooks DIR")
        return lambda then: read[then.knowledge]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises InvalidConfiguration when the file is not one that `save` wrote."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["format"] != FORMAT:
                raise InvalidConfiguration(f"{path} has another format than {FORMAT}")
            transcripts = [Transcript.model_validate(one) for one in found["transcripts"]]
            knowledge = {name: _unpacked(text) for name, text in found["knowledge"].items()}
        except (OSError, ValueError, KeyError, TypeError, zlib.error) as error:
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
            raise InvalidConfiguration(f"{path} is no saved incident: {reason}") from error
        return cls(transcripts, knowledge)

    def save(self, path: Path) -> None:
        """Write it; whoever can read the file reads what the incident's alerts and systems said."""
        transcripts = ",\n".join(_compact(one.model_dump(mode="json")) for one in self.transcripts)
        head = _compact({"format": FORMAT, "incidentId": self.incident_id})[1:-1]
        known = _compact({name: _packed(known) for name, known in self.knowledge.items()})
        text = f'{{{head},\n"transcripts": [\n{transcripts}\n],\n"knowledge": {known}}}\n'
        path.write_text(text, encoding="utf-8")


def _compact(value: object) -> str:
    """One line: a file of one transcript a line can be read and searched."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _packed(known: KnownThen) -> str:
    return base64.b64encode(zlib.compress(known.model_dump_json().encode(), 9)).decode()


def _unpacked(text: Any) -> KnownThen:  # noqa: ANN401 - JSON
    return KnownThen.model_validate_json(zlib.decompress(base64.b64decode(text)))
