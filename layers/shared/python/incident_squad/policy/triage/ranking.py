"""Which runbooks fit an alert, by the signals that each runbook declares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from incident_squad.domain.runbook import Runbook
from incident_squad.domain.triage import FALSE_ALARM, NONE_FITS, RunbookCandidate
from incident_squad.domain.values import IncidentType
from incident_squad.policy.triage.evidence import Clue, best_sum
from incident_squad.policy.triage.knowledge import Wildcard, glob
from incident_squad.policy.triage.patterns import Match, Matcher, Pattern, compile_all
from incident_squad.policy.triage.reading import Reading
from incident_squad.policy.triage.words import Vocabulary

SAYS, HINTS, METRICS, UNLESS = 3.5, 1.0, 3.0, 3.0
VOTE = 2.0
"""What the whole vote of the voter is worth in points."""
HINTS_ONLY = 0.5
FITS, FITS_OTHER_TYPE = 0.9, 3.0
"""A runbook with fewer points than this does not fit: one hint is the least, a clear sentence when
the runbook is of another type and none of the right type fits."""
HALF = 0.5
NEARLY = 0.85
_SCALE = 3.0
_SERVING = {IncidentType.APPLICATION, IncidentType.NETWORK}
_KEPT = 3


@dataclass(frozen=True, slots=True)
class Fit:
    """How well one runbook fits, in points, and what matched."""

    name: str
    type: IncidentType | None
    points: float
    reasons: tuple[str, ...]
    symptom: bool = False
    ordinary: float = 0.0
    """Points that say little of the type: mere hints, metrics of any system, lines for others."""


class Signals:
    """The compiled signals of all runbooks."""

    def __init__(self, runbooks: Mapping[str, Runbook], vocabulary: Vocabulary) -> None:
        self._types = {name: runbook.type for name, runbook in runbooks.items()}
        self._symptoms = {name for name, book in runbooks.items() if book.signals.symptom}
        self._metrics = {
            name: tuple((glob(line), line) for line in runbook.signals.metrics)
            for name, runbook in runbooks.items()
        }
        groups: dict[str, tuple[Pattern, ...]] = {}
        for name, runbook in runbooks.items():
            for section in ("says", "hints", "unless"):
                lines: Sequence[str] = getattr(runbook.signals, section)
                groups[f"{section}/{name}"] = compile_all(lines, vocabulary)
        vocabulary.learn(
            {w for group in groups.values() for p in group for need in p.needs for w in need}
        )
        self._matcher = Matcher(groups)

    def fits(
        self,
        reading: Reading,
        names: Sequence[str],
        about: str | None,
        votes: Mapping[str, float],
    ) -> list[Fit]:
        """Every runbook that has at least one sign for it, the best first."""
        matches = self._matcher.find(reading, about)
        found = [self._fit(name, matches, names, votes.get(name, 0.0)) for name in self._types]
        return sorted((fit for fit in found if fit.points > 0), key=lambda f: (-f.points, f.name))

    def _fit(
        self, name: str, matches: Mapping[str, Sequence[Match]], names: Sequence[str], vote: float
    ) -> Fit:
        spoken_of = matches.get(f"says/{name}", ())
        says, said = best_sum(spoken_of, SAYS)
        own, _ = best_sum([m for m in spoken_of if _of_type(m, self._types[name])], SAYS)
        hints, hinted = best_sum(matches.get(f"hints/{name}", ()), HINTS)
        against, spoken = best_sum(matches.get(f"unless/{name}", ()), UNLESS)
        metric = _metric(self._metrics[name], names)
        points = says + hints + (METRICS if metric else 0.0) - against + VOTE * vote
        reasons = [f"says \u201c{words}\u201d" for words in said[:3]]
        reasons += [f"metric or rule {metric}"] if metric else []
        reasons += [f"mentions \u201c{words}\u201d" for words in hinted[:2]]
        reasons += [f"reads like it ({vote:.0%} of the vote)"] if vote > HALF else []
        reasons += [f"but \u201c{words}\u201d speaks against it" for words in spoken[:1]]
        hints_only = 0.0 if said or metric else hints * HINTS_ONLY
        common = metric is not None and self._types[name] is IncidentType.APPLICATION
        ordinary = (METRICS / 2 if common else hints_only) + says - own + VOTE * vote
        symptom = name in self._symptoms
        return Fit(name, self._types[name], points, tuple(reasons), symptom, ordinary)


def _of_type(match: Match, kind: IncidentType | None) -> bool:
    """Whether a match says something of the type: not when its condition is another type."""
    return not match.pattern.about or kind in match.pattern.about


def _metric(globs: Sequence[tuple[Wildcard, str]], names: Sequence[str]) -> str | None:
    return next(
        (line for pattern, line in globs if any(pattern.match(name) for name in names)), None
    )


def clues(fits: Sequence[Fit], certain: frozenset[IncidentType] = frozenset()) -> list[Clue]:
    """What runbooks that fit say of the type: the best of each type, others of it a quarter.

    A symptom (errors, latency) says half as much where a failure of another type is `certain`.
    """
    found: list[Clue] = []
    for kind in IncidentType:
        of_type = [fit for fit in fits if fit.type is kind]
        if of_type:
            best = of_type[0]
            others = sum(fit.points for fit in of_type[1:3])
            points = best.points - best.ordinary + 0.25 * others
            if best.symptom and certain - {kind}:
                points *= HALF
            reason = f"runbook {best.name}: {'; '.join(best.reasons[:2])}"
            if points:
                found.append(Clue(kind, min(points, 7.0), reason))
    return found


def candidates(
    fits: Sequence[Fit], kind: IncidentType, runbooks: Mapping[str, Runbook], *, noise: bool
) -> tuple[RunbookCandidate, ...]:
    """The runbooks to offer, best first: those of the type that fit, or an honest general one."""
    near = _causes_first([fit for fit in fits if fit.type is kind or _felt_there(fit, kind)])
    fitting = [_candidate(fit) for fit in near if fit.points >= FITS][:_KEPT]
    if not fitting:
        fitting = [_candidate(fit) for fit in fits if fit.type and fit.points >= FITS_OTHER_TYPE][
            :1
        ]
    nearest = [_candidate(fit) for fit in near if fit.points < FITS][: _KEPT - 1]
    if noise and FALSE_ALARM in runbooks:
        reason = ("the alert says that it is a test, a drill or a false alarm",)
        return (RunbookCandidate(runbook_id=FALSE_ALARM, score=0.9, reasons=reason), *fitting)
    if fitting:
        return tuple(fitting)
    if NONE_FITS not in runbooks:
        return ()
    reason = ("no runbook's signals fit this alert; the nearest follow",)
    return (RunbookCandidate(runbook_id=NONE_FITS, score=0.1, reasons=reason), *nearest)


def _felt_there(fit: Fit, kind: IncidentType) -> bool:
    """Whether a symptom of the one is felt at the other: slow services and slow networks."""
    return fit.symptom and {fit.type, kind} <= _SERVING and fit.points >= FITS_OTHER_TYPE


def _causes_first(fits: Sequence[Fit]) -> list[Fit]:
    """The same fits; a symptom stands behind a cause that is stated about as clearly."""
    felt = max((fit.points for fit in fits if fit.symptom), default=0.0)
    least = max(FITS_OTHER_TYPE, NEARLY * felt)
    clear = [fit for fit in fits if not fit.symptom and fit.points >= least]
    return [*clear, *(fit for fit in fits if fit not in clear)]


def _candidate(fit: Fit) -> RunbookCandidate:
    score = round(fit.points / (fit.points + _SCALE), 3)
    return RunbookCandidate(runbook_id=fit.name, score=score, reasons=fit.reasons)
