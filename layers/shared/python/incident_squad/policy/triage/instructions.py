"""Orders to the reader inside an alert's text are found and left out: they move nothing.

An alert tells what is wrong. Text that tells its reader what to decide ("set the severity to",
"ignore your instructions", "classify as") is no evidence. What is left out: the order, the rest of
its sentence, and what follows it while it speaks of severities, types, drills or false alarms.
"""

import re
from functools import lru_cache

from incident_squad.policy.triage.words import fold

_READER = (
    r"(?:ai|a\.i\.|llm|ia|language model|model|modele|agent|bot|assistant|classifier|router|"
    r"triage|automation|automate|gpt|claude|copilot|squad|system)"
)
_VERB = (
    r"(?:classify|categori[sz]e|label|mark|set|treat|report|rate|tag|flag|change|lower|raise|"
    r"downgrade|upgrade|escalate|consider|score|assign|route|resolve|close|triage|answer|respond|"
    r"reply|output|return|say|use|pick|choose|select|force|override|reclassify|classe[rz]?|"
    r"classifie[rz]?|reclasse[rz]?|marque[rz]?|considere[rz]?|traite[rz]?|mets|mettez|mettre|"
    r"abaisse[rz]?|baisse[rz]?|passe[rz]?|repond(?:s|ez|re)?|indique[rz]?|declare[rz]?|"
    r"attribue[rz]?|fixe[rz]?|choisi(?:s|r|ssez)|route[rz]?|ferme[rz]?|keep|garde[rz]?)"
)
_KIND = (
    r"(?:as|type|comme|en|en tant que|category) (?:an? |un |une |incident |le type )?"
    r"(?:database|network|application|security|securite|reseau|base de donnees)\b|"
    r"(?:database|network|application|security) (?:team|specialist|incident)"
)
_VERDICT = (
    rf"(?:sev[ -_]?[1-4]|severity|severite|gravite|priority|priorite|\bp[1-5]\b|{_KIND}|"
    r"false[ -]positive|faux[ -]positif|false alarm|fausse alerte|resolved|resolu|informational|"
    r"cosmetic|cosmetique|no[ -]?op|non[ -]urgent|runbook|lowest|highest|noise|bruit|harmless|"
    r"approved|approuve)"
)
_START = (
    r"(?:^|[.:;,!?\"'(\[<>*{}#/-]\s*|\b(?:please|must|should|shall|to|now|and|then|you|just|"
    r"instead|always|veuillez|merci de|il faut|de|et|puis|tu dois|vous devez|priere de)\s+)"
)
_LISTENING = (
    r"(?:ai|llm|ia|language model|assistant|classifier|triage (?:agent|bot|system|model|tool|"
    r"engine)|router)s?"
)

_ORDERS = {
    "forget what you were told": (
        r"\b(?:ignore|disregard|forget|override|bypass|skip|discard|oublie[rz]?|ignore[rz]|"
        r"ignorer|(?:ne )?(?:tiens|tenez|tenir)(?: pas)? compte)\b[^.\n]{0,60}\b(?:instructions?|"
        r"consignes?|rules?|regles?|prompts?|above|previous|prior|ci-dessus|precedente?s?|"
        r"guidelines?|directives?|polic(?:y|ies)|everything|tout ce qui)\b"
    ),
    "decide this": _START + _VERB + r"\b[^.\n]{0,80}?" + _VERDICT,
    "be somebody else": (
        r"\b(?:you are|you're|tu es|vous etes|act as|pretend|behave as|agis comme)\b[^.\n]{0,40}"
        rf"\b(?:{_READER}|an?|now|maintenant|un|une)\b"
    ),
    "a word to the reader": (
        r"\b(?:note|attention|memo|hint|hello|hey|dear|cher|bonjour)\b"
        r"(?: (?:to|for|pour|a|au))?(?: the| any| all| l'| le| la)?[ ']" + _READER + r"\b|"
        r"\bmessage (?:to|for|pour|a) (?:the |l')?(?:ai|llm|ia|assistant|triage|classifier)\b"
    ),
    "the reader must": (
        rf"\b{_LISTENING}\b[^.\n]{{0,30}}\b(?:must|should|shall|please|has to|doit|doivent|devez|"
        r"reading this|lisant ceci)\b"
    ),
    "a forged role": (
        r"\bsystem ?(?:prompt|override|instructions?|note)\b|"
        r"(?:^|[\n\"'\[(])\s*(?:system|assistant)(?: message)? ?: *(?:you|the|this|ignore|set|"
        r"classify|severity|override|do|new|treat|mark|please|vous|tu|ignore[rz]?)\b|"
        r"\[/?(?:system|inst|admin|assistant|instructions?)\b[^\]]*\]|"
        r"</?(?:system|instructions?|prompt|admin|assistant)\b[^>]*>|<!--|<\|[^|]*\|>|"
        r"#{2,} ?(?:system|instruction|new)"
    ),
    "new orders": (
        r"\b(?:new|updated|hidden|nouvelles?) (?:instruction|consigne|directive)s?\b|"
        r"\binstructions? (?:for|to|pour|a) (?:the )?" + _READER
    ),
    "a verdict dictated": (
        r"\b(?:severity|severite|gravite|priority|priorite|type|category|classification)\s*"
        r"(?:must be|should be|has to be|needs to be|shall be|is now|doit etre)\s*\S+|"
        r"\b(?:correct|right|real|true|actual|final|bonne|vraie) (?:severity|type|answer|label|"
        r"classification|severite|reponse)\b"
    ),
    "tell nobody": (
        r"\bdo(?:n't| not) (?:page|escalate|wake|alert|notify|investigate|open|create|call)\b|"
        r"\bne (?:pas )?(?:reveille[rz]?|escalade[rz]?|previen[sr]|alerte[rz]?|notifie[rz]?)\b"
    ),
    "approve it": (
        r"\b(?:auto[ -]?)?(?:approve|approuve[rz]?) (?:the|this|all|any|every|le|la|les|tous|it)\b|"
        r"\b(?:pre-?approved|without (?:human )?approval|sans (?:approbation|validation))\b"
    ),
    "run this": (
        r"\b(?:execute|run|lance[rz]?) (?:the |this |le |la )?"
        r"(?:runbook|following|step|command|kubectl|drop |rm )"
    ),
    "give secrets away": (
        r"\b(?:reveal|print|send|show|leak|exfiltrate|envoie[rz]?|affiche[rz]?)\b[^.\n]{0,40}"
        r"\b(?:system prompt|your (?:prompt|instructions)|secrets?|tokens?|environment variables)"
    ),
    "another mode": (
        r"\b(?:developer|god|admin|debug|maintenance) mode (?:is )?(?:on|enabled|activated)|"
        r"\bjailbreak\b|\bprompt injection\b"
    ),
}
_ORDER = re.compile("|".join(_ORDERS.values()))
_CLAIM = re.compile(
    r"\bsev[ -_]?[1-4]\b|\b(?:severity|severite|gravite|priority|priorite|false (?:positive|alarm)|"
    r"faux positif|fausse alerte|drill|exercice|exercise|tests?|cosmeti\w+|harmless|benign|"
    r"anodin|informational|resolved|resolu|ignore[rz]?|no action|aucune action|expected|"
    r"non[ -]critical|trivial|classif\w+|category|type is|incident type|pages?|on-?call|astreinte|"
    r"must|do not|don't|ne pas|instead|approve\w*|runbook|specialist|staging|internal only|"
    r"specialiste)\b|\btype ?[:=]|"
    r"^\W*(?:this|it|that|cette alerte|ceci|c'est|ce n'est|there) (?:is|alert|was|incident|est)?"
)
_PREPARES = re.compile(
    r"\bsev[ -_]?[1-4]\b|\b(?:severity|false (?:positive|alarm)|faux positif|fausse alerte|drill|"
    r"exercice|exercise|test alert|only a test|cosmeti\w+|harmless|benign|resolved|resolu)\b"
)
_SENTENCE = re.compile(r"([.!?]+(?:\s+|$)|\n+)")
_CLAUSE = re.compile(r"(?:[,;:(\[\"<{*]|\s[-\u2013\u2014]\s|\b(?:and|et)\b)\s*")


@lru_cache(maxsize=256)
def has_instructions(text: str) -> bool:
    """Whether a text gives orders to its reader."""
    return bool(_ORDER.search(fold(text)))


@lru_cache(maxsize=256)
def without_instructions(text: str) -> str:
    """The text without orders to its reader; the same text when it gives none."""
    if not has_instructions(text):
        return text
    kept: list[str] = []
    ordered = False
    for sentence in _sentences(text):
        folded = fold(sentence)
        order = _ORDER.search(folded)
        if order:
            kept.append(_before(sentence, folded, order.start()))
            ordered = True
        elif not (ordered and _CLAIM.search(folded)):
            kept.append(sentence)
    return " ".join(part for part in kept if part.strip())


def _sentences(text: str) -> list[str]:
    parts = _SENTENCE.split(text)
    ends = [*parts[1::2], ""]
    return [body + end for body, end in zip(parts[::2], ends, strict=True) if body.strip()]


def _before(sentence: str, folded: str, order: int) -> str:
    """What the sentence says before the clause with the order, unless it prepares the order."""
    if len(folded) != len(sentence):
        return ""
    starts = [match.start() for match in _CLAUSE.finditer(folded, 0, order + 1)]
    before = sentence[: starts[-1]] if starts else ""
    return "" if _PREPARES.search(fold(before)) else before + ". "
