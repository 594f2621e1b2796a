"""Floor against model on the same alerts: what each says, who is right, and what it costs."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from incident_squad.adapters.memory import MemoryLedger
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.agents.models import SEATS, TARIFFS, Seat, most
from incident_squad.agents.rails import Rails, size_of
from incident_squad.agents.router import route
from incident_squad.bootstrap.transcripts import known_of
from incident_squad.domain.catalog import Policies
from incident_squad.domain.model import ModelReply, ModelRequest, Usage
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import iso
from incident_squad.steps.refine_triage import SLICE
from incident_squad.steps.refining import or_floor
from infra.evaluation import Case
from infra.grading import GradingCase, grade
from infra.pipeline import Pipeline

AT_A_TIME = 4
BYTES_A_TOKEN = 3.0
USUAL_ANSWER = {"router": 250, "investigator": 150, "specialist": 700, "communicator": 350}
"""Tokens of an answer as they are guessed; the other bound is exact."""

Row = dict[str, Any]


@dataclass
class Weigher:
    """Implements `Model` without one: it only notes what would be sent."""

    requests: list[ModelRequest] = field(default_factory=list)

    def ask(
        self, request: ModelRequest, seconds: float, on_text: Callable[[str], None] | None = None
    ) -> ModelReply:
        """Nothing that can be used."""
        del seconds, on_text
        self.requests.append(request)
        return ModelReply(model=request.model, text="{}")


@dataclass(frozen=True)
class Estimate:
    """What a live evaluation will cost: as guessed, and at most by first answers alone."""

    calls: int
    usd: float
    most_usd: float


@dataclass(frozen=True)
class Live:
    """Evaluates cases with a floor and a model on rails."""

    pipeline: Pipeline

    def estimate(self, cases: Sequence[Case | GradingCase], seats: Mapping[str, Seat]) -> Estimate:
        """Nobody is asked for it, and nothing leaves."""
        weigher = Weigher()
        rails = unlimited(Rails(weigher, MemoryLedger(SystemClock()), Policies(), seats=seats))
        for case in cases:
            self._row(case, rails)
        usual = [_usual(request) for request in weigher.requests]
        bound = [most(seats[one.agent], size_of(one)) for one in weigher.requests]
        return Estimate(len(usual), sum(usual) / 1e6, sum(bound) / 1e6)

    def __call__(
        self, cases: Sequence[Case | GradingCase], rails: Rails, told: Callable[[], None]
    ) -> list[Row]:
        """A row for each case; `told` is called after each."""

        def one(case: Case | GradingCase) -> Row:
            row = self._row(case, rails)
            told()
            return row

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            return list(pool.map(one, cases))

    def about(self, rails: Rails, *, at: str, name: str) -> Row:
        """What was compared, so that two files can tell whether they compare."""
        prompts = "".join(rails.prompts.plain(seat) for seat in SEATS)
        return {
            "at": at,
            "file": name,
            "models": {seat: one.model for seat, one in rails.seats.items()},
            "prompts": hashlib.sha256(prompts.encode()).hexdigest()[:12],
            "knowledge": known_of(self.pipeline.knowledge).digest[:12],
        }

    def _row(self, case: Case | GradingCase, rails: Rails) -> Row:
        began = time.monotonic()
        row = self._triaged(case, rails) if isinstance(case, Case) else self._graded(case, rails)
        return {**row, "seconds": round(time.monotonic() - began, 3)}

    def _triaged(self, case: Case, rails: Rails) -> Row:
        alert = self.pipeline.alert(case.payload)
        floor = self.pipeline.triager(alert)
        desk = rails.desk(case.id, SLICE.seconds)
        refined, use = or_floor(
            floor, desk, lambda: route(alert, floor, self.pipeline.knowledge, desk)
        )
        return {
            "id": case.id,
            "expected": {"type": list(case.types), "severity": list(case.severities)},
            "floor": {**_said(floor), "score": _score(case, floor)},
            "model": {**_said(refined), "score": _score(case, refined), "reason": use.reason},
            "spend": use.spend.model_dump() | {"usd": use.spend.usd},
        }

    def _graded(self, case: GradingCase, rails: Rails) -> Row:
        floor, model = (self.pipeline.report(case.payload, one) for one in (None, rails))
        spend, agents = model["spend"], model["spend"]["agents"]
        return {
            "id": case.id,
            "expected": [criterion["id"] for criterion in case.criteria],
            "floor": _grade(case, floor),
            "model": {
                **_grade(case, model),
                "engine": model["triage"]["engine"],
                "reason": "; ".join(dict.fromkeys(a["reason"] for a in agents if a["reason"])),
            },
            "spend": {
                "usd": spend["usd"], "tokens": spend["tokens"], "calls": spend["calls"],
                "cached_tokens": spend["cachedTokens"],
            },
        }  # fmt: skip


def totals(rows: Sequence[Row]) -> Row:
    """Sums: shares of what is right, money, and why the model was not used."""
    reasons = Counter(str(row["model"]["reason"]).split(":")[0] for row in rows)
    spend = {
        name: sum(row["spend"][name] for row in rows)
        for name in ("usd", "tokens", "calls", "cached_tokens")
    }
    scores = {who: _mean(row[who]["score"] for row in rows) for who in ("floor", "model")}
    return {
        "alerts": len(rows),
        **scores,
        "better": [row["id"] for row in rows if row["model"]["score"] > row["floor"]["score"]],
        "worse": [row["id"] for row in rows if row["model"]["score"] < row["floor"]["score"]],
        "notUsed": {reason: number for reason, number in sorted(reasons.items()) if reason},
        **spend,
        "usd": round(spend["usd"], 6),
    }


def compared(before: Row, after: Row) -> Row:
    """Two result files: totals side by side, and the alerts whose model's score changed."""
    then, now = ({row["id"]: row for row in one["alerts"]} for one in (before, after))
    both = [name for name in then if name in now]
    change = {n: now[n]["model"]["score"] - then[n]["model"]["score"] for n in both}
    names = ("floor", "model", "usd", "tokens", "calls", "cached_tokens")
    return {
        "sameSetting": {
            name: before["about"][name] == after["about"][name]
            for name in ("file", "models", "prompts", "knowledge")
        },
        "alerts": len(both),
        "onlyBefore": sorted(set(then) - set(now)),
        "onlyAfter": sorted(set(now) - set(then)),
        "totals": {n: [before["totals"][n], after["totals"][n]] for n in names},
        "better": sorted(name for name, by in change.items() if by > 0),
        "worse": sorted(name for name, by in change.items() if by < 0),
    }


def capped(rails: Rails, usd: float) -> Rails:
    """The same rails, with this cap for the whole evaluation."""
    caps = {"model_usd_per_incident": usd, "model_usd_per_hour": usd}
    return replace(rails, policies=rails.policies.model_copy(update=caps))


def unlimited(rails: Rails) -> Rails:
    """The same rails for what costs nothing."""
    return capped(rails, 1e6)


def now() -> str:
    """The moment, as files tell it."""
    return iso(SystemClock().now())


def _usual(request: ModelRequest) -> int:
    usage = Usage(
        input_tokens=int(size_of(request) / BYTES_A_TOKEN),
        output_tokens=USUAL_ANSWER[request.agent],
    )
    return TARIFFS[request.model].micro_usd(usage)


def _said(triage: Triage) -> Row:
    return {
        "type": triage.type.value,
        "severity": triage.severity.value,
        "runbook": triage.runbook_id,
        "engine": triage.engine,
    }


def _score(case: Case, triage: Triage) -> float:
    """The share of what can be judged of this alert that is right."""
    judged = [triage.type.value in case.types]
    judged += [triage.severity.value in case.severities] if case.severities else []
    return sum(judged) / len(judged)


def _grade(case: GradingCase, report: Mapping[str, Any]) -> Row:
    found = grade(case, report)
    return {"score": round(found.share, 4), "missed": list(found.missed)}


def _mean(scores: Iterable[float]) -> float:
    found = list(scores)
    return round(sum(found) / len(found), 4) if found else 1.0
