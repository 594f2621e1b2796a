"""`squad incidents`, `timeline`, `postmortem`: what SREs ask, on the embedded stack or on AWS."""

import json
from collections.abc import Callable
from typing import Any

import click
from rich.table import Table

from incident_squad.domain.values import IncidentType, Severity
from infra.client import SquadClient, running
from infra.cloud import on_aws
from infra.commands.console import incidents_table, results, show_event


def where(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say which squad is asked; the default is the one that runs in this folder."""
    options = (
        click.option("--stack", help="The name of a stack on AWS."),
        click.option("--profile", help="The AWS profile for it."),
        click.option("--json", "as_json", is_flag=True, help="JSON on standard output."),
    )
    for option in options:
        command = option(command)
    return command


def client_of(stack: str | None, profile: str | None) -> SquadClient:
    """The squad that these options name."""
    return on_aws(stack, profile) if stack else running()


@click.command()
@click.option("--status", help="triaging, diagnosing, awaiting_approval, ... or open.")
@click.option("--service")
@click.option("--severity", type=click.Choice([s.value for s in Severity]))
@click.option("--type", "kind", type=click.Choice([t.value for t in IncidentType]))
@click.option("--from", "first", metavar="DAY", help="First day, YYYY-MM-DD.")
@click.option("--to", "last", metavar="DAY", help="Last day, YYYY-MM-DD.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@where
def incidents(stack: str | None, profile: str | None, as_json: bool, **filters: object) -> None:
    """List incidents, newest first."""
    names = {"kind": "type", "first": "from", "last": "to"}
    query = {names.get(name, name): value for name, value in filters.items()}
    page = client_of(stack, profile).get("/incidents", query=query)
    if as_json:
        click.echo(json.dumps(page, ensure_ascii=False, indent=2))
    else:
        results.print(incidents_table(page["incidents"]))
        if page["next"]:
            results.print("[dim]There are more: raise --limit or narrow the filters.[/]")


@click.command()
@click.option("--day", metavar="DAY", help="YYYY-MM-DD (UTC); today by default.")
@where
def alerts(day: str | None, stack: str | None, profile: str | None, as_json: bool) -> None:
    """Say what became of the alerts of a day: every one of them, with the reason."""
    found = client_of(stack, profile).get("/alerts", query={"day": day})
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    table = Table("source", "outcome", "reason", "alerts")
    for row in found["counts"]:
        table.add_row(row["source"], row["outcome"], row["reason"], str(row["number"]))
    results.print(table)
    sums = ", ".join(f"{number} {outcome}" for outcome, number in found["outcomes"].items())
    results.print(f"{found['day']}: {found['received']} alerts = {sums}")


@click.command()
@click.argument("incident_id")
@where
def timeline(incident_id: str, stack: str | None, profile: str | None, as_json: bool) -> None:
    """Show an incident's timeline, and whether its chain of hashes is whole."""
    found = client_of(stack, profile).incident(incident_id, "timeline")
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for event in found["events"]:
        show_event(event)
    for problem in found["problems"]:
        click.secho(f"NOT SOUND: {problem}", fg="red", err=True)
    if found["problems"]:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("incident_id")
@click.option("--external", metavar="TEXT", required=True, help="What customers shall read.")
@click.option("--by", metavar="EMAIL", help="Who says so.")
@where
def correct(
    incident_id: str,
    external: str,
    by: str | None,
    stack: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Publish a correction of what customers were told, marked as one."""
    said = client_of(stack, profile).correct(incident_id, external, by or "")
    click.echo(json.dumps(said, ensure_ascii=False, indent=2) if as_json else said["external"])


@click.command()
@click.argument("incident_id")
@where
def postmortem(incident_id: str, stack: str | None, profile: str | None, as_json: bool) -> None:
    """Print the post-mortem draft, in Markdown."""
    client = client_of(stack, profile)
    if as_json:
        found = client.incident(incident_id, "postmortem")
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        click.echo(client.incident(incident_id, "postmortem", accept="text/markdown"))
