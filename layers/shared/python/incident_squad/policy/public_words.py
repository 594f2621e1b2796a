"""What customers call what we do: a closed vocabulary, English and French.

When the catalogue does not know a service, the alert's own words choose an entry from here. Only
the entry's words are published, never the alert's.
"""

import re
from collections.abc import Iterable

from incident_squad.domain.values import Value


class Topic(Value):
    """Something that customers do. `uses` completes "Customers use it to ...", by language."""

    name: dict[str, str]
    uses: dict[str, str]
    pattern: str


def _topic(pattern: str, en: tuple[str, str], fr: tuple[str, str]) -> Topic:
    return Topic(pattern=pattern, name={"en": en[0], "fr": fr[0]}, uses={"en": en[1], "fr": fr[1]})


TOPICS = (
    _topic(
        r"pay(?:ments?|ing|s|er)?|paiements?|billing|facturation|credit cards?|cartes? bancaires?",
        ("Payments", "pay"),
        ("Paiements", "payer"),
    ),
    _topic(
        r"orders?|commandes?|check ?outs?|carts?|baskets?|paniers?|purchases?|achats?|sales?"
        r"|ventes?",
        ("Orders", "place orders"),
        ("Commandes", "passer commande"),
    ),
    _topic(
        r"bookings?|reservations?|réservations?|tickets?",
        ("Bookings", "make bookings"),
        ("Réservations", "réserver"),
    ),
    _topic(
        r"deliver(?:y|ies)|livraisons?|parcels?|colis|shipping|shipments?|tracking",
        ("Deliveries", "follow deliveries"),
        ("Livraisons", "suivre leurs livraisons"),
    ),
    _topic(
        r"log[- ]?ins?|sign[- ]?ins?|log(?:ging)? (?:in|on)|auth(?:entication)?|sso"
        r"|connexions? utilisateurs?"
        r"|authentification|passwords?|mots? de passe|signups?|registrations?|identity",
        ("Sign-in", "sign in"),
        ("Connexion au compte", "se connecter"),
    ),
    _topic(
        r"search(?:es)?|recherches?",
        ("Search", "search"),
        ("Recherche", "rechercher"),
    ),
    _topic(
        r"e?-?mails?|courriels?|sms|push|notifications?",
        ("Notifications", "receive messages from us"),
        ("Notifications", "recevoir nos messages"),
    ),
    _topic(
        r"messages?|messaging|messagerie|chats?|conversations?",
        ("Messages", "send and receive messages"),
        ("Messages", "échanger des messages"),
    ),
    _topic(
        r"videos?|vidéos?|streaming|playback",
        ("Video", "watch videos"),
        ("Vidéo", "regarder des vidéos"),
    ),
    _topic(
        r"uploads?|downloads?|téléchargements?|images?|photos?|attachments?|fichiers?|documents?",
        ("Files", "open and save files"),
        ("Fichiers", "ouvrir et enregistrer des fichiers"),
    ),
    _topic(
        r"forums?|communit(?:y|ies)|comments?|commentaires?",
        ("Community", "take part in the community"),
        ("Communauté", "participer à la communauté"),
    ),
    _topic(
        r"catalog(?:ue)?s?|products?|produits?|recommendations?|recommandations?|inventory|stocks?",
        ("Product pages", "look at products"),
        ("Pages produits", "consulter les produits"),
    ),
    _topic(
        r"profiles?|profils?|customer accounts?|comptes? clients?",
        ("Accounts", "manage their account"),
        ("Comptes", "gérer leur compte"),
    ),
    _topic(
        r"reports?|reporting|rapports?|dashboards?|tableaux? de bord|analytics|exports?",
        ("Reports", "see their reports"),
        ("Rapports", "consulter leurs rapports"),
    ),
    _topic(
        r"mobile|android|ios app|application mobile",
        ("Mobile app", "use the mobile app"),
        ("Application mobile", "utiliser l'application mobile"),
    ),
    _topic(
        r"public api|apis?",
        ("API", "use our API"),
        ("API", "utiliser notre API"),
    ),
    _topic(
        r"web ?sites?|site web|home ?pages?|page d'accueil|web[- ]?(?:front|shop|app|pages?)|shop"
        r"|boutique|store(?:front)?|portal|portail|pages?|visitors?|visiteurs?",
        ("Website", "use our website"),
        ("Site web", "utiliser notre site"),
    ),
)
"""In the order in which they are tried: the more particular first."""

_COMPILED = tuple(
    (topic, re.compile(rf"(?<![^\W_])(?:{topic.pattern})(?![^\W_])", re.IGNORECASE))
    for topic in TOPICS
)
_DENIED = re.compile(
    r"[^.;\n]*\b(?:not|never|no|un|non|pas|aucune?)[ -]?(?:\w+ ){0,3}?"
    r"(?:affected|impacted|concerned"
    r"|touchée?s?|affectée?s?|impactée?s?|impact)\b[^.;\n]*",
    re.IGNORECASE,
)

PUBLIC_WORDS = frozenset(
    word
    for topic in TOPICS
    for text in (*topic.name.values(), *topic.uses.values())
    for word in (text.lower(), *re.findall(r"[^\W\d_]+", text.lower()))
) | {"payment", "order", "login", "auth", "web", "checkout", "cart", "shop", "store", "account"}
"""Words that tell a customer nothing new, so that a service named like one betrays nothing."""


def topics_in(text: str) -> tuple[Topic, ...]:
    """All topics that a text names, the more particular first."""
    return tuple(topic for topic, pattern in _COMPILED if pattern.search(text))


def topic_of(texts: Iterable[str | None]) -> Topic | None:
    """The topic of the first text that has one; what a text says is *not* affected is no topic."""
    for text in texts:
        spoken = _DENIED.sub(" ", text or "")
        for topic, pattern in _COMPILED:
            if pattern.search(spoken):
                return topic
    return None
