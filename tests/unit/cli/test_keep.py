"""``ledger prune``, ``ledger hold`` and ``upgrade --check`` as people and programs see them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.command import beholden
from tests.support.small_estate import EVENTS, PLANTED, make_estate

from beholden.cli import cli
from beholden.cli._estate import Estate
from beholden.cli.ledger_prune import policies_of
from beholden.core.config_file import parse_config
from beholden.core.errors import BeholdenError, ConfigError
from beholden.core.times import system_clock


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    return make_estate(tmp_path_factory.mktemp("template") / "estate")


@pytest.fixture
def estate(template, tmp_path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "estate"))


def answer(estate, *arguments):
    return json.loads(beholden(estate, *arguments, "--json", ok=True).out)["items"]


def without_policy(estate):
    path = estate / "beholden.toml"
    head, _, _ = path.read_text().partition("[[ledger.retention]]")
    path.write_text(head)


def test_without_a_policy_it_is_said_that_nothing_goes(estate):
    without_policy(estate)
    for arguments in (["ledger", "prune"], ["ledger", "prune", "--dry-run"], ["ledger", "status"]):
        done = beholden(estate, *arguments, ok=True)
        assert "nothing is ever pruned" in done.out + done.err
    [row] = answer(estate, "ledger", "prune", "--dry-run")
    assert (row["outcome"], row["reasons"]) == ("kept", ["no policy is declared"])


def test_a_dry_run_says_what_keeps_the_rest_and_changes_nothing(estate):
    before = {path: path.read_bytes() for path in (estate / ".beholden/ledger").rglob("*") if path.is_file()}
    [row] = answer(estate, "ledger", "prune", "--dry-run")
    assert row["outcome"] == "kept"
    assert row["reasons"][0].startswith("* for 2,555 days (")
    assert {path: path.read_bytes() for path in before if path.name != "checked.json"}.items() <= before.items()


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ('events = "everything"\nkeep_days = 3000\npurpose = "p"', "no selector"),
        ('events = "*"\nkeep_days = 0\npurpose = "p"', "keep_days"),
        ('events = "*"\nkeep_days = 99999999\npurpose = "p"', "keep_days"),
        ('events = "*"\nkeep_days = 3000\npurpose = "  "', "purpose"),
        ('events = "*"\nkeep_days = 3000', "purpose"),
        ('events = "source:crm"\nkeep_days = 30\npurpose = "p"', "can only keep longer"),
    ],
)
def test_a_bad_policy_is_refused_in_one_line(policy, found):
    of_all = '[[ledger.retention]]\nevents = "*"\nkeep_days = 2555\npurpose = "p"\n'
    with pytest.raises(ConfigError) as refused:
        parse_config(f"{of_all}[[ledger.retention]]\n{policy}\n", Path())
    assert refused.value.line().startswith("beholden.toml line ")
    assert found in refused.value.line()


def test_a_hold_is_added_listed_and_released(estate):
    beholden(
        estate,
        "ledger",
        "hold",
        "add",
        "--subject",
        "customer:71830456",
        "--reason",
        "case 7",
        "--by",
        "legal",
        ok=True,
    )
    beholden(estate, "ledger", "hold", "add", "--actor", "mortimer", "--reason", "case 8", "--by", "legal", ok=True)
    beholden(
        estate,
        "ledger",
        "hold",
        "add",
        "--from",
        "2026-01-01",
        "--to",
        "2026-02-01",
        "--reason",
        "r",
        "--by",
        "b",
        ok=True,
    )
    beholden(estate, "ledger", "hold", "add", "--events", "3-5", "--reason", "r", "--by", "b", ok=True)
    rows = answer(estate, "ledger", "hold", "list")
    assert [(row["on"], row["what"]) for row in rows] == [
        ("subject", "customer:71830456"),
        ("actor", "mortimer"),
        ("time", "from 2026-01-01T00:00:00.000000Z to 2026-02-01T00:00:00.000000Z"),
        ("seq", "3 to 5"),
    ]
    assert (rows[0]["by"], rows[0]["reason"], rows[0]["released"]) == ("legal", "case 7", None)
    beholden(estate, "ledger", "hold", "release", rows[0]["hold"], "--reason", "over", "--by", "court", ok=True)
    assert len(answer(estate, "ledger", "hold", "list")) == 3
    released = answer(estate, "ledger", "hold", "list", "--all")[0]
    assert (released["released_by"], released["released_reason"]) == ("court", "over")
    beholden(estate, "ledger", "verify", ok=True)
    assert "beholden:ledger" not in beholden(estate, "who", "--actor", "mortimer", ok=True).err
    held = b"".join(path.read_bytes() for path in (estate / ".beholden/ledger").rglob("*") if path.is_file())
    assert not any(word.encode() in held for word in (*PLANTED, "case 7", "court"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        (["--subject", "customer:71830456", "--events", "1-2"], 2),
        (["--subject", "customer:1"], 1),
        (["--subject", "nobody"], 2),
        (["--events", "5-3"], 2),
        (["--events", "a-b"], 2),
        (["--dataset", "nowhere"], 2),
        (["--from", "2026-02-01", "--to", "2026-01-01"], 2),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused_in_one_line(estate, arguments, code):
    words = ["--estate", str(estate), "ledger", "hold", "add", *arguments, "--reason", "r", "--by", "b"]
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, BeholdenError)
    assert done.exception.exit_code == code


def test_old_events_go_and_answers_say_so(estate):
    """The estate's clock cannot be set, so its ledger is made older: in a copy whose events came in long ago."""
    path = estate / "beholden.toml"
    path.write_text(path.read_text().replace("keep_days = 2555", "keep_days = 1"))
    later = Estate(estate, clock=lambda: system_clock() + 3 * 86_400_000_000)
    assert later.ledger.prune(policies_of(later)).plan.events == EVENTS
    later.close()
    status = beholden(estate, "ledger", "status", ok=True)
    assert f"begins with event {EVENTS}" in status.out + status.err
    [row] = answer(estate, "ledger", "status")
    assert (row["first_seq"], row["events"]) == (EVENTS, 1)
    told = json.loads(beholden(estate, "who", "--actor", "mortimer", "--json").out)
    [gone] = [unknown for unknown in told["unknown"] if unknown["kind"] == "pruned"]
    assert gone["count"] == EVENTS
    assert "under * for 1 day (" in gone["reason"]
    recent = json.loads(beholden(estate, "who", "--actor", "mortimer", "--from", "2026-11-22", "--json").out)
    assert "pruned" not in {unknown["kind"] for unknown in recent["unknown"]}
    beholden(estate, "ledger", "verify", ok=True)


def change(path, statement):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def test_which_formats_there_are(estate):
    rows = answer(estate, "upgrade", "--check")
    assert [(row["part"], row["needed"], row["found"] == row["writes"]) for row in rows] == [
        ("state", False, True),
        ("vault", False, True),
        ("ledger", False, True),
    ]
    ledger = estate / ".beholden/ledger/ledger.json"
    text = ledger.read_text()
    for found, what in ((1, "read the logs again"), (99, "a newer version")):
        ledger.write_text(text.replace('"format":2', f'"format":{found}'))
        done = beholden(estate, "upgrade", "--check", "--json")
        row = json.loads(done.out)["items"][2]
        assert (done.code, row["found"], row["needed"]) == (1, str(found), True)
        assert what in row["what"]
    ledger.write_text("not this")
    change(estate / ".beholden/vault.db", "update vault_meta set format = 99")
    change(estate / ".beholden/state.db", "update alembic_version set version_num = '9999'")
    done = beholden(estate, "upgrade", "--check", "--json")
    assert [row["needed"] for row in json.loads(done.out)["items"]] == [True, True, None]
    (estate / ".beholden/vault.db").unlink()
    done = beholden(estate, "upgrade", "--check")
    assert done.code == 1
    assert not (estate / ".beholden/vault.db").exists()
    change(estate / ".beholden/state.db", "delete from alembic_version")
    row = json.loads(beholden(estate, "upgrade", "--check", "--json").out)["items"][0]
    assert (row["found"], row["needed"]) == ("none", True)
    assert beholden(estate, "upgrade").code == 2
