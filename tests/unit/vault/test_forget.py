from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from beholden.core.errors import SourceError, UsageError
from beholden.core.names import Person
from beholden.vault import Forgotten, Tombstone, Vault, open_vault
from beholden.vault.tables import forgotten_people, forgotten_tokens, people

ANNA = Person("customer", "anna.larsson@example.org")
BEN = Person("customer", "ben")
NOW = 1_700_000_000_000_000


def everyone(vault: Vault) -> Sequence[sa.Row[Any]]:
    with vault._database.read() as connection:
        return connection.execute(sa.select(people)).all()


def test_a_forgotten_person_is_nobody_and_comes_back_as_somebody_new(vault):
    anna, ben = vault.tokens([ANNA, BEN])
    hers, his = vault.encrypt_many([(anna, b"hers"), (ben, b"his")])
    done = vault.forget([ANNA, Person("customer", "never seen"), ANNA], reason="request 7")
    assert done.tokens == (anna,)
    assert vault.find([ANNA, BEN]) == [None, ben]
    assert vault.identities([anna, ben]) == {ben: BEN}
    assert vault.decrypt([hers, his]) == [None, b"his"]
    assert vault.forgotten([anna, ben]) == {anna: Tombstone(NOW, "request 7")}
    (returned,) = vault.tokens([ANNA])
    assert returned != anna
    assert vault.decrypt([hers]) == [None]
    assert (vault.status().people, vault.status().forgotten) == (2, 1)
    assert vault.forget([ANNA], reason="request 8").tokens == (returned,)
    assert vault.status().forgotten == 2


def test_tokens_come_in_the_order_people_were_given(vault):
    persons = [Person("customer", str(number)) for number in range(3000)]
    tokens = vault.tokens(persons)
    assert vault.forget(reversed(persons), reason="all").tokens == tuple(reversed(tokens))
    assert vault.status().people == 0


def test_other_open_vaults_forget_at_once(url, master, vault):
    with open_vault(url, master) as other:
        (anna,) = other.tokens([ANNA])
        (blob,) = other.encrypt([b"hers"], anna)
        assert other.decrypt([blob]) == [b"hers"]
        vault.forget([ANNA], reason="request 7")
        assert other.find([ANNA]) == [None]
        assert other.decrypt([blob]) == [None]
        assert other.tokens([ANNA]) != [anna]


def test_what_is_encrypted_for_a_forgotten_person_is_erased_from_the_start(vault):
    (anna,) = vault.tokens([ANNA])
    vault.forget([ANNA], reason="request 7")
    blobs = vault.encrypt([b"late"], anna)
    assert vault.decrypt(blobs) == [None]
    assert b"late" not in blobs[0]


@pytest.mark.parametrize("reason", ["", "x" * 501])
def test_a_reason_is_required(vault, reason):
    vault.tokens([ANNA])
    with pytest.raises(UsageError, match="reason"):
        vault.forget([ANNA], reason=reason)
    assert vault.find([ANNA]) != [None]


def test_a_tombstone_does_not_lead_from_the_token_to_the_person(vault):
    vault.tokens([ANNA])
    (row,) = everyone(vault)
    vault.forget([ANNA], reason="request 7")
    with vault._database.read() as connection:
        of_token = list(connection.execute(sa.select(forgotten_tokens)).one())
        of_person = list(connection.execute(sa.select(forgotten_people)).one())
    assert row.token in of_token
    assert row.lookup not in of_token
    assert row.lookup in of_person
    assert row.token not in of_person
    assert not set(of_token) & set(of_person)
    assert all(b"request" not in value for value in of_token if isinstance(value, bytes))


def test_no_file_holds_a_byte_of_a_forgotten_person(sqlite_path, master):
    crowd = [Person("customer", str(number)) for number in range(400)]
    with open_vault(f"sqlite:///{sqlite_path}", master, create=True) as vault:
        vault.tokens([ANNA, BEN, *crowd])
        (anna,) = vault.tokens([ANNA])
        (row,) = (row for row in everyone(vault) if row.token == anna)
        key = vault._open_rows({anna})[anna][:32]
        assert vault.scrub()
        assert row.sealed in sqlite_path.read_bytes()
        assert vault.forget([ANNA, *crowd[::2]], reason="request 7").scrubbed
        for file in sqlite_path.parent.glob("vault.db*"):
            data = file.read_bytes()
            assert row.sealed not in data
            assert row.sealed[:16] not in data
            assert row.lookup + row.token not in data
            assert row.token + row.lookup not in data
            assert key not in data
            assert b"anna" not in data
        # the token is left in one place, and the keyed hash of the person in another
        data = sqlite_path.read_bytes()
        assert data.count(row.token) == 1
        assert data.count(row.lookup) == 1
        assert (sqlite_path.parent / "vault.db-wal").stat().st_size == 0


def test_no_copy_stays_where_rows_were_moved_within_the_file(sqlite_path, master):
    """SQLite moves rows between pages and leaves copies in room that is not in use, which secure_delete passes over."""
    crowd = [Person("customer", str(number)) for number in range(4000)]
    with open_vault(f"sqlite:///{sqlite_path}", master, create=True) as vault:
        for start in range(0, 4000, 100):
            vault.tokens(crowd[start : start + 100])
        gone = set(vault.find(crowd[::2]))
        rows = [row for row in everyone(vault) if row.token in gone]
        assert vault.forget(crowd[::2], reason="request 7").scrubbed
        data = sqlite_path.read_bytes()
        assert [row for row in rows if row.sealed[:24] in data or row.lookup + row.token in data] == []


def test_a_reader_elsewhere_delays_scrubbing_and_it_is_said(sqlite_path, master, monkeypatch):
    monkeypatch.setattr("beholden.vault._database._SCRUB_BUSY_MS", 10)
    with open_vault(f"sqlite:///{sqlite_path}", master, create=True) as vault:
        vault.tokens([ANNA])
        with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM vault_people").fetchall()
            done = vault.forget([ANNA], reason="request 7")
            assert len(done.tokens) == 1
            assert not done.scrubbed
            assert not vault.scrub()
            reader.execute("COMMIT")
        assert vault.scrub()
        assert vault.forget([ANNA], reason="request 7").scrubbed


def test_trouble_with_scrubbing_does_not_hide_that_people_are_forgotten(vault, monkeypatch):
    (anna,) = vault.tokens([ANNA])

    def trouble():
        raise SourceError("vault", "the disk failed")

    with monkeypatch.context() as patch:
        patch.setattr(vault._database, "border", trouble)
        assert not vault.scrub()
    with monkeypatch.context() as patch:
        patch.setattr(vault._database, "scrub", lambda: False)
        assert vault.forget([ANNA], reason="request 7") == Forgotten((anna,), scrubbed=False)
    assert vault.find([ANNA]) == [None]


def test_postgresql_does_not_promise_what_it_cannot(vault, url):
    vault.tokens([ANNA])
    assert vault.forget([ANNA], reason="request 7").scrubbed == url.startswith("sqlite")
