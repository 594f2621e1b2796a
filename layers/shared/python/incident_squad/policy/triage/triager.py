"""The floor's triage: one alert in, one explained judgement out. Milliseconds, no network."""

from collections.abc import Mapping
from dataclasses import dataclass

from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.triage import Impact, Triage
from incident_squad.domain.values import Environment, IncidentType
from incident_squad.policy.triage import ranking
from incident_squad.policy.triage.claims import claim_reader
from incident_squad.policy.triage.confidence import confidence
from incident_squad.policy.triage.evidence import (
    Clue,
    Scores,
    breached,
    certain_types,
    exonerated,
    failures,
    leading,
    names_of,
    own_users_are_well,
    stated,
    structural,
    subjects,
    weaker,
)
from incident_squad.policy.triage.facts import fact_finder
from incident_squad.policy.triage.gravity import Gravity, gravity, settle
from incident_squad.policy.triage.impact import impact
from incident_squad.policy.triage.instructions import has_instructions
from incident_squad.policy.triage.knowledge import knowledge
from incident_squad.policy.triage.noise import environment, noise
from incident_squad.policy.triage.patterns import Matcher
from incident_squad.policy.triage.reading import Reading, read
from incident_squad.policy.triage.service import services
from incident_squad.policy.triage.severity import Rule, Situation, ruling
from incident_squad.policy.triage.shares import Unit
from incident_squad.policy.triage.voter import Voter, clues, voter

_PRIOR = Clue(IncidentType.APPLICATION, 0.4, "most failures without a sign are the application's")
_REASONS = 4
_ABOUT = 0.15
"""A subject that is named with less than this is only part of another thing's name."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the rules make of an alert; `noise` is what shows that it is a test or false alarm."""

    reading: Reading
    scores: Scores
    fits: list[ranking.Fit]
    situation: Situation
    rule: Rule
    service: str | None
    environment: Environment
    noise: str | None


class Triager:
    """Triage with everything compiled once; calling it is pure."""

    def __init__(
        self,
        catalog: Catalog,
        runbooks: Mapping[str, Runbook],
        votes: Voter | None = None,
        opinion: Gravity | None = None,
    ) -> None:
        self._catalog = catalog
        self._runbooks = runbooks
        self._known = knowledge()
        fact_finder()
        claim_reader()
        self.votes = votes or voter()
        self.opinion = opinion or gravity()
        self._services = services(catalog)
        self._signals = ranking.Signals(runbooks, self._known.vocabulary)
        lexicon = self._known.lexicon
        self._subjects = Matcher(
            {group: lexicon[group] for group in lexicon if group.startswith(("products", "things"))}
        )
        self._failures = Matcher(
            {group: lexicon[group] for group in lexicon if group.startswith(("certain", "likely"))}
        )

    def __call__(self, alert: Alert) -> Triage:
        """Judge one alert."""
        seen = self.look(alert)
        situation, kind = seen.situation, seen.situation.type
        opinion = self.opinion(seen.reading, situation, seen.rule)
        level, why = settle(seen.rule, opinion, kind)
        noisy = seen.noise is not None
        return Triage(
            type=kind,
            severity=level,
            service=seen.service,
            environment=seen.environment,
            runbooks=ranking.candidates(seen.fits, kind, self._runbooks, noise=noisy),
            confidence=confidence(seen.scores.points),
            impact=situation.impact,
            noise=noisy,
            why=(
                *_type_reasons(seen.scores, kind),
                f"{level} {why}",
                *_other_reasons(alert, situation.impact, seen.noise),
            ),
        )

    def look(self, alert: Alert) -> Seen:
        """What the rules make of one alert, before the second opinion on its severity."""
        reading, effect = read(alert, self._known.vocabulary), impact(alert)
        scores, fits = self._weigh(alert, reading, effect)
        service = self._services.find(alert)
        where = environment(alert, service, self._catalog)
        noisy = noise(alert)
        facts = {"noise": noisy is not None, "non_production": where is Environment.STAGING}
        known = self._catalog.services.get(service or "")
        situation = Situation(
            effect.model_copy(update=facts),
            scores.best() or IncidentType.APPLICATION,
            known.tier if known else None,
            alert.severity_hint,
        )
        rule = ruling(situation)
        return Seen(reading, scores, fits, situation, rule, service, where, noisy)

    def points(self, alert: Alert) -> Mapping[IncidentType, float]:
        """How much speaks for each type, before it becomes a confidence."""
        return self.look(alert).scores.points

    def _weigh(
        self, alert: Alert, reading: Reading, effect: Impact
    ) -> tuple[Scores, list[ranking.Fit]]:
        if effect.outage or effect.affected_what == Unit.USERS:
            reading.logins_are_down()
        for fact in stated(effect):
            reading.state(fact, self._known.vocabulary)
        names = names_of(alert)
        scores = Scores()
        first = leading(reading, self._known.lexicon)
        found = [
            *structural(alert, self._known.structure, names),
            *subjects(self._subjects.find(reading)),
            *first,
            *(
                clue
                for clue in exonerated(reading, self._known.lexicon)
                if not any(own_users_are_well(clue, named) for named in first)
            ),
        ]
        well = {clue.type for clue in found if clue.weight < 0}
        for clue in found:
            scores.add(weaker(clue) if clue.type in well else clue)
        vote = self.votes(reading)
        about = scores.best(_ABOUT) or _PRIOR.type
        scores.add(_PRIOR)
        for clue in clues(vote):
            scores.add(clue)
        fits = self._signals.fits(reading, names, about, vote.labels)
        failed = failures(self._failures.find(reading, about))
        for clue in (*failed, *ranking.clues(fits, certain_types(failed))):
            scores.add(weaker(clue) if clue.type in well else clue)
        for clue in breached(effect, scores.points[IncidentType.SECURITY]):
            scores.add(clue)
        return scores, fits


def _type_reasons(scores: Scores, kind: IncidentType) -> list[str]:
    strongest = sorted((c for c in scores.clues if c.type is kind), key=lambda clue: -clue.weight)
    reasons = [f"{kind}: {clue.reason}" for clue in strongest[:_REASONS]]
    others = sorted((c for c in scores.clues if c.type is not kind), key=lambda clue: -clue.weight)
    return [*reasons, *(f"against it, {c.type}: {c.reason}" for c in others[:1] if c.weight > 1)]


def _other_reasons(alert: Alert, effect: Impact, noisy: str | None) -> list[str]:
    reasons = [f"the alert states {fact}" for fact in effect.facts[:5]]
    if noisy:
        reasons.append(f"noise: \u201c{noisy}\u201d")
    if alert.severity_hint:
        reasons.append(f"the sender's own label is \u201c{alert.severity_hint}\u201d: a hint only")
    if has_instructions(alert.text()):
        reasons.append("the text gives orders to its reader; they were left out")
    return reasons


def triage(alert: Alert, catalog: Catalog, runbooks: Mapping[str, Runbook]) -> Triage:
    """Judge one alert; compile once with `Triager` to judge many."""
    return Triager(catalog, runbooks)(alert)
