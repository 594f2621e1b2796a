"""What events/README.md says is true."""

import re
from typing import Any

import yaml

from incident_squad.domain.limits import IntakeLimits
from incident_squad.domain.quiet import MaintenanceWindow, Silence
from infra.components.names import WEBHOOK_SOURCES
from tests.unit.intake.samples import EVENTS

TEXT = (EVENTS / "README.md").read_text()


def test_its_windows_and_silences_are_sound() -> None:
    (example,) = (
        found
        for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
        if "maintenance" in (found := yaml.safe_load(block))
    )
    for window in example["maintenance"].values():
        MaintenanceWindow.model_validate(window)
    for silence in example["silences"].values():
        Silence.model_validate(silence)


def test_its_limits_are_the_defaults() -> None:
    known: dict[str, Any] = IntakeLimits().model_dump()
    names = " ".join(re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE))
    assert set(known) <= set(re.findall(r"`(\w+)`", names))
    for name in ("body_bytes", "depth", "alerts_per_request", "seconds_per_request"):
        row = re.search(rf"^\| `{name}` \| (\d+)", TEXT, re.MULTILINE)
        assert row
        assert float(row[1]) == known[name]


def test_every_source_and_file_is_there() -> None:
    for source in WEBHOOK_SOURCES:
        assert f"`/webhooks/{source}`" in TEXT
    for path in re.findall(r"\]\(([a-z][\w./-]+)\)", TEXT):
        assert (EVENTS / path).exists(), path
