"""`squad run` and `squad demo`: one alert through the whole stack, from its door to its report."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import click

from incident_squad.domain.errors import InvalidAlert
from incident_squad.domain.values import iso
from incident_squad.intake.recognise import recognise
from infra.client import SquadClient
from infra.commands.console import progress, say, show_report
from infra.commands.following import Follower, outcome_of
from infra.commands.stack import local_config
from infra.local.config import LocalConfig
from infra.local.knowledge import knowledge_of
from infra.local.stack import LocalStack
from infra.pipeline import Pipeline

SOURCES = ("pagerduty", "datadog", "cloudwatch", "alertmanager", "generic")
DEMO_EVENT = Path(__file__).resolve().parents[2] / "events/alertmanager"
WATCHED_SECONDS = 1800
PATIENCE_SECONDS = 20
"""How long a run that nobody watches waits for a decision by link."""
MARGIN_SECONDS = 600


@click.command()
@click.argument("event", type=click.File("r"))
@click.option("--source", type=click.Choice(SOURCES), help="The sender, if it is not recognised.")
@click.option("--decide", type=click.Choice(["approve", "reject"]), help="Decide by the real link.")
@click.option("--as", "approver", metavar="EMAIL", help="Whose link is used; on this throw-away "
              "stack the address is made an approver.")  # fmt: skip
@click.option("--wait", type=click.IntRange(1, 3600), help="Seconds to wait for a decision when "
              "--decide is not given.  [default: 1800 on a terminal, otherwise 20]")  # fmt: skip
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="As for `up`.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Only the report, as JSON.")
def run(
    event: TextIO,
    source: str | None,
    decide: str | None,
    approver: str | None,
    wait: int | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Send one alert through the whole stack, show its timeline live, and print the report.

    EVENT is what a source sends, as JSON, or {"alert": "text"}; - is standard input.
    """
    payload = _read(event)
    sender = source or _recognise(payload)
    patience = wait or _patience(decide)
    report = send(payload, sender, config, decide=decide, approver=approver, patience=patience)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        show_report(report)


@click.command()
def demo() -> None:
    """The main job once: an exhausted connection pool, from alert to post-mortem.

    A real PostgreSQL is started and its connections are used up; the alert is the body that an
    Alertmanager sends; the fix is approved by the signed link; nothing is kept.
    """
    event = json.loads(next(DEMO_EVENT.glob("pool-01-*.json")).read_text())
    for alert in event["alerts"]:  # captured some time ago; in the demo it began just now
        alert["startsAt"] = iso(datetime.now(UTC))
    progress.rule("[bold]Incident Squad: one incident, from alert to report")
    report = send(
        event,
        "alertmanager",
        None,
        decide="approve",
        approver=None,
        patience=WATCHED_SECONDS,
    )
    show_report(report)
    if report["status"] != "resolved":
        raise click.ClickException("the incident was not resolved")


def send(
    payload: Any,  # noqa: ANN401 - any JSON
    source: str,
    config: Path | None,
    *,
    decide: str | None,
    approver: str | None,
    patience: int,
) -> dict[str, Any]:
    """Run one alert on a stack of its own; gives the report."""
    with local_config(config) as given:
        chosen = _for_one_run(given, approver, patience)
        with LocalStack.start(config=chosen, progress=say) as stack:
            client = SquadClient(url=stack.url, token=stack.token)
            answer = client.post_alert(source, payload, stack.secrets.get(source, ""))
            say(f"The alert was received: {outcome_of(answer)}")
            incident_id = answer.get("incidentId")
            if incident_id is None:
                return _nothing_opened(payload, given)
            follower = Follower(
                client=client,
                messages=lambda: list(stack.inbox.messages()),
                incident_id=incident_id,
                decide=decide,
                approver=approver,
            )
            follower.follow(patience + MARGIN_SECONDS)
            report: dict[str, Any] = client.incident(incident_id, "report")
            return report


def _patience(decide: str | None) -> int:
    """Seconds that a link is good for: long where somebody will decide, short where nobody can."""
    return WATCHED_SECONDS if decide or progress.is_terminal else PATIENCE_SECONDS


def _read(event: TextIO) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.load(event)
    except ValueError as error:
        raise click.UsageError(f"{event.name} is not JSON: {error}") from error


def _recognise(payload: Any) -> str:  # noqa: ANN401 - any JSON
    try:
        return recognise({}, payload).value
    except InvalidAlert as error:
        raise click.UsageError(f"{error}; name its sender with --source") from error


def _for_one_run(given: LocalConfig, approver: str | None, patience: int) -> LocalConfig:
    """The configuration of a throw-away stack: links live as long as the run is patient."""
    catalog: dict[str, Any] = dict(given.catalog)
    catalog["policies"] = {
        **catalog.get("policies", {}),
        "approval_expires_minutes": round(patience / 60, 3),
    }
    if approver:
        catalog |= _with_approver(given, approver)
    return given.model_copy(update={"catalog": catalog})


def _with_approver(given: LocalConfig, approver: str) -> Mapping[str, Any]:
    known = knowledge_of(given).catalog
    if any(person.email == approver for person in known.people.values()):
        name = next(n for n, person in known.people.items() if person.email == approver)
        people = given.catalog.get("people", {})
    else:
        name = "run-approver"
        person = {"name": approver, "email": approver}
        people = {**given.catalog.get("people", {}), name: person}
    teams = {
        team: {**given.catalog.get("teams", {}).get(team, {}),
               "approvers": list(dict.fromkeys((*(t.approvers or t.on_call), name)))}
        for team, t in known.teams.items()
    }  # fmt: skip
    return {"people": people, "teams": teams}


def _nothing_opened(payload: Any, given: LocalConfig) -> dict[str, Any]:  # noqa: ANN401
    """An alert that opens no incident still gets its report: what it is, with nothing to do."""
    say("No incident was opened; this is what the alert would have been.")
    knowledge = knowledge_of(given)
    return Pipeline.of(knowledge).report(payload)
