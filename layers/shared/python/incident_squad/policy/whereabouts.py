"""Where a step would act: a step for one environment must not reach into another."""

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import PolicyViolation
from incident_squad.domain.runbook import Step
from incident_squad.domain.values import Environment


def require_environment(
    catalog: Catalog, step: Step, service: str | None, environment: Environment
) -> None:
    """Raise PolicyViolation unless service and target belong to this environment, by the catalogue.

    What an alert says of its environment does not count. A target that production shares is
    production's.
    """
    known = catalog.services.get(service or "")
    if known is None:
        if environment is not Environment.PRODUCTION:
            raise PolicyViolation(f"only services of the catalogue are {environment.value}")
        return
    if known.environment is not environment:
        raise PolicyViolation(
            f"'{service}' is a {known.environment.value} service, not a {environment.value} one"
        )
    role = getattr(step.action, "target", None)
    target = known.targets.get(role) if role else None
    if target and environment is not Environment.PRODUCTION and _in_production(catalog, target):
        raise PolicyViolation(f"the target '{target}' is used in production too")


def services_for(catalog: Catalog, step: Step, environment: Environment) -> tuple[str, ...]:
    """The services of an environment that have the target which the step needs, by name."""
    role = getattr(step.action, "target", None)
    return tuple(
        name
        for name, service in sorted(catalog.services.items())
        if service.environment is environment and role in service.targets
    )


def _in_production(catalog: Catalog, target: str) -> bool:
    return any(
        service.environment is Environment.PRODUCTION and target in service.targets.values()
        for service in catalog.services.values()
    )
