"""The communicator's floor: status updates from the table of facts, without a model.

Every external text passes the leak gate. One that does not is replaced by the bare template, which
holds nothing but the state and times.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from incident_squad.agents.facts import Facts
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import PolicyViolation
from incident_squad.domain.update import StatusUpdate, UpdateKind, UpdateState
from incident_squad.policy.leak_gate import leaks

NEUTRAL_NAME = {"en": "One of our services", "fr": "Un de nos services"}


def write_update(facts: Facts, state: UpdateState, now: datetime, catalog: Catalog) -> StatusUpdate:
    """The update of a state: for customers, and for colleagues in #incidents."""
    neutral = NEUTRAL_NAME[facts.language]
    name = facts.public.name or neutral
    due = _next_due(facts, state, now)
    external = _external(facts, state, name, now, due)
    found = leaks(external, catalog, facts.private)
    if found:
        name, external = neutral, _bare(facts, state, neutral, due)
    kinds = ", ".join(sorted({leak.kind for leak in found}))
    return StatusUpdate(
        state=state,
        at=now,
        public_name=name,
        external=external,
        internal=_render("internal", facts, state=state, status=_status(facts, state)),
        next_due_at=due,
        fallback_reason=f"the leak gate stopped the text: {kinds}" if found else "",
    )


def write_progress(
    facts: Facts, last: StatusUpdate, now: datetime, catalog: Catalog
) -> StatusUpdate:
    """The update that was promised while the state stands: what is new, or that work goes on."""
    fresh = write_update(facts, last.state, now, catalog)
    nothing_new = _news(fresh.external) in last.external
    progress = "same" if nothing_new else "news"
    heading, _, rest = fresh.external.partition("\n\n")
    said = _render("progress", facts, progress=progress)
    external = f"{heading}\n\n{said}\n{rest}" if said else fresh.external
    # The words that were added come from a template; the gate looks at the whole all the same.
    if leaks(external, catalog, facts.private):
        external = fresh.external
    return fresh.model_copy(update={"external": external, "kind": UpdateKind.PROGRESS})


def write_correction(
    facts: Facts, last: StatusUpdate, text: str, now: datetime, catalog: Catalog
) -> StatusUpdate:
    """A human's correction of what was said, marked as one; raises PolicyViolation on a leak."""
    due = _next_due(facts, last.state, now)
    external = _render(
        "correction", facts, state=last.state, name=last.public_name, text=text, due=due
    )
    found = leaks(external, catalog, facts.private)
    if found:
        kinds = ", ".join(sorted({leak.kind for leak in found}))
        raise PolicyViolation(f"customers must not read this: it holds {kinds}")
    return StatusUpdate(
        state=last.state,
        at=now,
        public_name=last.public_name,
        external=external,
        internal=external,
        next_due_at=due,
        engine="human",
        kind=UpdateKind.CORRECTION,
    )


def executive_summary(facts: Facts, now: datetime) -> str:
    """For executives, once it is over: what it was, what was done, what is left to do."""
    end = facts.resolved_at or now
    return _render("summary", facts, end=end, lasted=_duration(facts.opened_at, end))


def _external(
    facts: Facts, state: UpdateState, name: str, now: datetime, due: datetime | None
) -> str:
    end = facts.resolved_at or now
    return _render(
        "external",
        facts,
        state=state,
        name=name,
        due=due,
        end=end,
        lasted=_duration(facts.started_at, end),
    )


def _news(external: str) -> str:
    """What an update says besides its heading and its times."""
    return external.partition("\n\n")[2].rpartition("\n\n")[0].strip()


def _bare(facts: Facts, state: UpdateState, name: str, due: datetime | None) -> str:
    return _render("bare", facts, state=state, name=name, due=due)


def _next_due(facts: Facts, state: UpdateState, now: datetime) -> datetime | None:
    if state is UpdateState.RESOLVED or not facts.public.concerned:
        return None
    return now + timedelta(minutes=facts.every_minutes)


def _status(facts: Facts, state: UpdateState) -> str:
    """The word of the brief for where the work stands."""
    if state is UpdateState.RESOLVED:
        return "resolved"
    return {UpdateState.MONITORING: "verifying"}.get(state, facts.status.value)


def _duration(start: datetime, end: datetime) -> str:
    minutes = max(1, round((end - start).total_seconds() / 60))
    hours, rest = divmod(minutes, 60)
    if hours:
        return f"{hours} h {rest:02d} min"
    plural = "s" if minutes > 1 else ""
    return f"{minutes} minute{plural}"


def _render(template: str, facts: Facts, **more: object) -> str:
    languages = {"internal": facts.colleagues_language, "summary": facts.executives_language}
    language = languages.get(template, facts.language)
    page = _templates().get_template(f"{template}.{language}.j2")
    lines = (
        line.rstrip() for line in page.render(facts=facts, public=facts.public, **more).split("\n")
    )
    return "\n".join(lines).strip()


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        # Plain text: pages escape it when they show it.
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
