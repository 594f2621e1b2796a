"""What each source's payloads mean."""

import json
from datetime import UTC, datetime

import pytest

from incident_squad.domain.alert import Alert, AlertStatus, Source
from incident_squad.domain.errors import InvalidAlert
from incident_squad.domain.values import Environment
from incident_squad.intake import alertmanager, cloudwatch, datadog, generic, pagerduty
from incident_squad.intake.recognise import MAX_ALERTS, normalise, recognise
from tests.unit.intake.samples import NOW, names, sample


def only(name: str) -> Alert:
    (alert,) = normalise(sample(name), {}, NOW)
    return alert


@pytest.mark.parametrize("name", names())
def test_a_sample_is_recognised_by_its_body_alone(name: str) -> None:
    assert recognise({}, sample(name)) == name.split("/", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("headers", "source"),
    [
        ({"X-PagerDuty-Signature": "v1=00"}, Source.PAGERDUTY),
        ({"User-Agent": "PagerDuty-Webhook/V3.0"}, Source.PAGERDUTY),
        ({"x-amz-sns-message-type": "Notification"}, Source.CLOUDWATCH),
        ({"User-Agent": "Alertmanager/0.28.1"}, Source.ALERTMANAGER),
        ({"user-agent": "Datadog/Webhooks"}, Source.DATADOG),
        ({"user-agent": "curl/8"}, Source.GENERIC),
    ],
)
def test_headers_say_who_sends(headers: dict[str, str], source: Source) -> None:
    assert recognise(headers, {"alert": "x"}) is source


def test_alertmanager_groups_give_one_alert_each_with_its_own_state() -> None:
    firing, resolved = normalise(sample("alertmanager/grouped-firing-and-resolved"), {}, NOW)

    assert (firing.status, resolved.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert firing.key == "alertmanager:df03b3b94232a115"
    assert firing.ended_at is None
    assert resolved.ended_at == datetime(2026, 11, 23, 0, 44, 43, 968000, tzinfo=UTC)
    assert firing.service == "payment-api"
    assert firing.labels["alertname"] == "PaymentApiHighErrorRate"
    assert firing.labels["expression"].startswith("sum by (job, service)")
    assert firing.environment is None


def test_alertmanager_keys_do_not_depend_on_who_sent_the_alert() -> None:
    payload = sample("alertmanager/pool-01-firing-PostgresConnectionPoolExhausted")
    moved = {**payload, "externalURL": "http://other:9093", "receiver": "b", "groupKey": "{}"}
    assert alertmanager.normalise(payload, NOW)[0].key == alertmanager.normalise(moved, NOW)[0].key
    del payload["alerts"][0]["fingerprint"]
    assert len(alertmanager.normalise(payload, NOW)[0].key) == len("alertmanager:") + 32


def test_a_scraped_exporter_is_not_the_failing_service() -> None:
    marks = {"alertname": "Lag", "job": "mysqld-exporter", "instance": "mysql-3:9104"}
    (alert,) = alertmanager.normalise({"alerts": [{"labels": marks}]}, NOW)
    assert (alert.service, alert.resource) == (None, "mysql-3:9104")


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("incident-triggered", AlertStatus.FIRING),
        ("incident-acknowledged", AlertStatus.INFORMATION),
        ("incident-annotated", AlertStatus.INFORMATION),
        ("incident-resolved", AlertStatus.RESOLVED),
    ],
)
def test_pagerduty_events_about_one_incident_share_its_key(event: str, status: AlertStatus) -> None:
    alert = only(f"pagerduty/{event}")
    assert (alert.key, alert.status) == ("pagerduty:Q2WERTY01INCID", status)


def test_pagerduty_tells_service_priority_and_times() -> None:
    alert = only("pagerduty/incident-resolved")
    assert (alert.service, alert.severity_hint) == ("orders-api", "P2")
    assert alert.labels["event_id"] == "01EVENTRESOLVED00000000003"
    assert alert.started_at == datetime(2026, 11, 23, 9, 15, 2, tzinfo=UTC)
    assert alert.ended_at == datetime(2026, 11, 23, 9, 31, 12, tzinfo=UTC)


def test_a_reopened_pagerduty_incident_starts_when_it_was_reopened() -> None:
    payload = sample("pagerduty/incident-triggered")
    payload["event"] |= {"event_type": "incident.reopened", "occurred_at": "2026-11-23T11:00:00Z"}
    (alert,) = pagerduty.normalise(payload, NOW)
    assert alert.status is AlertStatus.FIRING
    assert alert.started_at == datetime(2026, 11, 23, 11, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["pagey.ping", "service.updated", "something.new"])
def test_pagerduty_events_without_an_incident_carry_no_alert(kind: str) -> None:
    payload = {"event": {"id": "1", "event_type": kind, "data": {"id": "P1", "type": "service"}}}
    assert pagerduty.normalise(payload, NOW) == []


def test_a_pagerduty_incident_event_without_id_is_no_alert() -> None:
    with pytest.raises(InvalidAlert, match=r"data\.id"):
        pagerduty.normalise({"event": {"event_type": "incident.triggered"}}, NOW)


def test_the_shipped_datadog_template_is_understood_fully() -> None:
    alert = only("datadog/shipped-template-triggered")
    assert alert.key == "datadog:5417209361185500881"
    assert (alert.service, alert.resource) == ("search", "search-7")
    assert alert.environment is Environment.PRODUCTION
    assert (alert.severity_hint, alert.metric) == ("P2", "search.query.latency")
    assert alert.labels["team"] == "discovery"
    assert alert.labels["tags"] == "canary"
    assert alert.started_at == datetime(2026, 11, 23, 9, 40, tzinfo=UTC)


@pytest.mark.parametrize("template", ["shipped", "default"])
def test_a_datadog_recovery_has_the_key_of_its_alert(template: str) -> None:
    triggered = only(f"datadog/{template}-template-triggered")
    recovered = only(f"datadog/{template}-template-recovered")
    assert triggered.key == recovered.key
    assert (triggered.status, recovered.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)


@pytest.mark.parametrize(
    ("transition", "status"),
    [
        ("Triggered", AlertStatus.FIRING),
        ("Re-Triggered", AlertStatus.FIRING),
        ("Warn", AlertStatus.FIRING),
        ("Renotify", AlertStatus.FIRING),
        ("Recovered", AlertStatus.RESOLVED),
        ("Warn Recovered", AlertStatus.RESOLVED),
        ("No Data", AlertStatus.NO_DATA),
        ("Re-No Data", AlertStatus.NO_DATA),
        ("No Data Recovered", AlertStatus.RESOLVED),
    ],
)
def test_datadog_transitions_have_meanings(transition: str, status: AlertStatus) -> None:
    (alert,) = datadog.normalise({"title": "t", "alert_transition": transition}, NOW)
    assert alert.status is status


def test_a_datadog_message_without_fields_is_read_from_its_text() -> None:
    alert = only("datadog/default-template-triggered")
    assert alert.title == "Mail queue grows"
    assert (alert.service, alert.resource) == ("mailer", "mail-2")
    assert alert.metric == "mailer.queue.age"
    assert "Monitor Status" not in alert.description


def test_datadog_templates_may_nest_and_use_other_names() -> None:
    payload = {
        "alert": {"title": "Slow", "transition": "Recovered", "id": "7", "cycleKey": "c1"},
        "text": "$TEXT_ONLY_MSG",
    }
    (alert,) = normalise(payload, {}, NOW)
    assert (alert.source, alert.key) == (Source.DATADOG, "datadog:c1")
    assert (alert.status, alert.description) == (AlertStatus.RESOLVED, "")


def test_an_alarm_is_the_same_over_sns_eventbridge_and_a_function_action() -> None:
    bridged, direct = (
        only("cloudwatch/eventbridge-alarm"),
        only("cloudwatch/function-alarm-action"),
    )
    assert bridged == direct
    assert bridged.key.startswith("cloudwatch:arn:aws:cloudwatch:eu-west-3:")
    assert bridged.labels["threshold"] == "600.0"
    assert only("cloudwatch/sns-alarm").key == only("cloudwatch/sns-ok").key
    assert only("cloudwatch/sns-ok").status is AlertStatus.RESOLVED


def test_an_sns_alarm_tells_namespace_metric_and_dimensions() -> None:
    alert = only("cloudwatch/sns-alarm")
    assert (alert.metric, alert.resource) == ("CPUUtilization", "orders-primary")
    assert alert.labels["namespace"] == "AWS/RDS"
    assert alert.labels["DBInstanceIdentifier"] == "orders-primary"
    assert "datapoints [97.2" in alert.description
    assert alert.environment is Environment.PRODUCTION


def test_metric_math_alarms_tell_their_expression() -> None:
    alert = only("cloudwatch/sns-metric-math")
    assert (alert.service, alert.metric) == ("checkout", "5XXError")
    assert alert.labels["expression"] == "100*errors/requests"


def test_missing_data_matters_only_to_those_who_asked_for_it() -> None:
    assert only("cloudwatch/eventbridge-insufficient-data").status is AlertStatus.INFORMATION
    payload = sample("cloudwatch/sns-alarm")
    payload["Message"] = payload["Message"].replace('"ALARM"', '"INSUFFICIENT_DATA"')
    assert cloudwatch.normalise(payload, NOW)[0].status is AlertStatus.NO_DATA


def test_an_event_of_eventbridge_may_come_by_sns() -> None:
    event = sample("cloudwatch/eventbridge-guardduty")
    wrapped = {**sample("cloudwatch/sns-text"), "Message": json.dumps(event)}
    assert cloudwatch.normalise(wrapped, NOW) == cloudwatch.normalise(event, NOW)


def test_a_text_over_sns_is_an_alert_too() -> None:
    alert = only("cloudwatch/sns-text")
    assert alert.title == "Invoice export failed"
    assert alert.links == ("https://wiki.example.test/export",)


def test_subscription_confirmations_carry_no_alert() -> None:
    assert normalise(sample("cloudwatch/sns-subscription-confirmation"), {}, NOW) == []


def test_guardduty_findings_keep_type_account_and_origin() -> None:
    alert = only("cloudwatch/eventbridge-guardduty")
    assert alert.labels["finding_type"] == "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B"
    assert alert.labels["ipAddressV4"] == "203.0.113.9"
    assert (alert.severity_hint, alert.resource) == ("8", "ops-readonly")


def test_health_events_speak_of_issues_or_only_inform() -> None:
    payload = sample("cloudwatch/eventbridge-health")
    alert = cloudwatch.normalise(payload, NOW)[0]
    assert (alert.status, alert.resource) == (AlertStatus.FIRING, "orders-primary")
    assert alert.started_at == datetime(2026, 11, 23, 8, 50, tzinfo=UTC)
    payload["detail"]["eventTypeCategory"] = "scheduledChange"
    assert cloudwatch.normalise(payload, NOW)[0].status is AlertStatus.INFORMATION
    payload["detail"]["statusCode"] = "closed"
    assert cloudwatch.normalise(payload, NOW)[0].status is AlertStatus.RESOLVED


def test_security_hub_findings_are_alerts_each_with_its_state() -> None:
    active, done = normalise(sample("cloudwatch/eventbridge-security-hub"), {}, NOW)
    assert (active.status, done.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert (active.severity_hint, active.key == done.key) == ("CRITICAL", False)


def test_any_event_of_eventbridge_is_understood_as_far_as_it_goes() -> None:
    alert = only("cloudwatch/eventbridge-task-stopped")
    assert alert.service == "checkout"
    assert alert.labels["reason"].startswith("OutOfMemoryError")


def test_a_text_is_enough() -> None:
    alert = only("generic/text-only")
    assert alert.title == "Checkout answers slowly since 14:05; 8% of the customers see timeouts."
    assert alert.service == "checkout"
    assert alert.started_at == datetime(2026, 11, 23, 9, 55, tzinfo=UTC)
    assert alert.key == only("generic/text-only").key


def test_generic_fields_are_taken_as_given() -> None:
    alert = only("generic/all-fields")
    assert alert.key == "generic:orders-replica-lag" == only("generic/all-fields-resolved").key
    assert (alert.environment, alert.severity_hint) == (Environment.STAGING, "warning")
    assert alert.labels == {"team": "orders"}


def test_the_events_api_of_pagerduty_is_read_as_generic() -> None:
    alert = only("generic/events-api")
    assert (alert.title, alert.key) == ("Backup 17 failed", "generic:backup-17")
    assert (alert.service, alert.resource) == ("backup", "backup-host-2")
    assert generic.normalise({**sample("generic/events-api"), "event_action": "resolve"}, NOW)[
        0
    ].status is (AlertStatus.RESOLVED)


@pytest.mark.parametrize("payload", [None, [], "text", 7, {}, {"alert": ""}, {"alert": []}])
def test_what_says_nothing_is_refused_with_a_sentence(payload: object) -> None:
    with pytest.raises(InvalidAlert, match=r"^[a-z].{10,}"):
        normalise(payload, {}, NOW)


def test_too_many_alerts_in_one_message_are_refused() -> None:
    payload = {"alerts": [{"labels": {"alertname": "A"}}] * (MAX_ALERTS + 1)}
    with pytest.raises(InvalidAlert, match="at most"):
        normalise(payload, {}, NOW)
