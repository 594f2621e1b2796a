"""Whatever JSON arrives, the doors answer with alerts or with InvalidAlert."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.errors import InvalidAlert
from incident_squad.intake import fields
from incident_squad.intake.recognise import normalise
from tests.unit.intake.samples import NOW, names, sample

SAMPLES = {name: sample(name) for name in names()}
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=40)
    | st.sampled_from(["2026-99-99", "9" * 16, "\ud800", "x" * 30_000, 10**400, "%%%", "a:b:c,,"])
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)


def alerts_or_refusal(payload: object, source: Source | None = None) -> list[Alert]:
    try:
        found = normalise(payload, {}, NOW, source)
    except InvalidAlert:
        return []
    for alert in found:
        alert.model_dump_json().encode()
    return found


@settings(max_examples=150, deadline=None)
@given(payload=anything, source=st.sampled_from([None, *Source]))
def test_any_json_is_an_alert_or_refused(payload: object, source: Source | None) -> None:
    alerts_or_refusal(payload, source)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A real payload in which one value somewhere is something else."""
    payload = copy.deepcopy(SAMPLES[draw(st.sampled_from(sorted(SAMPLES)))])
    place: Any = payload
    for _ in range(draw(st.integers(0, 6))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        inner = [key for key in keys if isinstance(place[key], dict | list) and place[key]]
        if not inner:
            break
        place = place[draw(st.sampled_from(inner))]
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    place[draw(st.sampled_from(keys))] = draw(anything)
    return payload


@settings(max_examples=300, deadline=None)
@given(payload=damaged())
def test_a_damaged_payload_is_an_alert_or_refused(payload: dict[str, Any]) -> None:
    alerts_or_refusal(payload)


def test_long_texts_are_cut_to_what_the_store_holds() -> None:
    (alert,) = alerts_or_refusal(
        {"alert": "x" * 99_999, "title": "y" * 9999, "key": "k" * 999, "service": "s" * 999}
    )
    assert (len(alert.title), len(alert.description)) == (1000, 20_000)
    assert len(alert.key) <= 300


def test_many_labels_are_cut() -> None:
    (alert,) = alerts_or_refusal({"alert": "x", "labels": {f"l{n}": n for n in range(999)}})
    assert len(alert.labels) == fields.MAX_LABELS


def test_links_with_other_schemes_are_dropped() -> None:
    links = ["javascript:alert(1)", "https://ok.test/a", "data:text/html,x", "https://a b", None]
    (alert,) = alerts_or_refusal({"alert": "x", "links": links})
    assert alert.links == ("https://ok.test/a",)


def test_control_characters_are_taken_out() -> None:
    (alert,) = alerts_or_refusal({"alert": "a\x00b\x1b[31mc\ud800d\tline"})
    assert alert.title == "a b [31mc d\tline"


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-11-20T06:02:48.971+0000", datetime(2026, 11, 20, 6, 2, 48, 971000, tzinfo=UTC)),
        ("2026-11-20T06:02:48Z", datetime(2026, 11, 20, 6, 2, 48, tzinfo=UTC)),
        ("2026-11-20T06:02:48", datetime(2026, 11, 20, 6, 2, 48, tzinfo=UTC)),
        ("2026-11-20T07:02:48+01:00", datetime(2026, 11, 20, 6, 2, 48, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 06:02:48 GMT", datetime(2026, 11, 20, 6, 2, 48, tzinfo=UTC)),
        (1795154568, datetime(2026, 11, 20, 6, 2, 48, tzinfo=UTC)),
        ("1795154568000", datetime(2026, 11, 20, 6, 2, 48, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("not yet", None),
        ("", None),
        (1e300, None),
        (True, None),
    ],
)
def test_times_of_all_kinds_are_read(said: object, moment: datetime | None) -> None:
    assert fields.moment(said) == moment
