"""The prompt cache hits: over the turns of a talk, and over incidents, at a server that counts."""

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest

from incident_squad.adapters.anthropic_model import AnthropicModel, direct
from incident_squad.adapters.memory import MemoryLedger
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.agents.rails import Rails
from incident_squad.bootstrap.squad import Squad
from incident_squad.contracts import IncidentInput
from incident_squad.domain.catalog import Policies
from incident_squad.policy.triage import Triager
from infra.pipeline import MemoryWorld
from tests import hostile
from tests.builders import an_alert
from tests.model_server import Body, ModelServer, PromptCache, Says
from tests.transcribed import KNOWLEDGE

TITLES = ("Connections of payments-db: 500/500 in use.", "Pods of billing were OOMKilled 12 times.")


def turning(body: Body) -> Says:
    """Looks in three turns, then concludes."""
    if hostile.asked_for(body) != "looking":
        return hostile.diagnosis() if hostile.asked_for(body) == "specialist" else hostile.router()
    if len(body["messages"]) < 6:
        return Says("Let me look.", [("similar_incidents", {"limit": 3})])
    return Says("Enough.")


class Talks:
    """Incidents over one server, through the real SDK."""

    def __init__(self, server: ModelServer, model: AnthropicModel) -> None:
        self.server, self._model = server, model

    def handle(self, title: str) -> dict[str, object]:
        world = MemoryWorld(KNOWLEDGE, Triager(KNOWLEDGE.catalog, KNOWLEDGE.runbooks))
        ledger = MemoryLedger(world.clock)
        rails = Rails(model=self._model, ledger=ledger, policies=Policies())
        squad = Squad(world, lambda: rails)
        alert = an_alert(title=title, service=None, received_at=SystemClock().now())
        (outcome,) = squad.receive_alert()([alert])
        request = IncidentInput(incident_id=str(outcome.incident_id))
        squad.investigate(squad.triage()(request).type)(request)
        return squad.build_report()(request.incident_id).to_json()

    def turns(self, asked_for: str) -> list[tuple[Body, dict[str, int]]]:
        pairs = zip(self.server.seen, self.server.used, strict=True)
        return [(body, used) for body, used in pairs if hostile.asked_for(body) == asked_for]


@pytest.fixture
def talks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Talks]:
    with ModelServer(turning, PromptCache(minimum=1024)) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        model = AnthropicModel(direct(lambda: "a key"))
        model.warm()
        yield Talks(server, model)
        model.close()


def test_each_turn_reads_all_of_the_turn_before_it_from_the_cache(talks: Talks) -> None:
    talks.handle(TITLES[0])
    turns = [used for _, used in talks.turns("looking")]
    assert len(turns) == 4
    for before, after in pairwise(turns):
        prompt = before["cache_read_input_tokens"] + before["cache_creation_input_tokens"]
        assert after["cache_read_input_tokens"] == prompt
        assert after["input_tokens"] == 0


def test_the_prefix_is_the_same_bytes_over_turns_and_incidents(talks: Talks) -> None:
    for title in TITLES:
        talks.handle(title)
    for seat in ("router", "looking", "specialist"):
        prefixes = {
            json.dumps([body.get("tools"), body["system"]]) for body, _ in talks.turns(seat)
        }
        assert len(prefixes) == 1


def test_the_second_incident_reads_what_the_first_one_wrote(talks: Talks) -> None:
    talks.handle(TITLES[0])
    first = len(talks.server.used)
    report = talks.handle(TITLES[1])
    for body, used in zip(talks.server.seen[first:], talks.server.used[first:], strict=True):
        if hostile.asked_for(body) == "specialist":
            assert used["cache_read_input_tokens"] >= 1024
            assert used["cache_creation_input_tokens"] == 0
    spend = report["spend"]
    assert isinstance(spend, dict)
    told = sum(used["cache_read_input_tokens"] for used in talks.server.used[first:])
    assert spend["cachedTokens"] == told > 0
