"""Which model a laptop's squad asks and with which key: none, unless somebody says so.

Somebody says so in the file given with `--config` (`secrets: {model/anthropic-api-key: ...}` or
`environment: {ANTHROPIC_API_KEY: ...}`), or in the shell with `SQUAD_MODEL=anthropic` beside
`ANTHROPIC_API_KEY`. A key that merely lies around in a shell is left alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from infra.local.config import LocalConfig

MODEL_KEY = "model/anthropic-api-key"
SWITCH, KEY, ADDRESS = "SQUAD_MODEL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"


@dataclass(frozen=True)
class ModelAccess:
    """What functions are told, and the secret that they read. Both are empty without a model."""

    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


def model_access(config: LocalConfig, variable: Callable[[str], str | None]) -> ModelAccess:
    """The access that the configuration or the shell gives; the configuration comes first."""
    told = config.environment
    in_shell = variable(SWITCH) == "anthropic"
    key = config.secrets.get(MODEL_KEY) or told.get(KEY) or (variable(KEY) if in_shell else None)
    if not key or told.get(SWITCH) == "off":
        return ModelAccess()
    address = told.get(ADDRESS) or (variable(ADDRESS) if in_shell else None)
    environment = {SWITCH: "anthropic", **({ADDRESS: address} if address else {})}
    return ModelAccess(environment=environment, secrets={MODEL_KEY: key})
