"""What leaves for a model: without secrets and without personal data.

It errs on the side of taking out: a model does without a long token, nobody does without a key.
Addresses of machines stay, since a diagnosis is about them.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from incident_squad.domain.model import ModelRequest
from incident_squad.policy.leak_patterns import SECRETS

GONE = "[redacted]"

_TOKEN = re.compile(r"[A-Za-z0-9_+/=~]{20,}")
"""Long, and of letters and digits: a key of a form that nobody has listed."""
_ENDLESS = re.compile(r"\S{1000,}")
"""No words at all. Cut first, so that no pattern below has far to look."""
_KEPT = 200

_NAMES = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|pin|otp|secret|token|credential|creds|bearer|cookie|dsn"
    r"|(?:x[ _.-])?(?:api|app|application|access|account|shared|private|signing|encryption|master"
    r"|license|routing|integration|service|deploy|storage)[ _.-]?key|auth(?:orization)?|jeton"
    r"|session[ _.-]?(?:id|key|token)|sessid|sig(?:nature)?|webhook[ _.-]?url|mot de passe"
    r"|connection[ _.-]?string|cl[eé] (?:api|d'api|secr[eè]te|priv[eé]e))s?"
)
_VALUE = (
    r"(?:\"(?:[^\"\\\n]|\\.){1,500}\"|'(?:[^'\\\n]|\\.){1,500}'"
    r"|[\"']?[^\s\"',;&<>{}\[\]|]{3,500})"
)

_EXTRA = (
    # A name that ends in a secret's word, and what it is set to, in any notation.
    rf"{_NAMES}[\"']?\s{{0,9}}(?::=|=>|[:=])\s{{0,99}}(?:(?:bearer|basic|token)\s+)?{_VALUE}",
    rf"(?<![^\W_]){_NAMES}\s+(?:is|was|est|are|now|set to|to|of)\s*:?\s*{_VALUE}",
    rf"(?<=[\s'\"])--?[\w-]*{_NAMES}[\s=]+{_VALUE}",
    rf"(?<![^\W_]){_NAMES}\s+(?=\S*\d)(?=\S*[a-z])[^\s,;]{{6,}}",
    r"<\w*(?:pass|pwd|secret|token|key|cred)\w*>[^<]{1,500}",
    # A text may be cut anywhere, so nothing counts on what follows a secret.
    r"://[^\s/:@]{0,100}:(?!\d{1,5}(?![\w@]))[^\s/\"']{3,300}",
    r"-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|\Z)",
    r"\bssh-(?:rsa|ed25519|dss)\s+[A-Za-z0-9+/=]{20,}",
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/@]{1,300}@",
    r"\b(?:bearer|basic|digest|negotiate)\s+[A-Za-z0-9+/_=.~-]{6,}",
    r"https?://hooks\.[\w.-]+/\S+|https?://[\w.-]+/(?:webhook|hooks?)s?/\S+",
    r"https?://outlook\.office\.com/\S+|https?://discord(?:app)?\.com/api/\S+",
    r"(?<=[?&])[\w.-]*(?:token|key|sig|signature|secret|password|code|auth|credential)=[^\s&#\"']+",
    r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{8,}\b",
    r"\bpypi-[\w-]{16,}|\bhvs\.[\w-]{16,}|\bs\.[A-Za-z0-9]{24}\b|\bdapi[0-9a-f]{16,}|\bATATT[\w=-]{16,}",
    r"\b(?:AC|SK|AP|MG)[0-9a-f]{32}\b|\bEAA[\w]{20,}|\bgl[a-z]{2,4}-[\w-]{16,}|\bNRAK-\w{16,}",
    r"\bxkeysib-[\w-]{16,}|\bkey-[0-9a-f]{16,}|\bAGE-SECRET-KEY-\w+|\bfo1_[\w-]{16,}|\bsq0\w{3}-[\w-]+",
    r"\bshp(?:at|ca|pa|ss)_\w{16,}|\blin_api_\w{16,}|\bfig[du]_\w{16,}|\bsntrys_[\w=+/-]{16,}",
    r"\b[0-9a-fA-F]{32,}\b",
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b",
)
_PERSONAL = (
    r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}",
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b",
    r"(?<![\d.])(?:\d[ -]?){13,19}(?![\d.])",
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"\b[12]\s?\d{2}\s?\d{2}\s?\d{2}\s?\d{3}\s?\d{3}(?:\s?\d{2})?\b",
    r"(?<![\w.])\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,5}(?![\w])",
    r"(?<![\w.])0\d(?:[ .-]?\d{2}){4}(?!\w)",
    r"(?<![\w.])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w)",
)
_ANY_CASE = 12
_PATTERNS = (
    *(re.compile(pattern, re.IGNORECASE) for pattern in _EXTRA[:_ANY_CASE]),
    *(re.compile(pattern) for pattern in _EXTRA[_ANY_CASE:]),
    *SECRETS,
    *(re.compile(pattern) for pattern in _PERSONAL),
)
_SECRET_KEY = re.compile(rf"(?:^|[\W_]){_NAMES}$", re.IGNORECASE)
_OURS = frozenset({"id", "tool_use_id", "type", "name", "signature", "data", "role", "thinking"})
"""Keys of the wire whose values are ours or the model's own: changing them breaks the talk."""


def redacted(text: str, words: Iterable[str] = ()) -> str:
    """The text without secrets, personal data and the operator's own secret words."""
    for word in words:
        if word:
            text = re.sub(re.escape(word), GONE, text, flags=re.IGNORECASE)
    text = _ENDLESS.sub(lambda found: f"{found[0][:_KEPT]}{GONE}", text)
    for pattern in _PATTERNS:
        text = pattern.sub(GONE, text)
    return _TOKEN.sub(_unless_a_word, text)


def _unless_a_word(found: re.Match[str]) -> str:
    token = found[0]
    mixed = any(char.isdigit() for char in token) and any(char.isalpha() for char in token)
    return GONE if mixed else token


def redacted_row(row: Mapping[str, Any], words: Iterable[str] = ()) -> dict[str, str]:
    """A row of an answer: what stands under a secret's name is one, whatever it looks like."""
    return {
        name: GONE if _SECRET_KEY.search(name) else redacted(str(value), words)
        for name, value in row.items()
    }


def safe_to_send(request: ModelRequest, words: Iterable[str] = ()) -> ModelRequest:
    """The request as it may leave: every text in it has been gone over."""
    known = tuple(words)
    return request.model_copy(
        update={
            "system": _prefix(request.system, known),
            "messages": tuple(_walk(message, known) for message in request.messages),
        }
    )


@lru_cache(maxsize=16)
def _prefix(text: str, words: tuple[str, ...]) -> str:
    """The same for every incident, so it is gone over once."""
    return redacted(text, words)


def _walk(value: Any, words: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return redacted(value, words)
    if isinstance(value, list | tuple):
        return [_walk(part, words) for part in value]
    if isinstance(value, dict):
        return {key: part if key in _OURS else _walk(part, words) for key, part in value.items()}
    return value
