"""Prometheus with the drill's rules, and Alertmanager, which calls the squad's own webhook."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from infra.local.drill.child import Child, fetch
from infra.local.postgres import HOST


@dataclass(frozen=True)
class Scrape:
    """One thing to scrape. `asks_about` is what a blackbox exporter is to look at."""

    job: str
    port: int
    labels: Mapping[str, str]
    path: str = "/metrics"
    asks_about: str | None = None

    def config(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        found: dict[str, Any] = {
            "job_name": self.job,
            "metrics_path": self.path,
            "static_configs": [{"targets": [f"{HOST}:{self.port}"], "labels": dict(self.labels)}],
        }
        if self.asks_about is not None:
            found["params"] = {"target": [self.asks_about], "module": ["tls"]}
        return found


@dataclass(frozen=True)
class Rule:
    """An alerting rule. `labels` come on top of those of the series."""

    alert: str
    expr: str
    summary: str
    description: str
    labels: Mapping[str, str]
    holds: str = "0s"

    def config(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {
            "alert": self.alert,
            "expr": self.expr,
            "for": self.holds,
            "labels": dict(self.labels),
            "annotations": {"summary": self.summary, "description": self.description},
        }


class Alertmanager(Child):
    """Groups alerts and sends them to the squad, resolved ones too."""

    program = "prometheus-alertmanager"
    package = "prometheus-alertmanager"

    def __init__(self, webhook: str, secret: str, group_by: Sequence[str]) -> None:
        super().__init__()
        self._webhook, self._secret, self._group_by = webhook, secret, list(group_by)

    def prepare(self) -> None:
        """One receiver: the squad."""
        hook = {
            "url": self._webhook,
            "send_resolved": True,
            "http_config": {"authorization": {"type": "Bearer", "credentials": self._secret}},
        }
        config = {
            "route": {
                "receiver": "squad",
                "group_by": self._group_by,
                "group_wait": "200ms",
                "group_interval": "1s",
                "repeat_interval": "1h",
            },
            "receivers": [{"name": "squad", "webhook_configs": [hook]}],
        }
        (self.folder / "alertmanager.yml").write_text(yaml.safe_dump(config))

    def arguments(self) -> Sequence[str]:
        """Alone: it joins no cluster."""
        return [
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address={HOST}:{self.port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]

    def firing(self) -> list[str]:
        """The names of the alerts that fire just now."""
        alerts = json.loads(fetch(f"{self.url}/api/v2/alerts?active=true"))
        return sorted(alert["labels"]["alertname"] for alert in alerts)

    def refused(self) -> int:
        """How many of its messages were not taken: no answer, or another one than 2xx."""
        name = 'alertmanager_notification_requests_failed_total{integration="webhook"}'
        lines = fetch(f"{self.url}/metrics").splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith(name))


class Prometheus(Child):
    """Scrapes and evaluates every second, so that a drill takes seconds."""

    program = "prometheus"
    package = "prometheus"

    def __init__(
        self,
        port: int,
        alertmanager: Alertmanager,
        scrapes: Sequence[Scrape],
        rules: Sequence[Rule],
    ) -> None:
        super().__init__()
        self.port = port
        self._alertmanager, self._scrapes, self._rules = alertmanager, scrapes, rules

    def prepare(self) -> None:
        """What to scrape, when to alert, whom to tell."""
        manager = {"static_configs": [{"targets": [f"{HOST}:{self._alertmanager.port}"]}]}
        config = {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "1s",
            },
            "rule_files": [str(self.folder / "rules.yml")],
            "alerting": {"alertmanagers": [manager]},
            "scrape_configs": [scrape.config() for scrape in self._scrapes],
        }
        rules = {"groups": [{"name": "drill", "rules": [rule.config() for rule in self._rules]}]}
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        (self.folder / "rules.yml").write_text(yaml.safe_dump(rules))

    def arguments(self) -> Sequence[str]:
        """Everything in its own folder."""
        return [
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={HOST}:{self.port}",
            "--log.level=warn",
        ]
