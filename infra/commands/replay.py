"""`squad replay`: a past incident again, from its transcripts."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from incident_squad.adapters.memory import MemoryLedger
from incident_squad.adapters.runbook_files import RunbookFiles
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.domain.transcript import Transcript
from incident_squad.ports import Knowledge
from infra.commands.console import results, say
from infra.commands.sres import where
from infra.live import PatientRails, live_rails
from infra.replay.compare import (
    Difference,
    difference,
    differences,
    judged_differently,
    walk,
)
from infra.replay.record import report_of
from infra.replay.rerun import Again, Rerun
from infra.replay.saved import PastIncident
from infra.replay.source import transcripts_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_SHOWN = 5

Known = Callable[[Transcript], Knowledge]


@click.command()
@click.argument("incident_id", required=False)
@click.option("--file", "saved", type=_FILE, help="An incident that --save wrote; needs no stack.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Keep it as a file.")
@click.option("--prompts", type=_FOLDER, help="Ask the model anew, with prompts of this folder.")
@click.option("--model", help="Ask this model anew.")
@click.option("--runbooks", type=_FOLDER, help="With these runbooks, not with those of then.")
@click.option("--judgements", is_flag=True, help="Compare what was judged, not how it was worded.")
@where
def replay(
    incident_id: str | None,
    saved: Path | None,
    save: Path | None,
    prompts: Path | None,
    model: str | None,
    runbooks: Path | None,
    judgements: bool,
    stack: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Run a past incident again: same alert, same looks, same answers of the model.

    Says that every state does again what it did, or where it first differs, which is exit code 1.
    With --prompts or --model the model is really asked, with your key; looks stay those of then.
    Each state starts from what it was given then.
    """
    if (incident_id is None) == (saved is None):
        raise click.UsageError("give an incident's id, or --file FILE")
    past = (
        PastIncident.load(saved)
        if saved
        else PastIncident.read_from(transcripts_of(stack, profile), str(incident_id))
    )
    if save:
        past.save(save)
        say(
            f"{save} holds what the incident's alerts and systems said: read it before you share it"
        )
    known = _today(runbooks) if runbooks else past.known()
    anew = bool(prompts or model)
    states = _again(past, known, model, prompts) if anew else Rerun(known)(past.transcripts)
    found = [_found(one, judgements=judgements, anew=anew) for one in states]
    reports = _reports(states, known(past.transcripts[-1]))
    if not judgements:
        parted = islice(walk(*reports), _SHOWN)
        found.append([difference("report", path.lstrip("."), *pair) for path, *pair in parted])
    shown = _outcome(past, states, found, reports[1])
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        _show(states, found, shown)
    if not shown["identical"]:
        raise click.exceptions.Exit(1)


def _again(
    past: PastIncident, known: Known, model: str | None, prompts: Path | None
) -> list[Again]:
    policies = known(past.transcripts[-1]).catalog.policies
    ledger = MemoryLedger(SystemClock())
    patient = live_rails(ledger, policies, model=model, prompts=prompts, kind=PatientRails)
    with patient as rails:
        return Rerun(known, rails)(past.transcripts)


def _today(runbooks: Path) -> Known:
    files = RunbookFiles(runbooks)
    return lambda _: files


def _found(again: Again, *, judgements: bool, anew: bool) -> list[Difference]:
    compared = judged_differently(again) if judgements else differences(again, questions=not anew)
    return list(islice(compared, _SHOWN))


def _reports(states: Sequence[Again], knowledge: Knowledge) -> tuple[Any, Any]:
    return report_of(states, knowledge, then=True), report_of(states, knowledge, then=False)


def _outcome(
    past: PastIncident,
    states: Sequence[Again],
    found: Sequence[Sequence[Difference]],
    report: Mapping[str, Any],
) -> dict[str, Any]:
    first = next((one for some in found for one in some), None)
    return {
        "incidentId": past.incident_id,
        "identical": first is None,
        "first": asdict(first) if first else None,
        "states": [
            {
                "state": one.then.state,
                "identical": not some,
                "modelCalls": one.then.model_calls,
                "crossings": len(one.then.crossings),
            }
            for one, some in zip(states, found, strict=False)
        ],
        "report": report,
    }


def _show(
    states: Sequence[Again], found: Sequence[Sequence[Difference]], shown: Mapping[str, Any]
) -> None:
    table = Table("state", "at", "model calls", "answers on tape", "again")
    for again, some in zip(states, found, strict=False):
        row = (f"{again.then.at:%H:%M:%S}", str(again.then.model_calls))
        verdict = "[red]differs[/]" if some else "[green]identical[/]"
        table.add_row(again.then.state, *row, str(len(again.then.crossings)), verdict)
    results.print(table)
    if shown["identical"]:
        results.print(f"[green]identical[/]: {shown['incidentId']}, the report too")
        return
    results.print(f"{shown['incidentId']} differs first in:")
    for one in next(some for some in found if some):
        results.print(f"  {escape(f'{one.state} {one.place}')}", soft_wrap=True)
        results.print(f"    then {escape(one.then)}\n    now  {escape(one.now)}", soft_wrap=True)
