"""Fences around data: a model can tell what it is told from what it is shown."""

import re
import secrets

_TAG = re.compile(r"</?\s*data\b[^>]{0,200}>?", re.IGNORECASE)
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


class Fence:
    """Wraps texts in blocks that no text can close: the name holds a number made for this talk."""

    def __init__(self, nonce: str | None = None) -> None:
        self.nonce = nonce or secrets.token_hex(8)

    def around(self, what: str, text: str, limit: int = 12_000) -> str:
        """The text as data. It is cut at `limit` characters, and the cut is told."""
        clean = _INVISIBLE.sub("", text).replace(self.nonce, "")
        clean = _TAG.sub("[tag]", clean)
        if len(clean) > limit:
            clean = f"{clean[:limit]}\n[cut: {len(clean) - limit} characters more]"
        return f"<data-{self.nonce} what={what!r}>\n{clean}\n</data-{self.nonce}>"
