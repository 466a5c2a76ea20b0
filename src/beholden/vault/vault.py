"""The vault itself: who a token is, what only a token's key opens, and how both are forgotten."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import sqlalchemy as sa

from beholden.core.errors import IntegrityError, NotFoundError, UsageError
from beholden.core.ids import TOKEN_BYTES, Entropy, system_entropy
from beholden.core.names import Person
from beholden.core.times import Clock, format_time, system_clock
from beholden.vault import _rows
from beholden.vault._cache import Cache
from beholden.vault._database import Database
from beholden.vault._schema import create_meta, read_format, read_meta, read_restored
from beholden.vault.backup import BackupInfo, write_backup
from beholden.vault.erasures import Erasure, ErasureRecord, ErasureSeals
from beholden.vault.master import MasterKey
from beholden.vault.sealing import (
    KEY_BYTES,
    KeyedHash,
    Sealer,
    combined_key,
    decode_person,
    encode_person,
    header,
    read_header,
)
from beholden.vault.tables import FORMAT, meta

__all__ = ["REASON_CHARS_MAX", "Forgotten", "Tombstone", "Vault", "VaultStatus", "open_vault", "vault_format"]

REASON_CHARS_MAX: Final = 500

#: People whose tokens stay in memory: some 170 bytes each, keyed hashes and tokens only.
_CACHED_TOKENS_MAX: Final = 1 << 20
#: People whose keys stay in memory.
_CACHED_KEYS_MAX: Final = 1 << 16
#: People in one transaction.
_BATCH: Final = 8192
#: Microseconds before the reason of a tombstone.
_TIME_BYTES: Final = 8
_PURPOSE: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What `Vault.forget` did.

    Attributes:
        tokens: of those who were known, in the order given; their mapping and keys are gone for good.
        also: of the tokens that were to go with them, those that were known, in ascending order.
        scrubbed: no byte of them is left in the database's files. False on SQLite while another process reads (call
            `Vault.scrub` again), and always on PostgreSQL, which cannot tell.
    """

    tokens: tuple[bytes, ...]
    scrubbed: bool
    also: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a forgotten person: when (microseconds) and why the token lost its meaning."""

    time: int
    reason: str


@dataclass(frozen=True, slots=True)
class VaultStatus:
    """The state of a vault. Times are microseconds; ``last_backup`` is None when there never was one.

    ``erasures_untold`` counts those that are not in the ledger yet.
    """

    people: int
    forgotten: int
    created: int
    last_backup: int | None
    erasures_untold: int = 0


def open_vault(
    url: str,
    master: MasterKey,
    *,
    create: bool = False,
    entropy: Entropy = system_entropy,
    clock: Clock = system_clock,
) -> Vault:
    """Open the vault at ``url``. One that cannot be written to is opened for reading.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql+psycopg://…``.
        master: the key it was made with.
        create: make a vault where there is none.
        entropy: where tokens, keys and nonces come from.
        clock: the present.

    Raises:
        NotFoundError: there is no vault and ``create`` is false.
        BeholdenError: a newer program made it.
        SourceError: it cannot be opened. WrongKeyError: ``master`` is not its key.
        IntegrityError: the file is damaged.
    """
    database = Database(url, create=create)
    try:
        _ensure_vault(database, master, create=create, entropy=entropy, clock=clock)
    except BaseException:
        database.close()
        raise
    return Vault(database, master, entropy=entropy, clock=clock)


def vault_format(url: str) -> tuple[int, int]:
    """The format of the vault at ``url`` and the one this program writes. Needs no master key and changes nothing.

    Raises as `open_vault`, but not for a newer one.
    """
    database = Database(url, create=False)
    try:
        with database.read() as connection:
            found = read_format(connection)
        if found is None:
            raise database.missing("holds no vault")
        return found, FORMAT
    finally:
        database.close()


class Vault:
    """People and their random tokens, each with a key of its own. Made by `open_vault`.

    May be used from several threads, and by several processes on one vault at a time. Everything a call wrote is on
    disk when it returns. Close it, or use it as a context.
    """

    def __init__(self, database: Database, master: MasterKey, *, entropy: Entropy, clock: Clock) -> None:
        self._database = database
        self._master = master
        self._entropy = entropy
        self._clock = clock
        self._lookup = KeyedHash(master.derive("lookup"))
        self._wrap = Sealer(master.derive("wrap"), entropy)
        self._estate = Sealer(master.derive("estate"), entropy)
        self._erasures = ErasureSeals(master, entropy)
        self._hashes: dict[str, KeyedHash] = {}
        self._tokens: Cache[bytes] = Cache(_CACHED_TOKENS_MAX)
        self._keys: Cache[Sealer] = Cache(_CACHED_KEYS_MAX)

    def __repr__(self) -> str:
        return f"Vault({self._database.where})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def read_only(self) -> bool:
        """Whether it can be asked but not changed: everything that adds or forgets people raises `ReadOnlyError`."""
        return self._database.read_only

    def close(self) -> None:
        """Give the connections back and drop what is in memory."""
        self._tokens.enter(b"closed")
        self._keys.enter(b"closed")
        self._database.close()

    def tokens(self, people: Sequence[Person]) -> list[bytes]:
        """The token of each person, 16 random bytes; a new one for who has none.

        Equal persons get equal tokens, also when several processes ask at once. A person who was forgotten and comes
        back is somebody new. Up to 8192 new people are written in one transaction; on return all of them are durable.

        Raises:
            UsageError: an identifier is longer than `IDENTIFIER_BYTES_MAX`.
            SourceError: the database cannot be read or written; no half batch is kept.
        """
        return self.tokens_of([encode_person(person) for person in people])

    def tokens_of(self, texts: Sequence[bytes]) -> list[bytes]:
        """As `tokens`, of people who are encoded already: see `encode_people`."""
        if not texts:
            return []
        lookups = self._lookup.many(texts)
        epoch = self._enter_epoch()
        remembered = self._tokens.get_all(lookups)
        if remembered is not None:
            return remembered
        tokens = self._tokens.get(lookups)
        missing = {lookup: text for lookup, text in zip(lookups, texts, strict=True) if lookup not in tokens}
        if missing:
            learned = self._known(missing)
            unknown = sorted(lookup for lookup in missing if lookup not in learned)
            for start in range(0, len(unknown), _BATCH):
                learned |= self._create({lookup: missing[lookup] for lookup in unknown[start : start + _BATCH]})
            self._tokens.put(epoch, learned)
            tokens |= learned
        return [tokens[lookup] for lookup in lookups]

    def find(self, people: Sequence[Person]) -> list[bytes | None]:
        """The token of each person, None for who has none; nobody is added."""
        lookups = self._lookup.many(encode_person(person) for person in people)
        epoch = self._enter_epoch()
        tokens = self._tokens.get(lookups)
        learned = self._known({lookup for lookup in lookups if lookup not in tokens})
        self._tokens.put(epoch, learned)
        tokens |= learned
        return [tokens.get(lookup) for lookup in lookups]

    def identities(self, tokens: Iterable[bytes]) -> dict[bytes, Person]:
        """Who the tokens are. One that is absent was forgotten, or is not of this vault: see `nameless`."""
        return {token: decode_person(text[KEY_BYTES:]) for token, text in self._open_rows(set(tokens)).items()}

    def forgotten(self, tokens: Iterable[bytes]) -> dict[bytes, Tombstone]:
        """Those of ``tokens`` whose person was forgotten, with when and why."""
        with self._database.read() as connection:
            rows = _rows.tombstones(connection, set(tokens))
        return {token: _tombstone(time, self._estate.open(sealed, token)) for token, time, sealed in rows}

    def forgotten_tokens(self) -> list[bytes]:
        """Every token of which an erasure is on record."""
        with self._database.read() as connection:
            return _rows.forgotten(connection)

    def were_forgotten(self, people: Sequence[Person]) -> list[bool]:
        """Whether each person was forgotten and did not come back since. One forgotten as a token alone is not known."""
        lookups = self._lookup.many(encode_person(person) for person in people)
        with self._database.read() as connection:
            gone = _rows.marked(connection, lookups) - _rows.find_tokens(connection, lookups).keys()
        return [lookup in gone for lookup in lookups]

    def nameless(self, tokens: Iterable[bytes]) -> dict[bytes, str]:
        """How answers call each of these tokens, which `identities` does not know.

        ``forgotten`` where an erasure is on record; else ``unknown``, with the reason: who joined after the backup a
        vault was restored from is not in it.
        """
        wanted = set(tokens)
        if not wanted:
            return {}
        gone = self.forgotten(wanted)
        with self._database.read() as connection:
            made = read_restored(connection)
        why = "" if made is None else f": restored from a backup made at {format_time(made)}"
        return {token: "forgotten" if token in gone else f"unknown (not in the vault{why})" for token in wanted}

    def encrypt(self, texts: Sequence[bytes], owner: bytes | None) -> list[bytes]:
        """Encrypt texts under one person's key, or the estate's where ``owner`` is None; see `encrypt_many`."""
        return self.encrypt_many([(owner, text) for text in texts])

    def encrypt_many(self, pairs: Sequence[tuple[bytes | Sequence[bytes] | None, bytes]]) -> list[bytes]:
        """Encrypt each text under the key of its owner, a token; None is the estate.

        With several owners it takes the keys of all of them to read it: it is erased as soon as one of them is. Each
        result says in its header whose key opens it and can be kept anywhere; of several owners it does not say who
        they are: `decrypt` has to be told. What belongs to somebody who was forgotten meanwhile is encrypted under a key
        that is thrown away: it reads as erased.

        Raises:
            NotFoundError: an owner never was a token of this vault.
        """
        owned = [(_owners(owner), text) for owner, text in pairs]
        keys = self._sealers({owner for owners, _ in owned for owner in owners})
        lost = {owner for owners, _ in owned for owner in owners if owner not in keys}
        if lost:
            if len(self.forgotten(lost)) < len(lost):
                raise NotFoundError(
                    self._database.where, "does not know the owner of a text", expected="one of its tokens"
                )
            keys |= {owner: Sealer(self._entropy(KEY_BYTES), self._entropy) for owner in lost}
        blobs = []
        for owners, text in owned:
            bound = header(owners)
            blobs.append(bound + self._sealer(owners, keys).seal(text, bound))
        return blobs

    def decrypt(self, blobs: Sequence[bytes], owners: Sequence[Sequence[bytes] | None] = ()) -> list[bytes | None]:
        """The texts `encrypt_many` was given; None where the key of an owner is gone (`forgotten` tells why).

        Args:
            blobs: what it returned.
            owners: for each blob the owners it was given, an event's subjects; needed only where there are several.

        Raises:
            IntegrityError: a blob was altered, or another vault made it, or its owners were others.
        """
        headers = [read_header(blob) for blob in blobs]
        whose = [
            (_owners(owners[place]) if owners else ()) if named is None else named
            for place, (_, named) in enumerate(headers)
        ]
        keys = self._sealers({owner for one in whose for owner in one})
        texts: list[bytes | None] = []
        for blob, (bound, _), one in zip(blobs, headers, whose, strict=True):
            lost = any(owner not in keys for owner in one)
            texts.append(None if lost else self._sealer(one, keys).open(blob[len(bound) :], bound))
        return texts

    def _sealer(self, owners: Sequence[bytes], keys: Mapping[bytes, Sealer]) -> Sealer:
        if len(owners) > 1:
            return Sealer(combined_key(keys[owner].key for owner in owners), self._entropy)
        return keys[owners[0]] if owners else self._estate

    def keyed_hash(self, purpose: str, data: Sequence[bytes]) -> list[bytes]:
        """A 16-byte keyed hash of each item: the same in this estate for ever, useless without the master key.

        Different purposes (``[a-z][a-z0-9_-]*``) give unrelated hashes.
        """
        keyed = self._hashes.get(purpose)
        if keyed is None:
            if not _PURPOSE.match(purpose):
                raise UsageError("purpose of a keyed hash", "not a name", expected="a constant such as 'uid'")
            keyed = self._hashes[purpose] = KeyedHash(self._master.derive(f"hash/{purpose}"))
        return keyed.many(data)

    def forget(
        self, people: Iterable[Person], *, reason: str, by: bytes | None = None, also: Collection[bytes] = ()
    ) -> Forgotten:
        """Destroy the mapping and the key of each person; who is not known is passed over.

        All of them are gone, durably, when the call returns, or none if it raises. Texts encrypted under their keys
        can never be read again. Left behind are the token, and apart from it a keyed hash of the person, so that
        `restore` can forget them again in an older backup; and, until `told` is called, a note of the erasure for the
        ledger (`untold`). Other processes see it at their next call.

        Args:
            people: whom to forget.
            reason: why, e.g. the number of the request; at most 500 characters, kept encrypted.
            by: the token of who asked for it.
            also: tokens to be forgotten with them, e.g. of their devices and of tickets about them alone.
        """
        if not reason or len(reason) > REASON_CHARS_MAX:
            raise UsageError("reason", f"{len(reason)} characters", expected=f"1 to {REASON_CHARS_MAX}")
        lookups = list(dict.fromkeys(self._lookup.many(encode_person(person) for person in people)))
        now = self._clock()
        text = now.to_bytes(_TIME_BYTES, "big") + reason.encode("utf-8", "surrogatepass")
        epoch = self._entropy(TOKEN_BYTES)
        with self._database.write() as connection:
            gone = _rows.delete_people(connection, lookups)
            with_them = _rows.delete_tokens(connection, also)
            tokens = sorted([*gone.values(), *with_them.values()])
            if tokens:
                _rows.insert_tombstones(connection, [(token, 0, self._estate.seal(text, token)) for token in tokens])
                marks = [(self._entropy(TOKEN_BYTES), lookup) for lookup in (*gone, *with_them)]
                _rows.insert_marks(connection, marks)
                erasure = Erasure(self._entropy(TOKEN_BYTES), now, by, reason, len(gone), tuple(tokens))
                self._database.create_tables(connection)  # of an early build there is no such table
                _rows.insert_erasure(connection, erasure.erasure_id, self._erasures.seal_note(erasure))
                _rows.set_epoch(connection, epoch)
        if tokens:
            self._tokens.enter(epoch)
            self._keys.enter(epoch)
        known = tuple(gone[lookup] for lookup in lookups if lookup in gone)
        return Forgotten(known, self.scrub(), tuple(sorted(with_them.values())))

    def untold(self) -> list[Erasure]:
        """Erasures that were done and of which the ledger was not told yet (see `told`), in order of time."""
        with self._database.read() as connection:
            notes = _rows.erasure_notes(connection)
        found = [self._erasures.open_note(erasure_id, sealed) for erasure_id, sealed in notes]
        return sorted(found, key=lambda erasure: (erasure.time, erasure.erasure_id))

    def erasure_records(self, erasure: Erasure) -> list[ErasureRecord]:
        """What the ledger is to be told of an erasure; `beholden.vault.ErasureSeals` reads it again."""
        return self._erasures.records(erasure)

    def told(self, erasures: Iterable[Erasure]) -> None:
        """Remove the notes of erasures whose events are durable in the ledger."""
        with self._database.write() as connection:
            _rows.drop_erasures(connection, [erasure.erasure_id for erasure in erasures])

    def scrub(self) -> bool:
        """Remove the last bytes of forgotten people from the database's files; false where that cannot be told."""
        return self._database.scrub()

    def status(self) -> VaultStatus:
        """How many people it knows and has forgotten, and when it was last backed up."""
        with self._database.read(snapshot=True) as connection:
            row = read_meta(connection, self._master, self._database.where)
            if row is None:
                raise self._database.missing("holds no vault any more")
            people, forgotten = _rows.counts(connection)
            untold = len(_rows.erasure_notes(connection))
        return VaultStatus(people, forgotten, row.created, row.last_backup, untold)

    def backup(self, path: Path) -> BackupInfo:
        """Write all of the vault, as it is at one moment, to a new file.

        The file is encrypted under the master key, of mode 0600, and durable on return; then the time is noted in the
        vault, unless that can only be read. When the file cannot be written whole, none of that name is there.

        Raises:
            UsageError: ``path`` exists.
            SourceError: it cannot be written; or, naming the vault, only the time could not be noted.
        """
        made = self._clock()
        info = write_backup(self._database, path, self._master, self._entropy, made)
        if not self.read_only:
            with self._database.write() as connection:
                connection.execute(sa.update(meta).values(last_backup=made))
        return info

    def _enter_epoch(self) -> bytes:
        """Ask the database whether somebody was forgotten, by any process, before memory is believed."""
        with self._database.read() as connection:
            epoch = _rows.read_epoch(connection)
        if epoch is None:
            raise self._database.missing("holds no vault any more")
        self._tokens.enter(epoch)
        self._keys.enter(epoch)
        return epoch

    def _known(self, lookups: Iterable[bytes]) -> dict[bytes, bytes]:
        wanted = sorted(lookups)  # neighbours in the index
        if not wanted:
            return {}
        with self._database.read() as connection:
            return _rows.find_tokens(connection, wanted)

    def _create(self, new: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        """Tokens for people (lookup to text) none of whom was known a moment ago, in ascending order of lookup."""
        size = TOKEN_BYTES + KEY_BYTES
        chance = self._entropy(size * len(new))
        rows = []
        for place, (lookup, text) in enumerate(new.items()):
            token = chance[place * size : place * size + TOKEN_BYTES]
            key = chance[place * size + TOKEN_BYTES : (place + 1) * size]
            rows.append((lookup, token, self._wrap.seal(key + text, lookup + token)))
        with self._database.write() as connection:
            if _rows.insert_people(connection, rows):
                return {lookup: token for lookup, token, _ in rows}
            tokens = _rows.find_tokens(connection, list(new))
        if len(tokens) < len(new):  # forgotten by another process between our two statements (PostgreSQL only)
            tokens |= self._create({lookup: text for lookup, text in new.items() if lookup not in tokens})
        return tokens

    def _sealers(self, owners: set[bytes]) -> dict[bytes, Sealer]:
        """The keys of those owners who have one."""
        if not owners:
            return {}
        epoch = self._enter_epoch()
        keys = self._keys.get(owners)
        missing = {owner for owner in owners if owner not in keys}
        if missing:
            learned = {
                token: Sealer(text[:KEY_BYTES], self._entropy) for token, text in self._open_rows(missing).items()
            }
            self._keys.put(epoch, learned)
            keys |= learned
        return keys

    def _open_rows(self, tokens: set[bytes]) -> dict[bytes, bytes]:
        """Key and person of each known token, decrypted."""
        with self._database.read() as connection:
            rows = _rows.find_people(connection, sorted(tokens))
        try:
            return {token: self._wrap.open(sealed, lookup + token) for lookup, token, sealed in rows}
        except IntegrityError:
            raise IntegrityError(
                self._database.where,
                "the entry of a person was altered",
                advice="bring the last backup back with: beholden vault restore",
            ) from None


def _owners(owner: bytes | Sequence[bytes] | None) -> tuple[bytes, ...]:
    if owner is None:
        return ()
    return (owner,) if isinstance(owner, bytes) else tuple(dict.fromkeys(owner))


def _tombstone(time: int, text: bytes) -> Tombstone:
    """Of early builds the time stands beside the reason, in plain."""
    if not time:
        time, text = int.from_bytes(text[:_TIME_BYTES], "big"), text[_TIME_BYTES:]
    return Tombstone(time, text.decode("utf-8", "surrogatepass"))


def _ensure_vault(database: Database, master: MasterKey, *, create: bool, entropy: Entropy, clock: Clock) -> None:
    with database.read() as connection:
        if read_meta(connection, master, database.where) is not None:
            return
    if not create:
        raise database.missing("holds no vault yet")
    with database.write() as connection:
        database.create_tables(connection)
        if read_meta(connection, master, database.where) is None:  # else another process was first
            create_meta(connection, master, entropy=entropy, created=clock())
