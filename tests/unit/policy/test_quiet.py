"""Maintenance windows and silences: what the operator does not want to hear of, and only that."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from incident_squad.domain.outcome import Cause
from incident_squad.domain.quiet import MaintenanceWindow, Silence, Weekly
from incident_squad.domain.values import Severity
from incident_squad.policy.quiet import quieted
from incident_squad.policy.quiet_lint import lint_quiet
from tests.builders import NOW, a_catalog, a_triage, an_alert, later

SUNDAY = datetime(2026, 11, 22, tzinfo=UTC)
ONCE = {"start": "2026-11-22T11:00:00Z", "end": "2026-11-22T13:00:00Z"}


def asked(alert: dict[str, Any] | None = None, sev: str = "SEV2", **catalog: Any) -> Cause | None:
    found = quieted(
        an_alert(**(alert or {})),
        a_triage(severity=Severity(sev)),
        a_catalog(**catalog),
        NOW,
    )
    return found[0] if found else None


def window(**fields: Any) -> dict[str, Any]:
    return {"patching": {"services": ["orders"], "reason": "patching", **ONCE, **fields}}


def silence(**fields: Any) -> dict[str, Any]:
    known = {"matchers": {"title": "*pool*"}, "reason": "known", "expires": later(hours=1)}
    return {"noisy": {**known, **fields}}


def test_a_window_quietens_its_service_while_it_is_open() -> None:
    assert asked(maintenance=window()) is Cause.MAINTENANCE
    assert asked(maintenance=window(end="2026-11-22T11:30:00Z")) is None
    assert asked(maintenance=window(services=[], matchers={"service": "search"})) is None
    assert asked(maintenance=window(matchers={"team": "data"})) is None
    assert asked({"labels": {"Team": "Data-1"}}, maintenance=window(matchers={"team": "data*"}))


def test_a_sev1_passes_where_it_may() -> None:
    assert asked(sev="SEV1", maintenance=window()) is Cause.MAINTENANCE
    assert asked(sev="SEV1", maintenance=window(sev1_passes=True)) is None
    assert asked(sev="SEV2", maintenance=window(sev1_passes=True)) is Cause.MAINTENANCE
    assert asked(sev="SEV1", silences=silence(sev1_passes=True)) is None


def test_a_silence_holds_until_it_expires() -> None:
    assert asked(silences=silence()) is Cause.SILENCED
    assert asked(silences=silence(expires=NOW)) is None
    assert asked({"title": "Disk full"}, silences=silence()) is None
    everything = silence(matchers={"title": "*pool*", "environment": "staging"})
    assert asked(silences=everything) is None


def test_a_label_cannot_pretend_to_be_what_the_squad_knows_itself() -> None:
    forged = {"labels": {"service": "search", "source": "generic"}}
    assert asked(forged, silences=silence(matchers={"service": "search"})) is None


@pytest.mark.parametrize(
    ("start", "end", "hour", "open_"),
    [
        ("10:00", "14:00", 12, True),
        ("10:00", "12:00", 12, False),
        ("12:00", "12:00", 12, True),
        ("22:00", "02:00", 23, True),
        ("22:00", "02:00", 12, False),
    ],
)
def test_a_weekly_window_is_open_in_its_hours(start: str, end: str, hour: int, open_: bool) -> None:
    weekly = Weekly(days=("sunday",), start=start, end=end)
    assert weekly.covers(SUNDAY.replace(hour=hour)) is open_
    assert not weekly.covers(SUNDAY.replace(day=25, hour=hour))


def test_a_window_over_midnight_goes_on_in_the_morning() -> None:
    weekly = Weekly(days=("saturday",), start="22:00", end="02:00")
    assert weekly.covers(SUNDAY.replace(hour=1, minute=59))
    assert not weekly.covers(SUNDAY.replace(hour=2))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"services": ["a"]},
        {**ONCE},
        {**ONCE, "services": ["a"], "end": None},
        {"services": ["a"], "start": ONCE["end"], "end": ONCE["start"]},
        {
            **ONCE,
            "services": ["a"],
            "weekly": {"days": ["sunday"], "start": "10:00", "end": "11:00"},
        },
        {"services": ["a"], "weekly": {"days": [], "start": "10:00", "end": "11:00"}},
        {"services": ["a"], "weekly": {"days": ["sunday"], "start": "25:00", "end": "11:00"}},
    ],
)
def test_a_window_that_means_nothing_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MaintenanceWindow.model_validate({"reason": "r", **fields})


def test_a_silence_never_matches_everything_by_having_no_matcher() -> None:
    with pytest.raises(ValidationError):
        Silence.model_validate({"matchers": {}, "reason": "r", "expires": NOW})


def test_a_window_of_an_unknown_service_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="not a service"):
        a_catalog(maintenance=window(services=["ordres"]))


@given(st.text(max_size=50), st.text(min_size=1, max_size=50))
def test_no_pattern_and_no_text_breaks_it(title: str, glob: str) -> None:
    asked({"title": title}, silences=silence(matchers={"title": glob}))


def test_lint_says_what_is_over_too_long_or_too_wide() -> None:
    catalog = a_catalog(
        maintenance={
            "sound": window()["patching"],
            "over": window(end="2026-11-22T11:30:00Z")["patching"],
            "long": window(end="2026-12-22T11:30:00Z")["patching"],
            "wide": window(services=[], matchers={"title": "*"})["patching"],
        },
        silences={
            "sound": silence()["noisy"],
            "expired": silence(expires=NOW)["noisy"],
            "long": silence(expires=later(days=60))["noisy"],
            "wide": silence(matchers={"title": "**"})["noisy"],
        },
    )
    found = [problem.where.rpartition(" ")[2] for problem in lint_quiet(catalog, NOW)]
    assert sorted(found) == [
        "maintenance.long",
        "maintenance.over",
        "maintenance.wide",
        "silences.expired",
        "silences.long",
        "silences.wide",
    ]
