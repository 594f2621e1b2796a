"""The command `squad`."""

import sys

import click

from incident_squad.domain.errors import SquadError
from infra.client import ApiError
from infra.commands import (
    doctor,
    drill,
    evaluation,
    offline,
    practice,
    replay,
    runbooks,
    sres,
    stack,
)
from infra.local.errors import LocalStackError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="incident-squad", prog_name="squad")
def squad() -> None:
    """An incident response squad of agents for SRE teams.

    Results go to standard output, progress to standard error. Exit codes: 0 done, 1 the thing
    asked for failed, 2 wrong usage.
    """


for command in (
    stack.up,
    practice.run,
    practice.demo,
    drill.drill,
    doctor.doctor,
    offline.triage,
    offline.report,
    sres.incidents,
    sres.alerts,
    sres.timeline,
    sres.postmortem,
    sres.correct,
    replay.replay,
    runbooks.runbooks,
    evaluation.evaluate,
):
    squad.add_command(command)


def main() -> None:
    """Run the command line; an expected failure is one clear line, never a stack trace."""
    try:
        squad.main(standalone_mode=True)
    except (ApiError, LocalStackError, SquadError) as error:
        click.echo(f"squad: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
