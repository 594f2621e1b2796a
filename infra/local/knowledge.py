"""What a laptop's squad knows: the runbook folder and catalogue that its configuration names."""

import tempfile
from pathlib import Path

import yaml

from incident_squad.adapters.runbook_files import RunbookFiles
from incident_squad.domain.catalog import Catalog
from incident_squad.ports import Knowledge
from infra.local.config import LocalConfig


def knowledge_of(config: LocalConfig) -> Knowledge:
    """Runbooks and catalogue of a configuration, with its overlay laid over."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as overlay:
        yaml.safe_dump(config.catalog, overlay)
        overlay.flush()
        files = RunbookFiles(config.runbooks, Path(overlay.name) if config.catalog else None)
        _read_now(files.catalog)
    return files


def _read_now(catalog: Catalog) -> None:
    """The overlay's file is gone later: asking for the catalogue has read it."""
    del catalog
