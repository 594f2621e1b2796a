"""The tools that there are, with the words that clients and models read."""

from collections.abc import Callable, Mapping
from typing import Any

from incident_squad.steps.tools import inputs
from incident_squad.steps.tools.alerts import AlertTools
from incident_squad.steps.tools.cleaning import Clean
from incident_squad.steps.tools.incidents import IncidentTools
from incident_squad.steps.tools.metrics import MetricTools
from incident_squad.steps.tools.runbooks import RunbookTools
from incident_squad.steps.tools.toolbox import Tool, Toolbox

Execute = Callable[[inputs.ExecuteRunbookInput], Mapping[str, Any]]


def toolbox(
    *,
    metrics: MetricTools,
    execute: Execute,
    incidents: IncidentTools,
    runbooks: RunbookTools,
    alerts: AlertTools,
    clean: Clean,
) -> Toolbox:
    """Every tool."""
    return Toolbox(
        (
            *_at_work(metrics, execute),
            *_about_incidents(incidents),
            *_about_runbooks(runbooks),
            *_about_alerts(alerts),
        ),
        clean,
    )


def _at_work(metrics: MetricTools, execute: Execute) -> tuple[Tool, ...]:
    return (
        Tool(
            name="query_metrics",
            title="Query metrics",
            description="Asks a metric source for a value over a span of time, in the source's own "
            "query language. Reads only.",
            takes=inputs.QueryMetricsInput,
            run=metrics.query,
            outside=True,
        ),
        Tool(
            name="execute_runbook",
            title="Preview or run a runbook step",
            description="Previews one step of a runbook (dryRun, the default): what it would "
            "change now, with resolved parameters. With dryRun false it asks for that step of an "
            "incident's stored plan: the workflow runs it under the squad's laws, and the answer "
            "says what became of it. SEV1 and SEV2 in production are refused unless 'approvedBy' "
            "names who approved this very plan by the signed link.",
            takes=inputs.ExecuteRunbookInput,
            run=execute,
            acts=True,
            outside=True,
        ),
    )


def _about_incidents(incidents: IncidentTools) -> tuple[Tool, ...]:
    return (
        Tool(
            name="list_incidents",
            title="List incidents",
            description="Incidents, newest first, filtered and paged. Status 'open' means all "
            "that are not resolved.",
            takes=inputs.ListIncidentsInput,
            run=incidents.find,
        ),
        Tool(
            name="get_incident",
            title="Show an incident",
            description="One incident with its alerts, diagnosis, plan, steps, status updates and "
            "approvals.",
            takes=inputs.IncidentInput,
            run=incidents.get,
        ),
        Tool(
            name="get_timeline",
            title="Show a timeline",
            description="The hash-chained timeline of an incident, and whether the chain is sound.",
            takes=inputs.TimelineInput,
            run=incidents.events,
        ),
        Tool(
            name="get_report",
            title="Show a report",
            description="The incident report as it stands now: cause, evidence, fix, updates.",
            takes=inputs.IncidentInput,
            run=incidents.report,
        ),
    )


def _about_runbooks(runbooks: RunbookTools) -> tuple[Tool, ...]:
    return (
        Tool(
            name="list_runbooks",
            title="List runbooks",
            description="The library: every runbook that can be chosen, by type.",
            takes=inputs.ListRunbooksInput,
            run=runbooks.find,
        ),
        Tool(
            name="get_runbook",
            title="Show a runbook",
            description="One runbook: checks, steps with their index, command, risk and undo, and "
            "guidance.",
            takes=inputs.GetRunbookInput,
            run=runbooks.get,
        ),
    )


def _about_alerts(alerts: AlertTools) -> tuple[Tool, ...]:
    return (
        Tool(
            name="triage_alert",
            title="Triage an alert",
            description="Says what an alert would be: type, severity, service, runbook, and why. "
            "Stores nothing and tells nobody.",
            takes=inputs.TriageAlertInput,
            run=alerts.triage,
        ),
        Tool(
            name="submit_alert",
            title="Submit an alert",
            description="Takes an alert in as a monitoring system's would be: it opens an "
            "incident, or joins the open one that it belongs to, and people may be paged.",
            takes=inputs.SubmitAlertInput,
            run=alerts.submit,
            adds=True,
            outside=True,
        ),
    )
