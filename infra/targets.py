"""The secrets that the service catalogue names, so that roles can name them too."""

from dataclasses import dataclass

import yaml

from incident_squad.domain.catalog import Catalog
from infra.components.layers import ROOT

CATALOG = ROOT / "runbooks" / "catalog.yaml"


@dataclass(frozen=True)
class TargetSecrets:
    """Names of secrets: those that can only look, and those that can change something."""

    readers: tuple[str, ...]
    writers: tuple[str, ...]


def shipped_catalog() -> Catalog:
    """The catalogue that the layer ships."""
    return Catalog.model_validate(yaml.safe_load(CATALOG.read_text()))


def target_secrets() -> TargetSecrets:
    """The secrets of the catalogue's targets, sorted."""
    targets = shipped_catalog().targets.values()
    return TargetSecrets(
        readers=tuple(sorted({target.reader for target in targets if target.reader})),
        writers=tuple(sorted({target.writer for target in targets if target.writer})),
    )
