"""The service catalogue: what runs, who owns it, what customers call it, what we may touch."""

import fnmatch
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork, model_validator

from incident_squad.domain.channels import ChannelConfig
from incident_squad.domain.limits import IntakeLimits
from incident_squad.domain.metric_sources import MetricSources
from incident_squad.domain.quiet import MaintenanceWindow, Silence
from incident_squad.domain.runbook import Name
from incident_squad.domain.targets import AwsTarget, CommandTarget, K8sTarget, SsmTarget
from incident_squad.domain.values import Environment, Severity, Value

Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


Language = Literal["en", "fr"]
Audience = Literal["customers", "colleagues", "executives"]


class Tier(StrEnum):
    """What a service means to the business."""

    REVENUE = "revenue"
    CRITICAL = "critical"
    STANDARD = "standard"
    INTERNAL = "internal"
    NON_PRODUCTION = "non_production"


class Person(Value):
    """Somebody who can be paged or asked."""

    name: str
    email: Email


class Team(Value):
    """Owners of services. `on_call` is in order: the first is the primary."""

    name: str
    on_call: tuple[Name, ...] = Field(min_length=1)
    approvers: tuple[Name, ...] = ()


class PostgresTarget(Value):
    """A PostgreSQL database, or PgBouncer's admin console (`pgbouncer`).

    `reader` and `writer` name secrets that hold a connection string; the roles differ.
    """

    kind: Literal["postgresql", "pgbouncer"]
    reader: str
    writer: str | None = None
    fields: dict[str, str | int | float] = Field(default_factory=dict)


class HttpOperation(Value):
    """One thing that an HTTP target can do. `path` is fixed; `mutates` asks for the writer."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str = Field(pattern=r"^/[A-Za-z0-9/_.?=&-]*$")
    mutates: bool = False


class HttpTarget(Value):
    """An HTTP service with the operations that runbooks may call; secrets hold bearer tokens."""

    kind: Literal["http"]
    base_url: str = Field(pattern=r"^https?://[^/\s]+$")
    reader: str | None = None
    writer: str | None = None
    operations: dict[Name, HttpOperation]
    fields: dict[str, str | int | float] = Field(default_factory=dict)


Target = Annotated[
    PostgresTarget | HttpTarget | AwsTarget | SsmTarget | K8sTarget | CommandTarget,
    Field(discriminator="kind"),
]


class Service(Value):
    """A service. `targets` maps the roles that runbooks name (`database`) to targets.

    `aliases` are other names in alerts; `resources` are globs of hosts, instances and ARNs.
    `customers_use_it_to` completes "Customers use it to ..." in public words, by language.
    """

    public_name: dict[str, str]
    customers_use_it_to: dict[str, str] = Field(default_factory=dict)
    tier: Tier
    owner: Name
    environment: Environment = Environment.PRODUCTION
    aliases: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    depends_on: tuple[Name, ...] = ()
    targets: dict[Name, Name] = Field(default_factory=dict)


class Breaker(Value):
    """When automatic repair of a service stops: too many failures or returns within the window."""

    window_minutes: float = Field(default=240, gt=0, le=10_080)
    failures: int = Field(default=1, ge=1, le=100)
    recurrences: int = Field(default=3, ge=1, le=100)


class Policies(Value):
    """What the operator decides. Durations are in minutes, money is in US dollars.

    `never_block` are networks that no step may treat as an attacker's: one's own and those of
    partners. Private ranges are always refused.

    `recovery_hold_seconds` says by runbook how long its recovery must have held, in place of the
    runbook's own `for_seconds`.

    `model_usd_*` are hard caps of what models may cost; zero switches them off.

    Public texts of the severities in `approve_public_texts` wait for one of `public_approvers`
    (by default those who approve fixes of the service), for `public_text_expires_minutes` at most.
    """

    approval_expires_minutes: float = Field(default=30, gt=0, le=720)
    recovery_limit_minutes: float = Field(default=10, gt=0, le=120)
    recovery_poll_seconds: int = Field(default=5, ge=1, le=300)
    recovery_hold_seconds: dict[Name, Annotated[int, Field(ge=0, le=600)]] = Field(
        default_factory=dict
    )
    update_every_minutes: dict[Severity, int] = Field(
        default_factory=lambda: {
            Severity.SEV1: 15,
            Severity.SEV2: 30,
            Severity.SEV3: 60,
            Severity.SEV4: 60,
        }
    )
    approve_public_texts: tuple[Severity, ...] = ()
    public_approvers: tuple[Name, ...] = ()
    public_text_expires_minutes: float = Field(default=10, gt=0, le=240)
    escalate_after_minutes: float = Field(default=5, gt=0, le=240)
    language: Language = "en"
    languages: dict[Audience, Language] = Field(default_factory=dict)
    automatic_repair: bool = True
    breaker: Breaker = Breaker()
    never_block: tuple[IPvAnyNetwork, ...] = ()
    secret_words: tuple[str, ...] = ()
    intake: IntakeLimits = IntakeLimits()
    model_usd_per_incident: float = Field(default=0.5, ge=0, le=100)
    model_usd_per_hour: float = Field(default=5.0, ge=0, le=1000)

    def language_of(self, audience: Audience) -> Language:
        """The language that an audience is written to in: its own, or the common one."""
        return self.languages.get(audience, self.language)


class Catalog(Value):
    """Services, teams, people, targets and channels, as `runbooks/catalog.yaml` declares them."""

    company: str
    people: dict[Name, Person]
    teams: dict[Name, Team]
    vp_engineering: Name
    services: dict[Name, Service]
    targets: dict[Name, Target] = Field(default_factory=dict)
    channels: dict[Name, ChannelConfig] = Field(default_factory=dict)
    metrics: MetricSources = MetricSources()
    policies: Policies = Policies()
    maintenance: dict[Name, MaintenanceWindow] = Field(default_factory=dict)
    silences: dict[Name, Silence] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> "Catalog":
        problems = list(_dangling(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def find_service(self, name: str) -> str | None:
        """The catalogue's name for what an alert calls a service or a resource, or None."""
        wanted = name.strip().lower()
        for known, service in self.services.items():
            if wanted == known or wanted in (alias.lower() for alias in service.aliases):
                return known
        for known, service in self.services.items():
            if any(fnmatch.fnmatchcase(wanted, glob.lower()) for glob in service.resources):
                return known
        return None

    def approvers(self, service: str | None) -> tuple[Person, ...]:
        """Who may approve a fix of this service; of an unknown service, the VP Engineering."""
        if service is None or service not in self.services:
            return (self.people[self.vp_engineering],)
        team = self.teams[self.services[service].owner]
        return tuple(self.people[person] for person in team.approvers or team.on_call)

    def public_approvers(self, service: str | None) -> tuple[Person, ...]:
        """Who may approve what customers read about this service."""
        named = self.policies.public_approvers
        return tuple(self.people[name] for name in named) or self.approvers(service)

    def target_of(self, service: str | None, role: str) -> str | None:
        """The name of the target that plays this role for the service, or None."""
        return self.services[service].targets.get(role) if service in self.services else None


def _dangling(catalog: Catalog) -> list[str]:
    problems = []
    if catalog.vp_engineering not in catalog.people:
        problems.append(f"vp_engineering '{catalog.vp_engineering}' is not in people")
    for name, team in catalog.teams.items():
        problems += [
            f"team '{name}' names '{person}', who is not in people"
            for person in (*team.on_call, *team.approvers)
            if person not in catalog.people
        ]
    problems += [
        f"public_approvers names '{person}', who is not in people"
        for person in catalog.policies.public_approvers
        if person not in catalog.people
    ]
    for name, service in catalog.services.items():
        if service.owner not in catalog.teams:
            problems.append(f"service '{name}' is owned by '{service.owner}', not a team")
        problems += [
            f"service '{name}' depends on '{other}', not a service"
            for other in service.depends_on
            if other not in catalog.services
        ]
        problems += [
            f"service '{name}' has the target '{target}' as {role}, not in targets"
            for role, target in service.targets.items()
            if target not in catalog.targets
        ]
    for name, window in catalog.maintenance.items():
        problems += [
            f"maintenance '{name}' is of '{service}', not a service"
            for service in window.services
            if service not in catalog.services
        ]
    return problems
