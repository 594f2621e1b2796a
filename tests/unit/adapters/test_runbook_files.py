"""Files become knowledge, or a message that says which file and field to mend."""

import hashlib
from pathlib import Path

import pytest

from incident_squad.adapters.runbook_files import RunbookFiles, merged
from incident_squad.domain.errors import InvalidConfiguration, UnknownRunbook

RUNBOOK = """\
---
name: db-full
title: Disk full
description: No space is left.
type: database
steps:
  - title: Look
    command: df -h
    action: {kind: note, text: Look at the disk.}
estimatedTime: 5 minutes
rootCause: The disk is full.
customer:
  impact: {en: see errors, fr: voir des erreurs}
  looking_into: {en: errors, fr: des erreurs}
  cause: {en: a shortage, fr: un manque}
  fix: {en: adding space, fr: ajouter de l'espace}
---
## Guide

---
A line of its own.
"""
CATALOG = """\
company: Example
people: {ada: {name: Ada, email: ada@example.com}}
teams: {core: {name: Core, on_call: [ada]}}
vp_engineering: ada
services:
  orders:
    public_name: {en: Orders, fr: Commandes}
    tier: revenue
    owner: core
    targets: {database: orders-db}
targets:
  orders-db: {kind: postgresql, reader: r, writer: w, fields: {instance: one}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "db-full.md").write_text(RUNBOOK)
    (tmp_path / "README.md").write_text("not a runbook")
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    return tmp_path


def test_a_file_becomes_a_runbook(folder: Path) -> None:
    book = RunbookFiles(folder).runbook("db-full")

    assert book.steps[0].command == "df -h"
    assert book.guide == "## Guide\n\n---\nA line of its own."
    assert book.path == "database/db-full.md"
    assert book.digest == hashlib.sha256(RUNBOOK.encode()).hexdigest()


def test_a_new_file_works_at_once(folder: Path) -> None:
    (folder / "own").mkdir()
    (folder / "own" / "db-slow.md").write_text(RUNBOOK.replace("db-full", "db-slow"))

    assert set(RunbookFiles(folder).runbooks) == {"db-full", "db-slow"}


def test_line_ends_of_windows_make_no_difference(folder: Path) -> None:
    before = RunbookFiles(folder).runbook("db-full").digest
    (folder / "database" / "db-full.md").write_bytes(RUNBOOK.replace("\n", "\r\n").encode())

    assert RunbookFiles(folder).runbook("db-full").digest == before


def test_files_are_read_once(folder: Path) -> None:
    files = RunbookFiles(folder)
    first = files.runbooks
    (folder / "database" / "db-full.md").unlink()

    assert files.runbooks is first


def test_an_unknown_runbook_is_named(folder: Path) -> None:
    with pytest.raises(UnknownRunbook, match="no runbook 'db-empty'"):
        RunbookFiles(folder).runbook("db-empty")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no front matter", "db-full.md: start with YAML front matter"),
        ("---\nname: db-full\n", "db-full.md: start with YAML front matter"),
        ("---\nname: [\n---\n", "db-full.md: is not YAML.*line 2"),
        ("---\n- a list\n---\n", "db-full.md: must be a YAML mapping"),
        (RUNBOOK.replace("kind: note", "kind: shell"), r"db-full.md: steps.0.action: .*'shell'"),
        (RUNBOOK.replace("title: Disk full\n", ""), "db-full.md: title: Field required"),
        (RUNBOOK.replace("type: database", "typo: database"), "db-full.md: type: Field required"),
    ],
)
def test_a_mistake_is_told_with_file_and_field(folder: Path, content: str, message: str) -> None:
    (folder / "database" / "db-full.md").write_text(content)

    with pytest.raises(InvalidConfiguration, match=message):
        assert RunbookFiles(folder).runbooks


def test_text_that_is_not_utf8_is_told(folder: Path) -> None:
    (folder / "database" / "db-full.md").write_bytes(b"---\n\xff\n---\n")

    with pytest.raises(InvalidConfiguration, match=r"db-full\.md: is not UTF-8"):
        assert RunbookFiles(folder).runbooks


def test_a_name_that_is_taken_is_told(folder: Path) -> None:
    (folder / "network").mkdir()
    (folder / "network" / "db-full.md").write_text(RUNBOOK)

    with pytest.raises(InvalidConfiguration, match="is taken by database/db-full"):
        assert RunbookFiles(folder).runbooks


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="there are no runbooks"):
        assert RunbookFiles(tmp_path).runbooks


def test_a_missing_catalogue_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"catalog\.yaml: cannot be read"):
        assert RunbookFiles(tmp_path).catalog.services


def test_an_overlay_is_laid_over_the_catalogue(folder: Path) -> None:
    overlay = folder / "mine.yaml"
    overlay.write_text("targets: {orders-db: {reader: mine}}\nvp_engineering: ada\n")

    catalog = RunbookFiles(folder, overlay).catalog

    assert catalog.targets["orders-db"].reader == "mine"
    assert catalog.targets["orders-db"].writer == "w"


def test_a_mistake_in_the_overlay_is_told_with_its_file(folder: Path) -> None:
    overlay = folder / "mine.yaml"
    overlay.write_text("services: {orders: {owner: nobody}}\n")

    with pytest.raises(InvalidConfiguration, match=r"mine\.yaml: .*owned by 'nobody'"):
        assert RunbookFiles(folder, overlay).catalog.services


def test_lists_are_replaced_and_mappings_merged() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 3}

    assert merged(base, {"a": {"c": [9]}, "d": {"e": 4}}) == {
        "a": {"b": 1, "c": [9]},
        "d": {"e": 4},
    }
