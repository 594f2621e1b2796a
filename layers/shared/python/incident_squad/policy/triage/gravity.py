"""A second opinion on the severity: how bad alerts with such words and facts were.

Its weights stand in `gravity.json` and are learned as the voter's are (`python -m infra.training`).
The rules of `severity` speak first: their facts and the rule that fitted are among what it hears,
so it learns where they can be trusted. It is heard where an effect is stated, lowers what
the rules call critical or high by one level at most, and says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from incident_squad.domain.triage import Impact
from incident_squad.domain.values import IncidentType, Severity
from incident_squad.policy.triage.reading import Reading
from incident_squad.policy.triage.severity import MANY, MOST, MUCH_REVENUE, Rule, Situation
from incident_squad.policy.triage.voter import Weights, features, loudest, stored

UNSTATED = "unstated"
"""The label of alerts that state no effect."""
LABELS = (*(level.value for level in Severity), UNSTATED)
_FACT = 0.3
"""How loud a fact is beside the words of an alert, which have length 1 together."""
STATED, SURE = 0.05, 0.5
"""How likely it must be that an effect is stated, and that it is this severity, to be heard."""
GRAVE = 0.2
"""While SEV1 is likelier than this, nothing is lowered."""
FIRM = frozenset({"non-production"})
"""Rules about what the catalogue and the labels know for certain: no words change them."""
_FLAGS = (
    "outage",
    "degraded",
    "revenue",
    "revenue_stopped",
    "minor",
    "few",
    "harmless",
    "core_well",
    "contained",
    "cosmetic",
    "confirmed_compromise",
    "data_accessed",
    "non_production",
    "noise",
)


@dataclass(frozen=True, slots=True)
class Opinion:
    """How likely each severity is (0 to 1) if an effect is stated at all, and how likely that is.

    `words` are those that spoke loudest for each severity.
    """

    shares: Mapping[Severity, float]
    stated: float
    words: Mapping[Severity, tuple[str, ...]]

    @property
    def severity(self) -> Severity:
        """The likeliest."""
        return max(self.shares, key=lambda level: self.shares[level])

    def sentence(self, level: Severity) -> str:
        """Why, for people."""
        words = ", ".join(self.words[level]) or "these"
        return f"words such as {words} ({self.shares[level]:.0%} of the vote)"


def traits(reading: Reading, situation: Situation, rule: Rule) -> dict[str, float]:
    """The words of an alert, and beside them what the rules found."""
    found = features(reading)
    for name in _facts(situation, rule):
        found["f:" + name] = _FACT
    return found


def _facts(situation: Situation, rule: Rule) -> list[str]:
    impact = situation.impact
    names = [name for name in _FLAGS if getattr(impact, name)]
    share = _share(impact)
    if share:
        names += [share, *(f"{name} {share}" for name in ("revenue", "core_well") if name in names)]
    return [*names, f"is {situation.type}", f"rule {rule.name}"]


def _share(impact: Impact) -> str | None:
    percent = impact.affected_percent
    if percent is None:
        return None
    steps: Mapping[str, bool] = {
        "few of a hundred": percent < MANY,
        "many": percent < MUCH_REVENUE,
        "up to half": percent <= MOST,
    }
    return next((name for name, fits in steps.items() if fits), "most")


class Gravity:
    """Votes on severities."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def __call__(self, reading: Reading, situation: Situation, rule: Rule) -> Opinion:
        """The vote on one alert."""
        weighed = self.weights.weigh(traits(reading, situation, rule))
        stated = 1 - weighed.shares[UNSTATED]
        shares = {level: weighed.shares[level.value] / (stated or 1.0) for level in Severity}
        words = {level: _spoken(weighed.parts[level.value]) for level in Severity}
        return Opinion(shares, stated, words)


def _spoken(parts: Sequence[tuple[float, str]]) -> tuple[str, ...]:
    return loudest([part for part in parts if not part[1].startswith("rule ")])


def silent() -> Gravity:
    """A voter that has learned nothing: every effect is unstated, and the rules decide."""
    certain = 50.0
    return Gravity(Weights(LABELS, (*(0.0 for _ in Severity), certain), {}))


@lru_cache(maxsize=1)
def gravity() -> Gravity:
    """The voter on severities with this package's weights."""
    data = stored("gravity")
    return Gravity(Weights(data["labels"], data["bias"], data["weights"]))


def settle(rule: Rule, opinion: Opinion, kind: IncidentType) -> tuple[Severity, str]:
    """The severity and why: what the rule says, unless an opinion that is heard differs."""
    level = rule.severity
    by_rule = f"by the rule \u201c{rule.name}\u201d: {rule.sentence}"
    said = level if rule.name in FIRM else _heard(level, opinion, kind)
    if said is level:
        return level, by_rule
    return said, f"by {opinion.sentence(said)}; {level} {by_rule}"


def _heard(level: Severity, opinion: Opinion, kind: IncidentType) -> Severity:
    said = opinion.severity
    if opinion.stated < STATED or opinion.shares[said] < SURE:
        return level
    return min(said, _lowest(level, opinion, kind), key=lambda each: each.rank)


def _lowest(level: Severity, opinion: Opinion, kind: IncidentType) -> Severity:
    """How far words may lower: SEV4 is closed unseen, and takes a mild rule and no security."""
    if level is Severity.SEV1:
        return Severity.SEV2
    if opinion.shares[Severity.SEV1] > GRAVE:
        return level
    mild = level.rank > Severity.SEV2.rank and kind is not IncidentType.SECURITY
    return Severity.SEV4 if mild else max(level, Severity.SEV3, key=lambda each: each.rank)
