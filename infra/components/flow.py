"""The states of the workflow and their order.

States pass the incident's id and the few words that the machine itself chooses by; the truth is
in the table. Every error ends in HandOver, where a human is paged.
"""

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from incident_squad.contracts import (
    HandOverInput,
    IncidentInput,
    RemediateInput,
    RequestApprovalInput,
    UpdateInput,
)
from incident_squad.domain.approval import Decision
from incident_squad.domain.errors import InvalidConfiguration
from incident_squad.domain.incident import Stage
from incident_squad.domain.plan import Applier
from incident_squad.domain.update import UpdateState
from incident_squad.domain.values import IncidentType
from infra.components.workflow_states import (
    NOTHING,
    ONCE,
    STUBBORN,
    States,
    Trouble,
    equals,
    result,
    variable,
)

# One text for every way out (interpreters differ on whose Assign counts when a rule holds); the
# page itself says which of them it was, and what was seen last.
_TO_PEOPLE = "Recovered?: the symptom is still there, or what is left takes people."

# The plan is made anew: what it finds already applied, it skips.
_PLANNING = (Stage.SYNTHESIZE, Stage.APPROVAL, Stage.REMEDIATE)


class Flow:
    """Assembles the states from the end to the start, since each names its successor."""

    def __init__(self, states: States) -> None:
        self._states = states
        self._hand_over = self._make_hand_over()
        self._trouble = Trouble(self._hand_over)
        self._undo = self._make_undo()

    def start(self) -> sfn.Choice:
        """Where every execution begins: the first one of an incident, and every later one."""
        publish_resolved = self._close()
        verify = self._recover(publish_resolved)
        remediate = self._remediate(verify)
        synthesize = self._decide(remediate, verify, publish_resolved)
        respond = self._respond(synthesize)
        triage = self._triage(respond)
        incident = result("incidentId", of="$states.input")
        typed = result("incidentId", "type", of="$states.input")
        handed = _because("Where does it stand?: it was handed over before its execution was lost.")
        stage = "states.input.stage"
        return (
            self._states.choice(
                "Where does it stand?",
                comment="A lost execution is taken up where the incident stands",
                otherwise=incident,
            )
            .when(equals(stage, Stage.RESPOND), respond, assign=typed)
            .when(equals(stage, *_PLANNING), synthesize, assign=incident)
            .when(equals(stage, Stage.RECOVERY), verify, assign=incident)
            .when(equals(stage, Stage.CLOSE), publish_resolved, assign=incident)
            .when(equals(stage, Stage.HAND_OVER), self._hand_over, assign={**incident, **handed})
            .otherwise(triage)
        )

    def _triage(self, respond: sfn.Parallel) -> tasks.LambdaInvoke:
        triage = self._states.task(
            "Triage",
            function="triage",
            takes=IncidentInput,
            comment="Type, severity, service and candidate runbooks",
            assign=result("type"),
        )
        self._trouble.catch(triage, "the alert could not be judged.")
        triage.next(respond)
        return triage

    def _respond(self, synthesize: tasks.LambdaInvoke) -> sfn.Parallel:
        respond = sfn.Parallel.jsonata(
            self._states.scope,
            "Respond",
            comment="The specialist looks while people are told",
        )
        respond.branch(self._diagnosis(), self._first_words())
        self._trouble.catch(respond, "the diagnosis or the first status update failed.")
        respond.next(synthesize)
        return respond

    def _diagnosis(self) -> sfn.Choice:
        choice = self._states.choice("Which specialist?", comment="One for each type of incident")
        for kind in IncidentType:
            specialist = self._states.task(
                f"Investigate{kind.capitalize()}",
                function=f"investigate_{kind}",
                takes=IncidentInput,
                comment=f"The {kind} specialist looks, and changes nothing",
            )
            choice.when(equals("type", kind), specialist)
        nobody = sfn.Fail.jsonata(
            self._states.scope,
            "NoSpecialist",
            error=InvalidConfiguration.__name__,
            cause="there is no specialist for this type of incident",
        )
        return choice.otherwise(nobody)

    def _first_words(self) -> sfn.IChainable:
        notify = self._states.task(
            "NotifyOnCall",
            function="notify_on_call",
            takes=IncidentInput,
            comment="Page or inform whom the severity asks for",
        )
        draft = self._states.task(
            "DraftUpdate",
            function="draft_update",
            takes=UpdateInput,
            given={"state": UpdateState.INVESTIGATING},
            comment="Write the first status update",
        )
        publish = self._publish("PublishUpdate", UpdateState.INVESTIGATING)
        return notify.next(draft).next(publish)

    def _decide(
        self, remediate: sfn.Map, verify: tasks.LambdaInvoke, publish_resolved: tasks.LambdaInvoke
    ) -> tasks.LambdaInvoke:
        synthesize = self._states.task(
            "Synthesize",
            function="synthesize",
            takes=IncidentInput,
            comment="The report so far, the plan, and who may apply it",
            assign=result("applier", "steps", "approvalSeconds"),
        )
        self._trouble.catch(synthesize, "no plan could be made.")
        identified = self._publish("PublishIdentified", UpdateState.IDENTIFIED)
        self._trouble.catch(identified, "the status update failed.")
        choice = (
            self._states.choice(
                "Who may apply the fix?",
                comment="Policy has decided; nobody means that a human takes over",
                otherwise=_because("Who may apply the fix?: nobody may apply it by itself."),
            )
            .when(equals("applier", Applier.HUMAN), self._approve(remediate, verify))
            .when(equals("applier", Applier.AUTO), remediate)
            .when(equals("applier", Applier.UNNEEDED), publish_resolved)
            .otherwise(self._hand_over)
        )
        synthesize.next(identified).next(choice)
        return synthesize

    def _approve(self, remediate: sfn.Map, verify: tasks.LambdaInvoke) -> tasks.LambdaInvoke:
        request = self._states.wait_for_human(
            "RequestApproval",
            function="request_approval",
            takes=RequestApprovalInput,
            comment="Wait for a decision about this very plan, never for ever",
        )
        self._trouble.catch(
            request, "the approval expired without a decision.", errors=("States.Timeout",)
        )
        self._trouble.catch(request, "nobody could be asked for approval.")
        choice = self._states.choice(
            "Approved?",
            comment="Anything but a yes is a no, unless the trouble has ended by itself",
            otherwise=_because("Approved?: the plan was not approved."),
        )
        choice.when(equals("decision", Decision.APPROVED), remediate)
        choice.when(equals("decision", Decision.RECOVERED), verify).otherwise(self._hand_over)
        request.next(choice)
        return request

    def _remediate(self, verify: tasks.LambdaInvoke) -> sfn.Map:
        remediate = sfn.Map.jsonata(
            self._states.scope,
            "Remediate",
            comment="The steps of the plan, in order, one at a time",
            items=sfn.ProvideItems.jsonata(variable("steps")),
            max_concurrency=1,
        )
        step = self._states.task(
            "RemediateStep",
            function="remediate",
            takes=RemediateInput,
            given={"step": "{% $states.input %}"},
            comment="Precheck, preview, apply, verify: a small transaction, never repeated",
            retry=ONCE,
        )
        remediate.item_processor(step)
        Trouble(self._undo).catch(remediate, "a step of the fix failed.")
        remediate.next(verify)
        return remediate

    def _make_undo(self) -> tasks.LambdaInvoke:
        undo = self._states.task(
            "UndoRemediation",
            function="undo_remediation",
            takes=IncidentInput,
            comment="Take applied steps back, the last one first",
        )
        self._trouble.catch(undo, "the fix failed and could not be taken back.")
        undo.next(self._hand_over)
        return undo

    def _recover(self, publish_resolved: tasks.LambdaInvoke) -> tasks.LambdaInvoke:
        verify = self._states.task(
            "VerifyRecovery",
            function="verify_recovery",
            takes=IncidentInput,
            comment="Whether the symptom itself is gone",
            assign=result("recovered", "waitSeconds"),
        )
        self._trouble.catch(verify, "it could not be seen whether the symptom is gone.")
        wait = sfn.Wait.jsonata(
            self._states.scope,
            "WaitForRecovery",
            comment="Until the next look; the function counts the time and ends it",
            time=sfn.WaitTime.seconds(variable("waitSeconds")),
        )
        wait.next(verify)
        monitoring = self._publish("PublishMonitoring", UpdateState.MONITORING)
        self._trouble.catch(monitoring, "the status update failed.")
        monitoring.next(publish_resolved)
        choice = self._states.choice(
            "Recovered?",
            comment="The symptom decides, not the steps",
            otherwise=_because(_TO_PEOPLE),
        )
        choice.when(equals("recovered", "yes"), monitoring)
        choice.when(equals("recovered", "not_yet"), wait)
        choice.when(equals("recovered", "undo"), self._undo, assign=_because(_TO_PEOPLE))
        choice.when(equals("recovered", "tasks"), self._hand_over, assign=_because(_TO_PEOPLE))
        choice.otherwise(self._hand_over)
        verify.next(choice)
        return verify

    def _close(self) -> tasks.LambdaInvoke:
        resolved = self._publish("PublishResolved", UpdateState.RESOLVED)
        self._trouble.catch(resolved, "the status update failed.")
        close = self._states.task(
            "CloseIncident",
            function="close_incident",
            takes=IncidentInput,
            comment="Final report, executive summary, draft of the post-mortem",
        )
        self._trouble.catch(close, "the report could not be written.")
        resolved.next(close).next(
            sfn.Succeed.jsonata(self._states.scope, "Closed", comment="The incident is resolved")
        )
        return resolved

    def _make_hand_over(self) -> tasks.LambdaInvoke:
        hand_over = self._states.task(
            "HandOver",
            function="hand_over",
            takes=HandOverInput,
            comment="Page a human with everything that is known; the incident stays open",
            retry=STUBBORN,
        )
        hand_over.next(
            sfn.Succeed.jsonata(self._states.scope, "HandedOver", comment="A human has it now")
        )
        return hand_over

    def _publish(self, name: str, state: UpdateState) -> tasks.LambdaInvoke:
        return self._states.task(
            name,
            function="publish_update",
            takes=UpdateInput,
            given={"state": state},
            comment=f"Tell customers and colleagues: {state}",
        )


def _because(reason: str) -> dict[str, str]:
    return {"reason": reason, "error": NOTHING}
