"""What messages between colleagues say in their own language, besides the facts."""

from collections.abc import Mapping

from incident_squad.domain.catalog import Language

_PHRASES: Mapping[str, Mapping[Language, str]] = {
    "decide": {
        "en": "[{severity}] Your decision is needed: {title}",
        "fr": "[{severity}] Votre décision est attendue : {title}",
    },
    "plan": {
        "en": "{incident}: {title}\n\nThe plan (risk {risk}):\n{steps}\n\n"
        "Look at it and decide: {address}\n"
        "The link is yours alone and works once, until {until}.",
        "fr": "{incident} : {title}\n\nLe plan (risque {risk}) :\n{steps}\n\n"
        "Regardez-le et décidez : {address}\n"
        "Le lien est à vous seul et sert une fois, jusqu'à {until}.",
    },
    "may_read": {
        "en": "[{severity}] May customers read this? {incident}: {state}",
        "fr": "[{severity}] Les clients peuvent-ils lire ceci ? {incident} : {state}",
    },
    "text": {
        "en": "{text}\n\nRead it and decide: {address}\n"
        "The link is yours alone and works once, until {until}. "
        "Without a decision nothing goes out; the repair does not wait for it.",
        "fr": "{text}\n\nLisez-le et décidez : {address}\n"
        "Le lien est à vous seul et sert une fois, jusqu'à {until}. "
        "Sans décision, rien ne sort ; la réparation n'attend pas.",
    },
    "late": {
        "en": "{incident}: a promised update is late",
        "fr": "{incident} : une communication promise est en retard",
    },
    "late_since": {
        "en": "The update that was promised by {due} UTC is late",
        "fr": "La communication promise pour {due} UTC est en retard",
    },
    "nobody": {
        "en": "[{severity}] Nobody has acknowledged: {title}",
        "fr": "[{severity}] Personne n'a pris en charge : {title}",
    },
    "summary": {
        "en": "Executive summary of {incident}",
        "fr": "Synthèse de l'incident {incident}",
    },
    "correction": {"en": "Correction: ", "fr": "Rectification : "},
}


def phrase(key: str, language: Language, **facts: object) -> str:
    """One phrase with its facts."""
    return _PHRASES[key][language].format(**facts)
