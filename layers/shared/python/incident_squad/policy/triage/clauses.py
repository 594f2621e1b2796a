"""Sentences and clauses, each with how much it says about what fails.

Causes count more than their consequences; what is well, what is advice and what is history count
little or nothing.
"""

import re
from dataclasses import dataclass

from incident_squad.policy.triage.words import fold

CAUSE, CONSEQUENCE, WELL, ADVICE, CONTEXT, LOGGED_TROUBLE = 1.35, 0.6, 0.0, 0.35, 0.3, 1.1
ASIDE = 0.75

_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+|\s[-\u2013\u2014|/\u00b7]\s|;")
_CAUSED_BY = re.compile(
    r"\b(?:because(?: of)?|due to|caused by|root cause(?: is)?|as a result of|triggered by|"
    r"owing to|blamed on|stems from|a cause d[eu']s?|en raison d[eu']s?|cause par|causee par|"
    r"provoque(?:e|s|es)? par|du a|due a|dus a|lie a|liee a|parce qu[e']|car|wegen|debido a)\b"
)
_CAUSING = re.compile(
    r"\b(?:causing|leading to|led to|results? in|resulting in|so that|which (?:then )?|hence|"
    r"therefore|consequently|as a consequence|and then|thus|making|and the|provoquant|entrainant|"
    r"ce qui|causant|du coup|donc|si bien qu[e']|d'ou|et les?|et la|par consequent)\b|->|=>|\u2192"
)
_WELL = re.compile(
    r"\b(?:(?:is|are|was|were|remains?|stays?|still|itself|looks?|seems?|all|works?|working|runs?"
    r"|running)\s+(?:all\s+|just\s+|perfectly\s+|completely\s+|otherwise\s+)?"
    r"(?:fine|ok|okay|healthy|normal|normally|unaffected|nominal|green|correct(?:ly)?|good|intact)"
    r"|perfectly happy|nothing abnormal|unaffected|ruled out|"
    r"(?:itself|lui-meme|elle-meme) (?:answers|responds|is fine|is healthy|repond|va bien)|"
    r"not (?:affected|impacted|concerned|involved|at fault|the cause)|"
    r"nothing wrong with|no (?:impact|effect) on (?:the )?(?:database|network|application)|"
    r"(?:non|pas) (?:impacte|affecte|concerne|touche)(?:e|s|es)?|hors de cause|"
    r"(?:n'est|ne sont|n'y est|n'y sont) (?:pas|pour rien)(?: en cause)?$|pas en cause|"
    r"(?:fonctionne|marche|tourne)(?:nt)? (?:normalement|bien|correctement|parfaitement|toujours)|"
    r"(?:est|sont|reste|restent) (?:ok|sain|saine|sains|saines|normal|normale|normaux|normales|"
    r"intact|intacts|intacte|nominal|nominale|vert|verts|stable|stables)|va bien|vont bien|"
    r"sans probleme|rien d'anormal|exclue?s?)\b|"
    r"^\W*(?:[\w-]+\s+){1,4}(?:is |are |est |sont )?(?:ok|normal|healthy|fine|idle|happy|green|"
    r"flat|quiet|innocent|untouched|clean|vert|verte|idem|aussi|too|waiting)\W*$"
)
_ADVICE = re.compile(
    r"^\W*(?:(?:please |you should |you may |veuillez |merci de |pensez a )?"
    r"(?:check|verify|consider|see|look at|make sure|ensure|review|contact|refer|if |"
    r"verifie[rz]|voir|consulte[rz]|contacte[rz]|pensez)\b"
    r"|(?:runbook|dashboard|owner|contact|escalation|documentation|doc|wiki|playbook|ticket|"
    r"tableau de bord|possible causes?|causes? possibles?)\s*:)"
)
_MAYBE = re.compile(
    r"\b(?:this|it|which|cela|ceci|ca) (?:may|might|could|can|peut|pourrait)\b|"
    r"\b(?:often coupled with|not to be confused with|unlike|contrairement a)\b"
)
_TROUBLE = frozenset({"error", "fatal", "critical", "panic", "severe", "emerg", "alert", "crit"})
_LEVEL = re.compile(
    r"^\W*(?:[\d:.,tzT/+-]+\s+){0,3}\W*"
    r"(info|debug|trace|notice|error|fatal|critical|panic|severe|emerg|crit)\b(?:[\]: ]|$)"
)
_HISTORY = re.compile(
    r"\b(?:last (?:week|month|year|time)|previous incident|previously|similar (?:incident|to)|"
    r"la semaine derniere|le mois dernier|incident precedent|comme lors|as in inc-?\d+|"
    r"not to be|reminder|rappel|in the past|yesterday's)\b"
)
_COMMA = re.compile(
    r",\s+|\s(?=\()|(?<=\))\s|:\s+|"
    r"\s+(?:but|however|although|while|whereas|mais|cependant|alors que)\s+"
)
_NO_CAUSE = re.compile(r"^\W*(?:but )?(?:not|and not|pas) (?:the |its |la )?cause\b")
_NOT_OF = re.compile(
    r"(?i)\b(?:(?:is |are |was |it'?s )?(?:not|isn'?t|aren'?t|wasn'?t)|(?:ce )?n'est pas|pas)\s+"
    r"(?:an?|the|une?|le|la|due to|caused by|related to|because of|about|du|lie a)\s+"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a sentence; `first` when a sentence begins here."""

    text: str
    factor: float
    first: bool


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text, without empty ones."""
    return [part.strip() for part in _SENTENCE.split(text) if part and part.strip()]


def clauses(text: str) -> list[Clause]:
    """All clauses of a text in order, weighed."""
    found: list[Clause] = []
    for sentence in sentences(text):
        found.extend(_weighed(sentence))
    return found


def _weighed(sentence: str) -> list[Clause]:
    base = _base(fold(sentence))
    pieces: list[tuple[str, float]] = []
    consequence = False
    for part in _COMMA.split(sentence):
        folded = fold(part)
        factor = WELL if _WELL.search(folded) else base
        if part.startswith("("):
            factor *= ASIDE
        if _NO_CAUSE.match(folded):
            pieces[-1:] = [(text, WELL) for text, _ in pieces[-1:]]
        consequence = consequence or bool(_CAUSING.match(folded.strip()))
        pieces.extend(_cause_and_effect(part, factor * (CONSEQUENCE if consequence else 1)))
    return [
        Clause(_NOT_OF.sub(" notof ", text), factor, first=place == 0)
        for place, (text, factor) in enumerate(pieces)
        if text.strip()
    ]


def _base(folded: str) -> float:
    level = _LEVEL.search(folded[:60])
    if level:
        return LOGGED_TROUBLE if level.group(1) in _TROUBLE else CONTEXT
    if _ADVICE.match(folded):
        return ADVICE
    if _MAYBE.search(folded):
        return 0.6
    return CONTEXT if _HISTORY.search(folded) else 1.0


def _cause_and_effect(text: str, factor: float) -> list[tuple[str, float]]:
    folded = fold(text)
    # Folding may change the length of exotic text: then the clause stays whole.
    if len(folded) != len(text):
        return [(text, factor)]
    cause = _CAUSED_BY.search(folded)
    if cause and cause.start() > 0:
        return [(text[: cause.start()], factor * 0.7), (text[cause.start() :], factor * CAUSE)]
    effect = _CAUSING.search(folded)
    if effect and effect.start() > 0:
        return [
            (text[: effect.start()], factor),
            (text[effect.start() :], factor * CONSEQUENCE),
        ]
    return [(text, factor)]
