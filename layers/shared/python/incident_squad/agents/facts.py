"""One table of facts about an incident: all that any update may say, and nothing else."""

from collections.abc import Mapping

from incident_squad.agents.action_items import action_items
from incident_squad.agents.history import (
    Line,
    alert_text,
    explanation,
    first_sentence,
    history,
    one_line,
)
from incident_squad.domain.catalog import Catalog, Service
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.plan import Applier, StepStatus
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.triage import Impact
from incident_squad.domain.values import IncidentType, Moment, Severity, Value
from incident_squad.policy.leak_gate import redact
from incident_squad.policy.notification import concerns_customers, impact_in_words
from incident_squad.policy.public_words import Topic, topic_of, topics_in

_TELLING = frozenset(
    [
        "host",
        "hostname",
        "instance",
        "pod",
        "node",
        "container",
        "namespace",
        "cluster",
        "db",
        "database",
        "service",
        "resource",
        "job",
        "user",
        "username",
        "account",
        "email",
        "ip",
        "queue",
        "app",
        "deployment",
        "monitor",
        "target",
        "dbinstanceidentifier",
    ]
)


_NOT_KNOWN = {"en": "not known yet", "fr": "pas encore connu"}


class PublicFacts(Value):
    """What customers may know. Every word comes from the catalogue, a runbook or our vocabulary."""

    name: str | None
    uses: str | None = None
    unable: str | None = None
    impact: str | None = None
    looking_into: str | None = None
    cause: str | None = None
    fix: str | None = None
    percent: float | None = None
    percent_of: str = "requests"
    concerned: bool = True
    security: bool = False
    data_accessed: bool = False


class Facts(Value):
    """The table. `public` is for customers, everything else for colleagues.

    `language` is the customers'.

    `private` lists names that only this incident knows, for the leak gate.
    """

    incident_id: str
    title: str
    source: str
    language: str
    colleagues_language: str = "en"
    executives_language: str = "en"
    status: IncidentStatus
    severity: Severity | None
    type: IncidentType | None
    service: str
    impact: str
    started_at: Moment
    opened_at: Moment
    resolved_at: Moment | None
    every_minutes: int
    alert: str
    root_cause: str | None
    conclusive: bool
    confidence: float
    applier: Applier | None
    risk: str
    plan: tuple[str, ...]
    applied: tuple[str, ...]
    action_items: tuple[str, ...]
    hand_over_reason: str | None
    history: tuple[Line, ...]
    public: PublicFacts
    private: tuple[str, ...]

    @property
    def security(self) -> bool:
        """Whether the security team and perhaps regulators are concerned."""
        return self.public.security


def facts_of(record: IncidentRecord, catalog: Catalog, runbooks: Mapping[str, Runbook]) -> Facts:
    """Fill the table from what is stored."""
    incident, triage, diagnosis = record.incident, record.incident.triage, record.diagnosis
    plan = record.plan
    severity = incident.severity or (triage.severity if triage else None)
    alert = record.alert
    return Facts(
        incident_id=incident.id,
        title=first_sentence(redact(incident.title, catalog), 120),
        source=_source(incident.source),
        language=catalog.policies.language_of("customers"),
        colleagues_language=catalog.policies.language_of("colleagues"),
        executives_language=catalog.policies.language_of("executives"),
        status=incident.status,
        severity=severity,
        type=incident.type or (triage.type if triage else None),
        service=incident.service or (alert.service if alert else None) or "unknown service",
        impact=impact_in_words(triage, catalog.policies.language_of("colleagues"))
        if triage
        else _NOT_KNOWN[catalog.policies.language_of("colleagues")],
        started_at=(alert.started_at if alert else None) or incident.opened_at,
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        every_minutes=catalog.policies.update_every_minutes.get(severity or Severity.SEV2, 30),
        alert=redact(alert_text(alert, incident.title), catalog),
        root_cause=explanation(diagnosis.root_cause) if diagnosis else None,
        conclusive=diagnosis.conclusive if diagnosis else False,
        confidence=diagnosis.confidence if diagnosis else 0.0,
        applier=plan.applier if plan else None,
        risk=plan.risk.value if plan else "none",
        plan=tuple(step.title for step in (*plan.to_run(), *plan.tasks())) if plan else (),
        applied=_applied(record),
        action_items=action_items(record, catalog.policies.language_of("executives")),
        hand_over_reason=incident.hand_over_reason,
        history=history(record),
        public=_public(record, catalog, runbooks),
        private=_private(record, runbooks),
    )


def _public(
    record: IncidentRecord, catalog: Catalog, runbooks: Mapping[str, Runbook]
) -> PublicFacts:
    triage, language = record.incident.triage, catalog.policies.language_of("customers")
    service, topic = _service(record, catalog)
    noise = bool(triage and (triage.noise or triage.impact.noise))
    words = None if noise else runbooks.get(record.runbook_id or "")
    customer = words.customer if words else None
    sure = bool(record.diagnosis and record.diagnosis.conclusive)
    impact = triage.impact if triage else Impact()
    return PublicFacts(
        name=_public_name(service, topic, language),
        uses=_uses(service, topic, language),
        unable=_unable(impact, language),
        impact=customer.impact.get(language) if customer else None,
        looking_into=customer.looking_into.get(language) if customer else None,
        cause=customer.cause.get(language) if customer and sure else None,
        fix=customer.fix.get(language) if customer and _being_fixed(record) else None,
        percent=impact.affected_percent,
        percent_of=_counted(impact.affected_what),
        concerned=concerns_customers(triage, catalog),
        security=not noise and bool(triage and triage.type is IncidentType.SECURITY),
        data_accessed=impact.data_accessed,
    )


def _service(record: IncidentRecord, catalog: Catalog) -> tuple[Service | None, Topic | None]:
    known = catalog.services.get(record.incident.service or "")
    if known is not None or record.alert is None:
        return known, None
    alert, triage = record.alert, record.incident.triage
    what = triage.impact.affected_what if triage else None
    named = (alert.service or "").replace("-", " ").replace("_", " ")
    return None, topic_of((what, named, alert.title, alert.description))


def _public_name(service: Service | None, topic: Topic | None, language: str) -> str | None:
    names = service.public_name if service else topic.name if topic else {}
    return names.get(language) or names.get("en")


def _uses(service: Service | None, topic: Topic | None, language: str) -> str | None:
    uses = service.customers_use_it_to if service else topic.uses if topic else {}
    return uses.get(language)


_STANDS_STILL = ("revenue stopped:", "outage:", "everybody:")
_OR = {"en": " or ", "fr": " ou "}


def _unable(impact: Impact, language: str) -> str | None:
    """What customers cannot do, as the alert states it, in our own words."""
    said = " ".join(fact for fact in impact.facts if fact.startswith(_STANDS_STILL))
    uses = [topic.uses[language] for topic in topics_in(said.replace("_", " "))[:2]]
    return _OR[language].join(uses) or None


def _counted(what: str | None) -> str:
    """What a percentage counts, as one of a few public words: `users`, `requests`, ..."""
    words = (what or "").lower()
    known = {
        "users": ("user", "utilisateur", "customer", "client", "visit", "subscriber", "people"),
        "payments": ("pay", "paiement", "transaction", "card"),
        "orders": ("order", "commande", "checkout", "cart", "panier"),
        "messages": ("message", "mail", "sms", "notification"),
        "pages": ("page",),
    }
    return next(
        (word for word, signs in known.items() if any(s in words for s in signs)), "requests"
    )


def _being_fixed(record: IncidentRecord) -> bool:
    automatic = record.plan is not None and record.plan.applier is Applier.AUTO
    return automatic or record.incident.status is IncidentStatus.FIXING


def _applied(record: IncidentRecord) -> tuple[str, ...]:
    steps = record.plan.steps if record.plan else ()
    done = (p for p, _ in enumerate(steps) if record.step_status(p) is StepStatus.APPLIED)
    return tuple(steps[place].title for place in done)


def _private(record: IncidentRecord, runbooks: Mapping[str, Runbook]) -> tuple[str, ...]:
    names = [name for name in runbooks if "-" in name or "_" in name]
    names += [record.incident.service or ""]
    for alert in record.alerts:
        names += [alert.service or "", alert.resource or ""]
        names += [value for key, value in alert.labels.items() if key.lower() in _TELLING]
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def _source(name: str) -> str:
    known = {
        "pagerduty": "PagerDuty",
        "datadog": "Datadog",
        "cloudwatch": "CloudWatch",
        "alertmanager": "Alertmanager",
        "generic": "a webhook",
    }
    return known.get(name.lower(), one_line(name, 60))
