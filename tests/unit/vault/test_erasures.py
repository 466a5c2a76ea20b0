"""What an erasure leaves to be told, and texts that need the keys of several."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from beholden.core.errors import IntegrityError, NotFoundError
from beholden.core.names import Person
from beholden.vault import ErasureSeals, MasterKey, Tombstone, open_vault, restore
from beholden.vault.tables import erasures

ANNA = Person("customer", "anna.larsson@example.org")
BEN = Person("customer", "ben")
PHONE = Person("device", "anna's phone")
NOW = 1_700_000_000_000_000


def test_an_erasure_waits_until_it_was_told(vault, url, master):
    anna, phone, clerk = vault.tokens([ANNA, PHONE, Person("actor", "clerk")])
    done = vault.forget([ANNA, BEN], reason="request 7", by=clerk, also=[phone, bytes(16)])
    assert (done.tokens, done.also) == ((anna,), (phone,))
    assert vault.find([ANNA, PHONE]) == [None, None]
    assert vault.forgotten([phone]) == {phone: Tombstone(NOW, "request 7")}
    with open_vault(url, master) as other:
        (erasure,) = other.untold()
    assert (erasure.time, erasure.by, erasure.reason, erasure.people) == (NOW, clerk, "request 7", 1)
    assert erasure.tokens == tuple(sorted([anna, phone]))
    assert vault.status().erasures_untold == 1
    vault.told([erasure])
    vault.told([erasure])
    assert vault.untold() == []
    assert vault.status().erasures_untold == 0


def test_nothing_is_to_be_told_of_nobody(vault):
    assert vault.forget([ANNA], reason="request 7").tokens == ()
    assert vault.untold() == []


def test_what_waits_shows_neither_tokens_nor_the_time(vault, url):
    anna, _ = vault.tokens([ANNA, BEN])
    vault.forget([ANNA], reason="request 7")
    with vault._database.read() as connection:
        (row,) = connection.execute(sa.select(erasures)).all()
        times = connection.exec_driver_sql("select time from vault_forgotten_tokens").scalars().all()
    assert anna not in row.sealed
    assert b"request" not in row.sealed
    assert times == [0]


def test_a_vault_of_an_early_build_has_no_table_for_erasures(vault):
    with vault._database.write() as connection:
        connection.exec_driver_sql("drop table vault_erasures")
    vault.tokens([ANNA])
    assert vault.untold() == []
    assert vault.status().erasures_untold == 0
    vault.forget([ANNA], reason="request 7")
    assert len(vault.untold()) == 1


def test_a_tombstone_of_an_early_build_is_read(vault):
    token = bytes(range(16))
    with vault._database.write() as connection:
        reason = vault._estate.seal(b"request 1", token)
        row = {"token": token, "time": NOW - 1, "reason": reason}
        connection.execute(sa.text("insert into vault_forgotten_tokens values (:token, :time, :reason)"), row)
    assert vault.forgotten([token]) == {token: Tombstone(NOW - 1, "request 1")}


def test_records_are_read_with_the_master_key_alone_and_the_same_each_time(vault, master):
    people = [Person("customer", str(number)) for number in range(4500)]
    tokens = vault.tokens(people)
    vault.forget(people, reason="all \ud800")
    (erasure,) = vault.untold()
    records, again = vault.erasure_records(erasure), vault.erasure_records(erasure)
    assert [record.uid for record in records] == [record.uid for record in again]
    assert len({record.uid for record in records}) == 3
    assert [record.people for record in records] == [4500, 0, 0]
    assert max(len(record.detail) for record in records) < 40_000
    seals = ErasureSeals(master)
    assert seals.read((record.uid[:10], record.detail) for record in records) == set(tokens)
    assert seals.read([(records[0].uid[:10], records[0].detail)]) < set(tokens)
    assert vault.decrypt([records[0].detail])[0] is not None


def test_a_record_that_the_vault_did_not_make_says_nothing(vault, master):
    vault.tokens([ANNA])
    vault.forget([ANNA], reason="request 7")
    (record,) = vault.erasure_records(vault.untold()[0])
    (own,) = vault.encrypt([b"a text of a log"], None)
    forged = [
        (bytes(10), record.detail),
        (record.uid[:7], record.detail),
        (b"", record.detail),
        (record.uid[:10], own),
        (record.uid[:10], record.detail[:-1]),
        (record.uid[:10], b""),
    ]
    assert ErasureSeals(master).read(forged) == set()
    assert ErasureSeals(MasterKey(bytes(32))).read([(record.uid, record.detail)]) == set()


def test_untold_erasures_outlast_a_restore(vault, url, master, tmp_path):
    vault.tokens([ANNA, BEN])
    vault.backup(tmp_path / "backup")
    vault.forget([ANNA], reason="request 7")
    restore(tmp_path / "backup", url, master, replace=True)
    assert [erasure.reason for erasure in vault.untold()] == ["request 7"]


def test_a_text_of_several_is_lost_with_any_of_them(vault):
    anna, ben, third = vault.tokens([ANNA, BEN, Person("customer", "third")])
    pairs = [([anna, ben], b"of both"), ([ben, third], b"of the others"), ([], b"of nobody"), ([anna, anna], b"hers")]
    blobs = vault.encrypt_many(pairs)
    whose = [[ben, anna], [ben, third], None, None]
    assert vault.decrypt(blobs, whose) == [b"of both", b"of the others", b"of nobody", b"hers"]
    for token in (anna, ben):
        assert token not in blobs[0]
    vault.forget([ANNA], reason="request 7")
    assert vault.decrypt(blobs, whose) == [None, b"of the others", b"of nobody", None]


def test_a_text_of_several_opens_for_nobody_else(vault):
    anna, ben, third = vault.tokens([ANNA, BEN, Person("customer", "third")])
    blobs = vault.encrypt_many([([anna, ben], b"of both")])
    for others in ([anna, third], [anna], [anna, ben, third], None):
        with pytest.raises(IntegrityError):
            vault.decrypt(blobs, [others])
    with pytest.raises(IntegrityError):
        vault.decrypt(blobs)


def test_a_text_of_several_needs_owners_the_vault_knows_or_knew(vault):
    anna, ben = vault.tokens([ANNA, BEN])
    with pytest.raises(NotFoundError):
        vault.encrypt_many([([anna, bytes(16)], b"text")])
    vault.forget([BEN], reason="request 7")
    blobs = vault.encrypt_many([([anna, ben], b"late")])
    assert vault.decrypt(blobs, [[anna, ben]]) == [None]


def test_who_was_forgotten_is_told_until_they_come_back(vault):
    vault.tokens([ANNA, BEN])
    vault.forget([ANNA], reason="request 7")
    assert vault.were_forgotten([ANNA, BEN, PHONE]) == [True, False, False]
    vault.tokens([ANNA])
    assert vault.were_forgotten([ANNA]) == [False]
