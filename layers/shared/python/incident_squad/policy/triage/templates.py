"""The small language of `facts.yaml`: rows of words that state a fact."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from incident_squad.policy.triage.tagging import Tagged, split

ANY = frozenset({"{any}"})
_GAP, _MANY = 6, 4
_BEFORE, _AFTER = 8, 4


@dataclass(frozen=True, slots=True)
class Item:
    """One place of a template: keys that fit, or sequences of words; `most` 0 is a gap."""

    keys: frozenset[str]
    sequences: tuple[tuple[str, ...], ...] = ()
    least: int = 1
    most: int = 1

    def lengths(self, row: Sequence[Tagged], at: int) -> Iterator[int]:
        """How many words of the row this item may take from here, the fewest first."""
        if at < len(row) and (self.keys is ANY or not self.keys.isdisjoint(row[at].keys)):
            yield 1
        for sequence in self.sequences:
            words = [
                word for tagged in row[at : at + len(sequence)] for word in tagged.text.split()
            ]
            if tuple(words[: len(sequence)]) == sequence:
                yield _covering(row, at, len(sequence))


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled row."""

    items: tuple[Item, ...]
    needs: tuple[frozenset[str], ...]

    def find(self, row: Sequence[Tagged], keys: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Where it occurs: first place and the place after the last."""
        if any(need.isdisjoint(keys) for need in self.needs):
            return
        for start in range(len(row)):
            end = _match(self.items, row, start)
            if end is not None and end > start:
                yield start, end


@dataclass(frozen=True, slots=True)
class Fact:
    """The templates that state a fact, by one key that each needs, and those that take it back."""

    name: str
    says: Mapping[str, tuple[Template, ...]]
    unless: tuple[Template, ...]

    def stated(self, row: Sequence[Tagged], keys: frozenset[str]) -> str | None:
        """The words that state the fact in a sentence, or None."""
        for key in (key for key in self.says if key in keys):
            for template in self.says[key]:
                for start, end in template.find(row, keys):
                    if not self._taken_back(row, start, end):
                        return " ".join(word.text for word in row[start:end])
        return None

    def _taken_back(self, row: Sequence[Tagged], start: int, end: int) -> bool:
        around = row[max(0, start - _BEFORE) : end + _AFTER]
        keys = frozenset(key for word in around for key in word.keys)
        return any(next(template.find(around, keys), None) for template in self.unless)


def compile_fact(name: str, data: Mapping[str, str]) -> Fact:
    """Compile the `says` and `unless` of one fact."""
    says, unless = (
        tuple(compile_template(line) for line in data.get(part, "").splitlines() if line.strip())
        for part in ("says", "unless")
    )
    return Fact(name, _by_key(says), unless)


def _by_key(templates: Sequence[Template]) -> dict[str, tuple[Template, ...]]:
    found: dict[str, list[Template]] = {}
    for template in templates:
        for key in min(template.needs, key=len):
            found.setdefault(key, []).append(template)
    return {key: tuple(listed) for key, listed in found.items()}


def compile_template(line: str) -> Template:
    """Compile one row."""
    items = tuple(_item(word) for word in line.split())
    needs = tuple(
        item.keys | {sequence[0] for sequence in item.sequences}
        for item in items
        if item.least and item.most and not item.sequences and item.keys is not ANY
    )
    return Template(items, needs)


def _item(word: str) -> Item:
    if word == "..":
        return Item(frozenset(), most=0)
    word, least, most = _repeated(word)
    if word == "{any}":
        return Item(ANY, (), least, most)
    if word.startswith("{"):
        return Item(frozenset("@" + name for name in word[1:-1].split("|")), (), least, most)
    spelt = [split(alternative) or [alternative] for alternative in word.split("|") if alternative]
    keys = frozenset(parts[0] for parts in spelt if len(parts) == 1) or frozenset({word})
    return Item(keys, tuple(tuple(parts) for parts in spelt if len(parts) > 1), least, most)


def _repeated(word: str) -> tuple[str, int, int]:
    if word.endswith("?") and len(word) > 1:
        return word[:-1], 0, 1
    if word.endswith("}*"):
        return word[:-1], 0, _MANY
    return word, 1, 1


def literals(template: Template) -> set[str]:
    """The words that a template spells out."""
    return {key for item in template.items for key in item.keys if not key.startswith("@")}


def _match(items: Sequence[Item], row: Sequence[Tagged], at: int) -> int | None:
    if not items:
        return at
    item, rest = items[0], items[1:]
    if item.most == 0:
        return _match_gap(rest, row, at)
    for length in item.lengths(row, at):
        end = _match(items if item.most > 1 else rest, row, at + length)
        if end is not None:
            return end
    return _match(rest, row, at) if item.least == 0 else None


def _match_gap(rest: Sequence[Item], row: Sequence[Tagged], at: int) -> int | None:
    for skipped in range(_GAP + 1):
        if skipped and (at + skipped > len(row) or row[at + skipped - 1].text == "."):
            return None
        end = _match(rest, row, at + skipped)
        if end is not None:
            return end
    return None


def _covering(row: Sequence[Tagged], at: int, words: int) -> int:
    """How many entries of the row hold this many words."""
    covered = taken = 0
    while covered < words and at + taken < len(row):
        covered += len(row[at + taken].text.split())
        taken += 1
    return taken
