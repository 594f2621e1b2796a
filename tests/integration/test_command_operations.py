"""A role that runbooks speak HTTP with, played by the commands of an ops host."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_squad.adapters.executors import KindExecutors
from incident_squad.adapters.memory import MemorySecrets
from incident_squad.adapters.probers import CatalogProbers
from incident_squad.adapters.runbook_files import RunbookFiles
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.domain.errors import StepFailed, TargetUnavailable
from incident_squad.domain.evidence import EvidenceStatus
from incident_squad.domain.runbook import HttpProbe
from incident_squad.policy.runbook_lint import lint
from tests.builders import a_planned_step

RUNBOOKS = Path(__file__).parents[2] / "runbooks"


@pytest.fixture
def files(tmp_path: Path) -> RunbookFiles:
    """The shipped runbooks, with a host that looks after the website's certificate."""
    (tmp_path / "days").write_text("3")
    programs = {
        "status": f'echo "{{\\"daysLeft\\": $(cat {tmp_path}/days), \\"serial\\": \\"0a1b\\"}}"',
        "renew": f"echo 90 > {tmp_path}/days; echo $SQUAD_IDEMPOTENCY_KEY > {tmp_path}/key;"
        ' echo \'{"serial": "0c2d", "previousSerial": "0a1b"}\'',
        "restore": f'echo 3 > {tmp_path}/days; echo "{{\\"serial\\": \\"$1\\"}}"',
        "broken": "echo no such host; exit 2",
        "chatty": "echo all is well",
    }
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    commands: dict[str, Any] = {
        "status": {"path": f"{tmp_path}/status"},
        "renew_certificate": {"path": f"{tmp_path}/renew", "mutates": True},
        "restore_certificate": {
            "path": f"{tmp_path}/restore",
            "arguments": ["[0-9a-f]{1,40}"],
            "mutates": True,
        },
        "broken": {"path": f"{tmp_path}/broken"},
        "chatty": {"path": f"{tmp_path}/chatty"},
        "missing": {"path": f"{tmp_path}/missing"},
    }
    overlay = tmp_path / "overlay.yaml"
    target = {"certificate-host": {"kind": "command", "commands": commands}}
    services = {"website": {"targets": {"certificates": "certificate-host"}}}
    overlay.write_text(yaml.safe_dump({"targets": target, "services": services}))
    return RunbookFiles(RUNBOOKS, overlay)


def test_a_certificate_is_renewed_by_a_command_and_taken_back(
    files: RunbookFiles, tmp_path: Path
) -> None:
    step = files.runbook("net-certificate-expiry").steps[1]
    secrets, service = MemorySecrets(), "website"
    executor = KindExecutors(files, secrets).of("http")
    probers = CatalogProbers(files, secrets, SystemClock())
    assert executor is not None
    assert step.precheck is not None
    assert step.verify is not None

    assert probers.holds(step.precheck, service, {})[0]
    rows = executor.preview(step, "certificate-host", {})
    assert rows == [
        {"daysLeft": "3", "serial": "0a1b", "call": "renew_certificate on certificate-host"}
    ]
    planned = a_planned_step(kind="http", target="certificate-host", preview=tuple(rows))
    result = executor.apply(step, planned, "key-1")
    assert probers.holds(step.verify, service, {})[0]
    assert (tmp_path / "key").read_text() == "key-1\n"
    executor.undo(step, planned, result, "key-2")
    assert probers.holds(step.precheck, service, {})[0]


def test_the_lint_accepts_a_host_that_offers_the_operations(files: RunbookFiles) -> None:
    errors = lint(files.runbooks, files.catalog)
    assert [problem.message for problem in errors if problem.severity == "error"] == []


@pytest.mark.parametrize(
    "operation", ["broken", "chatty", "missing", "renew_certificate", "rm", "status -x"]
)
def test_what_no_command_answers_well_is_no_evidence(operation: str, files: RunbookFiles) -> None:
    probers = CatalogProbers(files, MemorySecrets(), SystemClock())
    probe = HttpProbe.model_construct(
        kind="http", target="certificates", operation=operation, pointer="/daysLeft"
    )
    assert probers.ask(probe, "website", {}).status is not EvidenceStatus.OK


@pytest.mark.parametrize("serial", ["x; reboot", "--all", "", "0a1b\n", "$(id)"])
def test_a_body_becomes_arguments_that_the_allow_list_checks(
    serial: str, files: RunbookFiles, tmp_path: Path
) -> None:
    step = files.runbook("net-certificate-expiry").steps[1]
    executor = KindExecutors(files, MemorySecrets()).of("http")
    assert executor is not None
    planned = a_planned_step(kind="http", target="certificate-host", preview=())
    (tmp_path / "days").write_text("90")
    with pytest.raises((TargetUnavailable, StepFailed)):
        executor.undo(step, planned, {"previousSerial": serial}, "key")
    assert (tmp_path / "days").read_text() == "90"
