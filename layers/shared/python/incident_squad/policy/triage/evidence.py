"""Evidence for each type of incident: from the alert's structure, subjects and failures."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.triage import Impact
from incident_squad.domain.values import IncidentType
from incident_squad.policy.triage.knowledge import Structure
from incident_squad.policy.triage.patterns import Match, Pattern
from incident_squad.policy.triage.reading import Reading

STRUCTURE, LABEL, METRIC = 8.0, 3.0, 3.0
ORDINARY_METRIC = 1.2
"""A metric of hosts and processes, which databases and proxies have too."""
PRODUCT, THING, LEADING = 1.8, 0.8, 0.8
CERTAIN, LIKELY = 3.5, 1.4
EXONERATED, DOUBTED = -1.8, 0.5
_REPEATED = 0.25
_SUBJECT_CAP = 3.0
_METRIC_NAME = re.compile(r"[a-z][a-z0-9]*(?:[._:][a-z0-9_]+)+")


@dataclass(frozen=True, slots=True)
class Clue:
    """One reason for a type; `weight` is in the unit of a clear sentence about 3."""

    type: IncidentType
    weight: float
    reason: str


@dataclass(slots=True)
class Scores:
    """Clues added up by type."""

    points: dict[IncidentType, float] = field(
        default_factory=lambda: dict.fromkeys(IncidentType, 0.0)
    )
    clues: list[Clue] = field(default_factory=list)

    def add(self, clue: Clue) -> None:
        """Count a clue."""
        self.points[clue.type] += clue.weight
        self.clues.append(clue)

    def best(self, least: float = 0.0) -> IncidentType | None:
        """The type with the most points, or None when none has more than `least`."""
        kind = max(self.points, key=lambda candidate: self.points[candidate])
        return kind if self.points[kind] > least else None


def structural(alert: Alert, structure: Structure, names: Sequence[str]) -> list[Clue]:
    """Clues of the alert's form: namespace, event source, labels, metric names."""
    labels = {name.lower(): value.lower() for name, value in alert.labels.items()}
    found = [] if alert.source is Source.ALERTMANAGER else _aws(labels, structure)
    seen: set[IncidentType] = set()
    for name_glob, value_glob, kind, line in structure.labels:
        if kind not in seen and any(
            name_glob.match(name) and value_glob.match(value) for name, value in labels.items()
        ):
            seen.add(kind)
            weight = STRUCTURE if kind is IncidentType.SECURITY else LABEL
            found.append(Clue(kind, weight, f"label {line}"))
    found.extend(_metrics(names, structure))
    return found


def _aws(labels: Mapping[str, str], structure: Structure) -> list[Clue]:
    namespace = labels.get("namespace", "")
    fits = [n for n in structure.namespaces if namespace == n or namespace.startswith(n + "/")]
    if fits:
        longest = max(fits, key=len)
        return [Clue(structure.namespaces[longest], STRUCTURE, f"metric namespace {namespace}")]
    service = labels.get("aws_service", "")
    if service in structure.health_services:
        kind = structure.health_services[service]
        return [Clue(kind, STRUCTURE, f"AWS Health event of {service}")]
    source = labels.get("source", "")
    if source in structure.sources:
        return [Clue(structure.sources[source], STRUCTURE, f"event source {source}")]
    return []


def _metrics(names: Sequence[str], structure: Structure) -> list[Clue]:
    for name in names:
        for pattern, kind, line in structure.metrics:
            if pattern.match(name):
                ordinary = kind is IncidentType.APPLICATION
                weight = ORDINARY_METRIC if ordinary else METRIC
                return [Clue(kind, weight, f"metric or rule {line}")]
    return []


def names_of(alert: Alert) -> list[str]:
    """Names of metrics, rules and findings in lower case, the most telling first."""
    labels = {name.lower(): value for name, value in alert.labels.items()}
    metric = (alert.metric or "").lower()
    told = [
        labels.get(key, "").lower()
        for key in (
            *("finding_type", "event_type_code", "alertname", "rule", "metric", "check"),
            *("detail_type", "source", "eventname"),
        )
    ]
    spelt = labels.get("namespace", "").lower() + "/" + metric if labels.get("namespace") else ""
    found = [metric, spelt, *told]
    for text in (labels.get("alert_query", ""), labels.get("expression", ""), alert.description):
        found.extend(_METRIC_NAME.findall(text[:2000].lower())[:10])
    if " " not in alert.title.strip():
        found.append(alert.title.lower())
    return list(dict.fromkeys(name for name in found if name))


def subjects(matches: Mapping[str, Sequence[Match]]) -> list[Clue]:
    """Clues of what the alert speaks about."""
    found: list[Clue] = []
    for kind in IncidentType:
        products = _sum(matches.get(f"products/{kind}", ()), PRODUCT)
        things = _sum(matches.get(f"things/{kind}", ()), THING)
        weight = min(products[0] + things[0], _SUBJECT_CAP)
        if weight > 0:
            words = ", ".join([*products[1], *things[1]][:4])
            found.append(Clue(kind, weight, f"speaks of {words}"))
    return found


def leading(reading: Reading, lexicon: Mapping[str, Sequence[Pattern]]) -> list[Clue]:
    """A clue for the product that the alert names first: as a rule it is what fails."""
    kinds = {
        word: kind
        for kind in IncidentType
        for pattern in lexicon[f"products/{kind}"]
        if len(pattern.needs) == 1
        for word in pattern.needs[0]
    }
    first = next((t for t in reading.tokens if t.word in kinds and t.weight > 0), None)
    if first is None or first.name:
        return []
    return [Clue(kinds[first.word], LEADING * first.weight, f"names {first.word} first")]


def exonerated(reading: Reading, lexicon: Mapping[str, Sequence[Pattern]]) -> list[Clue]:
    """Clues against what the alert says is well (`the database itself is fine`)."""
    well = _said_well(reading)
    found: list[Clue] = []
    for kind in IncidentType:
        named = next(
            (
                pattern.text
                for section in ("products", "things")
                for pattern in lexicon[f"{section}/{kind}"]
                if len(pattern.needs) == 1 and not well.isdisjoint(pattern.needs[0])
            ),
            None,
        )
        if named:
            found.append(Clue(kind, EXONERATED, f"says that {named} is well"))
    return found


def own_users_are_well(clue: Clue, first: Clue) -> bool:
    """Whether only what uses the failing thing is well (`two brokers down, consumers fine`)."""
    return clue.type is first.type is IncidentType.APPLICATION


def breached(effect: Impact, security: float) -> list[Clue]:
    """A compromise or a theft that is stated as a fact is security, whatever it happened to."""
    if effect.confirmed_compromise or effect.data_accessed:
        return [Clue(IncidentType.SECURITY, CERTAIN, "states a compromise or a theft as a fact")]
    if effect.contained and security > 1:
        return [Clue(IncidentType.SECURITY, LIKELY, "says that an attack was blocked")]
    return []


def stated(effect: Impact) -> list[str]:
    """Facts of the effect as words that a runbook's signals may name: `stated datataken`."""
    return ["datataken"] if effect.data_accessed else []


def weaker(clue: Clue) -> Clue:
    """The clue for a type whose subject is said to be well; structure and doubts stay."""
    if clue.weight < 0 or clue.weight >= STRUCTURE:
        return clue
    return Clue(clue.type, clue.weight * DOUBTED, clue.reason)


def _said_well(reading: Reading) -> set[str]:
    words = {token.word for token in reading.tokens if token.weight == 0}
    for place, token in enumerate(reading.tokens):
        if token.word == "notof":
            words.update(after.word for after in reading.tokens[place + 1 : place + 3])
    return words


def failures(matches: Mapping[str, Sequence[Match]]) -> list[Clue]:
    """Clues of what happens, by the lexicon."""
    found: list[Clue] = []
    for kind in IncidentType:
        for section, unit in (("certain", CERTAIN), ("likely", LIKELY)):
            weight, words = _sum(matches.get(f"{section}/{kind}", ()), unit)
            if weight > 0:
                found.append(Clue(kind, weight, f"says {', '.join(words[:3])}"))
    return found


def certain_types(clues: Sequence[Clue]) -> frozenset[IncidentType]:
    """The types of which a failure is named that can be no other type's."""
    return frozenset(clue.type for clue in clues if clue.weight >= LIKELY * 2)


def _sum(matches: Sequence[Match], unit: float) -> tuple[float, list[str]]:
    """The best match counts fully, each further one a quarter; the words of those found."""
    ordered = sorted((m for m in matches if m.weight > 0), key=lambda match: -match.weight)
    weights = [match.weight for match in ordered]
    total = sum(weights[:1]) + _REPEATED * sum(weights[1:5])
    return unit * total, [match.pattern.text for match in ordered]


def best_sum(matches: Sequence[Match], unit: float) -> tuple[float, list[str]]:
    """See `_sum`; for signals of runbooks."""
    return _sum(matches, unit)
