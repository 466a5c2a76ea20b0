from __future__ import annotations

import json
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, SourceError, UsageError
from beholden.core.names import Person
from beholden.vault import MasterKey, check_backup, open_vault, restore, restoring

NOW = 1_700_000_000_000_000
ANNA = Person("customer", "anna.larsson@example.org")
BEN = Person("staff", "ben")
CROWD = [Person("customer", str(number)) for number in range(5000)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vault.backup"


def test_a_backup_restores_elsewhere(vault, new_url, master, path):
    tokens = vault.tokens([ANNA, BEN, *CROWD])
    blobs = vault.encrypt_many([(tokens[0], b"hers"), (None, b"ours")])
    vault.forget([BEN], reason="request 7")
    assert vault.status().last_backup is None
    info = vault.backup(path)
    assert (info.people, info.forgotten, info.made) == (5001, 1, NOW)
    assert info.size_bytes == path.stat().st_size
    assert vault.status().last_backup == NOW
    assert check_backup(path, master) == info

    elsewhere = new_url()
    done = restore(path, elsewhere, master)
    assert (done.people, done.forgotten, done.forgotten_again, done.current_read) == (5001, 1, 0, False)
    with open_vault(elsewhere, master) as restored:
        assert restored.find([ANNA, BEN, *CROWD]) == [tokens[0], None, *tokens[2:]]
        assert restored.decrypt(blobs) == [b"hers", b"ours"]
        assert restored.forgotten([tokens[1]])[tokens[1]].reason == "request 7"
        assert restored.status() == replace(vault.status(), erasures_untold=0)


def test_one_format_for_every_database(vault, postgresql, sqlite_path, master, path):
    """Made on either, restored on SQLite."""
    tokens = vault.tokens(CROWD)
    vault.backup(path)
    restore(path, f"sqlite:///{sqlite_path}", master)
    with open_vault(f"sqlite:///{sqlite_path}", master) as restored:
        assert restored.find(CROWD) == tokens


def test_a_backup_is_private_and_shows_nobody(vault, path):
    tokens = vault.tokens([ANNA, BEN])
    vault.backup(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    data = path.read_bytes()
    for secret in (b"anna", b"customer", b"ben", *tokens, vault._master._secret):
        assert secret not in data
    assert json.loads(data.partition(b"\n")[0])["schema"] == "beholden.vault-backup/1"
    assert not list(path.parent.glob("*.part"))


def test_erasures_since_the_backup_are_replayed_from_the_vault_there(vault, url, master, path):
    anna, ben = vault.tokens([ANNA, BEN])
    blobs = vault.encrypt_many([(anna, b"hers"), (ben, b"his")])
    vault.backup(path)
    vault.forget([ANNA], reason="request 7")
    done = restore(path, url, master, replace=True)
    assert (done.people, done.forgotten, done.forgotten_again, done.current_read) == (1, 1, 1, True)
    assert vault.decrypt(blobs) == [None, b"his"]
    assert vault.find([ANNA, BEN]) == [None, ben]
    assert vault.forgotten([anna])[anna].reason == "request 7"
    assert vault.status().last_backup == NOW


def test_erasures_the_caller_knows_are_replayed(vault, new_url, master, path):
    anna, ben = vault.tokens([ANNA, BEN])
    (blob,) = vault.encrypt([b"hers"], anna)
    vault.backup(path)
    elsewhere = new_url()
    done = restore(path, elsewhere, master, forgotten_tokens=iter([anna, bytes(16)]))
    assert (done.people, done.forgotten, done.forgotten_again) == (1, 2, 1)
    with open_vault(elsewhere, master) as restored:
        assert restored.find([ANNA, BEN]) == [None, ben]
        assert restored.decrypt([blob]) == [None]
        assert restored.forgotten([anna])[anna].reason == "replayed at restore"


def test_a_person_is_forgotten_again_under_a_token_nobody_remembers(vault, url, master, path):
    """The vault was lost and made anew: the person has another token there, and is forgotten under that one."""
    anna, _ = vault.tokens([ANNA, BEN])
    vault.backup(path)
    vault.forget([ANNA, BEN], reason="as if the vault were lost")
    with vault._database.write() as connection:
        for table in ("vault_forgotten_tokens", "vault_forgotten_people"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    vault.tokens([ANNA])
    vault.forget([ANNA], reason="request 7")
    done = restore(path, url, master)
    assert (done.people, done.forgotten, done.forgotten_again) == (1, 2, 1)
    assert vault.find([ANNA]) == [None]
    assert vault.nameless([anna]) == {anna: "forgotten"}


def test_who_came_back_before_the_backup_stays(vault, url, master, path):
    vault.tokens([ANNA])
    vault.forget([ANNA], reason="request 7")
    (returned,) = vault.tokens([ANNA])
    vault.backup(path)
    assert restore(path, url, master, replace=True).forgotten_again == 0
    assert vault.find([ANNA]) == [returned]


def test_a_restored_vault_can_be_restored_from_an_older_backup(vault, url, master, path, tmp_path):
    vault.tokens([ANNA, BEN])
    vault.backup(path)
    vault.forget([ANNA], reason="request 7")
    vault.backup(tmp_path / "newer")
    restore(tmp_path / "newer", url, master, replace=True)
    assert restore(path, url, master, replace=True).forgotten_again == 1
    assert vault.find([ANNA]) == [None]
    assert vault.find([BEN]) != [None]


def test_what_is_restored_over_is_gone_from_memory_too(vault, url, master, path):
    vault.tokens([ANNA])
    vault.backup(path)
    (late,) = vault.tokens([BEN])
    restore(path, url, master, replace=True)
    assert vault.find([BEN]) == [None]
    assert vault.tokens([BEN]) != [late]


def test_who_joined_after_the_backup_is_unknown_and_not_forgotten(vault, url, master, path):
    anna, ben = vault.tokens([ANNA, BEN])
    stranger = bytes(16)
    assert vault.nameless([]) == {}
    assert vault.nameless([stranger]) == {stranger: "unknown (not in the vault)"}
    vault.backup(path)
    late, gone = vault.tokens(CROWD[:2])
    vault.forget([ANNA, CROWD[1]], reason="request 7")
    restore(path, url, master, replace=True)
    assert vault.identities([anna, ben, late, gone]) == {ben: BEN}
    lost = "unknown (not in the vault: restored from a backup made at 2023-11-14T22:13:20.000000Z)"
    assert vault.nameless([anna, late, gone]) == {anna: "forgotten", late: lost, gone: "forgotten"}


def test_who_joins_while_a_backup_is_restored_waits(vault, url, master, path, monkeypatch):
    (anna,) = vault.tokens([ANNA])
    vault.backup(path)
    vault.forget([ANNA], reason="to be somebody new meanwhile")
    joined = []
    thread = threading.Thread(target=lambda: joined.extend(vault.tokens([BEN])))
    write_meta = restoring._write_meta

    def meanwhile(*arguments):
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        write_meta(*arguments)

    monkeypatch.setattr(restoring, "_write_meta", meanwhile)
    restore(path, url, master)
    thread.join()
    assert vault.find([ANNA, BEN]) == [None, joined[0]]
    assert vault.identities([anna, *joined]) == {joined[0]: BEN}


def test_a_vault_that_knows_people_is_not_replaced_unasked(vault, url, master, path):
    vault.backup(path)
    assert restore(path, url, master).current_read  # it knew nobody
    (anna,) = vault.tokens([ANNA])
    with pytest.raises(UsageError, match="knows 1 people; expected an empty vault"):
        restore(path, url, master)
    assert vault.find([ANNA]) == [anna]


def test_a_backup_is_never_overwritten(vault, path):
    path.write_text("something else")
    with pytest.raises(UsageError, match="exists and is never overwritten"):
        vault.backup(path)
    assert path.read_text() == "something else"
    assert vault.status().last_backup is None


def test_places_that_cannot_be_written_or_read(vault, tmp_path, master):
    with pytest.raises(SourceError, match=r"cannot be written \(No such file"):
        vault.backup(tmp_path / "absent" / "backup")
    with pytest.raises(NotFoundError, match="does not exist"):
        check_backup(tmp_path / "absent", master)
    with pytest.raises(SourceError, match="cannot be read"):
        check_backup(tmp_path, master)


def test_another_master_key_is_refused_on_either_side(vault, url, new_url, master, path):
    vault.tokens([ANNA])
    vault.backup(path)
    other = MasterKey(bytes(32))
    with pytest.raises(SourceError, match=r"backup .*: this master key does not belong to it"):
        restore(path, new_url(), other)
    foreign = new_url()
    with open_vault(foreign, other, create=True) as theirs:
        theirs.tokens([BEN])
        with pytest.raises(SourceError, match=r"vault .*: this master key does not belong to it"):
            restore(path, foreign, master, replace=True)
        assert theirs.find([BEN]) != [None]


def test_a_given_token_that_is_none_is_refused(vault, new_url, master, path):
    vault.backup(path)
    with pytest.raises(UsageError, match="16 bytes"):
        restore(path, new_url(), master, forgotten_tokens=[b"short"])


def _damaged(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Ways a file is no longer what was written: (name, bytes)."""
    header, _, frames = data.partition(b"\n")
    first = 4 + int.from_bytes(frames[:4], "big")
    for cut in (0, 1, len(header), len(header) + 1, len(header) + 3, len(header) + 1 + first, len(data) - 1):
        yield f"cut at {cut}", data[:cut]
    for place in (0, 12, len(header) // 2, len(header) - 3, len(header) + 2, len(header) + 200, len(data) - 1):
        altered = bytearray(data)
        altered[place] ^= 1
        yield f"altered at {place}", bytes(altered)
    yield "longer", data + b"x"
    yield "first frame left out", header + b"\n" + frames[first:]
    yield "first frame twice", header + b"\n" + frames[:first] + frames
    yield "an endless frame", header + b"\n\xff\xff\xff\xff" + frames
    yield "another time", data.replace(str(NOW).encode(), str(NOW + 1).encode())


def test_a_damaged_backup_is_refused_and_nothing_is_changed(vault, url, master, path, tmp_path):
    vault.tokens([ANNA, *CROWD])
    vault.backup(path)
    (ben,) = vault.tokens([BEN])
    bad = tmp_path / "bad"
    data = path.read_bytes()
    for name, content in _damaged(data):
        assert content != data, name
        bad.write_bytes(content)
        with pytest.raises(BeholdenError) as caught:
            restore(bad, url, master, replace=True)
        assert isinstance(caught.value, IntegrityError) or "altered at" in name, name
        assert "\n" not in str(caught.value)
    assert vault.find([BEN]) == [ben]
    assert vault.status().people == 5002


def test_a_backup_of_another_format_is_refused(vault, master, path):
    vault.backup(path)
    path.write_bytes(path.read_bytes().replace(b"vault-backup/1", b"vault-backup/2"))
    with pytest.raises(SourceError, match=r"of another format; expected beholden\.vault-backup/1"):
        check_backup(path, master)


def test_a_restore_that_fails_midway_changes_nothing(vault, url, master, path, monkeypatch):
    vault.tokens([ANNA])
    vault.backup(path)
    (ben,) = vault.tokens([BEN])

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("beholden.vault.restoring._forget_again", fail)
    with pytest.raises(KeyboardInterrupt):
        restore(path, url, master, replace=True)
    assert vault.find([BEN]) == [ben]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_failed_restore_leaves_no_file_open(vault, new_url, master, path):
    vault.backup(path)
    before = set(Path("/proc/self/fd").iterdir())
    for key in (MasterKey(bytes(32)), master):
        with pytest.raises(BeholdenError):
            restore(path, "sqlite:////proc/vault.db", key)
    assert set(Path("/proc/self/fd").iterdir()) == before
