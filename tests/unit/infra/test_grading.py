from typing import Any

import pytest

from incident_squad.domain.errors import InvalidConfiguration
from infra.grading import grade, holds, read_grading

REPORT: dict[str, Any] = {
    "severity": "SEV1",
    "diagnosis": {"specialist": "database", "findings": [{"text": "full"}], "confidence": 0.8},
    "proposedFix": {"steps": [{"title": "Kill sessions"}, {"title": "Scale the pool"}]},
    "statusUpdate": {"external": "Payments may fail.", "internal": ""},
}


@pytest.mark.parametrize(
    ("criterion", "met"),
    [
        ({"kind": "in", "path": "severity", "values": ["SEV1", "SEV2"]}, True),
        ({"kind": "in", "path": "severity", "values": ["SEV3"]}, False),
        ({"kind": "match", "path": "statusUpdate.external", "any": ["nothing", "(?i)PAY"]}, True),
        ({"kind": "match", "path": ["type", "diagnosis.specialist"], "any": ["^database"]}, False),
        ({"kind": "match", "path": ["diagnosis", "severity"], "any": ["full"]}, True),
        ({"kind": "match", "path": "*", "any": ["Scale"]}, True),
        ({"kind": "match_all", "path": "*", "all": ["SEV1", "Kill"]}, True),
        ({"kind": "match_all", "path": "*", "all": ["SEV1", "absent"]}, False),
        ({"kind": "not_match", "path": "statusUpdate.external", "none": ["postgres"]}, True),
        ({"kind": "not_match", "path": "statusUpdate.external", "none": ["Payments"]}, False),
        ({"kind": "not_match", "path": "statusUpdate.internal", "none": ["x"]}, False),
        (
            {"kind": "not_match", "path": "statusUpdate.none", "none": ["x"], "allow_empty": True},
            True,
        ),
        ({"kind": "min_items", "path": "diagnosis.findings", "n": 1}, True),
        ({"kind": "min_items", "path": "severity", "n": 1}, False),
        ({"kind": "number_range", "path": "diagnosis.confidence", "min": 0, "max": 1}, True),
        ({"kind": "number_range", "path": "severity", "min": 0, "max": 1}, False),
        (
            {"kind": "step_groups", "path": "proposedFix.steps", "groups": [["Kill"], ["Scale"]]},
            True,
        ),
        ({"kind": "step_groups", "path": "proposedFix.steps", "groups": [["Reboot"]]}, False),
    ],
)
def test_a_criterion_looks_where_its_path_says(criterion: dict[str, Any], met: bool) -> None:
    assert holds(criterion, REPORT) is met


CASE = (
    '{"id": "G1", "payload": {}, "title": "t", "criteria": ['
    '{"id": "a", "kind": "in", "path": "severity", "values": ["SEV1"], "weight": 3},'
    '{"id": "b", "kind": "match", "path": "*", "any": ["absent"]}]}'
)


def test_a_grade_weighs_the_criteria_and_names_those_missed() -> None:
    (case,) = read_grading([CASE])

    found = grade(case, REPORT)

    assert (found.points, found.possible, found.missed) == (3.0, 4.0, ("b",))
    assert found.share == 0.75


def test_without_a_report_everything_is_missed() -> None:
    (case,) = read_grading([CASE])

    assert grade(case, None).missed == ("a", "b")


@pytest.mark.parametrize(
    "line", ["{", '{"id": "G1"}', '{"id": "G", "payload": {}, "criteria": [{"kind": "magic"}]}']
)
def test_a_bad_line_is_named(line: str) -> None:
    with pytest.raises(InvalidConfiguration, match="line 1"):
        read_grading([line])
