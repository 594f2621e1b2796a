"""The configuration file is read with messages that say what to mend."""

from pathlib import Path

import pytest

from infra.local.config import REPOSITORY, LocalConfig
from infra.local.errors import InvalidConfigFile

pytestmark = pytest.mark.stack


def write(folder: Path, text: str) -> Path:
    file = folder / "squad.yaml"
    file.write_text(text)
    return file


def test_without_a_file_everything_has_a_default() -> None:
    assert LocalConfig.read(None).runbooks == REPOSITORY / "runbooks"


def test_an_empty_file_is_no_file(tmp_path: Path) -> None:
    assert LocalConfig.read(write(tmp_path, "# nothing yet\n")) == LocalConfig()


def test_a_whole_file_is_read_and_paths_start_at_its_folder(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    found = LocalConfig.read(
        write(
            tmp_path,
            "catalog: {policies: {language: fr}}\n"
            "runbooks: ours\n"
            "secrets: {targets/payments-db-reader: 'postgresql://r@h/db'}\n"
            "environment: {ANTHROPIC_API_KEY: key}\n",
        )
    )
    assert found.catalog == {"policies": {"language": "fr"}}
    assert found.runbooks == tmp_path / "ours"
    assert found.secrets == {"targets/payments-db-reader": "postgresql://r@h/db"}
    assert found.environment == {"ANTHROPIC_API_KEY": "key"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("catalogue: {}\n", "catalogue: unknown; the file may hold catalog, runbooks, secrets"),
        ("runbooks: nowhere\n", "runbooks: .*nowhere' is not a folder"),
        ("secrets: {a: [1]}\n", r"secrets\.a: .*string"),
        ("- a\n", "must be a mapping"),
        ("a: [\n", "is not YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidConfigFile, match=said):
        LocalConfig.read(write(tmp_path, text))


def test_a_secret_is_not_repeated_in_a_message(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigFile) as caught:
        LocalConfig.read(write(tmp_path, "secrets: {a: {b: hunter2}}\n"))
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigFile, match=r"gone\.yaml cannot be read"):
        LocalConfig.read(tmp_path / "gone.yaml")
