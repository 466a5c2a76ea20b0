"""`ledger verify` for who has less than the whole estate: it checks what it can, and says what it did not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from tests.support.small_estate import EVENTS, audit_lines, make_estate

from beholden.cli import cli
from beholden.core.errors import BeholdenError


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    return make_estate(tmp_path_factory.mktemp("template") / "estate")


@pytest.fixture
def estate(template, tmp_path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "estate"))


@pytest.fixture
def ledger(estate) -> Path:
    return Path(estate, ".beholden", "ledger")


def verify(estate: Path, *arguments: str) -> tuple[int, list[str], dict[str, str]]:
    """Exit code, objects found, and what is not known, by kind."""
    done = CliRunner().invoke(cli, ["--estate", str(estate), "ledger", "verify", *arguments, "--json"])
    if isinstance(done.exception, BeholdenError):
        code = done.exception.exit_code
    else:
        assert done.exception is None, done.exception
        code = done.exit_code
    answer: dict[str, Any] = msgspec.json.decode(done.stdout or b'{"items":[],"unknown":[]}')
    return code, [row["object"] for row in answer["items"]], {gap["kind"]: gap["reason"] for gap in answer["unknown"]}


def refusal(estate: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["--estate", str(estate), "ledger", "verify", *arguments])
    assert isinstance(done.exception, BeholdenError)
    return done.exception.exit_code, done.exception.line()


def leave_only_the_ledger(estate: Path) -> None:
    for name in ("master.key", "vault.db", "state.db"):
        (estate / ".beholden" / name).unlink()


def test_the_whole_estate_leaves_nothing_unknown(estate):
    assert verify(estate) == (0, [], {})


def test_an_auditor_needs_a_copy_and_a_key(estate, ledger, tmp_path):
    copy, given = Path(shutil.copytree(ledger, tmp_path / "copy")), tmp_path / "given.pub"
    shutil.copy(ledger / "key.pub", given)
    shutil.rmtree(estate)
    code, found, unknown = verify(tmp_path, str(copy), "--key", str(given))
    assert (code, found, set(unknown)) == (0, [], {"log"})
    assert unknown["log"].startswith("not checked that all events are here that log ingest acknowledged")
    code, found, unknown = verify(tmp_path, str(copy))
    assert (code, found, set(unknown)) == (0, [], {"log", "key"})
    assert unknown["key"].startswith("not checked to be the estate's own (no --key); compare it with one you trust: ")
    assert unknown["key"].endswith(given.read_text().strip())


def test_an_auditor_finds_what_was_altered(estate, ledger):
    leave_only_the_ledger(estate)
    (segment,) = (ledger / "segments").iterdir()
    segment.write_bytes(segment.read_bytes().replace(b"PAR1", b"PAR2"))
    for arguments in ([], [str(ledger)], [str(ledger), "--key", str(ledger / "key.pub")]):
        code, found, _ = verify(estate, *arguments)
        assert (code, f"segments/{segment.name}" in found) == (5, True)


def test_a_ledger_that_somebody_else_signed(estate, ledger, tmp_path):
    """With its own key beside it it agrees with itself: only a key from elsewhere shows it."""
    given = tmp_path / "given.pub"
    shutil.copy(ledger / "key.pub", given)
    forged = make_estate(tmp_path / "forged" / "estate") / ".beholden" / "ledger"
    assert verify(tmp_path, str(forged))[:2] == (0, [])
    code, found, _ = verify(tmp_path, str(forged), "--key", str(given))
    assert (code, set(found)) == (5, {"key.pub", "checkpoint"})


def test_without_the_master_key_the_public_one_counts(estate, ledger):
    (estate / ".beholden" / "master.key").unlink()
    code, found, unknown = verify(estate)
    assert (code, found, set(unknown)) == (0, [], {"key"})
    assert unknown["key"].startswith("not checked to be the estate's own (master key: does not exist); compare it")
    (ledger / "key.pub").unlink()
    assert refusal(estate) == (5, "key.pub: is missing. Ask for the estate's verifier key")


def test_without_vault_and_state(estate):
    (estate / ".beholden" / "vault.db").unlink()
    assert verify(estate) == (0, [], {})
    (estate / ".beholden" / "vault.db").write_bytes(b"no database" * 999)
    assert verify(estate) == (0, [], {})
    (estate / ".beholden" / "state.db").write_bytes(b"no database" * 999)
    assert set(verify(estate)[2]) == {"log"}
    leave_only_the_ledger(estate)
    code, found, unknown = verify(estate)
    assert (code, found, set(unknown)) == (0, [], {"log", "key"})


def test_a_key_of_the_wrong_estate_is_said_before_anybody_is_called_a_forger(estate):
    (estate / ".beholden" / "master.key").write_text("00" * 32 + "\n")
    assert refusal(estate)[0] == 4
    assert "this master key does not belong to it" in refusal(estate)[1]


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"test.example/ledger+12345678+AAAA\n"])
def test_a_key_file_that_is_none(estate, tmp_path, content):
    path = tmp_path / "a.pub"
    if content is not None:
        path.write_bytes(content)
    code, line = refusal(estate, "--key", str(path))
    assert (code, line) == (
        2, f"--key {path}: cannot be read as a verifier key; expected one line, as in key.pub"
    )  # fmt: skip


def test_a_directory_without_a_ledger(estate, ledger, tmp_path):
    for path in (tmp_path, tmp_path / "absent", estate / "beholden.toml"):
        code, line = refusal(estate, str(path))
        assert (code, "there is no ledger in this directory" in line) == (1, True)
        assert refusal(estate, str(path), "--key", str(ledger / "key.pub"))[0] == 1


def test_deleting_ledger_json_is_an_integrity_failure(estate, ledger):
    (ledger / "ledger.json").unlink()
    assert verify(estate)[:2] == (5, ["ledger.json"])
    assert verify(estate, str(ledger))[:2] == (5, ["ledger.json"])


def test_waiting_events_are_said_to_be_under_no_signature_and_missed_when_gone(estate, ledger):
    (estate / "more.csv").write_text(audit_lines(3, first=500))
    read = ["log", "ingest", "--format", "pgaudit-csv", "--store", "crm", str(estate / "more.csv")]
    assert CliRunner().invoke(cli, ["--estate", str(estate), *read]).exit_code == 0
    code, found, unknown = verify(estate)
    assert (code, found, set(unknown)) == (0, [], {"events"})
    for path in (ledger / "wal").iterdir():
        path.unlink()
    assert verify(estate) == (5, ["wal"], {})
    assert verify(estate, str(ledger))[0] == 0
    assert EVENTS == 12


def test_nothing_is_written(estate, ledger):
    def files() -> dict[str, tuple[int, int]]:
        return {
            os.fspath(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in [ledger, *ledger.rglob("*")]
        }

    before = files()
    verify(estate)
    verify(estate, str(ledger))
    assert files() == before
