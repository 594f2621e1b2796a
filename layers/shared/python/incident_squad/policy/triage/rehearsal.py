"""Whether an alert is staged: a drill, an order to imagine, one's own doing, a mistaken alarm."""

from collections.abc import Iterable

from incident_squad.policy.triage.claims import Claim, claim_reader

_OPENING, _PHRASE = 3, 7


def staged(sentences: Iterable[str]) -> str | None:
    """The clause that says so, or None. What people suffer from is never staged."""
    read = [claim for sentence in sentences for claim in claim_reader().claims(sentence)]
    suffering = any(claim.bad and claim.about("people", "earning") for claim in read)
    found = next((claim for claim in read if _staged(claim, suffering=suffering)), None)
    return found.text[:80] if found else None


def _staged(claim: Claim, *, suffering: bool) -> bool:
    """`Pretend that ...`, `exercise run by ...`; no service called `exercise-api` that fails."""
    if claim.opens("pretend", _OPENING):
        return True
    opening = claim.opens("rehearsed", _OPENING) or len(claim.text.split()) <= _PHRASE
    if claim.says("rehearsed") and not claim.bad and opening:
        return True
    return not suffering and (claim.says("ours") or claim.says("mistaken"))
