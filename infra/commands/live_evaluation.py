"""`squad eval --live` and `--compare`: a model that is really asked, and runs side by side."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from incident_squad.adapters.memory import MemoryLedger
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.domain.errors import InvalidConfiguration
from infra.commands.console import results, say
from infra.evaluation import Case
from infra.grading import GradingCase
from infra.live import live_rails, seats_with
from infra.live_evaluation import Live, capped, compared, now, totals
from infra.pipeline import Pipeline

FORMAT = 1
_EVERY = 25


def live(
    cases: Sequence[Case | GradingCase],
    pipeline: Pipeline,
    *,
    name: str,
    model: str | None,
    prompts: Path | None,
    max_usd: float,
    yes: bool,
) -> dict[str, Any]:
    """Evaluate, once the cost is agreed to; raises Abort when it is not, and ApiError."""
    judge = Live(pipeline)
    guess = judge.estimate(cases, seats_with(model))
    say(
        f"{len(cases)} alerts, at least {guess.calls} calls: about ${guess.usd:.4f}, their answers "
        f"at most ${guess.most_usd:.4f}; never more than --max-usd ${max_usd:.2f}"
    )
    if not yes:
        click.confirm("Ask the model?", abort=True, err=True)
    ledger, policies = MemoryLedger(SystemClock()), pipeline.knowledge.catalog.policies
    with live_rails(ledger, policies, model=model, prompts=prompts) as found:
        rails = capped(found, max_usd)
        rows = judge(cases, rails, _progress(len(cases)))
        about = judge.about(rails, at=now(), name=name)
    sums = totals(rows)
    say(f"cost: ${sums['usd']:.4f} for {sums['calls']} calls")
    estimate = {"usd": round(guess.usd, 6), "mostUsd": round(guess.most_usd, 6)}
    return {"format": FORMAT, "about": about, "estimate": estimate, "totals": sums, "alerts": rows}


def _progress(of: int) -> Any:  # noqa: ANN401 - a callable that keeps count
    done = iter(range(1, of + 1))

    def told() -> None:
        number = next(done)
        if number % _EVERY == 0 or number == of:
            say(f"{number} of {of}")

    return told


def show(found: Mapping[str, Any]) -> None:
    """The totals, and where model and floor part."""
    sums = found["totals"]
    table = Table("who", "score")
    table.add_row("floor", f"{sums['floor']:.1%}")
    table.add_row("with the model", f"{sums['model']:.1%}")
    results.print(table)
    for word in ("better", "worse"):
        results.print(f"{word} with the model: {len(sums[word])} {escape(str(sums[word][:20]))}")
    results.print(f"model not used: {sums['notUsed'] or 'never'}")
    cached = f"{sums['cached_tokens']} of {sums['tokens']} tokens from the prompt cache"
    results.print(f"cost ${sums['usd']:.4f}, {sums['calls']} calls, {cached}")


def compare(paths: tuple[Path, Path]) -> dict[str, Any]:
    """Two result files; raises InvalidConfiguration."""
    return compared(*(_read(path) for path in paths))


def show_comparison(found: Mapping[str, Any]) -> None:
    """Totals side by side."""
    table = Table("what", "before", "after")
    for name, (before, after) in found["totals"].items():
        table.add_row(name, str(before), str(after))
    results.print(table)
    changed = [name for name, same in found["sameSetting"].items() if not same]
    results.print(f"changed between the runs: {', '.join(changed) or 'nothing'}")
    for word in ("better", "worse"):
        results.print(f"{word}: {len(found[word])} {escape(str(found[word][:20]))}")


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] == FORMAT:
            return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidConfiguration(
            f"{path} is no result of a live evaluation: {error!r}"
        ) from error
    raise InvalidConfiguration(f"{path} has another format than {FORMAT}")
