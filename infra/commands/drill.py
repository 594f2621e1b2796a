"""`squad drill`: real components are broken on purpose, and the squad repairs them."""

from contextlib import ExitStack

import click

from infra.commands.console import progress, say
from infra.local.drill.faults import FAULTS

IN_TURN = tuple(FAULTS)


@click.command()
@click.argument("fault", required=False, type=click.Choice(IN_TURN))
@click.option("--no-slot", is_flag=True, help="Leave no connection slot for ordinary users: the "
              "application may take them all.")  # fmt: skip
def drill(fault: str | None, *, no_slot: bool) -> None:
    """Break real components and let the squad repair them: one FAULT, or one after the other.

    PostgreSQL with a replica, PgBouncer, exporters, Prometheus, Alertmanager, a payment service
    and a TLS service run on loopback and are gone at the end. The alert is Alertmanager's own; a
    plan that waits for a human is approved by the link. Needs Debian's packages: `make real`.
    """
    from infra.local.drill.estate import NO_SLOT, Layout  # noqa: PLC0415 - click starts quickly
    from infra.local.drill.gameday import GameDay  # noqa: PLC0415

    failed = []
    with ExitStack() as parts:
        say("Starting the estate, the squad and its monitoring")
        day = parts.enter_context(GameDay(NO_SLOT if no_slot else Layout(), say=say))
        for name in (fault,) if fault else IN_TURN:
            progress.rule(f"[bold]{FAULTS[name].title}")
            ended = day.run(name)
            click.echo(
                f"{name:12} {ended.status:12} webhook to recovery {ended.seconds:5.2f} s "
                f"(and {ended.approval_seconds:.2f} s of approval)  {ended.incident_id}"
            )
            for problem in ended.problems:
                click.echo(f"{'':12} PROBLEM: {problem}")
            failed += [name] if ended.problems else []
    if failed:
        raise click.ClickException(f"not repaired as it must be: {', '.join(failed)}")
