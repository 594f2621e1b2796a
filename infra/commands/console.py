"""What people see while the squad works: standard error, so that results stay clean."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

progress = Console(stderr=True, highlight=False)
results = Console(highlight=False)

_COLOURS = {
    "SEV1": "bold red",
    "SEV2": "red",
    "SEV3": "yellow",
    "SEV4": "dim",
}
_MARKS = {
    "AlertReceived": "bold",
    "Triaged": "bold cyan",
    "Diagnosed": "bold cyan",
    "PlanProposed": "bold magenta",
    "ApprovalRequested": "bold yellow",
    "ApprovalDecided": "bold green",
    "ApprovalRefused": "red",
    "StepApplied": "green",
    "StepFailed": "bold red",
    "HandedOver": "bold red",
    "RecoveryVerified": "bold green",
    "IncidentResolved": "bold green",
}


def severity(name: str | None) -> str:
    """A severity in its colour."""
    text = name or "-"
    return f"[{_COLOURS.get(text, 'default')}]{text}[/]"


def show_event(event: Mapping[str, Any]) -> None:
    """One line of the live timeline."""
    name = str(event["event"])
    style = _MARKS.get(name, "default")
    time = str(event["at"])[11:23]
    progress.print(
        f"[dim]{time}[/] [{style}]{name:<20}[/] {escape(str(event['summary']))}",
        soft_wrap=True,
    )


def say(text: str) -> None:
    """A line about what is going on."""
    progress.print(f"[dim]{escape(text)}[/]", soft_wrap=True)


def show_report(report: Mapping[str, Any]) -> None:
    """The report, for a person at a terminal."""
    fix, diagnosis = report["proposedFix"], report["diagnosis"]
    head = (
        f"{severity(report['severity'])} {escape(report['type'])} · {escape(report['title'])}\n"
        f"{report['status'].replace('_', ' ')} · engine {escape(report['engine'])}"
    )
    results.print(Panel(head, title=report["incidentId"], title_align="left"))
    results.print(f"[bold]Root cause[/] ({diagnosis['confidence']:.0%} sure)")
    results.print(f"  {escape(report['rootCause'])}")
    results.print("[bold]Findings[/]")
    for finding in diagnosis["findings"]:
        cited = ", ".join(finding["evidenceIds"])
        results.print(f"  - {escape(finding['statement'])} [dim]({escape(cited)})[/]")
    results.print(_steps(fix))
    results.print("[bold]Customers read[/]")
    results.print(f"  {escape(report['statusUpdate']['external'])}")
    if report.get("executiveSummary"):
        results.print("[bold]Executive summary[/]")
        results.print(f"  {escape(report['executiveSummary'])}")


def _steps(fix: Mapping[str, Any]) -> Table:
    title = f"Fix: {fix['estimatedTime']}, risk {fix['riskLevel']}"
    table = Table(title=title, title_justify="left")
    for column in ("#", "step", "command", "risk", "status"):
        table.add_column(column, overflow="fold")
    for place, step in enumerate(fix["steps"], start=1):
        table.add_row(
            str(place),
            escape(step["title"]),
            escape(step["command"]),
            step["risk"],
            step["status"].replace("_", " "),
        )
    return table


def incidents_table(incidents: list[Mapping[str, Any]]) -> Table:
    """A list of incidents."""
    table = Table()
    for column in ("id", "severity", "type", "service", "status", "title"):
        table.add_column(column, overflow="fold")
    for incident in incidents:
        table.add_row(
            incident["id"],
            severity(incident.get("severity")),
            incident.get("type") or "-",
            escape(incident.get("service") or "-"),
            incident["status"].replace("_", " "),
            escape(incident["title"]),
        )
    return table
