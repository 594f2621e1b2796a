"""The doctor tells too many rights from too few, on a real PostgreSQL and a real service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import yaml
from click.testing import CliRunner

from infra.commands.doctor import doctor
from infra.local.config import LocalConfig
from infra.local.doctor.examination import examine
from infra.local.doctor.finding import Found
from infra.local.postgres import ThrowAwayPostgres
from infra.local.practice_service import PaymentService
from tests.components import need

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def postgres() -> Iterator[ThrowAwayPostgres]:
    need("postgresql-15")
    with ThrowAwayPostgres(max_connections=20, app_limit=15) as server:
        yield server


@pytest.fixture(scope="module")
def service() -> Iterator[PaymentService]:
    with PaymentService() as service:
        yield service


def config(postgres: ThrowAwayPostgres, service: PaymentService, **secrets: str) -> dict[str, Any]:
    given = {
        "targets/payments-db-reader": postgres.dsn("reader"),
        "targets/payments-db-writer": postgres.dsn("writer"),
        "targets/mine-reader": service.reader_token,
        "targets/mine-writer": service.writer_token,
    }
    hooks = {"base_url": service.url, "reader": "targets/mine-reader"}
    return {
        "catalog": {
            "targets": {
                "payments-db": {"fields": {"idle_seconds": 2}},
                "payment-api-deployer": {**hooks, "writer": "targets/mine-writer"},
            }
        },
        "secrets": {name: text for name, text in {**given, **secrets}.items() if text},
    }


def bad(content: dict[str, Any]) -> list[str]:
    return [one.words for one in found(content) if one.bad]


def found(content: dict[str, Any]) -> list[Found]:
    return examine(LocalConfig.model_validate(content))


def test_right_rights_are_called_good(postgres: ThrowAwayPostgres, service: PaymentService) -> None:
    words = found(config(postgres, service))
    assert [one.kind for one in words] == ["good", "good", "good"]


@pytest.mark.parametrize(
    ("breach", "mended", "words"),
    [
        ("ALTER ROLE squad_reader SUPERUSER", "ALTER ROLE squad_reader NOSUPERUSER", "superuser"),
        ("GRANT pg_signal_backend TO squad_reader", "REVOKE pg_signal_backend FROM squad_reader",
         "may end sessions"),
        ("REVOKE pg_signal_backend FROM squad_writer", "GRANT pg_signal_backend TO squad_writer",
         "cannot end sessions"),
        ("REVOKE pg_monitor FROM squad_reader", "GRANT pg_monitor TO squad_reader",
         "cannot see the sessions of others"),
        ("ALTER ROLE squad_writer CREATEROLE", "ALTER ROLE squad_writer NOCREATEROLE",
         "may make roles"),
    ],
)  # fmt: skip
def test_a_wrong_right_is_found_with_its_remedy(
    breach: LiteralString,
    mended: LiteralString,
    words: str,
    postgres: ThrowAwayPostgres,
    service: PaymentService,
) -> None:
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as admin:
        admin.execute(breach)
        said = bad(config(postgres, service))
        admin.execute(mended)
    assert len(said) == 1
    assert words in said[0]
    assert mended.split("squad_")[0].strip() in said[0]
    assert bad(config(postgres, service)) == []


def test_a_reader_that_may_write_is_found(
    postgres: ThrowAwayPostgres, service: PaymentService
) -> None:
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as admin:
        admin.execute("CREATE TABLE paid (id int)")
        admin.execute("GRANT INSERT ON paid TO squad_reader")
        said = bad(config(postgres, service))
        admin.execute("DROP TABLE paid")
    (words,) = said
    assert words.startswith("the reader 'squad_reader' may change 1 tables: REVOKE INSERT")


def test_one_role_for_both_is_found(postgres: ThrowAwayPostgres, service: PaymentService) -> None:
    same = {"targets/payments-db-reader": postgres.dsn("writer")}
    assert any("make two" in words for words in bad(config(postgres, service, **same)))


def test_tokens_are_tried_without_changing_anything(
    postgres: ThrowAwayPostgres, service: PaymentService
) -> None:
    wrong = bad(config(postgres, service, **{"targets/mine-reader": "wrong"}))
    same = bad(config(postgres, service, **{"targets/mine-reader": service.writer_token}))
    assert "refuses the reader's token (401)" in wrong[0]
    assert same == ["reader and writer are the same token: who only looks could act"]
    assert service.calls == []


def test_a_missing_secret_makes_the_command_fail(
    postgres: ThrowAwayPostgres, service: PaymentService, tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config(postgres, service, **{"targets/mine-writer": ""})))
    result = CliRunner().invoke(doctor, ["--config", str(file)])
    assert result.exit_code == 1
    assert "1 of " in result.output


def test_what_cannot_be_reached_is_found(
    postgres: ThrowAwayPostgres, service: PaymentService
) -> None:
    nowhere = {"targets/payments-db-reader": "postgresql://u:p@127.0.0.1:1/app"}
    assert "cannot get in or look" in bad(config(postgres, service, **nowhere))[0]
