"""Learns the weights of triage's second opinions: `policy/triage/votes.json`, `gravity.json`.

    python -m infra.training            # learns, writes, and shows how well others' alerts are read

Multinomial logistic regression by gradient descent, on `events/labelled`: alerts.jsonl and
texts.jsonl, where a label may allow several answers, and failures.txt, a sentence a line. Plain
Python, a fixed order and rounded weights, so that the same data gives the same files.
`infra.calibration` learns without the alerts that it judges.
"""

import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from incident_squad.adapters.runbook_files import RunbookFiles
from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.errors import InvalidConfiguration
from incident_squad.domain.values import IncidentType
from incident_squad.intake.recognise import normalise
from incident_squad.policy import triage
from incident_squad.policy.triage.gravity import LABELS, UNSTATED, Gravity, silent, traits
from incident_squad.policy.triage.knowledge import knowledge
from incident_squad.policy.triage.reading import read
from incident_squad.policy.triage.triager import Triager
from incident_squad.policy.triage.voter import UNIT, Voter, Weights, features, softmax
from infra.evaluation import Case, read_cases

ROOT = Path(__file__).parent.parent
LABELLED = ROOT / "events" / "labelled"
WEIGHTS = Path(triage.__file__).parent
NOW = datetime(2026, 11, 20, tzinfo=UTC)
ROUNDS, STEP, SHRINK, SEED = 12, 2.0, 2e-4, 1
RARE, FAINT = 3, 0.16
"""Words of fewer examples and weights below this are left out of the file."""


@dataclass(frozen=True, slots=True)
class Example:
    """The features of one text and the labels (by number) that are right for it."""

    features: Mapping[str, float]
    right: tuple[int, ...]


def sentences(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Label and sentence of failures.txt."""
    label = ""
    for line in lines:
        text = line.strip()
        if text.startswith("["):
            label = text.strip("[]")
        elif text and not text.startswith("#"):
            yield label, text


def written() -> list[tuple[str, str]]:
    """All sentences of failures.txt."""
    return list(sentences((LABELLED / "failures.txt").read_text(encoding="utf-8").splitlines()))


def kinds() -> dict[str, IncidentType]:
    """The labels of failures.txt with their types, as the runbooks have them."""
    runbooks = RunbookFiles(ROOT / "runbooks").runbooks
    found: dict[str, IncidentType] = {}
    for label in sorted({label for label, _ in written()}):
        other = label.partition("/")[2]
        kind = IncidentType(other) if other else runbooks[label].type
        if kind is None:
            raise InvalidConfiguration(f"failures.txt: {label} treats no type of failure")
        found[label] = kind
    return found


def examples(cases: Sequence[Case]) -> tuple[dict[str, IncidentType], list[Example]]:
    """Labels with their types, and examples of our sentences and of labelled alerts."""
    labels = kinds()
    numbers = {label: number for number, label in enumerate(labels)}
    topics = json.loads((LABELLED / "topics.json").read_text(encoding="utf-8"))
    found = [Example(_features(_alert(text)), (numbers[label],)) for label, text in written()]
    for case in cases:
        if case.telling:
            alert = normalise(case.payload, {}, NOW)[0]
            found.append(Example(_features(alert), _right(case, labels, topics)))
    return labels, found


def _alert(text: str) -> Alert:
    return Alert(source=Source.GENERIC, key="sentence", title=text, received_at=NOW)


def _features(alert: Alert) -> dict[str, float]:
    return features(read(alert, knowledge().vocabulary))


def _right(
    case: Case, labels: Mapping[str, IncidentType], topics: Mapping[str, Sequence[str]]
) -> tuple[int, ...]:
    """The labels of the accepted types; of a topic only its runbooks."""
    names = list(labels)
    of_type = [n for n, label in enumerate(names) if labels[label] in case.types]
    of_topic = [n for n in of_type if names[n] in topics.get(case.topic, ())]
    return tuple(of_topic or of_type)


def severities(cases: Sequence[Case], triager: Triager) -> list[Example]:
    """Examples of severities: an alert's words, and beside them what the rules make of it."""
    found = []
    for case in cases:
        seen = triager.look(normalise(case.payload, {}, NOW)[0])
        right = tuple(LABELS.index(said) for said in case.severities or (UNSTATED,))
        found.append(Example(traits(seen.reading, seen.situation, seen.rule), right))
    return found


def learned(cases: Sequence[Case], files: RunbookFiles) -> Triager:
    """Triage whose second opinions were learned from these cases."""
    labels, data = examples(cases)
    votes = Voter(labels, learn(tuple(labels), data))
    blunt = Triager(files.catalog, files.runbooks, votes, silent())
    opinion = Gravity(learn(LABELS, severities(cases, blunt)))
    return Triager(files.catalog, files.runbooks, votes, opinion)


def learn(labels: Sequence[str], data: Sequence[Example]) -> Weights:
    """The weights that fit the examples best, and are small."""
    often = Counter(word for example in data for word in example.features)
    weights = {word: [0.0] * len(labels) for word in often}
    seen = dict.fromkeys(often, 1.0)
    bias = [0.0] * len(labels)
    order = list(range(len(data)))
    shuffled = random.Random(SEED)  # noqa: S311 - an order, no secret
    for _ in range(ROUNDS):
        shuffled.shuffle(order)
        for place in order:
            _descend(data[place], weights, seen, bias)
    kept = {word: _rounded(row) for word, row in weights.items() if often[word] >= RARE}
    return Weights(
        labels,
        [round(each, 3) for each in bias],
        {w: row for w, row in sorted(kept.items()) if row},
    )


def _descend(
    example: Example, weights: dict[str, list[float]], seen: dict[str, float], bias: list[float]
) -> None:
    scores = bias[:]
    for word, value in example.features.items():
        scores = [score + value * w for score, w in zip(scores, weights[word], strict=True)]
    said = softmax(scores)
    right = sum(said[place] for place in example.right)
    slope = said[:]
    for place in example.right:
        slope[place] -= said[place] / right
    steepness = sum(each * each for each in slope)
    for word, value in example.features.items():
        seen[word] += value * value * steepness
        step = STEP / math.sqrt(seen[word])
        row = weights[word]
        for place, each in enumerate(slope):
            row[place] -= step * (each * value + SHRINK * row[place])
    for place, each in enumerate(slope):
        bias[place] -= 0.02 * each


def _rounded(row: Sequence[float]) -> list[int]:
    """Places and weights in turn, in hundredths, without the faint ones."""
    loud = [(place, w) for place, w in enumerate(row) if abs(w) >= FAINT]
    return [number for place, w in loud for number in (place, round(w * UNIT))]


def cases_of(name: str) -> list[Case]:
    """The labelled alerts of one of our files."""
    return read_cases((LABELLED / name).read_text(encoding="utf-8").splitlines())


def labelled() -> list[Case]:
    """All our labelled alerts and texts."""
    return [*cases_of("alerts.jsonl"), *cases_of("texts.jsonl")]


def dump(labels: Mapping[str, str] | Sequence[str], weights: Weights) -> str:
    """The file's text: one word a line, so that a change can be read."""
    head = {"labels": labels, "bias": list(weights.bias)}
    rows = ",\n".join(f"{json.dumps(w)}:{json.dumps(r)}" for w, r in weights.weights.items())
    return json.dumps(head)[:-1] + ', "weights": {\n' + rows.replace(", ", ",") + "\n}}\n"


@click.command()
def main() -> None:
    """Learn from events/labelled and write the weights."""
    cases = labelled()
    triager = learned(cases, RunbookFiles(ROOT / "runbooks"))
    votes, gravity = triager.votes, triager.opinion
    for name, text, weights in (
        ("votes", dump(votes.labels, votes.weights), votes.weights),
        ("gravity", dump(LABELS, gravity.weights), gravity.weights),
    ):
        (WEIGHTS / f"{name}.json").write_text(text, encoding="utf-8")
        size = len(text.encode()) // 1024
        click.echo(f"{name}: {len(cases)} alerts, {len(weights.weights)} words, {size} KB")


if __name__ == "__main__":
    main()
