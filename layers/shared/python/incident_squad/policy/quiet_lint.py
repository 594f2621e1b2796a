"""Lint of maintenance windows and silences: what is over, what is too wide, what lasts too long."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.quiet import MaintenanceWindow, Quiet, Silence
from incident_squad.policy.runbook_lint import LintProblem

LONGEST_WINDOW = timedelta(days=7)
LONGEST_SILENCE = timedelta(days=30)


def lint_quiet(catalog: Catalog, now: datetime) -> list[LintProblem]:
    """All problems of what is meant to be quiet; none of them is worth stopping for."""
    windows = [_of_window(name, window, now) for name, window in catalog.maintenance.items()]
    silences = [_of_silence(name, silence, now) for name, silence in catalog.silences.items()]
    return [problem for found in (*windows, *silences) for problem in found]


def _of_window(name: str, window: MaintenanceWindow, now: datetime) -> Iterator[LintProblem]:
    where = f"catalog.yaml: maintenance.{name}"
    if window.end is not None and window.end <= now:
        yield _warning(where, "it is over: take it out")
    if window.start and window.end and window.end - window.start > LONGEST_WINDOW:
        yield _warning(where, "it is open for more than a week: is that meant?")
    if not window.services and _everything(window):
        yield _warning(where, "its matchers match every alert: name services")


def _of_silence(name: str, silence: Silence, now: datetime) -> Iterator[LintProblem]:
    where = f"catalog.yaml: silences.{name}"
    if silence.expires <= now:
        yield _warning(where, "it has expired: take it out")
    if silence.expires - now > LONGEST_SILENCE:
        yield _warning(where, "it holds for more than a month: mend the alert instead")
    if _everything(silence):
        yield _warning(where, "its matchers match every alert: say which ones")


def _everything(quiet: Quiet) -> bool:
    return all(not glob.strip("*") for glob in quiet.matchers.values())


def _warning(where: str, message: str) -> LintProblem:
    return LintProblem(severity="warning", where=where, message=message)
