"""`squad eval`: score the floor on labelled alerts, ours or yours."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import click
from rich.markup import escape
from rich.table import Table

from incident_squad.domain.errors import InvalidAlert
from infra.commands import live_evaluation
from infra.commands.console import results
from infra.evaluation import Answer, Case, Ratio, Scorecard, read_cases, score
from infra.grading import Grade, grade, read_grading
from infra.pipeline import Pipeline

TOPICS = Path(__file__).resolve().parents[2] / "events/labelled/topics.json"
MISSES = 15

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)


@click.command(name="eval")
@click.argument("labelled", type=click.File("r"), required=False)
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="As for `up`."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.option("--live", is_flag=True, help="Ask a model, too, with your key.")
@click.option("--model", help="This model in all seats.")
@click.option("--prompts", type=_FOLDER, help="Prompts that replace ours.")
@click.option("--max-usd", type=click.FloatRange(0), default=1.0, show_default=True)
@click.option("--limit", type=click.IntRange(1), help="So many alerts, spread over the file.")
@click.option("--yes", is_flag=True, help="Do not ask before money is spent.")
@click.option("--out", type=_OUT, help="Where results of --live are written, to compare them.")
@click.option("--compare", "pair", nargs=2, type=_FILE, help="Two such files.")
def evaluate(
    labelled: TextIO | None,
    config: Path | None,
    as_json: bool,
    live: bool,
    out: Path | None,
    pair: tuple[Path, Path] | None,
    **options: Any,  # noqa: ANN401 - what only --live takes
) -> None:
    """Score LABELLED, a file of one case a line.

    A case with `expect` is a labelled alert: accuracy, confusion, calibration and the worst
    misses. A case with `criteria` is graded by the report that the alert gets. Lines that
    are not scored answer with the reason and exit code 1.

    With --live the model judges the same alerts as the floor does, on the same rails as in an
    incident. What it will cost is said before, what it did cost after.
    """
    if pair:
        _tell(live_evaluation.compare(pair), live_evaluation.show_comparison, as_json=as_json)
        return
    if labelled is None:
        raise click.UsageError("give a file of cases, or --compare two results")
    lines = [line for line in labelled if line.strip()]
    pipeline = Pipeline.load(config)
    if live:
        found = _lively(lines, pipeline, labelled.name, options)
        if out:
            out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        _tell(found, live_evaluation.show, as_json=as_json)
    elif _has_criteria(lines):
        _graded(lines, pipeline, as_json=as_json)
    else:
        _scored(lines, pipeline, as_json=as_json)


def _has_criteria(lines: list[str]) -> bool:
    return bool(lines) and "criteria" in json.loads(lines[0])


def _lively(
    lines: list[str], pipeline: Pipeline, name: str, options: dict[str, Any]
) -> dict[str, Any]:
    limit = options.pop("limit") or len(lines)
    some = lines[:: max(1, len(lines) // limit)][:limit]
    cases = read_grading(some) if _has_criteria(some) else read_cases(some)
    return live_evaluation.live(cases, pipeline, name=Path(name).name, **options)


def _tell(found: dict[str, Any], show: Callable[[dict[str, Any]], None], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        show(found)


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
