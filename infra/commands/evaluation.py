"""`squad eval`: score the floor on labelled alerts, ours or yours."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import click
from rich.markup import escape
from rich.table import Table

from incident_squad.domain.errors import InvalidAlert
from infra.commands.console import results
from infra.evaluation import Answer, Case, Ratio, Scorecard, read_cases, score
from infra.grading import Grade, grade, read_grading
from infra.pipeline import Pipeline

TOPICS = Path(__file__).resolve().parents[2] / "events/labelled/topics.json"
MISSES = 15


@click.command(name="eval")
@click.argument("labelled", type=click.File("r"))
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="As for `up`."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def evaluate(labelled: TextIO, config: Path | None, as_json: bool) -> None:
    """Score LABELLED, a file of one case a line.

    A case with `expect` is a labelled alert: accuracy, confusion, calibration and the worst
    misses. A case with `criteria` is graded by the report that the alert gets. Lines that
    are not scored answer with the reason and exit code 1.
    """
    lines = [line for line in labelled if line.strip()]
    pipeline = Pipeline.load(config)
    if lines and "criteria" in json.loads(lines[0]):
        _graded(lines, pipeline, as_json=as_json)
    else:
        _scored(lines, pipeline, as_json=as_json)


def _scored(lines: Iterable[str], pipeline: Pipeline, *, as_json: bool) -> None:
    cases = read_cases(lines)
    topics = json.loads(TOPICS.read_text()) if TOPICS.exists() else None
    card = score(cases, {case.id: _answer(case, pipeline) for case in cases}, topics)
    if as_json:
        click.echo(json.dumps(_plain(asdict(card)), indent=2, default=str))
    else:
        _show(card)


def _answer(case: Case, pipeline: Pipeline) -> Answer:
    try:
        found = pipeline.triage(case.payload)
    except InvalidAlert as error:
        return Answer(type="", severity="", why=(str(error),))
    return Answer(
        type=found["type"],
        severity=found["severity"],
        runbook=found["runbookId"],
        confidence=found["confidence"],
        why=tuple(found["why"]),
    )


def _show(card: Scorecard) -> None:
    table = Table("what", "right", "of", "share")
    for name, ratio in _ratios(card):
        table.add_row(name, str(ratio.right), str(ratio.of), f"{ratio.share:.1%}")
    results.print(table)
    calibration = Table("said", "on average", "right", "of", title="Confidence in the type")
    for bin_ in card.calibration:
        row = (f"{bin_.low:.2f}-{min(bin_.high, 1):.2f}", f"{bin_.said:.2f}")
        calibration.add_row(*row, f"{bin_.answers.share:.2f}", str(bin_.answers.of))
    results.print(calibration)
    results.print(f"severity too low {card.too_low}, too high {card.too_high}")
    for miss in card.misses[:MISSES]:
        got = f"{miss.answer.type} {miss.answer.severity}" if miss.answer else "nothing"
        results.print(f"  {escape(miss.case.id)} {escape(miss.what)}: got {got}", soft_wrap=True)


def _ratios(card: Scorecard) -> Iterable[tuple[str, Ratio]]:
    yield from (("type", card.type), ("severity", card.severity), ("both", card.both))
    yield ("runbook", card.runbook)
    for groups in (card.types, card.tags, card.formats):
        yield from ((f"  {name}", ratio) for name, ratio in groups.items())


def _graded(lines: Iterable[str], pipeline: Pipeline, *, as_json: bool) -> None:
    cases = read_grading(lines)
    grades = [grade(case, pipeline.report(case.payload)) for case in cases]
    share = sum(g.points for g in grades) / max(sum(g.possible for g in grades), 1e-9)
    if as_json:
        found = {"score": share, "cases": [asdict(g) for g in grades]}
        click.echo(json.dumps(found, indent=2, default=str))
        return
    for one in grades:
        results.print(_line(one), soft_wrap=True)
    results.print(f"[bold]{share:.1%}[/] of the weighted criteria")


def _line(one: Grade) -> str:
    missed = f"   missed: {', '.join(one.missed)}" if one.missed else ""
    return f"  {escape(one.id)} {one.share:.1%}{escape(missed)}"


def _plain(value: Any) -> Any:  # noqa: ANN401 - any part of a scorecard
    """JSON takes no pairs as names."""
    if isinstance(value, Mapping):
        return {_name(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _name(key: object) -> str:
    """A pair of what was right and what was said, as one name."""
    if isinstance(key, tuple):
        return " -> ".join(_name(part) for part in key)
    return str(key)
