"""How bad it is, by what the alert states. The rules stand in order: the first that fits decides.

To change a rule, change it here and nowhere else; its sentence is what people read in `why`.
Percentages are shares of users, requests or revenue (never of CPU or disk).
"""

from collections.abc import Callable
from dataclasses import dataclass

from incident_squad.domain.catalog import Tier
from incident_squad.domain.triage import Impact
from incident_squad.domain.values import IncidentType, Severity

MOST, MANY, MUCH_REVENUE = 50.0, 10.0, 33.0
"""More than MOST percent is critical, MANY percent and more is high; of what earns money,
MUCH_REVENUE percent are critical."""

_LABELS = (
    "warning warn low info informational information notice minor p3 p4 p5 sev3 sev4 sev5 ok "
    "medium moderate none normal 1 2 3"
)
_MILD = frozenset(_LABELS.split())
"""Senders' labels that don't ask for a page. They only count where no impact is stated."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the severity depends on. `tier` is None when the catalogue lacks the service."""

    impact: Impact
    type: IncidentType
    tier: Tier | None = None
    hint: str | None = None

    @property
    def percent(self) -> float:
        """The affected share; 0 when none is stated."""
        return self.impact.affected_percent or 0.0

    @property
    def measured(self) -> bool:
        """Whether a share is stated."""
        return self.impact.affected_percent is not None

    @property
    def revenue(self) -> bool:
        """Whether money is earned there, by the alert's words or by the catalogue."""
        return self.impact.revenue or self.tier is Tier.REVENUE

    @property
    def minor(self) -> bool:
        """Whether only the company itself depends on it: no intruder, no flow that earns money."""
        internal = self.tier is Tier.INTERNAL and self.type is not IncidentType.SECURITY
        return self.impact.minor or (internal and not self.impact.revenue)

    @property
    def mild(self) -> bool:
        """Whether the sender itself does not call it urgent."""
        return (self.hint or "").strip().lower() in _MILD


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name, when it fits, what it says, and why in one sentence."""

    name: str
    fits: Callable[[Situation], bool]
    severity: Severity
    sentence: str


RULES = (
    Rule(
        "noise",
        lambda s: s.impact.noise,
        Severity.SEV4,
        "a test, a drill or a false alarm: nothing is broken",
    ),
    Rule(
        "cosmetic",
        lambda s: s.impact.cosmetic and not s.impact.outage and s.percent <= MANY,
        Severity.SEV4,
        "only the look is wrong",
    ),
    Rule(
        "non-production",
        lambda s: s.impact.non_production or s.tier is Tier.NON_PRODUCTION,
        Severity.SEV3,
        "not in production",
    ),
    Rule(
        "data taken",
        lambda s: s.impact.data_accessed,
        Severity.SEV1,
        "data was taken",
    ),
    Rule(
        "confirmed compromise",
        lambda s: s.impact.confirmed_compromise,
        Severity.SEV1,
        "somebody who should not be is inside",
    ),
    Rule(
        "nobody feels it",
        lambda s: s.impact.harmless and s.percent < MANY,
        Severity.SEV3,
        "the alert says that nobody is affected",
    ),
    Rule(
        "revenue stopped",
        lambda s: s.impact.revenue_stopped and not s.measured,
        Severity.SEV1,
        "a flow that earns money stands still",
    ),
    Rule(
        "internal or not critical",
        lambda s: s.minor and not s.impact.revenue_stopped,
        Severity.SEV3,
        "internal, or said to be not critical",
    ),
    Rule(
        "most are affected",
        lambda s: s.percent > MOST,
        Severity.SEV1,
        "more than 50 % are affected",
    ),
    Rule(
        "revenue degraded",
        lambda s: s.revenue and s.percent >= MUCH_REVENUE,
        Severity.SEV1,
        "a third or more of a flow that earns money is affected",
    ),
    Rule(
        "many are affected",
        lambda s: s.percent >= MANY,
        Severity.SEV2,
        "10 to 50 % are affected",
    ),
    Rule(
        "few are affected",
        lambda s: s.measured or (s.impact.few and s.type is not IncidentType.SECURITY),
        Severity.SEV3,
        "less than 10 %, or a handful, are affected",
    ),
    Rule(
        "revenue stopped without a figure",
        lambda s: (
            s.impact.revenue_stopped or (s.impact.outage and s.revenue and not s.impact.core_well)
        ),
        Severity.SEV1,
        "an outage of a flow that earns money",
    ),
    Rule(
        "attack blocked",
        lambda s: s.impact.contained and s.type is IncidentType.SECURITY,
        Severity.SEV3,
        "the attack was blocked and nothing else is said",
    ),
    Rule(
        "what matters works",
        lambda s: s.impact.core_well,
        Severity.SEV3,
        "the alert says that the rest, or what earns money, works",
    ),
    Rule(
        "outage without a figure",
        lambda s: s.impact.outage,
        Severity.SEV2,
        "an outage, without a figure of how many are affected",
    ),
    Rule(
        "security, impact unknown",
        lambda s: s.type is IncidentType.SECURITY,
        Severity.SEV2,
        "a security event whose reach is not known yet",
    ),
    Rule(
        "important service, impact unknown",
        lambda s: s.revenue or s.tier is Tier.CRITICAL,
        Severity.SEV2,
        "no impact is stated, and the service is important",
    ),
    Rule(
        "mild by the sender's own label",
        lambda s: s.mild,
        Severity.SEV3,
        "no impact is stated, and the sender does not call it urgent",
    ),
    Rule(
        "impact unknown",
        lambda _: True,
        Severity.SEV2,
        "no impact is stated: high until somebody has looked",
    ),
)


def ruling(situation: Situation) -> Rule:
    """The rule that decides."""
    return next(rule for rule in RULES if rule.fits(situation))
