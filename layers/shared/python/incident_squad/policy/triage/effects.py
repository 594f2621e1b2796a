"""The facts about an effect that claims compose. Nothing here decides; see `severity`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from incident_squad.policy.triage.claims import Claim

_FACING = ("earning", "people", "serving")
_GRAVE = frozenset({"revenue stopped", "everybody"})
_HOSTILE = ("attack", "outsider", "keys", "seized", "ransom", "grabbed", "intrudes")


@dataclass(slots=True)
class Effects:
    """Facts, each with the words that state it; `earning` when a flow that earns money suffers."""

    facts: dict[str, str] = field(default_factory=dict)
    earning: bool = False

    def note(self, fact: str, claim: Claim) -> None:
        """Keep a fact with the clause that states it, once."""
        self.facts.setdefault(fact, claim.text[:80])


def compose(claims: Iterable[Claim], *, measured: bool) -> Effects:
    """The facts of an alert's claims; a share, when `measured`, tells the reach better."""
    found = Effects()
    read = list(claims)
    for claim in read:
        found.earning = found.earning or _suffers(claim, measured=measured)
        _note_security(claim, found, read)
        if _repels(claim, read):
            found.note("contained", claim)
        elif claim.bad:
            _note_bad(claim, found, measured=measured)
        else:
            _note_good(claim, found, read, measured=measured)
        _note_kind(claim, found)
    _reconcile(found, read)
    return found


def _note_kind(claim: Claim, found: Effects) -> None:
    """What is told whatever the clause says of how things fare."""
    if claim.says("blackout"):
        found.note("everybody", claim)
    if _is_look(claim):
        found.note("cosmetic", claim)
    if claim.says("trivial") or claim.says("only", "inside"):
        found.note("minor", claim)


def _reconcile(found: Effects, read: Sequence[Claim]) -> None:
    """Nobody is hit by an attack that was fended off, and what hits all is felt."""
    if "contained" in found.facts and not any(c.bad and c.says("people") for c in read):
        found.facts.pop("everybody", None)
        found.facts.pop("outage", None)
    if not _GRAVE.isdisjoint(found.facts):
        found.facts.pop("harmless", None)


def _is_look(claim: Claim) -> bool:
    """Whether only the look is wrong."""
    wrong = claim.says("look", "defect") or (claim.says("ornament") and claim.bad)
    return claim.says("visual") or (wrong and not claim.about("earning", "people"))


def _repels(claim: Claim, read: Sequence[Claim]) -> bool:
    """Whether an attack is fended off."""
    if claim.says("attack", "whole") and claim.denied & {"fine", "intrudes", "acts"}:
        return True
    return (
        claim.says("repelled")
        and not claim.about("earning", "people")
        and any(other.about("attack") for other in read)
    )


def _suffers(claim: Claim, *, measured: bool) -> bool:
    """Whether an earning flow suffers; where a share is stated, it has to be a share of that."""
    wrong = claim.bad if measured else claim.state not in {"fine", "unfelt", "unused"}
    return claim.about("earning") and wrong


def _note_bad(claim: Claim, found: Effects, *, measured: bool) -> None:
    if claim.about("inside") and (claim.says("own") or not claim.about("people", "earning")):
        if not measured:
            found.note("minor", claim)
    elif claim.opens("only", 1) and not claim.about("earning", "people"):
        found.note("core well", claim)
    elif claim.about(*_FACING):
        fact = _reach(claim, measured=measured)
        if fact:
            found.note(fact, claim)


def _reach(claim: Claim, *, measured: bool) -> str | None:
    """How far the trouble of what faces people reaches."""
    if claim.says("few") and not measured:
        return "few"
    if measured or claim.about("part", "many"):
        return "degraded"
    if _stands_still(claim):
        return "revenue stopped"
    if claim.says("whole") and not claim.about("inside"):
        return "everybody"
    return "outage" if claim.state == "stopped" and not claim.about("machine") else None


def _stands_still(claim: Claim) -> bool:
    """Whether an earning flow stops, or fails for all; a machine that serves it is no flow."""
    if not claim.about("earning") or claim.about("machine"):
        return False
    return claim.state == "stopped" or (claim.says("whole") and not claim.about("late"))


def _note_good(claim: Claim, found: Effects, read: Sequence[Claim], *, measured: bool) -> None:
    if claim.says("few", "people") and not measured:
        found.note("few", claim)
    if claim.state == "unused":
        found.note("minor", claim)
    elif claim.state == "unfelt":
        found.note("core well" if claim.about("earning") else "harmless", claim)
    elif claim.state == "fine" and claim.about("earning", "rest"):
        found.note("core well", claim)
    elif claim.state == "fine" and _carried(claim, read):
        found.note("harmless", claim)
    elif claim.state == "said" and claim.about("inside", "own") and _only_ours(claim, read):
        found.note("minor", claim)


def _only_ours(claim: Claim, read: Sequence[Claim]) -> bool:
    """Whether only the company itself is spoken of: no people outside, no attack."""
    if claim.about(*_FACING) or claim.about("machine"):
        return False
    hit = any(other.bad and other.about(*_FACING) for other in read)
    return not hit and not any(other.about(*_HOSTILE) for other in read)


def _carried(claim: Claim, read: Sequence[Claim]) -> bool:
    """Whether users are well, or the rest carries on, and nothing that faces people suffers."""
    return claim.about("people", "spare") and not any(
        other.bad and other.about(*_FACING) and not other.about("machine") for other in read
    )


def _note_security(claim: Claim, found: Effects, read: Sequence[Claim]) -> None:
    if claim.about("doubt"):
        return
    if _is_inside(claim, read):
        found.note("compromise", claim)
    if _is_taken(claim, read):
        found.note("data taken", claim)


def _is_inside(claim: Claim, read: Sequence[Claim]) -> bool:
    """Whether somebody who should not be has got in, or a stolen key was used."""
    return (
        claim.says("outsider", "intrudes")
        or claim.says("outsider", "use")
        or claim.says("keys", "use", "away")
        or (claim.says("seized") and any(other.about("keys") for other in read))
        or (claim.says("ransom") and not claim.about("repelled"))
    )


def _is_taken(claim: Claim, read: Sequence[Claim]) -> bool:
    """Whether data went where it must not be, or its theft is confirmed."""
    if claim.says("belongings", "grabbed", "away") or claim.says("grabbed", "outsider"):
        return True
    if not claim.says("confirmed"):
        return False
    alone = len(claim.text.split()) == 1 and any(c.says("belongings", "grabbed") for c in read)
    named = claim.about("belongings", "grabbed") and any(c.about("grabbed") for c in read)
    return alone or named
