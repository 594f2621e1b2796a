"""`squad triage` and `squad report`: alerts judged in process, without a stack."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from incident_squad.domain.errors import InvalidAlert
from infra.commands.console import show_report
from infra.commands.sres import client_of, where
from infra.pipeline import Pipeline

Line = dict[str, Any]

JSONL = click.option(
    "--jsonl",
    "source",
    type=click.File("r"),
    metavar="IN",
    help="One {id, payload} a line; - is standard input.",
)
OUT = click.option(
    "--out", type=click.File("w", lazy=True), default="-", metavar="OUT", help="Where to write."
)
CONFIG = click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="As for `up`."
)


@click.command()
@click.option("--jsonl", "source", type=click.File("r"), required=True, metavar="IN")
@OUT
@CONFIG
def triage(source: TextIO, out: TextIO, config: Path | None) -> None:
    """Triage alerts: one {id, payload} a line in, one answer a line out.

    A payload is what a source sends, or a text. The answer has id, type, severity, runbookId,
    engine and why; for a line that is no alert it has id and error, and the exit code is 1.
    """
    _each(source, out, Pipeline.load(config).triage)


@click.command()
@click.argument("incident_id", required=False)
@JSONL
@OUT
@CONFIG
@where
def report(
    incident_id: str | None,
    source: TextIO | None,
    out: TextIO,
    config: Path | None,
    stack: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Show the report of an incident, or write reports of alerts (--jsonl), executing nothing."""
    if (incident_id is None) == (source is None):
        raise click.UsageError("give an incident's id, or --jsonl IN")
    if source is not None:
        pipeline = Pipeline.load(config)
        _each(source, out, lambda payload: {"report": pipeline.report(payload)})
        return
    found = client_of(stack, profile).incident(str(incident_id), "report")
    if as_json:
        out.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    else:
        show_report(found)


def _each(source: TextIO, out: TextIO, answer: Callable[[Any], Line]) -> None:
    failed = False
    for number, line in _lines(source):
        try:
            result = {"id": line.get("id"), **answer(line.get("payload"))}
        except InvalidAlert as error:
            failed = True
            click.echo(f"line {number}: {error}", err=True)
            result = {"id": line.get("id"), "error": str(error)}
        out.write(json.dumps(result, ensure_ascii=False) + "\n")
    if failed:
        raise click.exceptions.Exit(1)


def _lines(source: TextIO) -> Iterator[tuple[int, Line]]:
    for number, text in enumerate(source, start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except ValueError as error:
            raise click.UsageError(f"line {number} is not JSON: {error}") from error
        if not isinstance(line, dict):
            raise click.UsageError(f"line {number} is not an object with id and payload")
        yield number, line
