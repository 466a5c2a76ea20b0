"""The row that says what a vault is and whose master key it belongs to."""

from __future__ import annotations

import hmac
from typing import NamedTuple

import sqlalchemy as sa

from beholden.core.errors import BeholdenError, SourceError
from beholden.core.ids import TOKEN_BYTES, Entropy
from beholden.vault.master import MasterKey
from beholden.vault.sealing import KeyedHash
from beholden.vault.tables import FORMAT, meta, restored

__all__ = [
    "MetaRow",
    "WrongKeyError",
    "check_key",
    "create_meta",
    "read_format",
    "read_meta",
    "read_restored",
    "write_restored",
]


class WrongKeyError(SourceError):
    """The master key is not the one a vault or backup was made with. Exit code 4."""


class MetaRow(NamedTuple):
    """What `beholden.vault.tables.meta` says of a vault of this program's format."""

    vault_id: bytes
    key_check: bytes
    created: int
    last_backup: int | None


def check_key(master: MasterKey, vault_id: bytes, expected: bytes, where: str) -> None:
    """Raise `WrongKeyError` when ``master`` is not the key ``where`` was made with."""
    if not hmac.compare_digest(_key_check(master, vault_id), expected):
        raise WrongKeyError(
            where,
            "this master key does not belong to it",
            expected="the key it was made with",
            advice="check [vault] master_key",
        )


def read_meta(connection: sa.Connection, master: MasterKey, where: str) -> MetaRow | None:
    """The row of meta, None where there is no vault.

    Raises:
        BeholdenError: a newer program made the vault. WrongKeyError: ``master`` is not its key.
    """
    newest = read_format(connection)
    if newest is None:
        return None
    if newest > FORMAT:
        raise BeholdenError(
            where,
            f"was written by a newer version of beholden (vault format {newest})",
            expected=f"format {FORMAT} or older",
            advice="upgrade beholden",
        )
    statement = sa.select(meta.c.vault_id, meta.c.key_check, meta.c.created, meta.c.last_backup)
    row = MetaRow(*connection.execute(statement).one())
    check_key(master, row.vault_id, row.key_check, where)
    return row


def read_format(connection: sa.Connection) -> int | None:
    """The format of the vault, also of a newer one; None where there is none."""
    if not sa.inspect(connection).has_table(meta.name):
        return None
    return connection.execute(sa.select(meta.c.format)).scalar_one_or_none()  # alone: newer tables may differ


def create_meta(connection: sa.Connection, master: MasterKey, *, entropy: Entropy, created: int) -> None:
    """Make an empty vault in tables that are there."""
    vault_id = entropy(TOKEN_BYTES)
    connection.execute(
        sa.insert(meta).values(
            id=1,
            format=FORMAT,
            vault_id=vault_id,
            key_check=_key_check(master, vault_id),
            epoch=entropy(TOKEN_BYTES),
            created=created,
        )
    )


def read_restored(connection: sa.Connection) -> int | None:
    """When the backup was made that the vault was last restored from, in microseconds; None for never."""
    if not sa.inspect(connection).has_table(restored.name):
        return None
    return connection.execute(sa.select(restored.c.made)).scalar_one_or_none()


def write_restored(connection: sa.Connection, made: int) -> None:
    """Note that the vault is what it was at that time."""
    connection.execute(sa.delete(restored))
    connection.execute(sa.insert(restored).values(id=1, made=made))


def _key_check(master: MasterKey, vault_id: bytes) -> bytes:
    """What shows, without giving anything away, that a master key belongs to a vault."""
    return KeyedHash(master.derive("check")).many([vault_id])[0]
