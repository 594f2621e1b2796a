"""Where two runs of an incident first differ: in what they brought about, or what they asked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from incident_squad.adapters.transcripts.tape import WRITES
from incident_squad.domain.transcript import MODEL, Crossing
from infra.replay.rerun import Again

_NOTHING = "nothing"
_SHOWN = 160
_LEAD = 40


@dataclass(frozen=True)
class Difference:
    """One place: the state, the path in what it did, and the values of then and now."""

    state: str
    place: str
    then: str
    now: str


def differences(again: Again, *, questions: bool) -> Iterator[Difference]:
    """What differs in a state; with `questions` also what a model was asked."""
    kept = [_kept(again.then.crossings, questions), _kept(again.crossings, questions)]
    for name in dict.fromkeys(one.port for side in kept for one in side):
        then, now = ([one.asked for one in side if one.port == name] for side in kept)
        for number in range(max(len(then), len(now))):
            place = f"{name}[{number}]" if max(len(then), len(now)) > 1 else name
            pair = (_at(then, number), _at(now, number))
            for path, before, after in _walk(place, *pair):
                yield difference(again.then.state, path, before, after)


def judgements(crossings: Iterable[Crossing]) -> dict[str, Any]:
    """What counts of a state beyond its wording: who judged what, and what would be done."""
    found: dict[str, Any] = {}
    for one in crossings:
        if one.port == "incidents.change" and one.asked.get("triage"):
            triage = one.asked["triage"]
            found |= {name: triage[name] for name in ("type", "severity", "service", "engine")}
            found["runbook"] = [pick["runbook_id"] for pick in triage["runbooks"][:1]]
        if one.port == "incidents.put_diagnosis":
            names = ("specialist", "runbook_id", "conclusive", "engine")
            found |= {name: one.asked["args"][1][name] for name in names}
        if one.port == "incidents.put_plan":
            plan = one.asked["args"][0]
            found |= {"runbook_id": plan["runbook_id"], "applier": plan["applier"]}
            found["steps"] = [_step(step) for step in plan["steps"]]
        if one.port == "incidents.put_update":
            update = one.asked["args"][1]
            found |= {name: update[name] for name in ("state", "public_name", "engine")}
    return found


def judged_differently(again: Again) -> Iterator[Difference]:
    """What differs in a state beyond its wording."""
    pair = (judgements(again.then.crossings), judgements(again.crossings))
    for path, before, after in _walk("", *pair):
        yield difference(again.then.state, path.lstrip("."), before, after)


def walk(then: object, now: object) -> Iterator[tuple[str, object, object]]:
    """Paths at which two JSON values differ, the first one first."""
    return _walk("", then, now)


def _step(step: dict[str, Any]) -> dict[str, Any]:
    return {name: step[name] for name in ("runbook_id", "step_index", "parameters", "blocked")}


def _kept(crossings: Iterable[Crossing], questions: bool) -> list[Crossing]:  # noqa: FBT001
    return [
        one for one in crossings if one.port in WRITES or (questions and one.port.startswith(MODEL))
    ]


def _at(values: Sequence[object], number: int) -> object:
    return values[number] if number < len(values) else _NOTHING


def _walk(path: str, then: object, now: object) -> Iterator[tuple[str, object, object]]:
    if isinstance(then, dict) and isinstance(now, dict):
        for name in dict.fromkeys((*then, *now)):
            yield from _walk(f"{path}.{name}", then.get(name, _NOTHING), now.get(name, _NOTHING))
    elif isinstance(then, list) and isinstance(now, list):
        for number in range(max(len(then), len(now))):
            yield from _walk(f"{path}[{number}]", _at(then, number), _at(now, number))
    elif then != now:
        yield path, then, now


def difference(state: str, place: str, then: object, now: object) -> Difference:
    """One difference; of long texts what is shown begins shortly before they part."""
    before, after = str(then), str(now)
    pairs = enumerate(zip(before, after, strict=False))
    same = next((n for n, (one, other) in pairs if one != other), min(len(before), len(after)))
    start = max(0, same - _LEAD) if max(len(before), len(after)) > _SHOWN else 0
    return Difference(state, place, _cut(before, start), _cut(after, start))


def _cut(text: str, start: int) -> str:
    head, tail = "…" if start else "", "…" if len(text) > start + _SHOWN else ""
    return f"{head}{text[start : start + _SHOWN]}{tail}"
