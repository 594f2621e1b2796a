"""Whoever edits, drops, swaps or cuts events past the squad is found out, in every store."""

from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_squad.domain.timeline import Actor, Entry, TimelineEvent
from tests.contract.raw import Slots
from tests.contract.stores import Stores, an_entry

NUMBERS = count(1)
FEW = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
entries = st.builds(
    Entry,
    event=st.sampled_from(["AlertReceived", "StepApplied", "ApprovalDecided"]),
    summary=texts,
    actor=st.builds(Actor.human, texts),
    data=st.dictionaries(texts, json_data, max_size=4),
    evidence_ids=st.lists(texts, max_size=3).map(tuple),
    engine=st.none() | texts,
    tokens=st.integers(min_value=0, max_value=10**9),
    cost_usd=st.floats(min_value=0, max_value=1e6),
)
chains = st.lists(entries, min_size=2, max_size=4)

EDITS: dict[str, Any] = {
    "event": "StepUndone",
    "summary": "nothing happened",
    "actor": Actor.human("somebody.else@example.com"),
    "data": {"other": 1},
    "evidence_ids": ("E77",),
    "engine": "claude:other",
    "tokens": 10**9 + 1,
    "cost_usd": 1e7,
    "at": "2020-01-01T00:00:00Z",
    "prev": "f" * 64,
    "hash": "f" * 64,
    "n": 99,
}


def written(stores: Stores, chain: list[Entry]) -> str:
    """A fresh incident with these events; gives its id."""
    incident = stores.open(next(NUMBERS))
    for entry in chain:
        stores.timeline.append(incident.id, entry)
    assert stores.timeline.problems(incident.id) == ()
    return incident.id


def problems_with(stores: Stores, incident_id: str, slots: Slots) -> list[str]:
    stores.raw.save(incident_id, slots)
    return [*stores.timeline.problems(incident_id)]


@FEW
@given(chain=chains)
def test_any_content_comes_back_and_its_chain_is_sound(stores: Stores, chain: list[Entry]) -> None:
    incident_id = written(stores, chain)
    events = stores.timeline.read(incident_id)
    shown = [
        Entry.model_validate(event.model_dump(include=set(Entry.model_fields))) for event in events
    ]
    assert shown == chain


@FEW
@given(chain=chains, field=st.sampled_from(sorted(EDITS)), data=st.data())
def test_an_edit_is_found(
    stores: Stores, chain: list[Entry], field: str, data: st.DataObject
) -> None:
    incident_id = written(stores, chain)
    slots = stores.raw.load(incident_id)
    place = data.draw(st.integers(0, len(slots) - 1))
    sort, event = slots[place]
    edited = TimelineEvent.model_validate({**event.model_dump(), field: EDITS[field]})
    slots[place] = (sort, edited)
    assert problems_with(stores, incident_id, slots)


@FEW
@given(chain=chains, data=st.data())
def test_a_dropped_event_is_found(stores: Stores, chain: list[Entry], data: st.DataObject) -> None:
    incident_id = written(stores, chain)
    slots = stores.raw.load(incident_id)
    del slots[data.draw(st.integers(0, len(slots) - 1))]
    assert problems_with(stores, incident_id, slots)


@FEW
@given(chain=chains, data=st.data())
def test_a_cut_tail_is_found(stores: Stores, chain: list[Entry], data: st.DataObject) -> None:
    incident_id = written(stores, chain)
    slots = stores.raw.load(incident_id)
    kept = data.draw(st.integers(0, len(slots) - 1))
    assert problems_with(stores, incident_id, slots[:kept])


@FEW
@given(chain=chains, data=st.data())
def test_swapped_events_are_found(stores: Stores, chain: list[Entry], data: st.DataObject) -> None:
    incident_id = written(stores, chain)
    slots = stores.raw.load(incident_id)
    order = data.draw(st.permutations(range(len(slots))))
    if order == sorted(order):
        return
    swapped = [(sort, slots[place][1]) for (sort, _), place in zip(slots, order, strict=True)]
    assert problems_with(stores, incident_id, swapped)


@FEW
@given(chain=chains)
def test_a_forged_event_at_the_end_is_found(stores: Stores, chain: list[Entry]) -> None:
    incident_id = written(stores, chain)
    slots = stores.raw.load(incident_id)
    forged = slots[-1][1].model_copy(update={"n": len(slots) + 1, "prev": slots[-1][1].hash})
    assert problems_with(stores, incident_id, [*slots, (f"{slots[-1][0]}x", forged)])


def test_a_chain_rewritten_from_the_middle_on_is_found(stores: Stores) -> None:
    incident_id = written(stores, [an_entry(summary=f"{n}") for n in range(3)])
    other_id = written(stores, [an_entry(summary=f"{n}!") for n in range(3)])
    slots, others = stores.raw.load(incident_id), stores.raw.load(other_id)
    rewritten = [(sort, event) for (sort, _), (_, event) in zip(slots, others, strict=True)]
    assert problems_with(stores, incident_id, rewritten) == [
        "the last event is not the one that was written last"
    ]
