"""The sample events of the repository, for tests of the doors."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parents[3] / "events"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def sample(name: str) -> dict[str, Any]:
    """One event, by its path without suffix (`pagerduty/incident-triggered`)."""
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return loaded


def names() -> list[str]:
    """All sample events of the five sources."""
    sources = ("alertmanager", "cloudwatch", "datadog", "generic", "pagerduty")
    found = (path for source in sources for path in sorted((EVENTS / source).glob("*.json")))
    return [f"{path.parent.name}/{path.stem}" for path in found if path.stem != "template"]
