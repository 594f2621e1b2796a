"""What an alert itself states about its effect, as typed facts. Nothing here decides."""

import re

from incident_squad.domain.alert import Alert
from incident_squad.domain.triage import Impact
from incident_squad.policy.triage.claims import claim_reader
from incident_squad.policy.triage.clauses import sentences
from incident_squad.policy.triage.effects import Effects, compose
from incident_squad.policy.triage.facts import Stated, fact_finder
from incident_squad.policy.triage.reading import body, plain
from incident_squad.policy.triage.shares import Share, Unit
from incident_squad.policy.triage.words import fold

_FACTS = ("degraded", "contained", "logged in", "compromise", "data taken")
_SAYING = 2
_EARNS = re.compile(
    r"\b(?:payments?|pay|checkout|orders?|cart|booking|paiements?|commandes?|panier|billing)\b"
)
_CODE = re.compile(r"[{}()\[\]_=<>|$*/\\]|::?\w|\w\.\w")
_CODE_SHARE = 0.08


def impact(alert: Alert) -> Impact:
    """The facts about the effect that the alert states, each with its words in `facts`."""
    spoken = said(alert)
    stated = fact_finder().read(spoken, _FACTS)
    share = stated.share()
    composed = compose(
        (claim for sentence in spoken for claim in claim_reader().claims(sentence)),
        measured=share is not None,
    )
    stated.facts = {**composed.facts, **stated.facts}
    has = stated.facts.keys()
    everybody = "everybody" in has and share is None
    return Impact(
        affected_percent=share.percent if share else (100.0 if everybody else None),
        affected_what=share.unit if share else (Unit.USERS if everybody else None),
        outage="everybody" in has or "outage" in has,
        degraded="degraded" in has,
        revenue=_earns(alert, composed, share),
        revenue_stopped="revenue stopped" in has,
        minor="minor" in has,
        few="few" in has,
        harmless="harmless" in has,
        core_well="core well" in has,
        contained="contained" in has,
        cosmetic="cosmetic" in has,
        confirmed_compromise=bool(has & {"compromise", "logged in"}),
        data_accessed="data taken" in has,
        facts=_shown(stated, share),
    )


def said(alert: Alert) -> list[str]:
    """The sentences of an alert: title, description and labels that say something."""
    texts = [plain(alert.title), body(alert)]
    texts += [plain(text) for text in alert.labels.values() if text.strip().count(" ") >= _SAYING]
    found = [sentence for text in texts for sentence in sentences(text)]
    return [sentence for sentence in found if not _is_code(sentence)]


def _is_code(sentence: str) -> bool:
    """Whether a sentence is a query or an expression rather than words."""
    return len(_CODE.findall(sentence)) > len(sentence) * _CODE_SHARE


def _shown(stated: Stated, share: Share | None) -> tuple[str, ...]:
    facts = [f"{name}: \u201c{words}\u201d" for name, words in stated.facts.items()]
    return (*([f"{share.percent:g} % of {share.unit}"] if share else []), *facts)


def _earns(alert: Alert, composed: Effects, share: Share | None) -> bool:
    """Whether what fails earns money: by a share, a clause or a name that says so."""
    names = (alert.service, alert.resource, alert.labels.get("tag_Name"))
    named = any(_EARNS.search(re.sub(r"[^a-z]+", " ", fold(name))) for name in names if name)
    return named or composed.earning or bool(share and share.unit is Unit.REVENUE)
