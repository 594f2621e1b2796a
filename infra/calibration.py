"""Computes `policy/triage/calibration.yaml`: what a lead in points is worth as a probability.

    python -m infra.calibration            # shows the table and writes it

Triage is tuned to alerts that it knows, so its own labelled alerts would make it look too sure.
Here every alert of `events/labelled` is judged by a voter that learned without it, and several
times with a third of the words hidden, which is how an alert that nobody has seen looks to the
rules. Reproducible: who learns from what, and what is hidden, depend on numbers and words alone.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from incident_squad.adapters.runbook_files import RunbookFiles
from incident_squad.domain.alert import Alert
from incident_squad.intake.recognise import normalise
from incident_squad.policy import triage
from incident_squad.policy.triage import Triager
from incident_squad.policy.triage.confidence import margin
from infra.evaluation import Case, read_cases
from infra.training import examples, learn

ROOT = Path(__file__).parent.parent
LABELLED = ROOT / "events" / "labelled" / "alerts.jsonl"
TABLE = Path(triage.__file__).parent / "calibration.yaml"
HIDDEN, ROUNDS = 0.35, 4
FOLDS, BLOCK = 5, 10
"""Alerts written one after the other are alike: they are held out together, in blocks."""
PLACES = (0.0, 0.5, 1.0, 2.0, 3.0, 4.5, 6.0, 9.0)
NOW = datetime(2026, 11, 20, tzinfo=UTC)
_WORD = re.compile(r"[^\W\d_]{3,}")


def blinded(alert: Alert, turn: int) -> Alert:
    """The alert with a share of its words hidden; the same words in the same turn."""

    def hide(match: re.Match[str]) -> str:
        digest = hashlib.sha256(f"{turn} {match.group().lower()}".encode()).digest()
        return "" if digest[0] < HIDDEN * 256 else match.group()

    return alert.model_copy(
        update={
            "title": _WORD.sub(hide, alert.title),
            "description": _WORD.sub(hide, alert.description),
            "labels": {name: _WORD.sub(hide, value) for name, value in alert.labels.items()},
        }
    )


def held_out(cases: Sequence[Case], files: RunbookFiles) -> Iterator[tuple[float, bool]]:
    """Observations of all cases, each judged by a voter that learned from the others."""
    for fold in range(FOLDS):
        others = [case for place, case in enumerate(cases) if place // BLOCK % FOLDS != fold]
        own = [case for place, case in enumerate(cases) if place // BLOCK % FOLDS == fold]
        triager = Triager(files.catalog, files.runbooks, learn(*examples(others)))
        yield from observations(own, triager)


def observations(cases: Sequence[Case], triager: Triager) -> Iterator[tuple[float, bool]]:
    """Leads and whether the leading type was right."""
    for case in cases:
        alert = normalise(case.payload, {}, NOW)[0]
        for turn in range(ROUNDS if case.telling else 0):
            points = triager.points(blinded(alert, turn))
            yield margin(points), max(points, key=lambda kind: points[kind]) in case.types


def curve(seen: Sequence[tuple[float, bool]]) -> list[tuple[float, float]]:
    """For each place the share of right answers around it, never falling (pool and average)."""
    blocks: list[tuple[float, int, list[float]]] = []
    for low, high in zip(PLACES, (*PLACES[1:], float("inf")), strict=True):
        inside = [right for lead, right in seen if low <= lead < high]
        blocks.append(((sum(inside) + 1) / (len(inside) + 2), len(inside) + 2, [low]))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (share2, size2, places2), (share1, size1, places1) = blocks.pop(), blocks.pop()
            size = size1 + size2
            share = (share1 * size1 + share2 * size2) / size
            blocks.append((share, size, places1 + places2))
    return [(place, round(share, 3)) for share, _, places in blocks for place in places]


@click.command()
def main() -> None:
    """Compute the table from the labelled alerts and write it."""
    cases = read_cases(LABELLED.read_text(encoding="utf-8").splitlines())
    files = RunbookFiles(ROOT / "runbooks")
    seen = list(held_out(cases, files))
    points = curve(seen)
    lines = "".join(f"  - [{lead}, {share}]\n" for lead, share in points)
    TABLE.write_text(
        "# From the lead of the best type over the second (in points) to the probability that it\n"
        "# is right. Written by `python -m infra.calibration` from events/labelled/alerts.jsonl:\n"
        f"# don't change it by hand. {len(cases)} alerts, {len(seen)} observations.\n"
        f"points:\n{lines}",
        encoding="utf-8",
    )
    right = sum(right for _, right in seen) / len(seen)
    click.echo(f"{len(seen)} observations, {right:.1%} right\n{lines}")


if __name__ == "__main__":
    main()
