"""`make bench`: how fast the floor is in process, and the embedded stack end to end."""

import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from incident_squad.intake.recognise import normalise
from infra.bench import model, storm, tape, way
from infra.bench.figures import describe
from infra.commands.console import results
from infra.pipeline import Pipeline

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
STORM = 10_000


def main() -> None:
    """Run all timings."""
    _loading()
    _triage()
    _storm()
    tape.run(incidents=20)
    model.run(incidents=10)
    way.run(incidents=int(sys.argv[1]) if len(sys.argv) > 1 else 5)


def _loading() -> None:
    begin = time.perf_counter()
    Pipeline.load(None)
    _line("loading runbooks, catalogue and triage", [time.perf_counter() - begin])


def _triage() -> None:
    """Triage of every sample payload in `events`, some rounds."""
    triager = Pipeline.load(None).triager
    now = datetime.now(UTC)
    alerts = [alert for payload in _payloads() for alert in normalise(payload, {}, now)]
    seconds = []
    for _ in range(ROUNDS):
        for alert in alerts:
            begin = time.perf_counter()
            triager(alert)
            seconds.append(time.perf_counter() - begin)
    _line("triage of one alert, in process", seconds)


def _storm() -> None:
    """A storm from four sources, in process: how it is conserved, and how fast."""
    for name, figure in storm.run(STORM).items():
        results.print(f"storm of {STORM} alerts: {name:<30} {figure:,.1f}")


def _payloads() -> list[object]:
    found: list[object] = []
    for path in sorted((ROOT / "events").glob("*/*.json")):
        payload = json.loads(path.read_text())
        if path.name != "template.json" and isinstance(payload, dict):
            found.append(payload)
    for path in sorted((ROOT / "events/labelled").glob("*.jsonl")):
        lines = (json.loads(line) for line in path.read_text().splitlines() if line)
        payloads = (line["payload"] for line in lines if "payload" in line)
        found += [{"alert": p} if isinstance(p, str) else p for p in payloads]
    return found


def _line(what: str, seconds: Sequence[float]) -> None:
    results.print(describe(what, seconds))


if __name__ == "__main__":
    click.echo("Timings of this machine; nothing here is a promise.", err=True)
    main()
