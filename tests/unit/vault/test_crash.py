"""Processes that die, race or meet a full disk."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time

import pytest
import sqlalchemy as sa

from beholden.core import database
from beholden.core.errors import IntegrityError, ReadOnlyError, SourceError, UsageError
from beholden.core.names import Person
from beholden.vault import check_backup, open_vault, restore
from beholden.vault.tables import forgotten_tokens, people

PRELUDE = """
import hashlib, random, sys
from beholden.core.names import Person
from beholden.vault import MasterKey, open_vault
from beholden.core.ids import seeded_entropy
vault = open_vault(sys.argv[1], MasterKey(seeded_entropy(7)(32)))
def crowd(start, count):
    return [Person("customer", str(number)) for number in range(start, start + count)]
def digest(tokens):
    return hashlib.sha256(b"".join(tokens)).hexdigest()
"""
ADD = """
for start in range(0, 1_000_000, 1500):
    print(start, digest(vault.tokens(crowd(start, 1500))), flush=True)
"""
FORGET = """
for start in range(0, 10_000, 100):
    print(start, digest(vault.forget(crowd(start, 100), reason="test").tokens), flush=True)
"""
RACE = """
order = crowd(0, 6000)
random.Random(sys.argv[2]).shuffle(order)
sys.stdin.readline()
for start in range(0, 6000, 500):
    vault.tokens(order[start : start + 500])
print(digest(vault.tokens(crowd(0, 6000))))
"""


def crowd(start: int, count: int) -> list[Person]:
    return [Person("customer", str(number)) for number in range(start, start + count)]


def digest(tokens: list[bytes]) -> str:
    return hashlib.sha256(b"".join(tokens)).hexdigest()


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def kill_midway(script: str, url: str, seed: int) -> list[tuple[int, str]]:
    """Run until some batches are acknowledged, then kill at a moment of chance; the acknowledged (start, digest)."""
    chance = random.Random(seed)
    with start(script, url) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(chance.randint(1, 6))]
        time.sleep(chance.random() * 0.08)
        process.kill()
        lines += process.stdout.readlines()
    return [(int(line.split()[0]), line.split()[1]) for line in lines if line.endswith("\n")]


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_adding_people(vault, url, seed):
    acknowledged = kill_midway(ADD, url, seed)
    assert acknowledged
    for first, expected in acknowledged:
        tokens = vault.find(crowd(first, 1500))
        assert None not in tokens
        assert digest(tokens) == expected
    last = acknowledged[-1][0] + 1500
    unacknowledged = vault.find(crowd(last, 1500))
    assert all(unacknowledged) or not any(unacknowledged)
    tokens = vault.tokens(crowd(0, last + 3000))
    assert len(set(tokens)) == len(tokens) == vault.status().people
    assert len(vault.identities(tokens[-2000:])) == 2000


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_forgetting(vault, url, seed):
    everyone = crowd(0, 10_000)
    before = vault.tokens(everyone)
    acknowledged = kill_midway(FORGET, url, seed)
    assert acknowledged
    now = vault.find(everyone)
    for first, expected in acknowledged:
        assert digest(before[first : first + 100]) == expected
        assert not any(now[first : first + 100])
    gone = [token for token, found in zip(before, now, strict=True) if found is None]
    assert len(gone) % 100 == 0  # a batch is forgotten as a whole
    assert all(found in {None, token} for token, found in zip(before, now, strict=True))
    assert set(vault.forgotten(gone)) == set(gone)
    with vault._database.read() as connection:
        both = sa.select(people.c.token).join(forgotten_tokens, forgotten_tokens.c.token == people.c.token)
        assert connection.execute(both).all() == []
    assert not set(vault.tokens(everyone[:100])) & set(before)


def test_processes_that_race_for_the_same_people_agree(vault, url):
    processes = [start(RACE, url, seed) for seed in ("1", "2")]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=30)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert answers[0] == answers[1] == digest(vault.tokens(crowd(0, 6000))) + "\n"
    assert vault.status().people == 6000


def test_a_full_disk_is_said_and_nothing_half_is_kept(sqlite_path, master):
    with open_vault(f"sqlite:///{sqlite_path}", master, create=True) as vault:
        (known,) = vault.tokens([Person("customer", "1")])

        @sa.event.listens_for(vault._database.engine, "checkout")
        def limit(connection, *_):
            connection.execute("PRAGMA max_page_count=20").close()

        with pytest.raises(SourceError, match="the disk is full: nothing of this change was kept") as caught:
            vault.tokens(crowd(0, 5000))
        assert caught.value.exit_code == 4
        assert vault.status().people == 1
        assert vault.find(crowd(0, 3)) == [None, known, None]


def test_a_backup_that_does_not_fit_leaves_nothing(sqlite_path, tmp_path, master):
    with open_vault(f"sqlite:///{sqlite_path}", master, create=True) as vault:
        vault.tokens(crowd(0, 5000))
        vault.scrub()
    script = """
import resource
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    vault.backup(Path(sys.argv[2]))
except Exception as error:
    print(type(error).__name__, error)
"""
    with start(script, f"sqlite:///{sqlite_path}", str(tmp_path / "backup")) as process:
        answer = process.communicate(timeout=30)[0]
    assert answer.startswith("SourceError backup")
    assert "cannot be written (File too large)" in answer
    assert not list(tmp_path.glob("*backup*"))


def test_a_file_that_is_no_database(sqlite_path, master):
    sqlite_path.write_bytes(b"not a database, but anna.larsson@example.org\n" * 200)
    with pytest.raises(IntegrityError, match="damaged or no SQLite database") as caught:
        open_vault(f"sqlite:///{sqlite_path}", master)
    assert "anna" not in str(caught.value)


def test_a_damaged_page(sqlite_path, master):
    with open_vault(f"sqlite:///{sqlite_path}", master, create=True) as vault:
        vault.tokens(crowd(0, 2000))
    data = bytearray(sqlite_path.read_bytes())
    data[8192:] = b"\xa5" * (len(data) - 8192)
    sqlite_path.write_bytes(data)
    with open_vault(f"sqlite:///{sqlite_path}", master) as vault, pytest.raises(IntegrityError):
        vault.find(crowd(0, 2000))


def test_a_vault_somebody_else_holds(sqlite_path, master, monkeypatch):
    monkeypatch.setattr("beholden.core.database.BUSY_S", 0.05)
    url = f"sqlite:///{sqlite_path}"
    with open_vault(url, master, create=True) as first, open_vault(url, master) as second:
        with first._database.write(), pytest.raises(SourceError, match="another process has held it"):
            second.tokens(crowd(0, 1))
        assert second.tokens(crowd(0, 1)) == first.tokens(crowd(0, 1))


@pytest.mark.parametrize("mode", ["mode=ro", "mode=ro&immutable=1"])
def test_a_vault_that_may_only_be_read(sqlite_path, master, tmp_path, monkeypatch, mode):
    url = f"sqlite:///{sqlite_path}"
    with open_vault(url, master, create=True) as vault:
        known = vault.tokens(crowd(0, 3))
        (blob,) = vault.encrypt([b"theirs"], known[0])
    monkeypatch.setattr(database, "_modes", lambda _: [mode])
    with open_vault(url, master) as vault:
        assert vault.read_only
        assert vault.tokens(crowd(0, 3)) == known
        assert vault.decrypt([blob]) == [b"theirs"]
        assert (vault.status().people, vault.status().last_backup) == (3, None)
        assert vault.nameless([bytes(16)]) == {bytes(16): "unknown (not in the vault)"}
        vault.backup(tmp_path / "a.backup")
        for change in (
            lambda: vault.tokens(crowd(0, 4)),
            lambda: vault.forget(crowd(0, 1), reason="request 7"),
            lambda: restore(tmp_path / "a.backup", url, master, replace=True),
        ):
            with pytest.raises(ReadOnlyError, match=r"^vault .*: cannot be written to\. Nothing was changed"):
                change()
        assert not vault.scrub()
        assert vault.status().last_backup is None
    assert check_backup(tmp_path / "a.backup", master).people == 3


def test_a_server_that_is_not_there(tmp_path, master):
    with pytest.raises(SourceError, match=r"vault postgresql.*\*\*\*.*cannot be reached") as caught:
        open_vault(f"postgresql+psycopg://user:hunter2@/db?host={tmp_path}", master)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "x", "mysql://h/d", "sqlite://", "sqlite:///:memory:", "postgresql://host"])
def test_a_url_of_no_known_form(url, master):
    with pytest.raises(UsageError, match="sqlite:///PATH or postgresql"):
        open_vault(url, master)


def test_a_place_where_no_file_can_be_made(tmp_path, master):
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be reached or made"):
        open_vault(f"sqlite:///{tmp_path}/file/vault.db", master, create=True)
