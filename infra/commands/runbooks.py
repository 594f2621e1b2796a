"""`squad runbooks check`: lint every runbook and the catalogue, and show what is covered."""

import click


@click.group()
def runbooks() -> None:
    """Runbooks and the service catalogue."""
