"""What an alert itself states about its effect, as typed facts. Nothing here decides."""

import re

from incident_squad.domain.alert import Alert
from incident_squad.domain.triage import Impact
from incident_squad.policy.triage.clauses import sentences
from incident_squad.policy.triage.facts import fact_finder
from incident_squad.policy.triage.reading import body, plain
from incident_squad.policy.triage.shares import Unit
from incident_squad.policy.triage.words import fold

_FACTS = (
    "everybody",
    "nothing works",
    "outage",
    "revenue stopped",
    "revenue",
    "degraded",
    "harmless",
    "core well",
    "contained",
    "minor",
    "cosmetic",
    "logged in",
    "compromise",
    "data taken",
)
_SAYING = 2
_EARNS = re.compile(
    r"\b(?:payments?|pay|checkout|orders?|cart|booking|paiements?|commandes?|panier|billing)\b"
)


def impact(alert: Alert) -> Impact:
    """The facts about the effect that the alert states, each with its words in `facts`."""
    stated = fact_finder().read(said(alert), _FACTS)
    share = stated.share()
    has = stated.facts.keys()
    whole = bool(has & {"everybody", "nothing works"})
    everybody = whole and share is None
    facts = [f"{name}: \u201c{words}\u201d" for name, words in stated.facts.items()]
    if share:
        facts.insert(0, f"{share.percent:g} % of {share.unit}")
    return Impact(
        affected_percent=share.percent if share else (100.0 if everybody else None),
        affected_what=share.unit if share else (Unit.USERS if everybody else None),
        outage=whole or "outage" in has,
        degraded="degraded" in has,
        revenue="revenue" in has
        or bool(share and share.unit is Unit.REVENUE)
        or _named_revenue(alert),
        revenue_stopped="revenue stopped" in has,
        minor="minor" in has,
        harmless="harmless" in has,
        core_well="core well" in has,
        contained="contained" in has,
        cosmetic="cosmetic" in has,
        confirmed_compromise=bool(has & {"compromise", "logged in"}),
        data_accessed="data taken" in has,
        facts=tuple(facts),
    )


def said(alert: Alert) -> list[str]:
    """The sentences of an alert: title, description and labels that say something."""
    texts = [plain(alert.title), body(alert)]
    texts += [plain(text) for text in alert.labels.values() if text.strip().count(" ") >= _SAYING]
    return [sentence for text in texts for sentence in sentences(text)]


def _named_revenue(alert: Alert) -> bool:
    names = (alert.service, alert.resource, alert.labels.get("tag_Name"))
    return any(_EARNS.search(re.sub(r"[^a-z]+", " ", fold(name))) for name in names if name)
