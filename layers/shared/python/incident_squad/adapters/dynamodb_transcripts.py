"""Transcripts in a table of their own: who judges may add to it, and only who replays may read it.

A transcript is compressed and cut into parts, since an item may have 400 KB. Parts carry the time
at which they may go. Writing has one try and little time: an incident never waits for it.
"""

import zlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.config import Config
from pydantic import ValidationError

from incident_squad.adapters.aws import translated
from incident_squad.adapters.dynamodb_items import PARTITION, SORT, TIME_TO_LIVE, incident_key
from incident_squad.domain.errors import InvalidConfiguration
from incident_squad.domain.transcript import KnownThen, Transcript
from incident_squad.domain.values import iso
from incident_squad.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ONE_TRY = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
PART = 300_000
MOST_PARTS = 8
"""A transcript that is still longer when compressed is not kept."""


class DynamoTranscripts:
    """Implements `Transcripts`."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock, days: int) -> None:
        self._client, self._table, self._clock = client, table, clock
        self._kept = timedelta(days=days)

    def keep(self, transcript: Transcript) -> None:
        """Add a transcript; raises TransientFailure or InvalidConfiguration."""
        body = zlib.compress(transcript.model_dump_json().encode())
        place = f"{iso(transcript.at)}#{transcript.state}#{uuid4().hex[:8]}"
        about: dict[str, Any] = {
            "state": {"S": transcript.state},
            "model_calls": {"N": str(transcript.model_calls)},
            "evidence": {"L": [{"S": one} for one in transcript.evidence_ids]},
        }
        self._put(incident_key(transcript.incident_id), place, body, about)

    def keep_knowledge(self, known: KnownThen) -> None:
        """Keep what the squad knows, once more for the whole time."""
        body = zlib.compress(known.model_dump_json().encode())
        self._put(_knowledge_key(known.digest), "KNOWLEDGE", body, {})

    def of_incident(self, incident_id: str) -> Sequence[Transcript]:
        """All transcripts of an incident, the oldest first; raises InvalidConfiguration."""
        return [_transcript(body) for body in self._bodies(incident_key(incident_id))]

    def knowledge(self, digest: str) -> KnownThen | None:
        """What the squad knew, or None when it is gone."""
        bodies = list(self._bodies(_knowledge_key(digest)))
        return KnownThen.model_validate_json(bodies[0]) if bodies else None

    def _put(self, partition: str, place: str, body: bytes, about: dict[str, Any]) -> None:
        parts = [body[start : start + PART] for start in range(0, len(body), PART)]
        if len(parts) > MOST_PARTS:
            raise InvalidConfiguration(f"a transcript of {len(body)} bytes is too long to keep")
        until = int((self._clock.now() + self._kept).timestamp())
        for number, part in enumerate(parts):
            item = {
                PARTITION: {"S": partition},
                SORT: {"S": f"{place}#{number:03d}"},
                TIME_TO_LIVE: {"N": str(until)},
                "parts": {"N": str(len(parts))},
                "body": {"B": part},
                **(about if number == 0 else {}),
            }
            with translated("keeping a transcript"):
                self._client.put_item(TableName=self._table, Item=item)

    def _bodies(self, partition: str) -> Iterator[bytes]:
        """Whole bodies; what a crash cut short, and what is past its time, is left out."""
        parts: dict[str, list[bytes]] = {}
        wanted: dict[str, int] = {}
        now = self._clock.now().timestamp()
        for item in self._items(partition):
            if int(item[TIME_TO_LIVE]["N"]) > now:
                place = item[SORT]["S"].rpartition("#")[0]
                parts.setdefault(place, []).append(bytes(item["body"]["B"]))
                wanted[place] = int(item["parts"]["N"])
        for place, found in parts.items():
            if len(found) == wanted[place]:
                yield zlib.decompress(b"".join(found))

    def _items(self, partition: str) -> Iterator[Any]:
        start: dict[str, Any] = {}
        while True:
            with translated("reading transcripts"):
                page = self._client.query(
                    TableName=self._table,
                    ConsistentRead=True,
                    KeyConditionExpression="#pk = :pk",
                    ExpressionAttributeNames={"#pk": PARTITION},
                    ExpressionAttributeValues={":pk": {"S": partition}},
                    **start,
                )
            yield from page["Items"]
            if not page.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _knowledge_key(digest: str) -> str:
    return f"KNOWLEDGE#{digest}"


def _transcript(body: bytes) -> Transcript:
    try:
        return Transcript.model_validate_json(body)
    except ValidationError as error:
        raise InvalidConfiguration("a transcript was kept by another version") from error
