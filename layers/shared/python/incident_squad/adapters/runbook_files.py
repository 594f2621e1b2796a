"""Reads what the squad knows from files: one runbook a Markdown file, and the catalogue."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import InvalidConfiguration, UnknownRunbook
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.values import Value

CATALOG = "catalog.yaml"
FENCE = "---\n"

# The C parser is ten times faster; wheels for some platforms come without it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

ValueT = TypeVar("ValueT", bound=Value)


class RunbookFiles:
    """Implements `Knowledge`: `<folder>/<type>/<name>.md` and `<folder>/catalog.yaml`.

    Read when first asked for and kept. Both raise InvalidConfiguration, whose message names the
    file, the field and what is wrong with it. `overlay` is a catalogue file laid over the first:
    mappings are merged, everything else is replaced.
    """

    def __init__(self, folder: Path, overlay: Path | None = None) -> None:
        self._folder = folder
        self._overlay = overlay

    @cached_property
    def catalog(self) -> Catalog:
        """The service catalogue."""
        path = self._folder / CATALOG
        content = _mapping(path, _read(path).decode())
        if self._overlay is not None:
            content = merged(content, _mapping(self._overlay, _read(self._overlay).decode()))
            path = self._overlay
        return _validated(Catalog, content, path)

    @cached_property
    def runbooks(self) -> Mapping[str, Runbook]:
        """Runbooks by name, in the order of their files."""
        found: dict[str, Runbook] = {}
        for path in sorted(self._folder.glob("*/*.md")):
            runbook = self._runbook(path)
            if runbook.name in found:
                other = found[runbook.name].path
                raise InvalidConfiguration(f"{path}: the name '{runbook.name}' is taken by {other}")
            found[runbook.name] = runbook
        if not found:
            raise InvalidConfiguration(f"{self._folder}: there are no runbooks (<type>/<name>.md)")
        return MappingProxyType(found)

    def runbook(self, name: str) -> Runbook:
        """One runbook; raises UnknownRunbook."""
        try:
            return self.runbooks[name]
        except KeyError:
            raise UnknownRunbook(f"there is no runbook '{name}'") from None

    def _runbook(self, path: Path) -> Runbook:
        content = _read(path)
        front, guide = _parted(path, content)
        own = {
            "guide": guide,
            "digest": hashlib.sha256(content).hexdigest(),
            "path": path.relative_to(self._folder).as_posix(),
        }
        return _validated(Runbook, {**_mapping(path, front), **own}, path)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The one laid over the other: mappings are merged at every depth, other values replaced.

    A null takes away what the other has there.
    """
    result = {key: value for key, value in base.items() if over.get(key, value) is not None}
    for key, value in over.items():
        if value is None and key in base:
            continue
        known = result.get(key)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        result[key] = merged(known, value) if both else value  # type: ignore[arg-type] # both
    return result


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise InvalidConfiguration(f"{path}: cannot be read: {error.strerror}") from error


def _parted(path: Path, content: bytes) -> tuple[str, str]:
    """Front matter and guide."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InvalidConfiguration(f"{path}: is not UTF-8: {error}") from error
    opening, fence, rest = text.partition(FENCE)
    front, closing, guide = rest.partition(f"\n{FENCE}")
    if opening or not fence or not closing:
        raise InvalidConfiguration(f"{path}: start with YAML front matter between two '---' lines")
    return front, guide.strip()


def _mapping(path: Path, text: str) -> dict[str, Any]:
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - both loaders are safe ones
    except yaml.YAMLError as error:
        raise InvalidConfiguration(f"{path}: is not YAML: {_where(error)}") from error
    if not isinstance(content, dict):
        raise InvalidConfiguration(f"{path}: must be a YAML mapping (name: value)")
    return content


def _where(error: yaml.YAMLError) -> str:
    return " ".join(str(error).split())


def _validated(model: type[ValueT], content: Mapping[str, Any], path: Path) -> ValueT:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = (
            f"{'.'.join(str(part) for part in problem['loc']) or 'as a whole'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise InvalidConfiguration(f"{path}: {'; '.join(problems)}") from error
