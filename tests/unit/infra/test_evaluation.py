import pytest

from incident_squad.domain.errors import InvalidConfiguration
from infra.evaluation import Answer, Case, Ratio, read_cases, score


def a_case(name: str, **fields: object) -> Case:
    known: dict[str, object] = {
        "payload": {"alert": "x"},
        "types": ("database",),
        "severities": (),
        "topic": "other",
        "format": "text",
        "tags": (),
    }
    return Case(id=name, **{**known, **fields})  # type: ignore[arg-type]


DATABASE = Answer("database", "SEV2", "db-deadlocks", 0.9)


def test_a_line_becomes_a_case_whatever_optional_fields_it_has() -> None:
    line = '{"id": 1, "payload": {"alert": "x"}, "expect": {"type": "network", "severity": null}}'

    (case,) = read_cases([line, "", "  "])

    assert (case.id, case.types, case.severities, case.topic) == ("1", ("network",), (), "other")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"id": "1", "payload": {}}',
        '{"id": "1", "payload": {}, "expect": {"type": ["disk"]}}',
        '{"id": "1", "payload": {}, "expect": {"type": [], "severity": ["SEV1"]}}',
        '{"id": "1", "payload": {}, "expect": {"type": ["network"], "severity": ["SEV7"]}}',
    ],
)
def test_a_bad_line_is_named(line: str) -> None:
    with pytest.raises(InvalidConfiguration, match="line 2"):
        read_cases(["", line])


def test_any_accepted_type_counts_and_a_missing_answer_is_wrong() -> None:
    cases = [a_case("1", types=("network", "database")), a_case("2"), a_case("3")]

    card = score(cases, {"1": DATABASE, "2": Answer("network", "SEV2")})

    assert card.type == Ratio(1, 3)
    assert card.confusion == {("database", "network"): 1}
    assert {miss.what for miss in card.misses} == {"no answer", "type network instead of database"}


def test_a_case_that_accepts_every_type_tells_nothing() -> None:
    case = a_case("1", types=("database", "network", "application", "security"))

    assert score([case], {"1": DATABASE}).type == Ratio(0, 0)


def test_severity_is_judged_only_where_it_is_labelled() -> None:
    cases = [
        a_case("1"),
        a_case("2", severities=("SEV1", "SEV2")),
        a_case("3", severities=("SEV4",)),
    ]
    answers = dict.fromkeys("123", DATABASE)

    card = score(cases, answers)

    assert (card.severity, card.too_low, card.too_high) == (Ratio(1, 2), 0, 1)
    assert card.severities["SEV4"] == Ratio(0, 1)
    assert card.severity_confusion == {("SEV4", "SEV2"): 1}


def test_a_sev1_put_too_low_is_the_worst_miss() -> None:
    cases = [a_case("wrong", types=("network",)), a_case("low", severities=("SEV1",))]
    answers = {"wrong": DATABASE, "low": Answer("database", "SEV3")}

    card = score(cases, answers)

    assert [miss.case.id for miss in card.misses] == ["low", "wrong"]
    assert card.too_low == 1


def test_accuracy_is_shown_by_tag_format_and_type() -> None:
    cases = [a_case("1", tags=("fr",)), a_case("2", tags=("fr", "hard"), types=("network",))]

    card = score(cases, dict.fromkeys("12", DATABASE))

    assert card.tags == {"fr": Ratio(1, 2), "hard": Ratio(0, 1)}
    assert card.types == {"database": Ratio(1, 1), "network": Ratio(0, 1)}
    assert card.formats == {"text": Ratio(1, 2)}


def test_runbooks_are_judged_by_topic_where_one_is_named() -> None:
    topics = {"deadlock": ["db-deadlocks"], "dns": ["net-dns-failure"]}
    cases = [a_case("1", topic="deadlock"), a_case("2", topic="dns"), a_case("3")]

    card = score(cases, dict.fromkeys("123", DATABASE), topics)

    assert card.runbook == Ratio(1, 2)


def test_calibration_compares_what_was_said_with_what_was_right() -> None:
    cases = [a_case("1"), a_case("2", types=("network",)), a_case("3")]
    answers = {
        "1": Answer("database", "SEV2", confidence=0.75),
        "2": Answer("database", "SEV2", confidence=0.75),
        "3": Answer("database", "SEV2", confidence=0.99),
    }

    card = score(cases, answers)

    assert [(bin_.said, bin_.answers) for bin_ in card.calibration] == [
        (0.75, Ratio(1, 2)),
        (0.99, Ratio(1, 1)),
    ]
    assert card.calibration_error == pytest.approx((0.25 * 2 + 0.01) / 3, abs=1e-3)


def test_nothing_to_judge_is_no_failure() -> None:
    card = score([], {})

    assert (card.type.share, card.calibration_error, card.misses) == (1.0, 0.0, ())
