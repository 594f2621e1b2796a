"""The post-mortem draft: Markdown from the record, for people to go on with."""

import itertools
from dataclasses import dataclass

from incident_squad.agents.communicator import executive_summary
from incident_squad.agents.facts import Facts, facts_of
from incident_squad.agents.history import explanation
from incident_squad.domain.evidence import Evidence
from incident_squad.domain.record import IncidentRecord
from incident_squad.policy.clearance import is_public
from incident_squad.ports import Clock, Knowledge
from incident_squad.steps.lessons import went_badly, went_well
from incident_squad.steps.markdown import md
from incident_squad.steps.read_record import ReadRecord
from incident_squad.steps.report import clocks


@dataclass(frozen=True)
class PostMortem:
    """Writes the draft of an incident's post-mortem."""

    read_record: ReadRecord
    knowledge: Knowledge
    clock: Clock

    def __call__(self, incident_id: str) -> str:
        """The draft as it stands now; raises UnknownIncident."""
        record = self.read_record(incident_id)
        facts = facts_of(record, self.knowledge.catalog, self.knowledge.runbooks)
        good, bad = went_well(record), went_badly(record)
        parts = (
            f"# Post-mortem: {md(facts.title)}",
            f"{facts.incident_id}, a draft from the timeline. Blame nobody; correct anything.",
            f"## Summary\n\n{_paragraphs(executive_summary(facts, self.clock.now()))}",
            f"## Impact\n\n{md(facts.impact)}{_public_impact(record)}",
            f"## Root cause\n\n{_root_cause(record)}",
            f"## What was done\n\n{_steps(record)}",
            f"## Clocks\n\n{_clocks(record)}",
            f"## What went well\n\n{_list(good, 'Nothing stands out.')}",
            f"## What went badly\n\n{_list(bad, 'Nothing stands out.')}",
            f"## Action items\n\n{_action_items(facts)}",
            f"## Timeline\n\n{_timeline(record)}",
        )
        return "\n\n".join(parts) + "\n"


def _paragraphs(text: str) -> str:
    """The executive summary without its title, and without the action items: both stand below."""
    told = text.split("\n")[1:]
    facts = itertools.takewhile(lambda line: not line.rstrip().endswith(":"), told)
    return "\n".join(f"- {md(line)}" for line in facts if line.strip())


def _public_impact(record: IncidentRecord) -> str:
    incident_id, requests = record.incident.id, record.public_texts
    shown = [u for u in record.updates if is_public(incident_id, u, requests)]
    if not shown:
        return "\n\nCustomers were told nothing."
    quoted = "\n".join(f"> {md(line)}".rstrip() for line in shown[-1].external.split("\n"))
    return f"\n\nWhat customers were told last:\n\n{quoted}"


def _root_cause(record: IncidentRecord) -> str:
    diagnosis = record.diagnosis
    if diagnosis is None:
        return "No diagnosis was reached."
    sure = "proven" if diagnosis.conclusive else "not proven"
    weight = f"{sure}, confidence {diagnosis.confidence:.0%}, by {diagnosis.engine}"
    lines = [f"{md(explanation(diagnosis.root_cause))} ({weight})", ""]
    known = {evidence.id: evidence for evidence in record.evidence}
    for finding in diagnosis.findings:
        proof = "".join(_proof(known.get(name), name) for name in finding.evidence_ids)
        lines.append(f"- {md(finding.statement)}{proof}")
    return "\n".join(lines).rstrip()


def _proof(evidence: Evidence | None, name: str) -> str:
    if evidence is None:
        return f" ({name})"
    value = "" if evidence.value is None else f" = {md(str(evidence.value))}"
    return f"\n  - {name}, {md(evidence.source)}: {md(evidence.asked)}{value}"


def _steps(record: IncidentRecord) -> str:
    if record.plan is None:
        return "No plan was made."
    approval = record.approval
    decided = (
        f"{approval.status.value} by {approval.decided_by or 'nobody'}"
        if approval
        else "not asked for"
    )
    lines = [f"Runbook {record.plan.runbook_id}, approval: {decided}.", ""]
    for place, step in enumerate(record.plan.steps, start=1):
        status = record.step_status(place - 1).value
        lines.append(f"{place}. {md(step.title)} ({status}, risk {step.risk.value})")
    return "\n".join(lines)


def _clocks(record: IncidentRecord) -> str:
    rows = [f"| {name} | {seconds:g} |" for name, seconds in clocks(record).items()]
    return "\n".join(["| stage | seconds after the alert |", "|---|---|", *rows])


def _list(items: list[str], nothing: str) -> str:
    return "\n".join(f"- {item}" for item in items) or nothing


def _action_items(facts: Facts) -> str:
    return "\n".join(f"{n}. {md(item)}" for n, item in enumerate(facts.action_items, start=1))


def _timeline(record: IncidentRecord) -> str:
    rows = [
        f"| {event.at:%H:%M:%S} | {md(event.actor.name)} | {event.engine or ''} | {event.event} "
        f"| {md(event.summary)} |"
        for event in record.events
    ]
    return "\n".join(["| UTC | who | engine | event | what |", "|---|---|---|---|---|", *rows])
