r"""The backup file: one format for every database, encrypted, and whole or refused.

    {"schema": "beholden.vault-backup/1", ...}\n       header in JSON: time, vault, check of the master key, salt
    4-byte big-endian length, frame                    as many as needed; the last one is an `End`

Each frame is MessagePack under AES-256-GCM-SIV. The key is derived from the master key and the file's salt, the nonce
is the frame's number, the header is bound to each: a frame that is altered, missing, moved or of another file does not
open, and a file without its last frame is truncated.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self, TypeAlias

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from beholden.core.errors import IntegrityError, NotFoundError, SourceError, UsageError
from beholden.core.ids import Entropy
from beholden.vault._database import Database
from beholden.vault._files import write_new_file
from beholden.vault._schema import check_key, read_meta
from beholden.vault.master import MasterKey
from beholden.vault.sealing import IDENTIFIER_BYTES_MAX
from beholden.vault.tables import forgotten_people, forgotten_tokens, people

__all__ = [
    "BackupInfo",
    "BackupReader",
    "End",
    "Header",
    "Marks",
    "People",
    "Tombstones",
    "check_backup",
    "read_backup",
    "write_backup",
]

_SCHEMA: Final = "beholden.vault-backup/1"
_FRAME_ROWS: Final = 4096
_HEADER_BYTES_MAX: Final = 4096
_FRAME_BYTES_MAX: Final = _FRAME_ROWS * (IDENTIFIER_BYTES_MAX + 256)
_SALT_BYTES: Final = 32
_BROKEN: Final = "is truncated or was altered"


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """A backup that was written or verified. ``made`` is in microseconds."""

    path: Path
    made: int
    people: int
    forgotten: int
    size_bytes: int


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of the file."""

    schema: str
    made: int
    vault_id: bytes
    key_check: bytes
    created: int
    salt: bytes


class _Frame(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A piece of the file; tagged with the name of its kind."""


class People(_Frame, frozen=True, array_like=True, tag=True):
    """Rows of (lookup, token, sealed)."""

    rows: list[tuple[bytes, bytes, bytes]]


class Tombstones(_Frame, frozen=True, array_like=True, tag=True):
    """Rows of (token, time, sealed reason)."""

    rows: list[tuple[bytes, int, bytes]]


class Marks(_Frame, frozen=True, array_like=True, tag=True):
    """Rows of (mark, lookup)."""

    rows: list[tuple[bytes, bytes]]


class End(_Frame, frozen=True, array_like=True, tag=True):
    """The last frame: how many people and forgotten tokens came before."""

    people: int
    forgotten: int


Frame: TypeAlias = People | Tombstones | Marks | End


def write_backup(database: Database, path: Path, master: MasterKey, entropy: Entropy, made: int) -> BackupInfo:
    """Write the vault as it is at one moment to a new file; see `beholden.vault.Vault.backup`."""
    where = f"backup {path}"
    try:
        with write_new_file(path) as file, database.read(snapshot=True) as connection:
            row = read_meta(connection, master, database.where)
            if row is None:
                raise database.missing("holds no vault any more")
            header = Header(
                schema=_SCHEMA,
                made=made,
                vault_id=row.vault_id,
                key_check=row.key_check,
                created=row.created,
                salt=entropy(_SALT_BYTES),
            )
            end = _write_frames(file, header, master, connection)
        return BackupInfo(path, made, end.people, end.forgotten, path.stat().st_size)
    except FileExistsError:
        raise UsageError(where, "exists and is never overwritten", advice="name another file") from None
    except OSError as error:
        raise SourceError(where, f"cannot be written ({os.strerror(error.errno or 0)})") from None


def check_backup(path: Path, master: MasterKey) -> BackupInfo:
    """Verify every byte of a backup.

    Raises:
        NotFoundError, SourceError: it cannot be read, a newer program wrote it, or ``master`` is not its key.
        IntegrityError: it is truncated, altered or no backup.
    """
    with read_backup(path, master) as backup:
        end = End(0, 0)
        for frame in backup.frames():
            if isinstance(frame, End):
                end = frame
        return BackupInfo(path, backup.header.made, end.people, end.forgotten, path.stat().st_size)


def _write_frames(file: BinaryIO, header: Header, master: MasterKey, connection: sa.Connection) -> End:
    line = msgspec.json.encode(header) + b"\n"
    aead = _aead(master, header)
    file.write(line)
    number = 0

    def write(frame: Frame) -> None:
        nonlocal number
        text = aead.encrypt(number.to_bytes(12, "big"), msgspec.msgpack.encode(frame), line)
        file.write(len(text).to_bytes(4, "big") + text)
        number += 1

    counts = {People: 0, Tombstones: 0, Marks: 0}
    for kind, table in ((People, people), (Tombstones, forgotten_tokens), (Marks, forgotten_people)):
        rows = connection.execute(
            sa.select(table).order_by(*table.primary_key), execution_options={"yield_per": _FRAME_ROWS}
        )
        for part in rows.partitions():
            write(kind([tuple(row) for row in part]))
            counts[kind] += len(part)
    end = End(counts[People], counts[Tombstones])
    write(end)
    return end


class BackupReader:
    """An open backup; `frames` verifies as it reads, and only its end says that the file is whole."""

    def __init__(self, file: BinaryIO, path: Path, master: MasterKey) -> None:
        self._file = file
        self._where = f"backup {path}"
        self._line = file.readline(_HEADER_BYTES_MAX)
        try:
            self.header = msgspec.json.decode(self._line, type=Header)
        except msgspec.MsgspecError:
            raise IntegrityError(self._where, "is no vault backup, or its first line was altered") from None
        if self.header.schema != _SCHEMA:
            raise SourceError(
                self._where,
                "is of another format",
                expected=_SCHEMA,
                advice="use the version of beholden that wrote it",
            )
        check_key(master, self.header.vault_id, self.header.key_check, self._where)
        self._aead = _aead(master, self.header)
        self._frame = msgspec.msgpack.Decoder(Frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def frames(self) -> Iterator[Frame]:
        """Every frame; the last one is an `End`. Raises `IntegrityError` when the file is not whole."""
        try:
            yield from self._frames()
        except (InvalidTag, ValueError, EOFError):
            raise IntegrityError(self._where, _BROKEN, advice="use another backup") from None
        except OSError as error:
            raise SourceError(self._where, f"cannot be read ({os.strerror(error.errno or 0)})") from None

    def _frames(self) -> Iterator[Frame]:
        for number in range(1 << 32):
            size = int.from_bytes(self._exactly(4), "big")
            if size > _FRAME_BYTES_MAX:
                raise ValueError(_BROKEN)
            text = self._aead.decrypt(number.to_bytes(12, "big"), self._exactly(size), self._line)
            frame = self._frame.decode(text)
            if isinstance(frame, End) and self._file.read(1):
                raise ValueError(_BROKEN)
            yield frame
            if isinstance(frame, End):
                return

    def _exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) < size:
            raise EOFError
        return data


def read_backup(path: Path, master: MasterKey) -> BackupReader:
    """Open a backup; use it as a context. Errors as of `check_backup`."""
    where = f"backup {path}"
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise NotFoundError(where, "does not exist") from None
    except OSError as error:
        raise SourceError(where, f"cannot be read ({os.strerror(error.errno or 0)})") from None
    try:
        return BackupReader(file, path, master)
    except BaseException:
        file.close()
        raise


def _aead(master: MasterKey, header: Header) -> AESGCMSIV:
    return AESGCMSIV(master.derive(f"backup/{header.salt.hex()}"))
