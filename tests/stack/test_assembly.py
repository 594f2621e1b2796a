"""The template is built once for each state of its sources, and Node is asked for in words."""

from pathlib import Path

import pytest

from infra.local.assembly import assembly, check_node, fingerprint
from infra.local.errors import NodeUnusable

pytestmark = pytest.mark.stack


def write(root: Path, name: str, text: str = "x") -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_what_makes_the_stack_changes_the_fingerprint(tmp_path: Path) -> None:
    seen = {fingerprint(tmp_path)}
    for name in (
        "infra/stack.py", "infra/components/new.py", "functions/triage/handler.py",
        "layers/shared/python/incident_squad/policy/any.py", "runbooks/catalog.yaml",
        "layers/dependencies/requirements.txt",
    ):  # fmt: skip
        write(tmp_path, name)
        seen.add(fingerprint(tmp_path))
        write(tmp_path, name, "y")
        seen.add(fingerprint(tmp_path))
    assert len(seen) == 13


def test_what_does_not_make_the_stack_leaves_the_fingerprint(tmp_path: Path) -> None:
    write(tmp_path, "infra/stack.py")
    before = fingerprint(tmp_path)
    for name in (
        "infra/local/stack.py", "infra/cli.py", "infra/decisions/0001.md", "README.md",
        "infra/__pycache__/stack.pyc", "tests/test_any.py", "runbooks/database/a.md",
        "layers/dependencies/build/python/any.py",
    ):  # fmt: skip
        write(tmp_path, name)
    assert fingerprint(tmp_path) == before


def test_a_missing_node_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NodeUnusable, match=r"needs Node\.js 20 or newer.*no `node`"):
        check_node()
    with pytest.raises(NodeUnusable):
        assembly(lambda _: None, cache=tmp_path / "cache")


@pytest.mark.parametrize("said", ["v16.20.0", "hello", ""])
def test_an_old_or_wrong_node_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str
) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {said}\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(NodeUnusable, match=f"node is {said or 'no Node.js'}"):
        check_node()


def test_a_kept_assembly_needs_no_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = tmp_path / fingerprint(Path(__file__).parents[2])
    write(kept, "manifest.json")
    monkeypatch.setenv("PATH", "")
    assert assembly(pytest.fail, cache=tmp_path) == kept
