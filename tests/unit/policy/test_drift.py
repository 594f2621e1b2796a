from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_squad.domain.runbook import (
    Action,
    AwsAction,
    CommandAction,
    HttpAction,
    K8sAction,
    NoteAction,
    SqlAction,
    SsmAction,
)
from incident_squad.policy.drift import Fit, drift, key_columns

END = SqlAction(
    kind="sql",
    target="database",
    preview="SELECT pid, started, seconds",
    apply="SELECT f(%(preview_pid)s, %(preview_started)s, %(preview_pid)s, %(seconds)s)",
)
ROLL_BACK = HttpAction(
    kind="http",
    target="deployments",
    operation="rollback",
    body={"to": "$preview.previousRelease", "why": "costs $preview.x", "n": 1},
)
RELOAD = SqlAction(kind="sql", target="pool", preview="SHOW CONFIG", apply="RELOAD")
NOTE = NoteAction(kind="note", text="x")


def row(pid: int, seconds: int = 0) -> dict[str, str]:
    return {"pid": str(pid), "started": "t0", "seconds": str(seconds)}


@pytest.mark.parametrize(
    ("action", "columns"),
    [
        (END, ("pid", "started")),
        (ROLL_BACK, ("previousRelease",)),
        (RELOAD, ()),
        (NOTE, ()),
    ],
)
def test_rows_are_known_by_what_the_action_works_with(
    action: Action, columns: tuple[str, ...]
) -> None:
    assert key_columns(action) == columns


def test_what_only_informs_may_change() -> None:
    found = drift(END, [row(1, 60)], [row(1, 75)])
    assert (found.fit, found.kept, found.words()) == (Fit.ACT, (row(1, 60),), "")


def test_another_previous_release_is_another_plan() -> None:
    found = drift(ROLL_BACK, [{"previousRelease": "r41"}], [{"previousRelease": "r40"}])
    assert found.fit is Fit.CHANGED


@pytest.mark.parametrize(
    ("planned", "fresh", "fit"),
    [
        ([], [], Fit.ACT),
        ([{"a": "1"}], [{"a": "2"}], Fit.ACT),
        ([{"a": "1"}, {"a": "2"}], [{"a": "2"}], Fit.ACT),
        ([{"a": "1"}], [], Fit.NOTHING_LEFT),
        ([{"a": "1"}], [{"a": "1"}, {"a": "2"}], Fit.CHANGED),
        ([], [{"a": "1"}], Fit.CHANGED),
    ],
)
def test_an_action_that_cannot_be_narrowed_must_not_have_grown(
    planned: Any, fresh: Any, fit: Fit
) -> None:
    assert drift(RELOAD, planned, fresh).fit is fit


PIDS = st.lists(st.integers(1, 9), unique=True)


@given(PIDS, PIDS)
def test_what_is_acted_on_was_planned_and_is_there(planned: list[int], fresh: list[int]) -> None:
    found = drift(END, [row(pid) for pid in planned], [row(pid, 1) for pid in fresh])
    kept = {int(one["pid"]) for one in found.kept}
    assert kept == set(planned) & set(fresh)
    assert found.gone == len(set(planned) - set(fresh))
    assert found.appeared == len(set(fresh) - set(planned))
    assert (found.fit is Fit.ACT) == bool(kept)
    assert (found.fit is Fit.NOTHING_LEFT) == (not fresh)


@pytest.mark.parametrize(
    "action",
    [
        AwsAction(kind="aws", target="waf", action="waf_block_ip", arguments={"ip": "$ip"}),
        SsmAction(kind="ssm", target="hosts", document="Doc"),
        K8sAction(kind="k8s", target="cluster", action="scale", arguments={"add": 2}),
        CommandAction(kind="command", target="ops-host", argv=("renew",)),
    ],
    ids=lambda action: action.kind,
)
def test_where_a_row_is_a_change_it_must_be_the_same_in_full(action: Action) -> None:
    planned = [{"deployment": "a", "replicas": "2", "to": "4"}, {"deployment": "b", "to": "1"}]
    grown = [{"deployment": "a", "replicas": "3", "to": "5"}, planned[1]]
    found = drift(action, planned, grown)
    assert (found.fit, found.kept, found.gone, found.appeared) == (Fit.ACT, (planned[1],), 1, 1)
    assert drift(action, planned, grown[:1]).fit is Fit.CHANGED
    assert drift(action, planned, []).fit is Fit.NOTHING_LEFT
    assert drift(action, [], []).fit is Fit.NOTHING_LEFT
    assert drift(action, [], planned).fit is Fit.CHANGED
