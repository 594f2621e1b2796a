"""Loads prompts: they stand in `prompts/*.md` and nowhere else."""

from functools import lru_cache
from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent / "prompts"


@lru_cache(maxsize=16)
def prompt(name: str) -> str:
    """The prompt of an agent as it stands; a missing file is a defect of the package."""
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


def filled(name: str, **parts: str) -> str:
    """A prompt with its `$parts` put in; raises KeyError when one is missing."""
    return Template(prompt(name)).substitute(parts)
