"""Models, where an operator has configured one: without it nothing here is imported or asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_squad.domain.errors import InvalidConfiguration

if TYPE_CHECKING:
    from collections.abc import Callable

    from incident_squad.adapters.anthropic_model import AnthropicModel
    from incident_squad.agents.rails import Rails
    from incident_squad.bootstrap.aws import AwsWorld
    from incident_squad.bootstrap.world import World
    from incident_squad.ports import Model, Secrets
    from incident_squad.settings import Settings
    from incident_squad.steps.planning import Planner
    from incident_squad.steps.refine_diagnosis import RefineDiagnosis
    from incident_squad.steps.refine_triage import RefineTriage
    from incident_squad.steps.refine_update import RefineUpdate

KEY = "model/anthropic-api-key"  # the name of a secret
OFF, ANTHROPIC, BEDROCK = "off", "anthropic", "bedrock"


def model_of(found: Settings, secrets: Secrets) -> AnthropicModel | None:
    """The configured model, or None; raises InvalidConfiguration."""
    if found.model == OFF:
        return None
    from incident_squad.adapters.anthropic_model import (
        BEDROCK_PREFIX,
        AnthropicModel,
        bedrock,
        direct,
    )
    from incident_squad.adapters.anthropic_stream import bedrock_events

    if found.model == ANTHROPIC:
        return AnthropicModel(direct(lambda: secrets.get(KEY)))
    if found.model == BEDROCK and found.model_region:
        return AnthropicModel(bedrock(found.model_region), BEDROCK_PREFIX, bedrock_events)
    raise InvalidConfiguration(
        "SQUAD_MODEL is off, anthropic or bedrock; bedrock needs SQUAD_MODEL_REGION"
    )


def rails_of(model: Model | None, world: AwsWorld) -> Rails | None:
    """The rails on which the model is asked, or None without one; raises InvalidConfiguration.

    Call it once a process: the client keeps its connections, the breaker its memory.
    """
    if model is None:
        return None
    from incident_squad.agents.rails import Rails

    return Rails(model=model, ledger=world.ledger, policies=world.knowledge.catalog.policies)


def refine_triage(w: World, rails: Rails | None) -> RefineTriage | None:
    """The router's model."""
    if rails is None:
        return None
    from incident_squad.steps.refine_triage import RefineTriage

    return RefineTriage(rails=rails, knowledge=w.knowledge, clock=w.clock)


def refine_diagnosis(
    w: World, rails: Rails | None, planner: Callable[[], Planner]
) -> RefineDiagnosis | None:
    """The specialists' model, with tools that only read."""
    if rails is None:
        return None
    from dataclasses import replace

    from incident_squad.steps.looks import LookOnly, LooksOf
    from incident_squad.steps.query_metrics import QueryMetrics
    from incident_squad.steps.refine_diagnosis import RefineDiagnosis

    looks = LooksOf(
        incidents=w.incidents,
        knowledge=w.knowledge,
        probers=w.probers,
        planner=replace(planner(), executors=LookOnly(w.executors)),
        clock=w.clock,
        telemetry=w.telemetry,
        metrics=QueryMetrics(
            incidents=w.incidents, timeline=w.timeline, telemetry=w.telemetry, clock=w.clock
        ),
    )
    return RefineDiagnosis(rails=rails, knowledge=w.knowledge, clock=w.clock, looks_for=looks)


def refine_update(w: World, rails: Rails | None) -> RefineUpdate | None:
    """The communicator's model."""
    if rails is None:
        return None
    from incident_squad.steps.draft_notes import DraftNotes
    from incident_squad.steps.refine_update import RefineUpdate

    return RefineUpdate(rails=rails, knowledge=w.knowledge, notes=DraftNotes(w.timeline))
