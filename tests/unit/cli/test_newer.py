"""An estate that a newer program wrote is refused by every command that works with what is newer; nothing changes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.small_estate import make_estate

from beholden.cli import cli
from beholden.core.errors import BeholdenError

#: Commands by what they work with; the vault's also look at the parts a restored or saved vault belongs to.
MAP = [["scan"], ["map", "fields"], ["map", "where", "email"], ["map", "dataset", "crm/main.customer"], ["map", "zones"],
       ["map", "coverage"], ["log", "status"]]  # fmt: skip
RECORD = [["who", "--actor", "mortimer"], ["who", "--subject", "customer:71830456", "--events"], ["watch", "reasons"],
          ["log", "ingest"], ["ledger", "status"], ["ledger", "seal"], ["ledger", "verify"]]  # fmt: skip
VAULT = [["vault", "status"], ["vault", "backup", "new.backup"], ["vault", "restore", "old.backup", "--replace"]]


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    estate = make_estate(tmp_path_factory.mktemp("template") / "estate")
    assert run(estate, "vault", "backup", str(estate / "old.backup")) is None
    return estate


@pytest.fixture
def estate(template, tmp_path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "estate"))


def run(estate: Path, *arguments: str) -> BeholdenError | None:
    paths = [str(estate / part) if part.endswith(".backup") else part for part in arguments]
    start = [] if arguments[0] == "init" else ["--estate", str(estate)]
    done = CliRunner().invoke(cli, [*start, *paths])
    if done.exception is None:
        return None
    assert isinstance(done.exception, BeholdenError), done.exception
    return done.exception


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def newer_state(estate: Path) -> None:
    change(estate / ".beholden" / "state.db", "update alembic_version set version_num = '9999'")


def newer_vault(estate: Path) -> None:
    change(estate / ".beholden" / "vault.db", "update vault_meta set format = 99")


def newer_ledger(estate: Path) -> None:
    path = estate / ".beholden" / "ledger" / "ledger.json"
    raw = json.dumps(json.loads(path.read_text())["body"] | {"format": 99}, separators=(",", ":")).encode()
    path.write_bytes(b'{"body":' + raw + b',"sha256":"' + hashlib.sha256(raw).hexdigest().encode() + b'"}\n')


def files(estate: Path) -> dict[str, bytes]:
    return {
        os.fspath(path): path.read_bytes()
        for path in estate.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


@pytest.mark.parametrize(
    ("make_newer", "commands"),
    [(newer_state, [*MAP, *RECORD, *VAULT]), (newer_vault, [*RECORD, *VAULT]), (newer_ledger, [*RECORD, *VAULT])],
    ids=["state", "vault", "ledger"],
)
def test_what_a_newer_program_wrote_is_refused(estate, make_newer, commands):
    make_newer(estate)
    before = files(estate)
    for command in [*commands, ["init", str(estate)]]:
        error = run(estate, *command)
        assert error is not None, command
        assert error.exit_code == 1, command
        assert "newer" in error.line(), command
        assert "\n" not in error.line()
        assert files(estate) == before, command


def test_a_lost_or_damaged_state_does_not_keep_the_vault_from_being_saved(estate):
    (estate / ".beholden" / "state.db").write_bytes(b"no database" * 999)
    assert run(estate, "vault", "backup", "a.backup") is None
    (estate / ".beholden" / "state.db").unlink()
    shutil.rmtree(estate / ".beholden" / "ledger")
    assert run(estate, "vault", "backup", "b.backup") is None
    assert run(estate, "vault", "restore", "b.backup", "--replace") is None
