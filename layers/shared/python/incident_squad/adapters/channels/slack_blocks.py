"""A message in Slack's Block Kit, within its limits."""

from incident_squad.domain.delivery import Message

_HEADER, _SECTION, _URL = 150, 2900, 3000
_SECTIONS = 6


def fallback(message: Message) -> str:
    """What a notification on a phone shows."""
    return escaped(message.subject)


def blocks_of(message: Message) -> list[dict[str, object]]:
    """A header, the text, and buttons that open pages; no button acts by itself."""
    blocks: list[dict[str, object]] = [
        {"type": "header", "text": _plain(" ".join(message.subject.split())[:_HEADER] or "-")}
    ]
    blocks += [
        {"type": "section", "text": {"type": "mrkdwn", "text": part}}
        for part in _parts(escaped(_without_link(message)))
    ]
    elements = _buttons(message)
    if elements:
        blocks.append({"type": "actions", "elements": elements})
    blocks.append({"type": "context", "elements": [_plain(message.incident_id)]})
    return blocks


def escaped(text: str) -> str:
    """Text that mentions nobody and links nowhere, whatever it holds."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _without_link(message: Message) -> str:
    return message.body.replace(message.link, "by the buttons") if message.link else message.body


def _buttons(message: Message) -> list[dict[str, object]]:
    link = message.link
    if not link or len(link) > _URL or not link.startswith(("https://", "http://")):
        return []
    if message.kind != "approval":
        return [_button("Open the incident", link, "open", None)]
    # Both lead to the page that shows the plan and takes the decision: a GET never decides.
    return [
        _button("Approve…", f"{link}#decide", "approve", "primary"),
        _button("Reject…", f"{link}#decide", "reject", "danger"),
    ]


def _button(text: str, url: str, action: str, style: str | None) -> dict[str, object]:
    button: dict[str, object] = {
        "type": "button",
        "text": _plain(text),
        "url": url,
        "action_id": action,
    }
    return {**button, "style": style} if style else button


def _plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _parts(text: str) -> list[str]:
    """The text in pieces that fit a section, cut at line ends where possible."""
    parts: list[str] = []
    while text.strip() and len(parts) < _SECTIONS:
        if len(text) <= _SECTION:
            return [*parts, text]
        cut = text.rfind("\n", 0, _SECTION)
        cut = cut if cut > 0 else _SECTION
        parts.append(text[:cut])
        text = text[cut:].lstrip("\n")
    return parts
