"""A runbook's limits as an operator has set them for one service, in the fields of its targets."""

from collections.abc import Sequence

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.runbook import Check, Condition, Expect, Probe, Runbook, Step


def fitted(runbook: Runbook, catalog: Catalog, service: str | None) -> Runbook:
    """The same runbook, with the operator's limits where there are any; its digest stays."""
    limits = _Limits(catalog, service)
    return runbook.model_copy(
        update={
            "checks": tuple(limits.of_check(check) for check in runbook.checks),
            "steps": tuple(limits.of_step(step) for step in runbook.steps),
            "recovery": tuple(limits.of_condition(condition) for condition in runbook.recovery),
        }
    )


class _Limits:
    def __init__(self, catalog: Catalog, service: str | None) -> None:
        self._catalog, self._service = catalog, service

    def of_check(self, check: Check) -> Check:
        supports = self._set(check.supports, check.probes)
        if supports is check.supports:
            return check
        means = _with_limit(check.means, supports)
        return check.model_copy(update={"supports": supports, "means": means})

    def of_step(self, step: Step) -> Step:
        own = {"precheck": step.precheck, "verify": step.verify}
        found = {name: self.of_condition(one) for name, one in own.items() if one is not None}
        return step.model_copy(update=found) if found else step

    def of_condition(self, condition: Condition) -> Condition:
        expect = self._set(condition.expect, (condition.probe,))
        if expect is condition.expect:
            return condition
        title = _with_limit(condition.title, expect)
        return condition.model_copy(update={"expect": expect, "title": title})

    def _set(self, expect: Expect, probes: Sequence[Probe]) -> Expect:
        if expect.field is None:
            return expect
        for role in (getattr(probe, "target", None) for probe in probes):
            target = self._catalog.target_of(self._service, role) if role else None
            value = self._catalog.targets[target].fields.get(expect.field) if target else None
            if isinstance(value, int | float):
                return expect.model_copy(update={"value": value})
        return expect


def _with_limit(text: str, expect: Expect) -> str:
    """The text says the usual limit: what counts here is said behind it."""
    stop = "." if text.endswith(".") else ""
    return f"{text.removesuffix('.')} (the limit set here: {expect.value}){stop}"
