"""A data folder belongs to one `squad up`, of one version, and says so when it can't be used."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.data_directory import ABOUT, DataDirectory
from infra.local.errors import DataDirectoryLocked, DataDirectoryUnusable

pytestmark = pytest.mark.stack


def test_secrets_stay_the_same_and_private(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as first:
        secrets = first.about.secrets
    with DataDirectory(tmp_path) as second:
        assert second.about.secrets == secrets
        assert not second.fresh
    assert len(set(secrets.values())) == len(secrets) == 5
    assert stat.S_IMODE((tmp_path / ABOUT).stat().st_mode) == 0o600


def test_without_a_path_nothing_is_left() -> None:
    with DataDirectory(None) as temporary:
        assert temporary.path.is_dir()
        assert temporary.fresh
    assert not temporary.path.exists()


def test_a_second_one_is_refused(tmp_path: Path) -> None:
    with (
        DataDirectory(tmp_path),
        pytest.raises(DataDirectoryLocked, match=rf"process {os.getpid()}\) works on"),
    ):
        DataDirectory(tmp_path)


def test_a_killed_holder_is_not_in_the_way(tmp_path: Path) -> None:
    hold = (
        "import pathlib, sys, time; from infra.local.data_directory import DataDirectory;"
        "d = DataDirectory(pathlib.Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataDirectoryLocked, match=f"process {holder.pid}"):
            DataDirectory(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        DataDirectory(tmp_path).close()


def test_another_version_is_refused(tmp_path: Path) -> None:
    DataDirectory(tmp_path).close()
    about = json.loads((tmp_path / ABOUT).read_text())
    (tmp_path / ABOUT).write_text(json.dumps({**about, "emulator": "0.0.1"}))
    with pytest.raises(DataDirectoryUnusable, match="another version"):
        DataDirectory(tmp_path)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 1}'])
def test_a_damaged_description_is_refused(tmp_path: Path, damage: str) -> None:
    (tmp_path / ABOUT).write_text(damage)
    with pytest.raises(DataDirectoryUnusable):
        DataDirectory(tmp_path)


def test_damaged_state_is_refused_and_named(tmp_path: Path) -> None:
    DataDirectory(tmp_path).close()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "dynamodb.json").write_text('{"half":')
    with pytest.raises(DataDirectoryUnusable, match=r"dynamodb\.json is damaged.*copy"):
        DataDirectory(tmp_path)
    (tmp_path / "state" / "dynamodb.json").unlink()
    DataDirectory(tmp_path).close()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataDirectoryUnusable, match="not made by `squad up`"):
        DataDirectory(tmp_path)
    with pytest.raises(DataDirectoryUnusable, match="not a folder"):
        DataDirectory(tmp_path / "thesis.txt")
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]
