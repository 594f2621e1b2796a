"""Computes `policy/triage/calibration.yaml`: what a lead in points is worth as a probability.

    python -m infra.calibration            # shows the table and writes it

Triage is tuned to the alerts of `alerts.jsonl`, which would make it look too sure. So only texts of
`texts.jsonl` are judged here, to which no rule was tuned, each by a voter that learned without it.
Reproducible: who learns from what depends on numbers alone.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from incident_squad.adapters.runbook_files import RunbookFiles
from incident_squad.intake.recognise import normalise
from incident_squad.policy import triage
from incident_squad.policy.triage import Triager
from incident_squad.policy.triage.confidence import margin
from incident_squad.policy.triage.voter import Voter
from infra.evaluation import Case
from infra.training import cases_of, examples, learn

ROOT = Path(__file__).parent.parent
TABLE = Path(triage.__file__).parent / "calibration.yaml"
FOLDS, BLOCK = 5, 10
"""Alerts written one after the other are alike: they are held out together, in blocks."""
PLACES = (0.0, 0.5, 1.0, 2.0, 3.0, 4.5, 6.0, 9.0)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def held_out(files: RunbookFiles) -> Iterator[tuple[float, bool]]:
    """Leads, and whether the leading type was right, of texts that no voter had learned."""
    texts, alerts = cases_of("texts.jsonl"), cases_of("alerts.jsonl")
    for fold in range(FOLDS):
        others = [text for place, text in enumerate(texts) if place // BLOCK % FOLDS != fold]
        labels, data = examples([*alerts, *others])
        votes = Voter(labels, learn(tuple(labels), data))
        triager = Triager(files.catalog, files.runbooks, votes)
        own = [text for place, text in enumerate(texts) if place // BLOCK % FOLDS == fold]
        yield from observations([text for text in own if text.telling], triager)


def observations(cases: Sequence[Case], triager: Triager) -> Iterator[tuple[float, bool]]:
    """Leads and whether the leading type was right."""
    for case in cases:
        points = triager.points(normalise(case.payload, {}, NOW)[0])
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
    seen = list(held_out(RunbookFiles(ROOT / "runbooks")))
    points = curve(seen)
    lines = "".join(f"  - [{lead}, {share}]\n" for lead, share in points)
    TABLE.write_text(
        "# From the lead of the best type over the second (in points) to the probability that it\n"
        "# is right. Written by `python -m infra.calibration` from events/labelled/texts.jsonl:\n"
        f"# don't change it by hand. {len(seen)} texts.\n"
        f"points:\n{lines}",
        encoding="utf-8",
    )
    right = sum(right for _, right in seen) / len(seen)
    click.echo(f"{len(seen)} observations, {right:.1%} right\n{lines}")


if __name__ == "__main__":
    main()
