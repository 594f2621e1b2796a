"""What the service catalogue names, one's own included, so that roles can name it too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from incident_squad.adapters.runbook_files import merged
from incident_squad.domain.catalog import Catalog
from infra.components.layers import ROOT

CATALOG = ROOT / "runbooks" / "catalog.yaml"


@dataclass(frozen=True)
class TargetSecrets:
    """Names of secrets: those that can only look, and those that can change something."""

    readers: tuple[str, ...]
    writers: tuple[str, ...]


def deployed_catalog(overlay: Mapping[str, Any]) -> Catalog:
    """The catalogue that the layer ships, with an operator's own laid over it."""
    return Catalog.model_validate(merged(yaml.safe_load(CATALOG.read_text()), overlay))


def target_secrets(catalog: Catalog) -> TargetSecrets:
    """The secrets of the catalogue's targets, sorted."""
    targets = catalog.targets.values()
    return TargetSecrets(
        readers=tuple(sorted({target.reader for target in targets if target.reader})),
        writers=tuple(sorted({target.writer for target in targets if target.writer})),
    )
