"""The composition root: the one place that chooses adapters and wires use cases.

`Squad` builds every use case from a `World` of filled ports: tests and the laptop give it worlds
of their own. The functions here serve the Lambda handlers: they build from AWS, once a process,
and only what the function at hand needs.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from threading import Timer
from typing import TYPE_CHECKING

from incident_squad.bootstrap.aws import AwsWorld
from incident_squad.bootstrap.squad import Squad
from incident_squad.domain.errors import SquadError
from incident_squad.settings import in_lambda, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from incident_squad.adapters.anthropic_model import AnthropicModel
    from incident_squad.agents.rails import Rails
    from incident_squad.bootstrap.transcripts import Transcribed
    from incident_squad.contracts import (
        Done,
        IncidentInput,
        InvestigateOutput,
        SynthesizeOutput,
        TriageOutput,
    )
    from incident_squad.domain.values import IncidentType
    from incident_squad.steps.approval_api import ApprovalApi
    from incident_squad.steps.contributions_api import ContributionsApi
    from incident_squad.steps.deliver_messages import DeliverMessages
    from incident_squad.steps.draft_update import DraftUpdate
    from incident_squad.steps.hand_over import HandOver
    from incident_squad.steps.incidents_api import IncidentsApi
    from incident_squad.steps.intake_api import IntakeApi
    from incident_squad.steps.keep_promises import KeepPromises
    from incident_squad.steps.mcp_api import McpApi
    from incident_squad.steps.notify_on_call import NotifyOnCall
    from incident_squad.steps.preview_step import PreviewStep
    from incident_squad.steps.public_text_api import PublicTextApi
    from incident_squad.steps.publish_update import PublishUpdate
    from incident_squad.steps.query_metrics import QueryMetrics
    from incident_squad.steps.record_failure import RecordFailure
    from incident_squad.steps.remediate import Remediate
    from incident_squad.steps.request_approval import RequestApproval
    from incident_squad.steps.stream_events import StreamEvents
    from incident_squad.steps.sweep import Sweep
    from incident_squad.steps.undo_remediation import UndoRemediation
    from incident_squad.steps.verify_recovery import VerifyRecovery


WARM_AFTER = 2.0
"""Seconds after a function's start."""


@lru_cache(maxsize=1)
def world() -> AwsWorld:
    """The world of this Lambda process."""
    return AwsWorld(settings())


@lru_cache(maxsize=1)
def squad() -> Squad:
    """The squad of this Lambda process."""
    return Squad(world(), rails)


@lru_cache(maxsize=1)
def transcribed() -> Transcribed | None:
    """The judging states with transcripts, where those are kept."""
    transcripts = world().transcripts
    if transcripts is None:
        return None
    from incident_squad.bootstrap.transcripts import Transcribed
    from incident_squad.entrypoint import logger

    return Transcribed(squad(), transcripts, logger.warning)


@lru_cache(maxsize=1)
def rails() -> Rails | None:
    """The rails of this Lambda process, where a model is configured."""
    from incident_squad.bootstrap.agents import rails_of

    return rails_of(model(), world())


@lru_cache(maxsize=1)
def model() -> AnthropicModel | None:
    """The model of this Lambda process, where one is configured."""
    from incident_squad.bootstrap.agents import model_of

    return model_of(settings(), world().secrets)


def warm_model() -> None:
    """Load the model's SDK soon, ahead of the first question: it takes most of a second.

    For functions that ask a model, at their init. Not at once: when a function starts because of
    an alert, the floor comes first, and people are paged by then. Without a model it is no load.
    """
    if not in_lambda():
        return
    with suppress(SquadError):  # said by the first call, which goes on without a model
        found = model()
        if found is not None:
            timer = Timer(WARM_AFTER, _warm, (found,))
            timer.daemon = True
            timer.start()


def _warm(found: AnthropicModel) -> None:
    with suppress(SquadError):  # said by the first question
        found.warm()


def intake_api() -> IntakeApi:
    """The doors for alerts."""
    from incident_squad.adapters.sns_topics import SnsTopics, certificate
    from incident_squad.steps.intake_api import IntakeApi

    found, topics = squad(), settings().alert_topics.split(",")
    return IntakeApi(
        receive=found.receive_alert(),
        secrets=found.world.secrets,
        clock=found.world.clock,
        certificates=certificate,
        confirm=SnsTopics().confirm,
        topics=frozenset(topic.strip() for topic in topics if topic.strip()),
        count=found.world.incidents.count,
        limits_of=lambda: found.world.knowledge.catalog.policies.intake,
    )


def mcp_api() -> McpApi:
    """The door for MCP; the protocol itself is loaded when somebody has passed it."""
    from incident_squad.bootstrap.tools import aws_scout, endpoint
    from incident_squad.steps.mcp_api import McpApi

    found = squad()
    serve = endpoint(found, lambda: aws_scout(settings()))
    return McpApi(
        secrets=found.world.secrets,
        clock=found.world.clock,
        serve=serve,
        limits_of=lambda: found.world.knowledge.catalog.policies.intake,
    )


def preview_step() -> PreviewStep:
    """What looks at a step for functions that hold no credentials."""
    from incident_squad.bootstrap.tools import preview_step_of

    return preview_step_of(squad().world)


def query_metrics() -> QueryMetrics:
    """What asks metric sources for functions that hold no credentials."""
    return squad().query_metrics()


def triage() -> Callable[[IncidentInput], TriageOutput]:
    """The use case of the state Triage."""
    kept = transcribed()
    return kept.triage if kept else squad().triage()


def investigate(specialist: IncidentType) -> Callable[[IncidentInput], InvestigateOutput]:
    """The use case of a specialist's state."""
    kept = transcribed()
    return kept.investigate(specialist) if kept else squad().investigate(specialist)


def notify_on_call() -> NotifyOnCall:
    """The use case of the state NotifyOnCall."""
    return squad().notify_on_call()


def draft_update() -> DraftUpdate:
    """The use case of the state DraftUpdate."""
    kept = transcribed()
    return kept.draft_update() if kept else squad().draft_update()


def publish_update() -> PublishUpdate:
    """The use case of the states that publish."""
    kept = transcribed()
    return kept.publish_update() if kept else squad().publish_update()


def synthesize() -> Callable[[IncidentInput], SynthesizeOutput]:
    """The use case of the state Synthesize."""
    kept = transcribed()
    return kept.synthesize if kept else squad().synthesize()


def request_approval() -> RequestApproval:
    """The use case of the state RequestApproval."""
    return squad().request_approval()


def remediate() -> Remediate:
    """The use case of the state RemediateStep."""
    return squad().remediate()


def undo_remediation() -> UndoRemediation:
    """The use case of the state UndoRemediation."""
    return squad().undo_remediation()


def verify_recovery() -> VerifyRecovery:
    """The use case of the state VerifyRecovery."""
    return squad().verify_recovery()


def close_incident() -> Callable[[IncidentInput], Done]:
    """The use case of the state CloseIncident."""
    kept = transcribed()
    return kept.close_incident if kept else squad().close_incident()


def hand_over() -> HandOver:
    """The use case of the state HandOver."""
    return squad().hand_over()


def record_failure() -> RecordFailure:
    """The use case behind the rule on failed executions."""
    return squad().record_failure()


def sweep() -> Sweep:
    """The use case behind the schedule."""
    return squad().sweep()


def keep_promises() -> KeepPromises:
    """What keeps promised updates, and pages on."""
    return squad().keep_promises()


def contributions_api() -> ContributionsApi:
    """What people add to an incident over HTTP."""
    return squad().contributions_api()


def deliver_messages() -> DeliverMessages:
    """What empties the outbox."""
    return squad().deliver_messages(world().channels)


def incidents_api() -> IncidentsApi:
    """What reads incidents over HTTP."""
    return squad().incidents_api()


def approval_api() -> ApprovalApi:
    """What shows and takes approvals over HTTP."""
    return squad().approval_api()


if in_lambda():
    # The init of a function has a whole processor, its calls a share: what all need is built here.
    with suppress(SquadError):  # said by the first call, which the workflow can catch
        world().prepare()


def public_text_api() -> PublicTextApi:
    """What shows and takes decisions about public texts over HTTP."""
    return squad().public_text_api()


def stream_events() -> StreamEvents:
    """What streams an incident's events over HTTP."""
    return squad().stream_events()
