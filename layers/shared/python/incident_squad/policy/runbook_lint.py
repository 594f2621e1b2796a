"""Lint of runbooks and catalogue: what their schema cannot say.

An error is something that would fail or hurt in an incident, a warning something that is missing.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from incident_squad.domain.catalog import Catalog, Service, Tier
from incident_squad.domain.runbook import Runbook, StepCondition
from incident_squad.domain.values import IncidentType, Value
from incident_squad.policy.leak_gate import leaks
from incident_squad.policy.runbook_step_rules import probe_errors, step_errors

LANGUAGES = ("en", "fr")
PHRASES = ("impact", "looking_into", "cause", "fix")
GENERAL = "general"
FAILURES: dict[IncidentType | None, tuple[str, ...]] = {
    IncidentType.DATABASE: (
        "db-connection-pool", "db-replication-lag", "db-deadlocks", "db-disk-space",
    ),
    IncidentType.NETWORK: (
        "net-dns-failure", "net-certificate-expiry", "net-load-balancer-errors", "net-latency",
    ),
    IncidentType.APPLICATION: (
        "app-oom-kill", "app-crash-loop", "app-error-rate", "app-deploy-failure",
    ),
    IncidentType.SECURITY: (
        "sec-unauthorized-access", "sec-ddos", "sec-data-exfiltration", "sec-cve-exploitation",
    ),
    None: ("false-alarm", "unclear-failure"),
}  # fmt: skip
"""The failures that every library must cover, by the name of their runbook."""


class LintProblem(Value):
    """One problem. `where` is the file and the place in it; `message` says what to mend."""

    severity: Literal["error", "warning"]
    where: str
    message: str


def lint(runbooks: Mapping[str, Runbook], catalog: Catalog) -> list[LintProblem]:
    """All problems, errors first."""
    found = [
        *_missing(runbooks),
        *(problem for book in runbooks.values() for problem in _of_runbook(book, catalog)),
        *_of_catalog(catalog),
    ]
    return sorted(found, key=lambda problem: (problem.severity, problem.where))


def _error(where: str, message: str) -> LintProblem:
    return LintProblem(severity="error", where=where, message=message)


def _warning(where: str, message: str) -> LintProblem:
    return LintProblem(severity="warning", where=where, message=message)


def _missing(runbooks: Mapping[str, Runbook]) -> Iterator[LintProblem]:
    for kind, names in FAILURES.items():
        for name in names:
            if name not in runbooks:
                yield _error(f"{kind or GENERAL}/{name}.md", "this runbook is missing: write it")
            elif runbooks[name].type is not kind:
                yield _error(runbooks[name].path, f"set its type to {kind or 'null'}")


def _of_runbook(book: Runbook, catalog: Catalog) -> Iterator[LintProblem]:
    place = f"{book.type or GENERAL}/{book.name}.md"
    where = book.path or place
    if where != place:
        yield _error(where, f"its name and type belong to {place}: move it or mend its name")
    yield from (_error(*found) for found in _found(book, where, catalog))
    yield from _of_wording(book, where, catalog)
    yield from _of_whole(book, where)


def _found(book: Runbook, where: str, catalog: Catalog) -> Iterator[tuple[str, str]]:
    for place, step in enumerate(book.steps):
        yield from step_errors(step, f"{where} step {place}", catalog)
    for check in book.checks:
        yield from probe_errors(check.probes, f"{where} check {check.id}", catalog)
    conditions = (condition.probe for condition in book.recovery)
    yield from probe_errors(conditions, f"{where} recovery", catalog)


def _of_whole(book: Runbook, where: str) -> Iterator[LintProblem]:
    automatic = any(s.mutates and s.kind not in {"manual", "note"} for s in book.steps)
    if book.type is None and automatic:
        yield _error(where, "a general runbook only notes: make the changing steps manual")
    now = [step for step in book.steps if step.when is StepCondition.ALWAYS]
    manual = [place for place, step in enumerate(now) if step.kind == "manual"]
    if any(step.mutates and step.kind != "manual" for step in now[min(manual, default=len(now)) :]):
        yield _error(
            where, "a step that changes something stands after a manual one: move it before"
        )
    if book.type is not None and not book.checks:
        yield _error(where, "has no checks, so it could never be confirmed: add one")
    if automatic and not book.recovery:
        yield _error(where, "has no recovery, so nobody would see whether it helped: add one")
    if len({check.id for check in book.checks}) != len(book.checks):
        yield _error(where, "two checks have the same id: rename one")
    signals = book.signals
    if not (signals.says or signals.hints or signals.metrics) and book.name != "unclear-failure":
        yield _warning(where, "has no signals, so triage will not think of it: add phrases")
    if not book.guide:
        yield _warning(where, "has no guide below the front matter: write it for people")


def _of_wording(book: Runbook, where: str, catalog: Catalog) -> Iterator[LintProblem]:
    texts = {
        f"{where} customer.{phrase}.{language}": getattr(book.customer, phrase).get(language, "")
        for phrase in PHRASES
        for language in LANGUAGES
    }
    for place, text in texts.items():
        if not text.strip():
            yield _error(place, "is missing: write it")
        if text.strip().endswith("."):
            yield _error(place, "is a part of a sentence: take the full stop away")
    # The gate takes a while, so it sees them all at once, and one by one only when it objects.
    if leaks("\n".join(texts.values()), catalog):
        for place, text in texts.items():
            for leak in leaks(text, catalog):
                yield _error(place, f"customers must not read '{leak.text}' ({leak.kind})")


def _of_catalog(catalog: Catalog) -> Iterator[LintProblem]:
    used = {name for service in catalog.services.values() for name in service.targets.values()}
    for name, service in catalog.services.items():
        yield from _of_service(service, f"catalog.yaml services.{name}")
    for name, target in catalog.targets.items():
        where = f"catalog.yaml targets.{name}"
        if name not in used:
            yield _warning(where, "no service uses it: give it to one or remove it")
        if target.writer is not None and target.writer == target.reader:
            yield _error(where, "reader and writer are the same secret: their rights must differ")


def _of_service(service: Service, where: str) -> Iterator[LintProblem]:
    public = service.tier not in {Tier.INTERNAL, Tier.NON_PRODUCTION}
    for language in LANGUAGES:
        if not service.public_name.get(language):
            yield _error(where, f"has no public_name.{language}: add it")
        if public and not service.customers_use_it_to.get(language):
            yield _warning(where, f"has no customers_use_it_to.{language}: add it")
    if service.tier is Tier.REVENUE and not service.targets:
        yield _warning(where, "earns money and has no targets, so nothing can be repaired")


class Coverage(Value):
    """Runbooks by type; the roles that each service lacks; roles that no service has.

    A service is said to lack a role only when it has another one that the same runbook needs.
    """

    runbooks: dict[str, tuple[str, ...]]
    lacking: dict[str, tuple[str, ...]]
    unserved: tuple[str, ...]


def coverage(runbooks: Mapping[str, Runbook], catalog: Catalog) -> Coverage:
    """Count what is there, for `squad runbooks check`."""
    by_type: dict[str, tuple[str, ...]] = {}
    for name, book in runbooks.items():
        kind = str(book.type or GENERAL)
        by_type[kind] = (*by_type.get(kind, ()), name)
    needed = [_roles(book) for book in runbooks.values()]
    served = {role for service in catalog.services.values() for role in service.targets}
    lacking = {
        name: _lacks(frozenset(service.targets), needed, served)
        for name, service in catalog.services.items()
    }
    return Coverage(
        runbooks=by_type,
        lacking={name: roles for name, roles in lacking.items() if roles},
        unserved=tuple(sorted(frozenset().union(*needed) - served)),
    )


def _roles(book: Runbook) -> frozenset[str]:
    """The target roles that its steps act on."""
    roles = (getattr(step.action, "target", None) for step in book.steps)
    return frozenset(role for role in roles if role is not None)


def _lacks(own: frozenset[str], needed: list[frozenset[str]], served: set[str]) -> tuple[str, ...]:
    touched = (roles for roles in needed if roles & own)
    return tuple(sorted((frozenset().union(*touched) - own) & served))
