"""`squad doctor`: can every target be reached, with the rights that it needs and no more?"""

from pathlib import Path

import click
from botocore.exceptions import BotoCoreError

from incident_squad.domain.errors import SquadError
from infra.commands.console import results
from infra.commands.stack import local_config
from infra.local.doctor.examination import Eyes, examine


@click.command()
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Your catalogue, targets and credentials; without it practice targets are "
              "examined.")  # fmt: skip
@click.option("--stack", help="A deployed squad on AWS, whose roles are examined, too.")
def doctor(config: Path | None, stack: str | None) -> None:
    """Check every target of yours, and say what to mend.

    Clouds and clusters are looked at with your own AWS credentials. Nothing is changed: no session
    is ended, no program is run, no hook is called that changes something. What you may not look at
    is said. Exit code 1 when something has to be mended.
    """
    with local_config(config) as given:
        try:
            eyes = Eyes.of(stack)
        except (SquadError, BotoCoreError) as error:
            raise click.ClickException(f"the stack '{stack}' cannot be read: {error}") from error
        found = examine(given, eyes)
    for one in found:
        results.print(f"{one.mark} {one.target}: {one.words}", markup=False, soft_wrap=True)
    bad = sum(one.bad for one in found)
    if bad:
        raise click.ClickException(f"{bad} of {len(found)} checks have to be mended")
