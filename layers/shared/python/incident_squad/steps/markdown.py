"""Text from outside in Markdown."""


def md(text: str) -> str:
    """Text from outside as one harmless line of Markdown."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    for sign in ("\\", "`", "*", "_", "[", "]", "|", "#"):
        line = line.replace(sign, f"\\{sign}")
    return line
