"""The file given with `--config`: what this laptop's squad watches and with which credentials."""

from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError, field_validator

from incident_squad.domain.values import Value
from infra.local.errors import InvalidConfigFile

REPOSITORY = Path(__file__).resolve().parents[2]


class LocalConfig(Value):
    """One file, every field optional; relative paths start at the file's own folder.

    `catalog` is laid over `runbooks/catalog.yaml`; `runbooks` is a folder that replaces ours.
    `secrets` maps the names in the catalogue (`targets/payments-db-reader`) to their text.
    `environment` is given to every Lambda: the only way for a key to get there.
    """

    catalog: dict[str, Any] = Field(default_factory=dict)
    runbooks: Path = REPOSITORY / "runbooks"
    secrets: dict[str, str] = Field(default_factory=dict)
    environment: dict[str, str] = Field(default_factory=dict)

    @field_validator("runbooks")
    @classmethod
    def _is_folder(cls, folder: Path) -> Path:
        if not folder.is_dir():
            raise ValueError(f"'{folder}' is not a folder")
        return folder

    @classmethod
    def read(cls, path: Path | None) -> Self:
        """The file's content, or all defaults without one; raises InvalidConfigFile."""
        if path is None:
            return cls()
        found = _mapping(path)
        if isinstance(found.get("runbooks"), str):
            found["runbooks"] = path.resolve().parent / found["runbooks"]
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            raise InvalidConfigFile(_explain(path, error)) from error


def _mapping(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfigFile(f"{path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise InvalidConfigFile(f"{path} is not YAML: {error}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidConfigFile(f"{path} must be a mapping with any of: {_fields()}")
    return found


def _explain(path: Path, error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        place = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"  {place}: unknown; the file may hold {_fields()}")
        else:
            lines.append(f"  {place}: {problem['msg']}")
    return "\n".join([f"{path} is wrong:", *lines])


def _fields() -> str:
    return ", ".join(LocalConfig.model_fields)
