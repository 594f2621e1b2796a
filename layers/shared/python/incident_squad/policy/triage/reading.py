"""Reading an alert: its words in one language, where they stand and how much they count.

A word of the title counts fully, one of a label or of a machine's name little. A clause that is
negated, says that something is well, or only tells a consequence counts less or not at all.
Instructions to whoever reads the alert are left out before anything is read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from incident_squad.domain.alert import Alert
from incident_squad.policy.triage.clauses import Clause, clauses
from incident_squad.policy.triage.instructions import without_instructions
from incident_squad.policy.triage.words import STOP, Vocabulary, fold, split_camel

MAX_CHARACTERS = 6000
NAME_WEIGHT = 0.35
_HEAD = 2.0
_TOOL = 0.2
_FAILED_LOGINS = "loginattempt"
_DATABASE = "database"
_PLACES = frozenset(["prod", "prd", "production", "staging", "stg", "eu", "us", "dc", "test"])
_TOOLS = frozenset(
    [
        *("exporter", "ui", "api", "backup", "operator", "client", "controller", "migrator"),
        *("admin", "console", "application", "sync", "job", "message", "proxy", "agent", "sidecar"),
        *("importer", "indexer", "consumer", "web", "portal", "check", "checker", "monitor"),
    ]
)
_TOOL_NOUNS = frozenset(
    [
        *("exporter", "dashboard", "importer", "ui", "editor", "console", "viewer", "collector"),
        *("scraper", "inventory", "wizard", "explorer", "indexer", "simulator", "plugin"),
    ]
)
_COMPOUND = 2
_OWNER = re.compile(r"\b([\w.-]+)['\u2019]s(?=\s)")
_OWNS = "~"
_SENTENCE_GAP = 50
_CLAUSE_GAP = 2
_MACHINE = re.compile(r"(?i)\b(?:labels|value)\s*=\s*(?:map\[[^\]]*\]?|[\d.e+-]+)")
_INSTANCE = re.compile(r"(?i)\((?:instance|pod|node|host)\s+[^)]*\)")
_ALL_USED = re.compile(r"\b(\d{2,})/\1\b")
"""`120/120` of something is all of it."""
_MOUNTED = re.compile(
    r"(?<![\w./])/(?:var|data|tmp|home|opt|srv|mnt|boot|root|export)(?=[/\s:,.)]|$)"
)
_STATE_REASON = re.compile(r"(?i)threshold crossed:.*", re.DOTALL)
_URL = re.compile(r"https?://\S+")
_FEW_LINES, _SAME_LINES = 12, 2
_DIGITS = re.compile(r"\d+")
_FRAME = re.compile(
    r"\s*(?:at [\w.$<>/]+\(|File \".*\", line \d|\.\.\. \d+ (?:more|common)|from /|#\d+ |\[0x)"
)
_CHUNK = re.compile(r"[^\s,;:!?()\[\]{}\"'`<>|=]+|[,;:()|=]")
_NAME_END = re.compile(
    r"(?i)(?:^|[-_.])(?:\d{1,4}|[a-z]?\d+[a-z]?|prod|prd|stg|staging|dev|api|svc|service|web|app|"
    r"worker|job|front|frontend|back|backend|ui|bot|agent|runner|scanner|server|srv|edge|core|eu|us)"
    r"(?::\d+)?$"
)
_TECHNICAL_HOST = re.compile(
    r"(?i)^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|io|fr|eu|de|example|internal|local|svc|test|"
    r"cloud|app|dev|amazonaws|lan|corp|intra)(?:[.:/]\S*)?$|^\d+(?:\.\d+){3}"
)
_QUALIFIED = re.compile(r"^[a-z0-9-]+/[a-z0-9]+(?:-[a-z0-9]+)+$")
"""A namespace and a name in it."""
_IDENTIFIER = re.compile(r"^[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)+(?::\d+)?$")
_OUT = (
    "severity priority urgency region account event_id event_type number incident_key statistic "
    "comparison period previous_state state status agent client assignees teams team org_name "
    "escalation_policy threshold alarm detail_type source count blocked launchtime instancetype "
    "availabilityzone privateipaddress publicip vpcid ipaddressv4 countryname port protocol "
    "actiontype connectiondirection instancestate resourcetype callertype usertype type arn "
    "alert_transition alert_type alert_priority monitor_id alert_id alert_status truncated_alerts "
    "env environment receiver fingerprint tags user info sigma_id ruler namespace metric "
    "runbook_url dashboard_url runbook"
)
_LABELS_OUT = frozenset(_OUT.split())
_LABELS_RULE = frozenset(
    ["alertname", "rule", "rule_name", "finding_type", "event_type_code", "check", "check_name"]
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word as read. `weight` is 0 to 1: field, name and clause together."""

    word: str
    position: int
    weight: float
    name: bool


@dataclass(slots=True)
class Reading:
    """The words of an alert in order, and where each word occurs (indexes of tokens)."""

    tokens: list[Token] = field(default_factory=list)
    places: dict[str, list[int]] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    position: int = 0

    def add(self, word: str, weight: float, *, name: bool) -> None:
        """Append one word."""
        self.places.setdefault(word, []).append(len(self.tokens))
        self.tokens.append(Token(word, self.position, weight, name))
        self.position += 1

    def state(self, fact: str, vocabulary: Vocabulary) -> None:
        """Append a fact that the words state, as a sentence `stated <fact>` of its own."""
        self.position += _SENTENCE_GAP
        for word in ("stated", fact):
            self.add(vocabulary.canonical(word), 1.0, name=False)

    def logins_are_down(self) -> None:
        """Read failed logins as a login that does not work: the alert states who is affected."""
        for place in self.places.pop(_FAILED_LOGINS, []):
            token = self.tokens[place]
            self.tokens[place] = replace(token, word="login")
            self.places.setdefault("login", []).append(place)
            self.places.setdefault("fail", []).append(len(self.tokens))
            self.tokens.append(replace(token, word="fail"))


def read(alert: Alert, vocabulary: Vocabulary) -> Reading:
    """Read all parts of an alert, the most telling first."""
    reading = Reading()
    for text, weight, name in parts(alert):
        reading.position += _SENTENCE_GAP
        if name:
            _add_chunk(reading, vocabulary, text, NAME_WEIGHT * weight, name=True)
            continue
        for clause in clauses(text):
            _add_clause(reading, vocabulary, clause, weight)
    return reading


def parts(alert: Alert) -> Iterator[tuple[str, float, bool]]:
    """Text, weight and whether it is a mere name, without instructions and machine noise."""
    yield plain(alert.title), 1.0, False
    rules = [(k, v) for k, v in alert.labels.items() if k.lower() in _LABELS_RULE]
    for _, value in rules:
        yield plain(value), 1.0, False
    if alert.metric:
        yield alert.metric, 0.9, False
    rest = body(alert)
    if rest:
        yield rest, 0.85, False
    for key, value in alert.labels.items():
        if key.lower() in _LABELS_OUT or key.lower() in _LABELS_RULE:
            continue
        said = plain(value)
        yield said, 0.6 if " " in said.strip() else 0.7, " " not in said.strip()
    for name in (alert.service, alert.resource):
        if name:
            yield name, 1.0, True


def body(alert: Alert) -> str:
    """The description without what the title said already."""
    text = _STATE_REASON.sub("", alert.description)
    if alert.title and text.startswith(alert.title):
        text = text[len(alert.title) :]
    return plain(text)


@lru_cache(maxsize=256)
def plain(text: str) -> str:
    """The text without instructions, machine noise and addresses; bounded in length."""
    if text.count("\n") > _FEW_LINES:
        text = _telling_lines(text)
    if len(text) > MAX_CHARACTERS:
        half = MAX_CHARACTERS // 2
        text = text[:half] + "\n" + text[-half:]
    text = _INSTANCE.sub(" ", _MACHINE.sub(" ", _URL.sub(" ", text)))
    text = _MOUNTED.sub(r"disk \g<0>", _ALL_USED.sub(r"\g<0> exhausted", text))
    return without_instructions(text)


def _telling_lines(text: str) -> str:
    """Lines without stack frames, and each kind of line only a few times, digits aside."""
    seen: dict[str, int] = {}
    kept: list[str] = []
    for line in text.splitlines():
        kind = _DIGITS.sub("0", line.strip())
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= _SAME_LINES and not _FRAME.match(line):
            kept.append(line)
    return "\n".join(kept)


def _add_clause(reading: Reading, vocabulary: Vocabulary, clause: Clause, weight: float) -> None:
    reading.position += _SENTENCE_GAP if clause.first else _CLAUSE_GAP
    if clause.first:
        reading.sentences.append(clause.text)
    pending: list[str] = []
    start = len(reading.tokens)
    for chunk in _CHUNK.findall(_OWNER.sub(r"\1" + _OWNS, clause.text)):
        if chunk.endswith(_OWNS):
            _flush(reading, vocabulary, pending, weight * clause.factor, name=False)
            owner = split_camel_known(chunk, vocabulary)
            _flush(reading, vocabulary, owner, NAME_WEIGHT * weight * clause.factor, name=False)
        elif is_name(chunk, vocabulary):
            _flush(reading, vocabulary, pending, weight * clause.factor, name=False)
            _add_chunk(reading, vocabulary, chunk, NAME_WEIGHT * weight * clause.factor, name=True)
        else:
            pending.extend(split_camel_known(chunk, vocabulary))
    _flush(reading, vocabulary, pending, weight * clause.factor, name=False)
    _weigh_tools(reading, start)


def _weigh_tools(reading: Reading, start: int) -> None:
    """A `DNS dashboard` or a `WAF log importer` is a tool: what it is for counts little."""
    for place in range(start, len(reading.tokens)):
        if reading.tokens[place].word not in _TOOL_NOUNS:
            continue
        for before in range(max(start, place - _COMPOUND), place):
            token = reading.tokens[before]
            if reading.tokens[place].position - token.position <= place - before:
                reading.tokens[before] = replace(token, weight=token.weight * _TOOL)


def _add_chunk(
    reading: Reading, vocabulary: Vocabulary, text: str, weight: float, *, name: bool
) -> None:
    words = [word for chunk in text.split() for word in split_camel_known(chunk, vocabulary)]
    start = len(reading.tokens)
    _flush(reading, vocabulary, words, weight, name=name)
    if name:
        _weigh_head(reading, start, vocabulary)


def _weigh_head(reading: Reading, start: int, vocabulary: Vocabulary) -> None:
    """`prod-db-01` is a database and `pg-ro-2` a PostgreSQL: the name of a machine says so.

    `postgres-exporter` is none: there the head of the name is something else.
    """
    words = [token.word for token in reading.tokens[start:]]
    head = next((w for w in reversed(words) if not (w.isdigit() or w in _PLACES)), "")
    for place in range(start, len(reading.tokens)):
        token = reading.tokens[place]
        factor = 1.0
        if head in _TOOLS:
            factor = _TOOL if token.word != head else factor
        elif token.word in vocabulary.products or token.word == head == _DATABASE:
            factor = _HEAD
        reading.tokens[place] = replace(token, weight=token.weight * factor)


def _flush(
    reading: Reading, vocabulary: Vocabulary, words: list[str], weight: float, *, name: bool
) -> None:
    canonical = [vocabulary.canonical(word) for word in words if word not in STOP]
    merged = {start: (end, word) for start, end, word in vocabulary.merge(canonical)}
    place = 0
    while place < len(canonical):
        end, word = merged.get(place, (place + 1, canonical[place]))
        reading.add(word, weight, name=name)
        place = end
    words.clear()


def split_camel_known(chunk: str, vocabulary: Vocabulary) -> list[str]:
    """The words of a chunk; a product's own spelling (`PostgreSQL`) stays one word."""
    words: list[str] = []
    for piece in re.split(r"[^\w&]+|_", chunk):
        whole = fold(piece)
        if vocabulary.knows(whole):
            words.append(whole)
        else:
            words.extend(split_camel(piece))
    return words


def is_name(chunk: str, vocabulary: Vocabulary) -> bool:
    """Whether a chunk names a machine or service rather than saying something."""
    if _TECHNICAL_HOST.match(chunk):
        return True
    if _QUALIFIED.match(chunk):
        return True
    if not _IDENTIFIER.match(chunk) or "_" in chunk:
        return False
    known = fold(chunk)
    if vocabulary.knows(known) or vocabulary.knows(known.rstrip("0123456789").rstrip("-")):
        return False
    return chunk.count("-") > 1 or bool(_NAME_END.search(chunk)) or chunk == chunk.lower()
