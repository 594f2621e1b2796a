"""Words: folding, splitting and one canonical form for a word in English or French.

The glossary (`glossary.yaml`) gives each canonical word its synonyms, so that everything after
this module reads one language. Words of the squad's vocabulary are also found behind a typo.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

_STOP = (
    "the a an of is are was were be been being to has have had this that these those it its for in "
    "on at by with and or from as its there which who we our us you your they their been than then "
    "de la le les des du un une et est sont etait a au aux en dans par pour sur ce cet cette ces d "
    "l qu que qui se s n y nous notre nos vous votre vos leur leurs ont ete der die das und el los "
    "las il lo do does did doing etre sera seront been"
)
STOP = frozenset(_STOP.split())
_SHORTEST_STEM = 3
_DOUBLED_LENGTH = 5
_REMEMBERED = 50_000
_MOST_EDITS = 2
_TYPO_LENGTH = 6
_TWO_TYPOS_LENGTH = 12
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PIECE = re.compile(r"\d+[a-z]{1,2}(?![a-z])|\d+(?:[.,]\d+)*|[a-z]+\d*[a-z]*|[a-z]+", re.IGNORECASE)


def fold(text: str) -> str:
    """Lower case without accents; look-alike punctuation becomes plain."""
    return _plain(text).lower()


def _plain(text: str) -> str:
    if text.isascii():
        return text
    text = text.replace("\u2019", "'").replace("\u2018", "'").replace("\u00a0", " ")
    text = text.replace("\u0153", "oe").replace("\u202f", " ")
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@lru_cache(maxsize=20_000)
def split_camel(word: str) -> tuple[str, ...]:
    """`PostgresqlReplicationLag` gives `postgresql`, `replication`, `lag`; `5xx` stays whole."""
    parts = [part for piece in _CAMEL.split(_plain(word)) for part in _PIECE.findall(piece)]
    return tuple(part.lower() for part in parts)


def stem(word: str) -> str:
    """A light stem, the same for `expired`, `expires` and `expiring`; short words stay."""
    if word.endswith("ies") and len(word) >= _DOUBLED_LENGTH:
        return word[:-3] + "y"
    for suffix in ("ees", "ing", "ed", "ee", "es", "s", "e"):
        if (
            word.endswith(suffix)
            and len(word) - len(suffix) >= _SHORTEST_STEM
            and not word.endswith("ss")
        ):
            word = word[: -len(suffix)]
            break
    if len(word) >= _DOUBLED_LENGTH and word[-1] == word[-2] and word[-1] not in "lsz":
        return word[:-1]
    return word


class Vocabulary:
    """Canonical words, phrases that count as one word, and typos of long words.

    Built once from the glossary: canonical word -> synonyms separated by commas. A synonym of
    several words is a phrase.
    """

    def __init__(self, glossary: Mapping[str, str]) -> None:
        self._canonical: dict[str, str] = {}
        self._phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._deletes: dict[str, list[str]] = {}
        self._learned: set[str] = set()
        self._ordinary: set[str] = set()
        self.products: set[str] = set()
        self._cache: dict[str, str] = {}
        phrases: list[tuple[str, str]] = []
        for canonical, line in glossary.items():
            for synonym in (canonical, *(part.strip() for part in line.split(","))):
                folded = fold(synonym)
                if " " in folded:
                    phrases.append((folded, canonical))
                elif folded:
                    self._canonical[folded] = canonical
                    self._canonical.setdefault(stem(folded), canonical)
        for phrase, canonical in phrases:
            self._add_phrase(phrase, canonical)
        self.learn(self._canonical)
        self.spoken = {word for phrase, _ in phrases for word in phrase.split()}

    def name(self, words: Iterable[str]) -> None:
        """Keep these words as they are, whatever their ending (`redis`, `spring`)."""
        for word in words:
            if word.isalnum():
                self.products.add(self._canonical.setdefault(word, word))
        self._cache.clear()

    def _add_phrase(self, phrase: str, canonical: str) -> None:
        words = tuple(self.canonical(word) for word in phrase.split() if word not in STOP)
        if len(words) == 1:  # the rest are stop words: `out of` is no phrase
            return
        known = self._phrases.setdefault(words[0], [])
        known.append((words, canonical))
        known.sort(key=lambda entry: -len(entry[0]))

    def keep(self, words: Iterable[str]) -> None:
        """Take these words as they are written: they are no typos of others."""
        self._ordinary.update(words)
        self._cache.clear()

    def learn(self, words: Iterable[str]) -> None:
        """Let long words be found behind a typo."""
        for word in words:
            if len(word) >= _TYPO_LENGTH and word.isalpha() and word not in self._learned:
                self._learned.add(word)
                for shorter in (word, *deletes(word)):
                    self._deletes.setdefault(shorter, []).append(word)
        self._cache.clear()

    def knows(self, word: str) -> bool:
        """Whether a folded word is in the glossary."""
        return word in self._canonical

    def canonical(self, word: str) -> str:
        """The canonical form of one folded word."""
        found = self._cache.get(word)
        if found is None:
            found = self._look_up(word)
            if len(self._cache) < _REMEMBERED:
                self._cache[word] = found
        return found

    def exact(self, word: str) -> str:
        """The canonical form of a word that is no typo."""
        stemmed = stem(word)
        return self._canonical.get(word) or self._canonical.get(stemmed) or stemmed

    def _look_up(self, word: str) -> str:
        stemmed = stem(word)
        if word in self._canonical or stemmed in self._canonical:
            return self.exact(word)
        if word in self._ordinary or stemmed in self._ordinary:
            return stemmed
        if len(word) >= _TYPO_LENGTH and word.isalpha() and not {word, stemmed} & self._learned:
            close = self._behind_typo(word)
            if close:
                return self._canonical.get(close, close)
        return stemmed

    def _behind_typo(self, word: str) -> str | None:
        best: tuple[int, str] | None = None
        for shorter in (word, *deletes(word)):
            for candidate in self._deletes.get(shorter, ()):
                distance = _edits(word, candidate)
                limit = 2 if min(len(word), len(candidate)) >= _TWO_TYPOS_LENGTH else 1
                if distance <= limit and _same_kind(candidate, word):
                    best = min(best, (distance, candidate)) if best else (distance, candidate)
        return best[1] if best else None

    def merge(self, words: list[str]) -> list[tuple[int, int, str]]:
        """Phrases in a list of canonical words: (start, end, canonical), left to right."""
        found: list[tuple[int, int, str]] = []
        start = 0
        while start < len(words):
            for phrase, canonical in self._phrases.get(words[start], ()):
                end = start + len(phrase)
                if tuple(words[start:end]) == phrase:
                    found.append((start, end, canonical))
                    start = end - 1
                    break
            start += 1
        return found


def _same_kind(known: str, word: str) -> bool:
    """A typo keeps the first letter and is no mere ending: `inside` is not `insider`."""
    if known[-1] != word[-1] and len(known) < _TWO_TYPOS_LENGTH:
        return False
    return known[0] == word[0] and not known.startswith(word) and not word.startswith(known)


def deletes(word: str) -> list[str]:
    """The word with each one of its letters left out."""
    return [word[:place] + word[place + 1 :] for place in range(len(word))]


def _edits(one: str, two: str) -> int:
    """Edit distance, with a swap of neighbours as one edit; stops counting above 2."""
    if abs(len(one) - len(two)) > _MOST_EDITS:
        return _MOST_EDITS + 1
    before: list[int] = []
    last = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(two, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
