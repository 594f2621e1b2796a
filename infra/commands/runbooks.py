"""`squad runbooks check`: lint every runbook and the catalogue, and show what is covered."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from incident_squad.policy.quiet_lint import lint_quiet
from incident_squad.policy.runbook_lint import LintProblem, coverage, lint
from infra.commands.console import results
from infra.local.config import LocalConfig
from infra.local.knowledge import knowledge_of


@click.group()
def runbooks() -> None:
    """Runbooks and the service catalogue."""


@runbooks.command()
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="As for `up`."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def check(config: Path | None, as_json: bool) -> None:
    """Lint all runbooks and the catalogue; exit code 1 when something must be mended."""
    knowledge = knowledge_of(LocalConfig.read(config))
    problems = [
        *lint(knowledge.runbooks, knowledge.catalog),
        *lint_quiet(knowledge.catalog, datetime.now(UTC)),
    ]
    covered = coverage(knowledge.runbooks, knowledge.catalog)
    if as_json:
        found = {
            "problems": [problem.model_dump(mode="json") for problem in problems],
            "coverage": covered.model_dump(mode="json"),
        }
        click.echo(json.dumps(found, indent=2))
    else:
        _show(problems)
        table = Table("type", "runbooks")
        for kind, names in covered.runbooks.items():
            table.add_row(kind, ", ".join(names))
        results.print(table)
        for service, roles in covered.lacking.items():
            results.print(f"[dim]{escape(service)} has no target as: {', '.join(roles)}[/]")
        results.print(f"{len(knowledge.runbooks)} runbooks, {_count(problems)}")
    if any(problem.severity == "error" for problem in problems):
        raise click.exceptions.Exit(1)


def _show(problems: list[LintProblem]) -> None:
    for problem in problems:
        colour = "red" if problem.severity == "error" else "yellow"
        results.print(
            f"[{colour}]{problem.severity}[/] {escape(problem.where)}: {escape(problem.message)}"
        )


def _count(problems: list[LintProblem]) -> str:
    errors = sum(problem.severity == "error" for problem in problems)
    return f"{errors} errors, {len(problems) - errors} warnings"
