"""`squad doctor`: can every target be reached, with the rights that it needs and no more?"""

from pathlib import Path

import click

from infra.commands.console import results
from infra.commands.stack import local_config
from infra.local.doctor.examination import examine


@click.command()
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Your catalogue, targets and credentials; without it practice targets are "
              "examined.")  # fmt: skip
def doctor(config: Path | None) -> None:
    """Check every target of the catalogue that has credentials, and say what to mend.

    Nothing is changed: no session is ended, no hook is called that changes something. Exit code 1
    when something has to be mended.
    """
    with local_config(config) as given:
        found = examine(given)
    for one in found:
        results.print(f"{one.mark} {one.target}: {one.words}", markup=False, soft_wrap=True)
    bad = sum(one.bad for one in found)
    if bad:
        raise click.ClickException(f"{bad} of {len(found)} checks have to be mended")
