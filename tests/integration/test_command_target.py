"""Programs of an ops host: the allow-list, the bounds of a run, and what comes of it."""

import json
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from incident_squad.adapters.aws_clients import LazyClients
from incident_squad.adapters.command_target import CommandExecutor, CommandProber
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import SquadError, StepFailed, TargetUnavailable
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import CommandProbe, Step
from incident_squad.domain.targets import CommandTarget
from tests.builders import a_catalog, a_planned_step
from tests.fakes import FixedClock, MemoryKnowledge

STATE = "days=3 serial=0a1b"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder with the programs of the host and a file that they work on."""
    (tmp_path / "state").write_text(STATE)
    programs = {
        "look": f'cat {tmp_path}/state; printf " of %s" "$1"',
        "renew": f"cp {tmp_path}/state {tmp_path}/former;"
        f" echo days=90 serial=0c2d > {tmp_path}/state;"
        f" echo $1 $SQUAD_IDEMPOTENCY_KEY >> {tmp_path}/calls;"
        ' echo \'{"serial": "0c2d", "previousSerial": "0a1b"}\'',
        "restore": f"cp {tmp_path}/former {tmp_path}/state; echo restore $1 >> {tmp_path}/calls",
        "fail": "echo no such certificate >&2; exit 3",
        "hang": "sleep 60",
        "shout": "yes",
        "environment": "env",
        "orphan": f"(sleep 0.5; touch {tmp_path}/late) >/dev/null 2>&1 & echo started",
    }
    for name, body in programs.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def a_knowledge(host: Path) -> MemoryKnowledge:
    name = r"[a-z0-9.-]{1,253}"
    commands: dict[str, dict[str, Any]] = {
        "look": {"path": f"{host}/look", "arguments": [name]},
        "renew": {
            "path": f"{host}/renew",
            "arguments": [name],
            "mutates": True,
            "preview": "look",
        },
        "restore": {"path": f"{host}/restore", "arguments": ["[0-9a-f]{1,40}"], "mutates": True},
        "missing": {"path": f"{host}/missing", "mutates": True},
        "fail": {"path": f"{host}/fail", "mutates": True},
        "hang": {"path": f"{host}/hang", "mutates": True},
        "shout": {"path": f"{host}/shout"},
        "environment": {"path": f"{host}/environment"},
        "orphan": {"path": f"{host}/orphan"},
    }
    catalog = a_catalog().model_dump(mode="json", exclude_unset=True)
    target = {"kind": "command", "commands": commands}
    targets = {**catalog.get("targets", {}), "ops-host": target}
    return MemoryKnowledge(Catalog.model_validate({**catalog, "targets": targets}), {})


def an_executor(host: Path) -> CommandExecutor:
    return CommandExecutor(a_knowledge(host), LazyClients(), FixedClock())


def a_step(*argv: str, **fields: Any) -> Step:
    condition = {
        "title": "x",
        "probe": {"kind": "command", "target": "ops-host", "argv": ["look", "$host"]},
        "expect": {"op": "==", "value": "x"},
    }
    undo = {"kind": "command", "target": "ops-host", "argv": ["restore", "$result.previousSerial"]}
    known = {
        "title": "Renew",
        "command": "renew $host",
        "action": {"kind": "command", "target": "ops-host", "argv": argv},
        "parameters": {"host": {"type": "hostname", "description": "x"}},
        "mutates": True,
        "risk": "low",
        "precheck": condition,
        "verify": condition,
        "undo": {"title": "back", "action": undo},
        "timeout_seconds": 2,
    }
    return Step.model_validate({**known, **fields})


def planned(rows: Any = (), **fields: Any) -> PlannedStep:
    return a_planned_step(kind="command", target="ops-host", preview=tuple(rows), **fields)


def ask(
    host: Path, *argv: str, pattern: str | None = None, names: Mapping[str, Any] | None = None
) -> Evidence:
    prober = CommandProber(a_knowledge(host), LazyClients(), FixedClock())
    probe = CommandProbe(kind="command", target="ops-host", argv=argv, pattern=pattern)
    return prober.probe(probe, "ops-host", names or {})


def test_a_program_is_shown_run_and_taken_back(host: Path) -> None:
    executor, step = an_executor(host), a_step("renew", "$host")
    values = {"host": "pay.example.com"}
    rows = executor.preview(step, "ops-host", values)
    runs = f"{host}/renew pay.example.com"
    assert rows == [
        {"host": "ops-host", "runs": runs, "shows": f"{STATE} of pay.example.com"},
    ]
    assert not (host / "calls").exists()
    result = executor.apply(step, planned(rows, parameters=values), "key-1")
    assert result["previousSerial"] == "0a1b"
    assert (host / "state").read_text().startswith("days=90")
    executor.undo(step, planned(rows, parameters=values), result, "key-2")
    assert (host / "state").read_text() == STATE
    assert (host / "calls").read_text().split("\n")[0] == "pay.example.com key-1"


def test_only_the_planned_call_is_run(host: Path) -> None:
    executor, step = an_executor(host), a_step("renew", "$host")
    rows = executor.preview(step, "ops-host", {"host": "pay.example.com"})
    with pytest.raises(TargetUnavailable):
        executor.apply(step, planned(rows, parameters={"host": "other.example.com"}), "key")
    with pytest.raises(TargetUnavailable):
        executor.apply(step, planned((), parameters={"host": "pay.example.com"}), "key")
    assert not (host / "calls").exists()


@pytest.mark.parametrize(
    "argv",
    [
        ("rm", "-rf"),
        ("renew",),
        ("renew", "a", "b"),
        ("renew", "a;reboot"),
        ("renew", "$(reboot)"),
        ("renew", "a\nb"),
        ("renew", "a\n"),
        ("renew", "\uff21\uff22"),
        ("renew", ""),
        ("/bin/sh", "-c"),
        ("../renew", "a"),
    ],
)
def test_what_the_allow_list_does_not_hold_is_not_run(argv: tuple[str, ...], host: Path) -> None:
    executor, step = an_executor(host), a_step(*argv)
    with pytest.raises(SquadError):
        executor.preview(step, "ops-host", {})
    with pytest.raises(TargetUnavailable):
        executor.apply(step, planned([{"runs": " ".join(argv)}]), "key")
    assert not (host / "calls").exists()
    assert ask(host, *argv).status is not EvidenceStatus.OK


def test_a_value_never_becomes_an_option(host: Path) -> None:
    step = a_step("renew", "$host")
    with pytest.raises(SquadError, match="must not begin"):
        an_executor(host).preview(step, "ops-host", {"host": "--force"})
    assert ask(host, "look", "$host", names={"host": "-x"}).status is EvidenceStatus.ERROR


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("missing", TargetUnavailable, "cannot be started"),
        ("fail", StepFailed, "ended with 3: no such certificate"),
        ("hang", StepFailed, "was stopped after 1 s"),
    ],
)
def test_a_run_that_goes_wrong_says_how(
    name: str, error: type[SquadError], words: str, host: Path
) -> None:
    executor, step = an_executor(host), a_step(name, timeout_seconds=1)
    rows = executor.preview(step, "ops-host", {})
    with pytest.raises(error, match=words):
        executor.apply(step, planned(rows), "key")


def test_probes_look_and_cannot_change_anything(host: Path) -> None:
    seen = ask(host, "look", "$host", pattern=r"days=(\d+)", names={"host": "pay.example.com"})
    assert (seen.status, seen.value) == (EvidenceStatus.OK, "3")
    assert ask(host, "look", "a", pattern="serial=[0-9a-f]+").value == "serial=0a1b"
    assert ask(host, "look", "a").value == f"{STATE} of a"
    assert ask(host, "look", "a", pattern="nothing like it").status is EvidenceStatus.NO_DATA
    assert ask(host, "renew", "a").status is EvidenceStatus.NOT_CONFIGURED
    assert ask(host, "shout").status is EvidenceStatus.ERROR
    assert not (host / "calls").exists()


def test_a_program_sees_nothing_of_ours_and_leaves_nothing_running(host: Path) -> None:
    printed = str(ask(host, "environment").value)
    names = {line.partition("=")[0] for line in printed.splitlines()}
    assert names - {"PWD", "_", "SHLVL", "OLDPWD"} == {"PATH", "LANG", "SQUAD_IDEMPOTENCY_KEY"}
    assert not any(secret in printed for secret in ("AWS_", "testing"))
    started = time.monotonic()
    ask(host, "orphan")
    time.sleep(max(0, 0.8 - (time.monotonic() - started)))
    assert not (host / "late").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"where": "ssm"},
        {"instance": "i-0123456789abcdef0"},
        {"commands": {"a": {"path": "relative"}}},
        {"commands": {"a": {"path": "/bin/../a b"}}},
        {"commands": {"a": {"path": "/a", "preview": "gone"}}},
        {"commands": {"a": {"path": "/a", "preview": "b"}, "b": {"path": "/b", "mutates": True}}},
        {
            "where": "ssm",
            "instance": "i-0123456789abcdef0",
            "commands": {"a": {"path": "/a", "preview": "b"}, "b": {"path": "/b"}},
        },
    ],
    ids=json.dumps,
)
def test_a_target_that_makes_no_sense_is_refused(wrong: Mapping[str, Any]) -> None:
    known: dict[str, Any] = {"kind": "command", "commands": {"a": {"path": "/bin/a"}}}
    with pytest.raises(ValueError, match=r"."):
        CommandTarget.model_validate({**known, **wrong})
