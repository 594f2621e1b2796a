"""The evidence lock: a statement counts when what it says stands in the evidence that it cites.

Checked are the parts of a sentence that can be made up and would be believed: numbers, times,
names of machines and things, and quotations. Plain words are the speaker's own.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from incident_squad.domain.evidence import Evidence, EvidenceStatus, Finding
from incident_squad.domain.values import Value, iso

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?|\b\d{1,2}:\d{2}(?::\d{2})?\b")
_NAME = re.compile(
    r"\b(?:[a-zA-Z]+[\w]*[-_./:@]+[\w./:@-]*\w"  # payments-db, api.shop.example, pod/web
    r"|[a-zA-Z]+\d+\w*"  # web01
    r"|[a-z]+[A-Z]\w*"  # maxConnections
    r"|[A-Z]{2,}\b)"  # WAL
)
_QUOTED = re.compile('["\u201c\u00ab`]([^"\u201d\u00bb`]{2,200})["\u201d\u00bb`]')
_WORDS = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|half|twice|double|dozens?)\b",
    re.IGNORECASE,
)
_KNOWN = frozenset({"UTC", "SQL", "CPU", "DB", "API", "HTTP", "IO", "DNS", "TLS", "RAM", "OK"})
_ID = re.compile(r"\b(?:E\d{1,3}|M-[0-9a-f]{10})\b")


class Locked(Value):
    """What came through the lock, and what was left out with the reason."""

    kept: tuple[Finding, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The share of statements that had a basis: 1 when there were none."""
        total = len(self.kept) + len(self.dropped)
        return len(self.kept) / total if total else 1.0


def lock(findings: Sequence[Finding], evidence: Iterable[Evidence]) -> Locked:
    """Keep the findings whose evidence exists, was observed, and holds what they say."""
    by_id = {seen.id: seen for seen in evidence}
    kept, dropped = [], []
    for finding in findings:
        reason = _objection(finding, by_id)
        if reason:
            dropped.append(reason)
        else:
            kept.append(finding)
    return Locked(kept=tuple(kept), dropped=tuple(dropped))


def unsupported(statement: str, evidence: Iterable[Evidence]) -> tuple[str, ...]:
    """Numbers, times, names and quotations of a statement that no evidence holds."""
    return missing(statement, " \n ".join(text_of(seen) for seen in evidence))


def missing(statement: str, source: str) -> tuple[str, ...]:
    """Checkable parts of a statement that do not stand in the source text."""
    plain = _ID.sub(" ", statement)
    folded = _fold(source)
    numbers = {_number(found) for found in _NUMBER.findall(_TIME.sub(" ", folded))}
    gone = [part for part in _TIME.findall(plain) if not _holds(folded, part)]
    rest = _TIME.sub(" ", plain)
    gone += [part for part in _QUOTED.findall(rest) if _fold(part) not in folded]
    names = [part for part in _NAME.findall(rest) if part not in _KNOWN]
    gone += [name for name in names if not _holds(folded, name)]
    rest = _NAME.sub(" ", rest)
    gone += [part for part in _NUMBER.findall(rest) if _number(part) not in numbers]
    gone += [word for word in _WORDS.findall(rest) if not _holds(folded, word)]
    return tuple(dict.fromkeys(gone))


def text_of(evidence: Evidence) -> str:
    """All that an observation holds, as one text."""
    value = evidence.value
    shown = f"{value:g} {value}" if isinstance(value, float) else str(value)
    if isinstance(value, float) and 0 <= value <= 1:
        shown += f" {value * 100:g}% {value * 100:.0f}%"
    rows = "\n".join(" ".join(f"{k} {v}" for k, v in row.items()) for row in evidence.rows)
    parts = (
        evidence.source,
        evidence.asked,
        evidence.query,
        shown,
        rows,
        evidence.detail,
        evidence.meaning,
        iso(evidence.observed_at),
    )
    return "\n".join(parts)


def _objection(finding: Finding, by_id: Mapping[str, Evidence]) -> str | None:
    cited = [by_id[name] for name in finding.evidence_ids if name in by_id]
    if not cited or len(cited) < len(finding.evidence_ids):
        return "it cites evidence that does not exist"
    if not any(seen.status is EvidenceStatus.OK for seen in cited):
        return "what it cites was not observed"
    gone = unsupported(finding.statement, cited)
    return f"not in the evidence: {', '.join(gone)[:80]}" if gone else None


def _fold(text: str) -> str:
    return " ".join(text.lower().split())


def _holds(folded: str, part: str) -> bool:
    """Whether the part stands there as a whole, not as a piece of something longer."""
    body = re.escape(_fold(part))
    return re.search(rf"(?<![\w]){body}(?![\w])", folded) is not None


def _number(text: str) -> float:
    return float(text.replace(",", "").lstrip("+") or 0)
