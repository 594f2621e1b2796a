"""What Prometheus scrapes on the estate, and when it alerts."""

from infra.local.drill.alerting import Rule, Scrape
from infra.local.drill.estate import Estate
from infra.local.postgres import DATABASE


def scrapes(estate: Estate) -> list[Scrape]:
    """One job for each exporter and service."""
    ours = {"service": estate.layout.service}
    theirs = {"service": estate.layout.tls_service}
    databases = [
        Scrape(
            f"postgres-{role}",
            exporter.port,
            {"role": role, "cluster": "drill-db", "datname": DATABASE, **ours},
        )
        for role, exporter in estate.exporters.items()
    ]
    payments = Scrape("payments", int(estate.payments.url.rpartition(":")[2]), ours)
    tls = Scrape(
        "blackbox",
        estate.blackbox.port,
        {"instance": estate.tls.url, **theirs},
        "/probe",
        estate.tls.url,
    )
    return [*databases, payments, tls]


def rules(estate: Estate) -> list[Rule]:
    """One rule for each fault, with thresholds that a drill reaches in seconds."""
    ours = {"service": estate.layout.service, "severity": "critical", "env": "drill"}
    warning = {**ours, "severity": "warning"}
    theirs = {**warning, "service": estate.layout.tls_service}
    failed = 'sum(rate(payment_api_requests_total{code=~"5.."}[5s]))'
    return [
        Rule(
            "PostgresConnectionPoolExhausted",
            'sum by (instance, cluster) (pg_stat_activity_count{role="primary"})'
            ' / on (instance, cluster) pg_settings_max_connections{role="primary"} > 0.8',
            "The connection pool is exhausted",
            "{{ $value | humanizePercentage }} of max_connections are in use; "
            "the application cannot get connections.",
            ours,
        ),
        Rule(
            "HighErrorRate",
            f"{failed} / sum(rate(payment_api_requests_total[5s])) > 0.1",
            "Requests are failing",
            "{{ $value | humanizePercentage }} of the requests failed with 5xx.",
            ours,
        ),
        Rule(
            "PostgresReplicationLag",
            'pg_replay_lag_seconds{role="replica"} > 2',
            "A replica is behind its primary",
            "Replication lag of {{ $value | humanizeDuration }}: reads are out of date.",
            warning,
        ),
        Rule(
            "PostgresLockQueue",
            'pg_lock_queue_waiting{role="primary"} > 1',
            "Queries are blocked by a lock",
            "{{ $value }} sessions wait for a lock (deadlock or lock queue).",
            ours,
            holds="2s",
        ),
        Rule(
            "TLSCertificateExpiringSoon",
            "(probe_ssl_earliest_cert_expiry - time()) / 86400 < 7",
            "The TLS certificate expires soon",
            "The certificate that is served expires in {{ $value | humanize }} days.",
            theirs,
        ),
    ]
