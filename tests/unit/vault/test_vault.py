from __future__ import annotations

import stat
import threading

import pytest
import sqlalchemy as sa

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, SourceError, UsageError
from beholden.core.ids import TOKEN_BYTES, seeded_entropy
from beholden.core.names import Person
from beholden.vault import IDENTIFIER_BYTES_MAX, MasterKey, open_vault
from beholden.vault import vault as vault_module
from beholden.vault._cache import Cache
from beholden.vault.tables import meta, people

ANNA = Person("customer", "17")
BEN = Person("staff", "ben@example.org")


def customers(count: int, start: int = 0) -> list[Person]:
    return [Person("customer", str(number)) for number in range(start, start + count)]


def test_each_person_gets_one_random_token(vault):
    first, second, again = vault.tokens([ANNA, BEN, ANNA])
    assert first == again
    assert first != second
    assert len(first) == TOKEN_BYTES
    assert vault.tokens([BEN, ANNA]) == [second, first]
    assert vault.status().people == 2


def test_nobody_is_no_work(vault):
    assert vault.tokens([]) == []
    assert vault.find([]) == []
    assert vault.identities([]) == {}
    assert vault.encrypt([], None) == []
    assert vault.decrypt([]) == []


def test_kind_and_identifier_are_kept_apart(vault):
    alike = [
        Person("a", "bc"),
        Person("ab", "c"),
        Person("a", "b\0c"),
        Person("1", ":a"),
        Person("", "1:a"),
        Person("a", ""),
    ]
    tokens = vault.tokens(alike)
    assert len(set(tokens)) == len(alike)
    assert vault.identities(tokens) == dict(zip(tokens, alike, strict=True))


@pytest.mark.parametrize("identifier", ["Ünïcødé 名前", "\ud800 lone", "a\0b", "x" * 4000, "7:customer"])
def test_any_identifier_comes_back_as_it_was(vault, identifier):
    person = Person("customer", identifier)
    (token,) = vault.tokens([person])
    assert vault.identities([token]) == {token: person}


def test_an_endless_identifier_is_refused_without_being_shown(vault):
    with pytest.raises(UsageError, match=f"at most {IDENTIFIER_BYTES_MAX}") as caught:
        vault.tokens([ANNA, Person("customer", "x" * IDENTIFIER_BYTES_MAX)])
    assert "xxx" not in str(caught.value)
    assert vault.status().people == 0


def test_find_adds_nobody(vault):
    (token,) = vault.tokens([ANNA])
    assert vault.find([BEN, ANNA]) == [None, token]
    assert vault.status().people == 1


def test_what_is_known_survives_closing(url, master, vault):
    tokens = vault.tokens(customers(3000))
    vault.close()
    with open_vault(url, master) as opened:
        assert opened.find(customers(3000)) == tokens
        assert opened.tokens(customers(10, 2995))[:5] == tokens[2995:]


def test_more_than_one_transaction_of_people(vault, monkeypatch):
    monkeypatch.setattr(vault_module, "_BATCH", 100)
    tokens = vault.tokens(customers(1050))
    assert len(set(tokens)) == 1050
    assert vault.status().people == 1050


def test_two_open_vaults_agree(url, master, vault):
    with open_vault(url, master) as other:
        theirs = other.tokens(customers(50))
        assert vault.tokens(customers(100))[:50] == theirs
        assert other.tokens(customers(100)) == vault.tokens(customers(100))


def test_threads_agree(vault):
    answers = []

    def ask():
        answers.append(vault.tokens(customers(500)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert all(answer == answers[0] for answer in answers)


def test_threads_may_create_at_once(url, master):
    answers = []

    def create():
        with open_vault(url, master, create=True) as opened:
            answers.append(opened.tokens(customers(20)))

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    assert all(answer == answers[0] for answer in answers)


def test_a_text_opens_with_its_owners_key_alone(vault):
    anna, ben = vault.tokens([ANNA, BEN])
    texts = [b"", b"'SMITH'", b"x" * 100_000]
    for owner in (anna, None):
        blobs = vault.encrypt(texts, owner)
        assert vault.decrypt(blobs) == texts
        assert b"SMITH" not in blobs[1]
    mixed = vault.encrypt_many([(ben, b"1"), (None, b"2"), (anna, b"3")])
    assert vault.decrypt(mixed) == [b"1", b"2", b"3"]
    assert vault.encrypt([b"1"], ben) != vault.encrypt([b"1"], ben)
    (swapped,) = vault.encrypt([b"1"], ben)
    with pytest.raises(IntegrityError):
        vault.decrypt([swapped.replace(ben, anna)])


def test_every_altered_byte_of_a_text_is_noticed(vault):
    (owner,) = vault.tokens([ANNA])
    for blob in vault.encrypt_many([(owner, b"secret"), (None, b"secret")]):
        head = 2 + (TOKEN_BYTES if owner in blob else 0)
        for place in (0, 1, head, head + 11, head + 12, len(blob) - 1):
            altered = bytearray(blob)
            altered[place] ^= 0x40
            with pytest.raises(IntegrityError) as caught:
                vault.decrypt([bytes(altered)])
            assert "secret" not in str(caught.value)
        with pytest.raises(IntegrityError):
            vault.decrypt([blob[:head]])


@pytest.mark.parametrize("blob", [b"", b"\x01", b"\x02\x00abc", b"\x01\x01short", b"\x01\x00"])
def test_what_the_vault_did_not_encrypt_is_refused(vault, blob):
    with pytest.raises(IntegrityError):
        vault.decrypt([blob])


def test_an_owner_nobody_knows(vault):
    stranger = bytes(TOKEN_BYTES)
    with pytest.raises(NotFoundError, match="does not know the owner"):
        vault.encrypt([b"1"], stranger)
    assert vault.decrypt([b"\x01\x01" + stranger + b"x" * 40]) == [None]
    assert vault.identities([stranger]) == {}
    assert vault.forgotten([stranger]) == {}


def test_keyed_hashes_depend_on_key_and_purpose(vault, new_url):
    data = [b"a", b"", b"b"]
    hashes = vault.keyed_hash("uid", data)
    assert [len(item) for item in hashes] == [16, 16, 16]
    assert len(set(hashes)) == 3
    assert vault.keyed_hash("uid", data) == hashes
    assert not set(vault.keyed_hash("value", data)) & set(hashes)
    with open_vault(new_url(), MasterKey(bytes(32)), create=True) as other:
        assert not set(other.keyed_hash("uid", data)) & set(hashes)
    with pytest.raises(UsageError, match="purpose"):
        vault.keyed_hash("no/name", data)


def test_the_wrong_master_key_is_noticed(url, master, vault):
    vault.tokens([ANNA])
    with pytest.raises(SourceError, match="this master key does not belong to it"):
        open_vault(url, MasterKey(bytes(32)))
    with pytest.raises(SourceError, match="this master key does not belong to it"):
        open_vault(url, MasterKey(bytes(32)), create=True)


def test_a_newer_vault_is_refused(url, master, vault):
    with vault._database.write() as connection:
        connection.execute(sa.update(meta).values(format=2))
    with pytest.raises(BeholdenError, match=r"newer version of beholden \(vault format 2\); expected format 1"):
        open_vault(url, master)


def test_no_vault_is_not_made_unasked(new_url, master):
    url = new_url()
    with pytest.raises(NotFoundError, match="beholden vault restore"):
        open_vault(url, master)
    with pytest.raises(NotFoundError, match="beholden vault restore"):
        open_vault(url, master)
    open_vault(url, master, create=True).close()
    open_vault(url, master, create=True).close()
    open_vault(url, master).close()


def test_an_altered_entry_is_noticed(vault):
    anna, ben = vault.tokens([ANNA, BEN])
    with vault._database.write() as connection:
        sealed = connection.execute(sa.select(people.c.sealed).where(people.c.token == ben)).scalar_one()
        connection.execute(sa.update(people).where(people.c.token == anna).values(sealed=sealed))
    with pytest.raises(IntegrityError, match="the entry of a person was altered"):
        vault.identities([anna, ben])
    assert vault.identities([ben]) == {ben: BEN}


def test_the_files_are_the_owners_alone_and_show_nobody(sqlite_path, master):
    with open_vault(f"sqlite:///{sqlite_path}", master, create=True) as vault:
        vault.tokens([BEN, Person("customer", "Rosalind Franklin")])
        vault.encrypt([b"x"], vault.tokens([BEN])[0])
        files = list(sqlite_path.parent.glob("vault.db*"))
        assert len(files) == 3
        for file in files:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            data = file.read_bytes()
            assert b"ben@" not in data
            assert b"Rosalind" not in data
            assert b"staff" not in data
            assert vault._master._secret not in data


def test_reprs_show_nothing(vault, master):
    (token,) = vault.tokens([BEN])
    vault.encrypt([b"x"], token)
    shown = " ".join(map(repr, [vault, vault._wrap, vault._lookup, vault._tokens, vault._keys, vault._master]))
    assert "ben" not in shown
    assert token.hex() not in shown
    assert master._secret.hex() not in shown


def test_memory_is_bounded_and_prefers_what_was_asked_for():
    cache: Cache[int] = Cache(8)
    cache.enter(b"1")
    for number in range(100):
        cache.put(b"1", {b"%d" % number: number})
        cache.get([b"0"])
        assert len(cache) <= 8
    assert cache.get([b"0", b"99", b"5"]) == {b"0": 0, b"99": 99}


def test_memory_does_not_take_what_was_read_before_somebody_was_forgotten():
    cache: Cache[int] = Cache(8)
    cache.enter(b"1")
    cache.enter(b"2")
    cache.put(b"1", {b"late": 1})
    assert len(cache) == 0
    cache.put(b"2", {b"in time": 1})
    cache.enter(b"2")
    assert len(cache) == 1


def test_chance_is_an_argument(new_url, master):
    tokens = []
    for _ in range(2):
        with open_vault(new_url(), master, create=True, entropy=seeded_entropy(3)) as vault:
            tokens.append(vault.tokens([ANNA, BEN]))
    assert tokens[0] == tokens[1]
