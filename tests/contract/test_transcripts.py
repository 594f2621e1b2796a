"""Transcripts in their table: long ones whole, old ones gone, broken-off ones left out."""

import hashlib
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from incident_squad.adapters.dynamodb_transcripts import MOST_PARTS, PART, DynamoTranscripts
from incident_squad.domain.errors import InvalidConfiguration, SquadError
from incident_squad.domain.transcript import Crossing, KnownThen, Transcript
from tests.builders import INCIDENT_ID, NOW, later
from tests.dynamo import create_table
from tests.fakes import FixedClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Shelf:
    def __init__(self, client: "DynamoDBClient") -> None:
        self.client, self.table = client, create_table(client, uuid4().hex)
        self.clock = FixedClock(NOW)
        self.store = DynamoTranscripts(client, self.table, self.clock, days=30)

    def items(self) -> list[dict[str, object]]:
        return [dict(item) for item in self.client.scan(TableName=self.table)["Items"]]


@pytest.fixture
def shelf(client: "DynamoDBClient") -> Shelf:
    return Shelf(client)


def noise(length: int) -> str:
    """Text that does not compress."""
    return "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(length // 32 + 1))


def a_transcript(state: str = "Triage", minutes: int = 0, **fields: object) -> Transcript:
    said = Crossing(port="incidents.get", asked={"args": [INCIDENT_ID]}, answer={"title": "x"})
    known = {
        "incident_id": INCIDENT_ID,
        "state": state,
        "request": {"incidentId": INCIDENT_ID},
        "at": later(minutes=minutes),
        "asks": True,
        "knowledge": "abc",
        "crossings": (said,),
    }
    return Transcript.model_validate({**known, **fields})


def test_transcripts_come_back_in_their_order(shelf: Shelf) -> None:
    second, first = a_transcript("Synthesize", 2), a_transcript("Triage", 1)
    shelf.store.keep(second)
    shelf.store.keep(first)
    assert shelf.store.of_incident(INCIDENT_ID) == [first, second]
    assert shelf.store.of_incident("INC-20261122-7F3KR") == []


def test_a_long_transcript_is_kept_in_parts_below_the_limit_of_an_item(shelf: Shelf) -> None:
    long = a_transcript(crossings=(Crossing(port="looks", answer=noise(PART)),))
    shelf.store.keep(long)
    assert len(shelf.items()) > 1
    assert shelf.store.of_incident(INCIDENT_ID) == [long]


def test_what_a_crash_cut_short_is_left_out(shelf: Shelf) -> None:
    shelf.store.keep(a_transcript(crossings=(Crossing(port="looks", answer=noise(PART)),)))
    last = max(shelf.items(), key=lambda item: str(item["SK"]))
    shelf.client.delete_item(TableName=shelf.table, Key={n: last[n] for n in ("PK", "SK")})  # type: ignore[misc] # the stubs know no comprehension
    assert shelf.store.of_incident(INCIDENT_ID) == []


def test_a_transcript_without_an_end_is_not_kept(shelf: Shelf) -> None:
    endless = a_transcript(crossings=(Crossing(port="x", answer=noise(PART * MOST_PARTS)),))
    with pytest.raises(InvalidConfiguration):
        shelf.store.keep(endless)
    assert shelf.items() == []


def test_a_transcript_goes_when_its_time_is_over(shelf: Shelf) -> None:
    shelf.store.keep(a_transcript())
    (item,) = shelf.items()
    assert item["ttl"] == {"N": str(int(later(hours=30 * 24).timestamp()))}
    shelf.clock.moment = later(hours=30 * 24 + 1)
    assert shelf.store.of_incident(INCIDENT_ID) == []


def test_what_was_known_is_kept_by_its_digest(shelf: Shelf) -> None:
    known = KnownThen(catalog={"company": "ACME"}, runbooks={"pool": {"title": "Pool"}})
    shelf.store.keep_knowledge(known)
    assert shelf.store.knowledge(known.digest) == known
    assert shelf.store.knowledge("0" * 32) is None


def test_a_table_that_is_away_is_an_error_of_ours(shelf: Shelf) -> None:
    shelf.client.delete_table(TableName=shelf.table)
    with pytest.raises(SquadError):
        shelf.store.keep(a_transcript())
