"""`ledger prove`, `export`, `witness` and the parts of `verify`, as somebody types them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from tests.support.ledger import event
from tests.support.small_estate import EVENTS, PLANTED, audit_lines, make_estate

from beholden.cli import cli
from beholden.cli.schemas import answer_type
from beholden.core.errors import BeholdenError
from beholden.ledger.merkle import is_included, leaf_hash


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    return make_estate(tmp_path_factory.mktemp("template") / "estate")


@pytest.fixture
def estate(template, tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(template, tmp_path / "estate"))


def run(estate: Path, *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout, and the error's line or what was told."""
    done = CliRunner().invoke(cli, ["--estate", str(estate), "ledger", *map(str, arguments)])
    if isinstance(done.exception, BeholdenError):
        return done.exception.exit_code, done.stdout, done.exception.line()
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def more(estate: Path, count: int, first: int = 500) -> None:
    (estate / "more.csv").write_text(audit_lines(count, first=first))
    arguments = ["log", "ingest", "--format", "pgaudit-csv", "--store", "crm", str(estate / "more.csv")]
    assert CliRunner().invoke(cli, ["--estate", str(estate), *arguments]).exit_code == 0


def check(estate: Path, *arguments: object) -> tuple[int, str]:
    """What an outsider's program says, of whom nothing is asked but the key."""
    program = Path(__file__).parents[3] / "src" / "beholden" / "ledger" / "outsiders" / "check.py"
    key = estate / ".beholden" / "ledger" / "key.pub"
    command = [sys.executable, "-I", str(program), str(key), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_an_event_is_proven_to_an_outsider(estate):
    code, out, told = run(estate, "prove", 5)
    assert (code, told.startswith(f"proven: event 5 is one of the {EVENTS} under root ")) == (0, True)
    assert run(estate, "prove", 5, "--out", "5.tlog-proof")[0] == 0
    assert Path("5.tlog-proof").read_text() == out
    code, said = check(estate, "5.tlog-proof")
    assert (code, f"event 5 is among the {EVENTS}" in said, '"dataset": "main.customer"' in said) == (0, True, True)
    assert not [value for value in PLANTED if value in said.lower() + out.lower()]


def test_json_has_the_proof_and_what_the_record_says(estate):
    code, out, _ = run(estate, "prove", 5, "--json")
    answer: Any = msgspec.json.decode(out, type=answer_type("ledger-proof"))
    (row,) = answer.items
    path = [bytes.fromhex(part) for part in row.hashes]
    leaf = leaf_hash(bytes.fromhex(row.record))
    assert (code, leaf.hex(), row.event["seq"]) == (0, row.leaf_hash, 5)
    assert is_included(leaf, 5, row.tree_size, path, bytes.fromhex(row.root_hash))
    assert set(row.event) >= set(event(1))


def test_one_line_for_what_cannot_be_proven(estate, tmp_path):
    more(estate, 3)
    for arguments, code, line in [
        (("prove", EVENTS), 2, f"ledger: event {EVENTS} is not sealed yet. Seal first: beholden ledger seal"),
        (("prove", EVENTS + 3), 2, f"ledger: there is no event {EVENTS + 3}; expected a number from 0 to {EVENTS + 2}"),
        (("prove", "--", -1), 2, f"ledger: there is no event -1; expected a number from 0 to {EVENTS + 2}"),
        (("prove",), 2, "ledger prove: one thing is proven at a time; expected SEQ or --from-size N"),
        (("prove", 1, "--from-size", 1), 2, "ledger prove: one thing is proven at a time; expected SEQ or --from-size N"),
        (("prove", "--from-size", 99), 2, f"ledger prove: a tree of 99 events is not within one of {EVENTS}; expected 0 to {EVENTS}"),
        (("prove", 1, "--checkpoint", "absent"), 2, "--checkpoint: absent cannot be read; expected a file"),
        (("prove", 1, "--out", "absent/x"), 4, "absent/x: cannot be written (No such file or directory); expected a place for a file"),
        (("export", "--from", 3, "--out", "estate"), 2, "--out estate: is there already; expected a directory that is not there yet"),
    ]:  # fmt: skip
        assert run(estate, *arguments)[::2] == (code, line)
    code, _, line = run(estate, "prove", 1, "--size", 3)
    assert (code, line.startswith("--size: no signed tree head of 3 events is kept; expected one of 12.")) == (2, True)
    shutil.rmtree(estate / ".beholden" / "ledger")
    assert run(estate, "prove", 1)[0] == 5


def test_without_the_master_key_the_public_one_counts_and_that_is_said(estate):
    (estate / ".beholden" / "master.key").unlink()
    code, _, told = run(estate, "prove", 1)
    assert (code, "not checked to be the estate's own" in told) == (0, True)


def test_earlier_tree_heads(estate):
    shutil.copy(estate / ".beholden" / "ledger" / "checkpoint", "kept")
    more(estate, 5)
    assert run(estate, "seal")[0] == 0
    assert run(estate, "prove", 5, "--checkpoint", "kept", "--out", "old.tlog-proof")[0] == 0
    assert run(estate, "prove", 5, "--out", "new.tlog-proof")[0] == 0
    assert f"among the {EVENTS} " in check(estate, "old.tlog-proof")[1]
    assert f"among the {EVENTS + 5} " in check(estate, "new.tlog-proof")[1]
    assert run(estate, "prove", "--from-size", EVENTS, "--out", "consistency")[0] == 0
    assert check(estate, "--since", "kept", "consistency")[0] == 0
    assert run(estate, "prove", EVENTS, "--checkpoint", "kept")[::2] == (
        2, f"ledger: event {EVENTS} is not among the first {EVENTS}, which this tree head covers"
    )  # fmt: skip
    assert run(estate, "prove", 1, "--checkpoint", "kept", "--size", 3)[0] == 2


def test_an_export_is_checked_by_what_it_brings_along(estate):
    assert run(estate, "export", "--from", 2, "--to", 9, "--out", "export")[0] == 0
    assert check(estate, "export")[0] == 0
    assert run(estate, "export", "--from", "2026-11-20", "--to", "2026-11-21", "--out", "day")[0] == 0
    assert f"events 0 to {EVENTS - 1}, all of them" in check(estate, "day")[1]
    assert run(estate, "export", "--from", "soon", "--out", "x")[0] == 2


def test_a_witness_elsewhere_by_files(estate):
    code, key, _ = run(estate, "witness", "new-key", "home", "--name", "witness.example/w1")
    assert (code, key) == (0, Path("home/key.pub").read_text())
    own = estate / ".beholden" / "ledger" / "key.pub"
    assert run(estate, "prove", "--from-size", 0, "--out", "request")[0] == 0
    assert run(estate, "witness", "check", "home", "request", "--log", own, "--out", "cosigned")[0] == 0
    code, _, told = run(estate, "witness", "add", "cosigned", "--witness-key", "home/key.pub")
    assert (code, told) == (0, f"kept: the tree head of {EVENTS} events, cosigned by witness.example/w1\n")
    assert run(estate, "prove", 5, "--out", "5.tlog-proof")[2].endswith("cosigned by witness.example/w1\n")
    assert check(estate, "--witness", "home/key.pub", "5.tlog-proof")[0] == 0
    assert run(estate, "verify")[::2][0] == 0
    code, _, line = run(estate, "witness", "check", "home", "request", "--log", own)
    assert (code, line.endswith(f"Ask for: beholden ledger prove --from-size {EVENTS}")) == (1, True)
    assert run(estate, "witness", "add", "cosigned", "--witness-key", own)[0] == 2
    assert run(estate, "witness", "add", "request", "--witness-key", "home/key.pub")[0] == 5
    assert run(estate, "witness", "serve", "home", "--log", own, "--address", "nowhere")[0] == 2


def test_parts_of_verify(estate):
    assert run(estate, "verify", "--keep", "head")[0] == 0
    assert Path("head").read_bytes() == (estate / ".beholden" / "ledger" / "checkpoint").read_bytes()
    more(estate, 5)
    assert run(estate, "seal")[0] == 0
    code, _, told = run(estate, "verify", "--since", "head", "--keep", "head")
    assert (code, "verified: 5 new events; the ledger continues the tree head in head" in told) == (0, True)
    assert f"not read again: they are as old as the tree head that was verified before ({EVENTS}" in told
    code, _, told = run(estate, "verify", "--since", "head")
    assert (code, "verified: 0 new events" in told) == (0, True)
    code, _, told = run(estate, "verify", "--sample", 4, "--seed", 3)
    assert (code, f"verified: 4 of {EVENTS + 5} events, drawn with --seed 3" in told) == (0, True)
    assert "escapes it by chance: of 1 with 76.47%" in told
    assert run(estate, "verify", "--sample", 4, "--since", "head")[0] == 2
    segment = max((estate / ".beholden" / "ledger" / "segments").iterdir())
    segment.write_bytes(segment.read_bytes()[:-1])
    for part in (("--since", "head"), ("--sample", 100)):
        code, out, _ = run(estate, "verify", *part, "--keep", "no", "--json")
        found = [item["object"] for item in msgspec.json.decode(out)["items"]]
        assert (code, found) == (5, [f"segments/{segment.name}"])
    assert not Path("no").exists()
