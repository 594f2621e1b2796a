"""The CDK application: synthesises offline, without credentials, Docker or a clock."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from infra import environment

environment.quieten_node()

import aws_cdk as cdk  # noqa: E402 - only after Node has been told to be quiet
from cdk_nag import AwsSolutionsChecks  # noqa: E402

from infra.components.layers import ROOT  # noqa: E402
from infra.local.config import LocalConfig  # noqa: E402
from infra.stack import Choices, IncidentSquadStack  # noqa: E402
from infra.stage import Stage  # noqa: E402

Choice = TypeVar("Choice", bound=str)
DEPENDENCIES = ROOT / "layers" / "dependencies" / "build"


def stack_name(stage: str) -> str:
    """The stack's name at a stage, unless an operator chooses another."""
    return f"IncidentSquad-{stage}"


def synthesise(outdir: Path, *, stage: str) -> Path:
    """Write the assembly of a stage to `outdir`, quickly: no review, no dependencies layer.

    Gives the path of the stack's template. The embedded stack and tests use this; what goes to
    AWS comes from `main`, which reviews it and insists on the dependencies.
    """
    app = cdk.App(outdir=str(outdir), builtin_cloud_formation_validation=False)
    name = stack_name(stage)
    IncidentSquadStack(app, name, choices=Choices(stage=Stage(stage)))
    app.synth()
    return outdir / f"{name}.template.json"


def reviewed_app(
    outdir: Path | None = None,
    *,
    dependencies: Path | None = None,
    stage: str | None = None,
    context: Mapping[str, str] | None = None,
) -> cdk.App:
    """The application as the CDK command line runs it; the operator's choices are its context."""
    app = cdk.App(outdir=str(outdir) if outdir else None, context=context)
    chosen = stage or app.node.try_get_context("stage") or "dev"
    choices = Choices(
        stage=Stage(chosen),
        dependencies=dependencies,
        public_url=app.node.try_get_context("publicUrl"),
        on_call_email=app.node.try_get_context("onCallEmail"),
        alert_topics=_listed(app, "alertTopics"),
        model=app.node.try_get_context("model") or "off",
        alarms=_listed(app, "alarms"),
        catalog=_catalog(app),
        streaming=_one_of(app, "streaming", ("off", "lwa")),
        transcript_days=int(app.node.try_get_context("transcriptDays") or 30),
    )
    name = app.node.try_get_context("stack") or stack_name(chosen)
    IncidentSquadStack(app, name, choices=choices)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def _catalog(app: cdk.App) -> Mapping[str, Any]:
    """The section `catalog` of the operator's configuration file; its secrets stay here."""
    path = app.node.try_get_context("config")
    return LocalConfig.read(Path(path)).catalog if path else {}


def _listed(app: cdk.App, name: str) -> tuple[str, ...]:
    """A choice that is a list, separated by commas."""
    return tuple(filter(None, (app.node.try_get_context(name) or "").split(",")))


def _one_of(app: cdk.App, name: str, choices: tuple[Choice, ...]) -> Choice:
    """A choice among a few words, the first by default; exits on another one."""
    given = app.node.try_get_context(name) or choices[0]
    for choice in choices:
        if choice == given:
            return choice
    raise SystemExit(f"the context {name} must be one of {', '.join(choices)}, not {given}")


def main(dependencies: Path = DEPENDENCIES) -> None:
    """Synthesise for AWS; fails on a finding of the review that nobody has accepted."""
    if not dependencies.is_dir():
        raise SystemExit("build the dependencies layer first: python -m infra.build_layer")
    reviewed_app(dependencies=dependencies).synth()


if __name__ == "__main__":
    main()
