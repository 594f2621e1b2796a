"""What must hold of the state machine, read from the synthesised template."""

import importlib
import re
from typing import Any, get_type_hints

import pytest

from incident_squad import contracts
from incident_squad.domain import errors as squad_errors
from incident_squad.domain.approval import Decision
from incident_squad.domain.incident import Stage
from incident_squad.domain.plan import Applier
from incident_squad.domain.update import UpdateState
from incident_squad.domain.values import IncidentType
from infra.functions import FUNCTIONS
from infra.golden import GOLDEN, rendered
from tests.infra import asl

Definition = dict[str, Any]
LAST_RESORT = "HandOver"
SELECTION = re.compile(r"null|\$[A-Za-z.]+|\$[A-Za-z.]+ = '[\w ]+'( or \$[A-Za-z.]+ = '[\w ]+')*")


def contract_of(function: str) -> tuple[type[contracts.Contract], type[contracts.Contract]]:
    handler = importlib.import_module(f"functions.{function}.handler").lambda_handler
    hints = get_type_hints(handler.__wrapped__)
    return hints["request"], hints["return"]


def aliases(contract: type[contracts.Contract]) -> set[str]:
    return {field.alias or name for name, field in contract.model_fields.items()}


def values_compared(place: asl.Place) -> set[str]:
    return set(re.findall(r"'([^']+)'", " ".join(asl.expressions(place.state["Choices"]))))


def named(machine: Definition, name: str) -> asl.Place:
    (found,) = (place for place in asl.places(machine) if place.name == name)
    return found


def test_the_machine_is_the_one_that_was_reviewed(template: dict[str, Any]) -> None:
    assert GOLDEN.read_text() == rendered(template), "python -m infra.golden, then read the diff"


def test_every_function_that_is_a_state_is_called_by_the_machine(machine: Definition) -> None:
    called = {place.state["Arguments"]["FunctionName"] for place in asl.tasks(machine)}
    assert called == {row.name for row in FUNCTIONS if row.state}


def test_a_state_is_called_as_its_function_unless_several_share_it(machine: Definition) -> None:
    ids = {row.name: row.id for row in FUNCTIONS}
    for place in asl.tasks(machine):
        function = place.state["Arguments"]["FunctionName"]
        assert place.name == ids[function] or function in {"publish_update", "remediate"}


def test_every_task_ends_in_time(machine: Definition) -> None:
    seconds = {row.name: row.seconds for row in FUNCTIONS}
    for place in asl.tasks(machine):
        limit = place.state["TimeoutSeconds"]
        if place.name == "RequestApproval":
            assert limit == "{% $approvalSeconds %}"
        else:
            assert limit > seconds[place.state["Arguments"]["FunctionName"]], place.name


def test_the_machine_ends_in_time(machine: Definition) -> None:
    assert machine["TimeoutSeconds"] == 12 * 60 * 60


def test_every_task_tries_again_by_the_names_of_errors(machine: Definition) -> None:
    for place in asl.tasks(machine):
        assert place.state["Retry"], place.name
        if place.name != LAST_RESORT:
            tried = {name for rule in place.state["Retry"] for name in rule["ErrorEquals"]}
            assert not any(name.startswith("States.") for name in tried), place.name


def test_a_step_of_the_fix_is_never_repeated_once_it_may_have_begun(machine: Definition) -> None:
    (retry,) = named(machine, "RemediateStep").state["Retry"]
    assert retry["ErrorEquals"] == ["Lambda.TooManyRequestsException"]


def test_every_error_name_is_a_class_of_ours_or_a_name_of_aws(machine: Definition) -> None:
    ours = {name for name, value in vars(squad_errors).items() if isinstance(value, type)}
    for place in asl.places(machine):
        for name in asl.errors(place.state) | {place.state.get("Error", "States.ALL")}:
            assert name in ours or name.startswith(("States.", "Lambda.")), (place.name, name)


def test_every_error_of_every_task_ends_at_a_human(machine: Definition) -> None:
    for task in asl.tasks(machine):
        if task.name == LAST_RESORT:
            assert "Catch" not in task.state
            continue
        place = asl.catcher(task)
        seen: list[str] = []
        while place is not None and place.name != LAST_RESORT:
            seen.append(place.name)
            assert len(seen) < 5, (task.name, seen)
            (following,) = asl.following(place.state)
            place = asl.Place(following, place.level[following], place.level, place.around)
        assert place is not None, f"an error in {task.name} goes nowhere"


def test_a_caught_error_says_where_it_happened(machine: Definition) -> None:
    for place in asl.places(machine):
        for catch in place.state.get("Catch", ()):
            assert catch["Assign"]["reason"].startswith(f"{place.name}: ")
            assert catch["Assign"]["error"] == "{% $states.errorOutput %}"


def test_the_broken_fix_is_taken_back_before_a_human_is_paged(machine: Definition) -> None:
    caught = asl.catcher(named(machine, "RemediateStep"))
    assert caught is not None
    assert caught.name == "UndoRemediation"
    assert asl.following(caught.state) == {LAST_RESORT}


def test_an_expired_approval_goes_to_a_human(machine: Definition) -> None:
    first, *_ = named(machine, "RequestApproval").state["Catch"]
    assert first["ErrorEquals"] == ["States.Timeout"]
    assert first["Next"] == LAST_RESORT
    assert "expired" in first["Assign"]["reason"]


def test_the_task_token_goes_to_the_one_function_that_stores_it(machine: Definition) -> None:
    with_token = [
        place.name
        for place in asl.places(machine)
        if any("Task.Token" in text for text in asl.expressions(place.state.get("Arguments")))
    ]
    assert with_token == ["RequestApproval"]


def test_every_state_is_given_what_its_contract_asks_for(machine: Definition) -> None:
    for place in asl.tasks(machine):
        takes, _ = contract_of(place.state["Arguments"]["FunctionName"])
        assert set(place.state["Arguments"]["Payload"]) == aliases(takes), place.name


def test_the_machine_keeps_only_what_contracts_promise(machine: Definition) -> None:
    for place in asl.tasks(machine):
        _, gives = contract_of(place.state["Arguments"]["FunctionName"])
        if place.name == "RequestApproval":
            gives = contracts.RequestApprovalOutput
        for name, expression in place.state.get("Assign", {}).items():
            assert expression.endswith(f".{name} %}}")
            assert name in aliases(gives), (place.name, name)


def test_expressions_select_and_never_compute(machine: Definition) -> None:
    for expression in asl.expressions(machine):
        assert SELECTION.fullmatch(expression), expression


@pytest.mark.parametrize(
    ("state", "known", "left_over"),
    [
        ("Where does it stand?", set(Stage), {Stage.TRIAGE, Stage.DONE}),
        ("Which specialist?", set(IncidentType), set()),
        ("Who may apply the fix?", set(Applier), {Applier.NOBODY}),
        (
            "Approved?",
            set(Decision),
            {Decision.REJECTED, Decision.EXPIRED, Decision.VOID},
        ),
        ("Recovered?", {"yes", "not_yet", "no", "undo", "tasks"}, {"no"}),
    ],
)
def test_every_answer_to_a_question_has_its_way(
    machine: Definition, state: str, known: set[str], left_over: set[str]
) -> None:
    place = named(machine, state)
    assert values_compared(place) == known - left_over
    assert place.state["Default"]


def test_updates_are_published_in_the_order_of_the_status_page(machine: Definition) -> None:
    states = {
        place.name: place.state["Arguments"]["Payload"]["state"]
        for place in asl.tasks(machine)
        if place.state["Arguments"]["FunctionName"] == "publish_update"
    }
    assert states == {
        "PublishUpdate": UpdateState.INVESTIGATING,
        "PublishIdentified": UpdateState.IDENTIFIED,
        "PublishMonitoring": UpdateState.MONITORING,
        "PublishResolved": UpdateState.RESOLVED,
    }


def test_every_state_can_be_reached_and_the_machine_has_two_endings(machine: Definition) -> None:
    states, found, waiting = machine["States"], set(), [machine["StartAt"]]
    while waiting:
        name = waiting.pop()
        found.add(name)
        caught = {catch["Next"] for catch in states[name].get("Catch", ())}
        waiting += (asl.following(states[name]) | caught) - found
    assert found == set(states)
    endings = {name for name, state in states.items() if not asl.following(state)}
    assert endings == {"Closed", "HandedOver"}
