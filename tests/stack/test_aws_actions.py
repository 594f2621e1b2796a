"""Acts in AWS as transactions, on the embedded AWS (and on moto for what that has not)."""

from collections.abc import Callable, Iterator

import pytest
from moto import mock_aws

from incident_squad.adapters.aws_actions import registry
from incident_squad.adapters.aws_actions.place import Deed, Place, Rows
from incident_squad.domain.errors import SquadError, StepFailed, TargetUnavailable
from incident_squad.policy.aws_actions import ACTIONS, READINGS
from infra.local.emulator_process import EmulatorProcess
from tests.stack import cloud_cases
from tests.stack.cloud import Account, Fault, broken, denied, unanswered
from tests.stack.cloud_cases import Case

ON_MOTO = {"security_group_quarantine"}
ONE_WAY = {"cognito_reset_passwords", "cognito_sign_out", "rds_grow_storage"}
EVERY = sorted(ACTIONS)
UNSEEN = {"ecs:StopServiceDeployment"}
"""Asked in a test of its own: the embedded AWS has no deployments under way."""


@pytest.fixture
def account(emulator: EmulatorProcess, request: pytest.FixtureRequest) -> Iterator[Account]:
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    if name in ON_MOTO:
        with mock_aws():
            found = Account(None)
            yield found
            found.close()
        return
    found = Account(emulator.endpoint_url)
    yield found
    found.close()


def a_case(name: str, account: Account) -> tuple[Deed, Case]:
    build: Callable[[Account], Case] = getattr(cloud_cases, name)
    case = build(account)
    account.calls.clear()
    return registry.DEEDS[name], case


@pytest.mark.parametrize("name", EVERY)
def test_an_act_does_what_its_preview_lists_and_its_undo_gives_back_what_was(
    name: str, account: Account
) -> None:
    deed, case = a_case(name, account)
    place, before = account.place(case.target), case.state()

    rows = deed.preview(place, case.arguments)
    assert rows
    assert (case.state(), account.changes) == (before, [])

    result = deed.apply(place, case.arguments, rows, "key")
    after = case.state()
    assert after != before

    account.calls.clear()
    deed.apply(place, case.arguments, rows, "key")
    assert case.state() == after
    if name != "cognito_sign_out":  # it shows nowhere, and is harmless
        assert account.changes == []
        if name not in {"aurora_failover", "iam_revoke_sessions"}:
            assert deed.preview(place, case.arguments) != rows

    if name in ONE_WAY:
        with pytest.raises(StepFailed):
            deed.undo(place, result)
        return
    deed.undo(place, result)
    assert case.state() == before
    account.calls.clear()
    deed.undo(place, result)
    assert (case.state(), account.changes) == (before, [])


@pytest.mark.parametrize("name", EVERY)
def test_a_role_is_granted_what_an_act_asks_and_nothing_else(name: str, account: Account) -> None:
    deed, case = a_case(name, account)
    place, spec = account.place(case.target), ACTIONS[name]
    rows = deed.preview(place, case.arguments)
    looked = set(account.calls)
    result = deed.apply(place, case.arguments, rows, "key")
    if name not in ONE_WAY:
        deed.undo(place, result)
    granted_to_look = {action for grant in spec.looks for action in grant.actions}
    granted_to_act = {action for grant in spec.acts for action in grant.actions}
    assert looked == granted_to_look
    assert set(account.calls) | (UNSEEN & granted_to_act) == granted_to_look | granted_to_act


@pytest.mark.parametrize("make", [denied, broken, unanswered], ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", EVERY)
def test_a_failure_at_any_call_leaves_the_old_state_or_says_what_is_where(
    name: str, make: Callable[[str], Exception], account: Account
) -> None:
    deed, case = a_case(name, account)
    place, before = account.place(case.target), case.state()
    rows = deed.preview(place, case.arguments)
    for at in range(1, 20):
        account.calls.clear()
        account.fault = Fault(at=at, after=False, make=make)
        failure = attempt(deed, place, case, rows)
        account.fault = None
        if isinstance(failure, TargetUnavailable):
            assert case.state() == before, f"call {at}"
        elif failure is not None:
            assert isinstance(failure, StepFailed)
            assert len(str(failure)) > 30
        if len(account.calls) < at:
            return  # it went through untouched
    pytest.fail("it never went through")


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"cognito_sign_out"}))
def test_an_answer_that_is_lost_after_the_act_is_found_by_looking(
    name: str, account: Account
) -> None:
    deed, case = a_case(name, account)
    place, before = account.place(case.target), case.state()
    rows = deed.preview(place, case.arguments)
    for at in range(1, 20):
        account.calls.clear()
        account.fault = Fault(at=at, after=True, make=unanswered)
        failure = attempt(deed, place, case, rows)
        account.fault = None
        if isinstance(failure, TargetUnavailable):
            assert case.state() == before, f"call {at}"
            continue
        assert case.state() != before
        if failure is None:
            return
    pytest.fail("it never went through")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", sorted(set(EVERY) - ONE_WAY))
def test_an_undo_that_fails_at_any_call_says_so_and_can_be_made_again(
    name: str, after: bool, account: Account
) -> None:
    deed, case = a_case(name, account)
    place, before = account.place(case.target), case.state()
    rows = deed.preview(place, case.arguments)
    result = deed.apply(place, case.arguments, rows, "key")
    for at in range(1, 20):
        account.calls.clear()
        account.fault = Fault(at=at, after=after, make=unanswered if after else denied)
        failure = None
        try:
            deed.undo(place, result)
        except (StepFailed, TargetUnavailable) as error:
            failure = error
        account.fault = None
        if failure is None:
            break
        assert len(str(failure)) > 20
    deed.undo(place, result)
    assert case.state() == before


def attempt(deed: Deed, place: Place, case: Case, rows: Rows) -> SquadError | None:
    try:
        deed.apply(place, case.arguments, rows, "key")
    except SquadError as error:
        return error
    return None


def test_every_name_has_its_code_and_its_way_back() -> None:
    assert set(registry.DEEDS) == set(ACTIONS)
    assert set(registry.READINGS) == set(READINGS)
    ways_back = [spec.undo for spec in ACTIONS.values() if spec.undo]
    assert len(set(ways_back)) == len(ways_back)
    assert not set(ways_back) & set(ACTIONS)
    assert {name for name, spec in ACTIONS.items() if spec.undo is None} == ONE_WAY
