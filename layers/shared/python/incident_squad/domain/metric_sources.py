"""Where metrics come from: the section `metrics` of the catalogue."""

from typing import Annotated

from pydantic import AfterValidator, Field

from incident_squad.domain.values import Value

# Credentials never stand in an address: they are secrets.
Address = Annotated[
    str,
    Field(pattern=r"^https?://[A-Za-z0-9_.\[\]:-]+(?:/[A-Za-z0-9_.~-]+)*/?$", max_length=300),
    AfterValidator(lambda address: address.rstrip("/")),
]
_MATCHER = r'[a-zA-Z_][a-zA-Z0-9_]*=~?"[^"\\{}]{0,200}"'
Selector = Annotated[str, Field(pattern=rf"^{_MATCHER}(?:, ?{_MATCHER}){{0,9}}$")]
# Only names below `metrics/` are in reach of the functions that measure.
SecretName = Annotated[str, Field(pattern=r"^metrics/[A-Za-z0-9/_+=.@-]{1,200}$")]


class PrometheusSource(Value):
    """A Prometheus, or what speaks its HTTP API (Thanos, Mimir, VictoriaMetrics).

    `secret` holds a bearer token, or `user:password` for basic authentication. `link_url` is the
    address that people use, when it differs. `selectors` say by service what its series are marked
    with (`cluster="pay-1",env="prod"`) where that is not `service="<the service's name>"`.
    """

    url: Address
    secret: SecretName | None = None
    link_url: Address | None = None
    selectors: dict[str, Selector] = Field(default_factory=dict)


class CloudWatchSource(Value):
    """CloudWatch metrics, read with the function's own role.

    Without a region it is the function's own; `account` is a linked source account.
    """

    region: str | None = Field(default=None, pattern=r"^[a-z]{2}(?:-[a-z]+)+-\d$")
    account: str | None = Field(default=None, pattern=r"^\d{12}$")


class DatadogSource(Value):
    """A Datadog organisation; the secrets hold an API key and an application key.

    The application key should be scoped to `timeseries_query` and `events_read`. `base_url`
    replaces the address that `site` gives.
    """

    site: str = Field(default="datadoghq.com", pattern=r"^[a-z0-9-]+(?:\.[a-z0-9-]+)+$")
    base_url: Address | None = None
    api_key: SecretName
    app_key: SecretName

    @property
    def url(self) -> str:
        """Where its API is."""
        return self.base_url or f"https://api.{self.site}"


class PagerDutySource(Value):
    """A PagerDuty account; the secret holds a read-only REST API key.

    `services` maps our services to PagerDuty's ids, to know of their change events.
    """

    base_url: Address = "https://api.pagerduty.com"
    secret: SecretName
    services: dict[str, Annotated[str, Field(pattern=r"^[A-Z0-9]{5,20}$")]] = Field(
        default_factory=dict
    )


class MetricSources(Value):
    """The sources that are configured; what is missing cannot be asked."""

    prometheus: PrometheusSource | None = None
    cloudwatch: CloudWatchSource | None = None
    datadog: DatadogSource | None = None
    pagerduty: PagerDutySource | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of their secrets, sorted; all of them can only look."""
        names = (
            self.prometheus and self.prometheus.secret,
            self.datadog and self.datadog.api_key,
            self.datadog and self.datadog.app_key,
            self.pagerduty and self.pagerduty.secret,
        )
        return tuple(sorted({name for name in names if name}))
