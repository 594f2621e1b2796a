"""The communicator's model: adds to what the templates say, from the same table of facts.

Templates and the leak gate have the last word. The model never sees more for customers than
customers may know, and what it writes for them is shown only when it says nothing else.
"""

import json
from collections.abc import Callable, Iterable

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from incident_squad.agents.drafting import Draft, Drafting
from incident_squad.agents.facts import Facts
from incident_squad.agents.fence import Fence
from incident_squad.agents.rails import Desk, OnText
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.model import Trouble
from incident_squad.domain.update import StatusUpdate, UpdateState
from incident_squad.policy.evidence_lock import missing
from incident_squad.policy.leak_gate import leaks, redact

SEAT = "communicator"


class TextsAnswer(BaseModel):
    """One paragraph for each kind of reader; empty when there is nothing to add."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    external: str = Field(max_length=500)
    internal: str = Field(max_length=900)
    executive: str = Field(max_length=500)


def drafting(
    update: StatusUpdate, facts: Facts, catalog: Catalog, tell: Callable[[Draft], bool]
) -> Drafting:
    """Drafts of what is added, through the same gates as what is added in the end."""

    def external(said: str) -> str:
        _, objection = _external(said, update, facts, catalog)
        shown = not objection and not update.fallback_reason and facts.public.concerned
        return said if shown else ""

    def internal(said: str) -> str:
        return redact(_locked(said, _internal_facts(update, facts))[0], catalog)

    return Drafting(external, internal, tell)


def add_to(
    update: StatusUpdate,
    facts: Facts,
    catalog: Catalog,
    desk: Desk,
    on_text: OnText | None = None,
) -> StatusUpdate:
    """The update with what of the model's text may be shown; raises ModelFailed.

    An update that the leak gate has already made bare stays bare.
    """
    reply = desk.ask(
        SEAT,
        desk.prompts.plain(SEAT),
        [{"role": "user", "content": _question(update, facts, desk.fence())}],
        answer_schema=TextsAnswer.model_json_schema(),
        on_text=on_text,
    )
    try:
        answer = TextsAnswer.model_validate_json(reply.text)
    except ValidationError:
        raise ModelFailed(Trouble.MALFORMED, "the texts are not in form") from None
    external, public_objection = _external(answer.external, update, facts, catalog)
    internal, objection = _locked(answer.internal, _internal_facts(update, facts))
    executive, _ = _locked(answer.executive, _internal_facts(update, facts))
    objections = [reason for reason in (public_objection, objection) if reason]
    over = update.state is UpdateState.RESOLVED
    return update.model_copy(
        update={
            "external": external,
            "internal": _joined(update.internal, redact(internal, catalog)),
            "executive": redact(executive, catalog) if over else "",
            "engine": f"claude:{reply.model}",
            "fallback_reason": _because(update.fallback_reason, objections),
        }
    )


def _question(update: StatusUpdate, facts: Facts, fence: Fence) -> str:
    public = json.dumps(_public_facts(update, facts), ensure_ascii=False, default=str)
    return "\n\n".join(
        (
            f"The update is for the state {update.state.value}, in the language {facts.language}.",
            "Facts that customers may know, for `external`:",
            fence.around("public", public, 3000),
            "The template's text for customers:",
            fence.around("template", update.external, 3000),
            "Facts for colleagues, for `internal` and `executive`:",
            fence.around("internal", _internal_facts(update, facts), 8000),
            "Write the three texts.",
        )
    )


def _public_facts(update: StatusUpdate, facts: Facts) -> dict[str, object]:
    return {**facts.public.model_dump(exclude={"security"}), "name": update.public_name}


def _internal_facts(update: StatusUpdate, facts: Facts) -> str:
    """The template's own text holds all facts that colleagues get, plus what is planned."""
    lines = (update.internal, *facts.plan, *facts.applied, *facts.action_items)
    return "\n".join(lines)


def _external(
    text: str, update: StatusUpdate, facts: Facts, catalog: Catalog
) -> tuple[str, str | None]:
    """The text for customers and why the model's was left out, if it was."""
    said = _line(text)
    if not said or update.fallback_reason or not facts.public.concerned:
        return update.external, None
    source = f"{update.external}\n{json.dumps(_public_facts(update, facts), default=str)}"
    gone = missing(said, source)
    if gone:
        return update.external, "the model's public text said what is no public fact"
    whole = _inserted(update.external, said)
    found = leaks(whole, catalog, facts.private)
    if found:
        kinds = ", ".join(sorted({leak.kind for leak in found}))
        return update.external, f"the leak gate stopped the model's text: {kinds}"
    if _promises(said):
        return update.external, "the model's public text made a promise"
    return whole, None


def _locked(text: str, source: str) -> tuple[str, str | None]:
    said = _line(text)
    gone = missing(said, source)
    return ("", "the model's text said what is no fact") if gone else (said, None)


def _inserted(template: str, paragraph: str) -> str:
    """After the template's first paragraph: heading, what it is about, the model's words."""
    heading, _, rest = template.partition("\n\n")
    first, gap, others = rest.partition("\n\n")
    return f"{heading}\n\n{first} {paragraph}{gap}{others}"


def _joined(template: str, paragraph: str) -> str:
    return f"{template}\nFrom the communicator: {paragraph}" if paragraph else template


def _promises(text: str) -> bool:
    words = (
        "will be", "guarantee", "promise", "within ", "soon", "shortly", "refund", "compensat",
        "sera ", "seront", "garanti", "promet", "bientôt", "rembours",
    )  # fmt: skip
    return any(word in text.lower() for word in words)


def _because(known: str, reasons: Iterable[str]) -> str:
    return "; ".join(reason for reason in (known, *reasons) if reason)[:500]


def _line(text: str) -> str:
    return " ".join(text.split())
