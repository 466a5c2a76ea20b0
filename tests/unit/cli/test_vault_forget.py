"""``vault forget`` and what is said when it cannot be done, or only in part."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.command import beholden
from tests.support.small_estate import EVENTS, PLANTED, make_estate

from beholden.core.names import Person
from beholden.vault import MasterKey, open_vault

SUBJECT = "customer:71830456"


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    return make_estate(tmp_path_factory.mktemp("template") / "estate")


@pytest.fixture
def estate(template, tmp_path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "estate"))


def known(estate: Path) -> bool:
    master = MasterKey.load("file:.beholden/master.key", root=estate, environ={})
    with open_vault(f"sqlite:///{estate / '.beholden' / 'vault.db'}", master) as vault:
        return vault.find([Person.parse(SUBJECT)]) != [None]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "vault forget: nobody is named"),
        (("customer:1", "vashti@mail1.example"), "person 2 of the list: not of this form; expected kind:identifier"),
        (("--file", "names.txt"), "person 2 of the list: not of this form"),
        (("--file", "bytes.txt"), "--file: is no text in UTF-8"),
        ((SUBJECT, "--reason", ""), "reason: 0 characters"),
    ],
)
def test_what_makes_no_sense_is_refused_and_names_nobody(estate, arguments, said):
    (estate / "names.txt").write_text("# one\n\ncustomer:1\nvashti quillfeather\n")
    (estate / "bytes.txt").write_bytes(b"customer:\xff\n")
    reason = () if "--reason" in arguments else ("--reason", "asked")
    line = beholden(estate, "vault", "forget", *reason, *arguments).refused(2)
    assert line.startswith(said)
    assert not [text for text in PLANTED if text in line]
    assert known(estate)


def test_an_identifier_is_read_as_logs_are(estate):
    """The key is a number: written with a zero before it, it is the same."""
    (item,) = beholden(estate, "vault", "forget", "customer:071830456", "--reason", "asked", "--json", ok=True).items
    assert (item["asked"], item["forgotten"], item["held"]) == (1, 1, 0)
    assert not known(estate)


def test_a_list_from_stdin_and_a_table(estate):
    done = beholden(estate, "vault", "forget", "--file", "-", SUBJECT, "--reason", "asked", ok=True)
    assert "logs and feeds that name them are not touched" in done.err
    assert not [text for text in PLANTED if text in done.out + done.err]


def test_without_its_ledger_nobody_is_forgotten(estate):
    shutil.rmtree(estate / ".beholden" / "ledger")
    line = beholden(estate, "vault", "forget", SUBJECT, "--reason", "asked").refused(5)
    assert f"is gone, with {EVENTS} events" in line
    assert known(estate)


def test_a_damaged_ledger_stops_a_restore(estate, tmp_path):
    beholden(estate, "vault", "backup", str(tmp_path / "backup"), ok=True)
    beholden(estate, "vault", "forget", SUBJECT, "--reason", "asked", ok=True)
    (segment,) = (estate / ".beholden" / "ledger" / "segments").iterdir()
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    beholden(estate, "vault", "restore", str(tmp_path / "backup"), "--replace").refused(5)
    assert not known(estate)


def test_what_was_not_told_is_told_by_the_next_seal(estate):
    master = MasterKey.load("file:.beholden/master.key", root=estate, environ={})
    with open_vault(f"sqlite:///{estate / '.beholden' / 'vault.db'}", master) as vault:
        vault.forget([Person.parse(SUBJECT)], reason="stopped after this")
    (status,) = beholden(estate, "vault", "status", "--json", ok=True).items
    assert status["erasures_untold"] == 1
    assert "1 erasures are done and not on record yet" in beholden(estate, "vault", "status", ok=True).err
    beholden(estate, "ledger", "seal", ok=True)
    (status,) = beholden(estate, "vault", "status", "--json", ok=True).items
    assert status["erasures_untold"] == 0
    (ledger,) = beholden(estate, "ledger", "status", "--json", ok=True).items
    assert (ledger["events"], ledger["in_wal"]) == (EVENTS + 1, 0)
    assert beholden(estate, "ledger", "verify", "--json", ok=True).items == []


def test_a_ledger_is_sealed_also_where_the_vault_is_lost(estate):
    for file in (estate / ".beholden").glob("vault.db*"):
        file.unlink()
    beholden(estate, "ledger", "seal", ok=True)


def test_who_is_under_a_legal_hold_is_left_alone(estate):
    beholden(estate, "ledger", "hold", "add", "--subject", SUBJECT, "--reason", "case 12", "--by", "ludmilla", ok=True)
    done = beholden(estate, "vault", "forget", SUBJECT, "customer:71830457", "--reason", "asked", "--json")
    assert done.refused(1) == "vault forget: 1 of them are held and were left alone"
    (item,) = done.items
    assert (item["asked"], item["forgotten"], item["held"]) == (2, 1, 1)
    assert "person 1 of the list is held by legal hold" in done.err
    assert known(estate)
