"""Whether an alert is a test, a drill or a false alarm, and where it happens."""

import re

from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Catalog, Tier
from incident_squad.domain.values import Environment
from incident_squad.policy.triage.clauses import sentences
from incident_squad.policy.triage.facts import fact_finder
from incident_squad.policy.triage.instructions import has_instructions
from incident_squad.policy.triage.reading import plain
from incident_squad.policy.triage.rehearsal import staged
from incident_squad.policy.triage.words import fold, split_camel

_NAME = re.compile(
    r"(?:^|[-_./])(?:staging|stg|preprod|uat|qa|recette|sandbox|dev|nonprod)(?:[-_./\d]|$)"
)
_HARMLESS = ("false alarm", "noise")
_FLAGS = frozenset({"test", "drill", "is_test", "synthetic_test", "exercise"})
_TRUE = frozenset({"true", "yes", "1"})


def noise(alert: Alert) -> str | None:
    """The words that make an alert a test, a drill or a false alarm, or None.

    A text that gives orders to its reader is not believed when it calls itself harmless.
    """
    told = [value for value in alert.labels.values() if " " in value]
    rule = alert.labels.get("alertname", "")
    told += [rule, " ".join(split_camel(rule))]
    for text in (alert.title, alert.description, *told):
        if not has_instructions(text):
            said = sentences(plain(text))
            found = fact_finder().read(said, _HARMLESS).facts
            words = next(iter(found.values()), None) or staged(said)
            if words:
                return words
    flagged = (
        f"{name}={value}"
        for name, value in alert.labels.items()
        if fold(name) in _FLAGS and fold(value) in _TRUE
    )
    return next(flagged, None)


def environment(alert: Alert, service: str | None, catalog: Catalog) -> Environment:
    """Where it happens: as the alert labels it, as the catalogue says, as the text says."""
    if alert.environment:
        return alert.environment
    known = catalog.services.get(service or "")
    if known and (known.environment is Environment.STAGING or known.tier is Tier.NON_PRODUCTION):
        return Environment.STAGING
    text = plain(alert.title) + "\n" + plain(alert.description)
    stated = fact_finder().read(sentences(text), ("staging", "production")).facts
    names = (alert.service, alert.resource)
    named = any(_NAME.search(fold(name)) for name in names if name)
    hostile = has_instructions(alert.title) or has_instructions(alert.description)
    staging = named or ("staging" in stated and not hostile)
    return Environment.STAGING if staging and "production" not in stated else Environment.PRODUCTION
