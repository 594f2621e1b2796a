"""Loads prompts: they stand in `prompts/*.md` and nowhere else."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent / "prompts"


@dataclass(frozen=True)
class PromptFolder:
    """The prompts of a folder, by the agents' names; what it lacks is ours. Each is read once."""

    folder: Path = FOLDER

    def plain(self, name: str) -> str:
        """The prompt of an agent as it stands; an unknown agent is a defect of the caller."""
        path = self.folder / f"{name}.md"
        return _read(path if path.exists() else FOLDER / f"{name}.md")

    def filled(self, name: str, **parts: str) -> str:
        """A prompt with its `$parts` put in; raises KeyError when one is missing."""
        return Template(self.plain(name)).substitute(parts)


@lru_cache(maxsize=16)
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
