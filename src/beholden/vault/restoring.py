"""Bringing a backup back without bringing back anybody who was forgotten since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from beholden.core.errors import UsageError
from beholden.core.ids import TOKEN_BYTES, Entropy, system_entropy
from beholden.core.times import Clock, system_clock
from beholden.vault import _rows
from beholden.vault._database import Database
from beholden.vault._schema import read_meta, write_restored
from beholden.vault.backup import BackupReader, Header, Marks, People, Tombstones, check_backup, read_backup
from beholden.vault.master import MasterKey
from beholden.vault.sealing import Sealer
from beholden.vault.tables import FORMAT, forgotten_people, forgotten_tokens, meta, people

__all__ = ["RestoreInfo", "restore"]

_REASON = b"replayed at restore"


@dataclass(frozen=True, slots=True)
class RestoreInfo:
    """What a restore did.

    Attributes:
        made: when the backup was made, in microseconds. Whoever joined since gets a new token; the old one is unknown.
        people: who is known now.
        forgotten: how many tokens are forgotten now.
        forgotten_again: people in the backup who were forgotten after it and therefore are not in the vault.
        current_read: erasures since the backup were taken from the vault that was there; if false, those made since
            then are unknown but for the tokens the caller gave.
        scrubbed: no byte of who was forgotten again is left in the database's files; see `Forgotten`.
    """

    made: int
    people: int
    forgotten: int
    forgotten_again: int
    current_read: bool
    scrubbed: bool


def restore(
    backup: Path,
    url: str,
    master: MasterKey,
    *,
    replace: bool = False,
    forgotten_tokens: Iterable[bytes] = (),
    entropy: Entropy = system_entropy,
    clock: Clock = system_clock,
) -> RestoreInfo:
    """Fill the vault at ``url`` from a backup, in one transaction: nobody sees anything between before and after.

    The whole backup is verified first. Erasures it does not know yet are taken from the vault that is there, which
    keeps them, and from ``forgotten_tokens``; they are replayed before anything can be read.

    Args:
        backup: what `Vault.backup` wrote.
        url: as of `open_vault`; made where it is missing.
        master: the key of the backup, and of the vault that is there.
        replace: allow it although the vault there knows people.
        forgotten_tokens: tokens that others (the ledger) know to be forgotten.
        entropy: where random bytes come from.
        clock: the present.

    Raises:
        UsageError: the vault there knows people and ``replace`` is false; a given token is none.
        IntegrityError: the backup or the vault that is there is damaged; the latter has to be moved away first.
        NotFoundError, SourceError: either cannot be read or written, or belongs to another master key.
    """
    tokens = _checked(forgotten_tokens)
    check_backup(backup, master)
    database = Database(url, create=True)
    try:
        with read_backup(backup, master) as reader, database.write() as connection:
            current_read = _empty(connection, database, master, replace=replace)
            marks = _fill(connection, reader)
            estate = Sealer(master.derive("estate"), entropy)
            now = clock()
            _rows.insert_tombstones(connection, [(token, now, estate.seal(_REASON, token)) for token in tokens])
            _write_meta(connection, reader.header, entropy)
            write_restored(connection, reader.header.made)
            again, by_person = _forget_again(connection, marks)
            _rows.insert_tombstones(connection, [(token, now, estate.seal(_REASON, token)) for token in by_person])
            known, forgotten = _rows.counts(connection)
        scrubbed = database.scrub()
        return RestoreInfo(reader.header.made, known, forgotten, again, current_read, scrubbed)
    finally:
        database.close()


def _checked(tokens: Iterable[bytes]) -> set[bytes]:
    checked = set(tokens)
    if any(len(token) != TOKEN_BYTES for token in checked):
        raise UsageError("forgotten token", "of a wrong length", expected=f"{TOKEN_BYTES} bytes")
    return checked


def _empty(connection: sa.Connection, database: Database, master: MasterKey, *, replace: bool) -> bool:
    """Remove people and meta, keep what is known to be forgotten; whether a vault was there."""
    database.create_tables(connection)
    database.lock(connection)
    if read_meta(connection, master, database.where) is None:
        return False
    known, _ = _rows.counts(connection)
    if known and not replace:
        raise UsageError(
            database.where,
            f"knows {known} people",
            expected="an empty vault",
            advice="restore elsewhere, or allow it to be replaced",
        )
    connection.execute(sa.delete(people))
    connection.execute(sa.delete(meta))
    return True


def _fill(connection: sa.Connection, reader: BackupReader) -> set[bytes]:
    """Insert what the backup holds; the marks of the erasures it knows."""
    marks: set[bytes] = set()
    for frame in reader.frames():
        if isinstance(frame, People):
            _rows.insert_people(connection, frame.rows)
        elif isinstance(frame, Tombstones):
            _rows.insert_tombstones(connection, frame.rows)
        elif isinstance(frame, Marks):
            _rows.insert_marks(connection, frame.rows)
            marks.update(mark for mark, _ in frame.rows)
    return marks


def _write_meta(connection: sa.Connection, header: Header, entropy: Entropy) -> None:
    connection.execute(
        sa.insert(meta).values(
            id=1,
            format=FORMAT,
            vault_id=header.vault_id,
            key_check=header.key_check,
            epoch=entropy(TOKEN_BYTES),
            created=header.created,
            last_backup=header.made,
        )
    )


def _forget_again(connection: sa.Connection, marks: set[bytes]) -> tuple[int, list[bytes]]:
    """Delete who was forgotten by token, and who was forgotten as a person after the backup was made.

    How many these are, and the tokens of the latter: they are forgotten under tokens of which nothing says so yet.
    """
    by_token = connection.execute(
        sa.delete(people).where(people.c.token.in_(sa.select(forgotten_tokens.c.token)))
    ).rowcount
    rows = connection.execute(sa.select(forgotten_people.c.mark, forgotten_people.c.lookup))
    gone = _rows.delete_people(connection, {lookup for mark, lookup in rows if mark not in marks})
    return by_token + len(gone), list(gone.values())
