"""What an erasure leaves to be told: first inside the vault, then in the ledger's own record.

The vault notes an erasure in the transaction that does it; the note is removed once the ledger has the event. So the
ledger never claims an erasure that did not happen, and one that did is told after any crash.

What the ledger gets is encrypted under the estate's key, the tokens too: in plain, an event that names one token would
join it with whoever asked to be erased at that hour. It is enough to forget the same people again in an older backup,
which knows whose token is whose, and of no use without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from beholden.core.errors import IntegrityError
from beholden.core.ids import TOKEN_BYTES, Entropy, system_entropy
from beholden.vault.master import MasterKey
from beholden.vault.sealing import KeyedHash, Sealer, header, read_header

__all__ = ["Erasure", "ErasureRecord", "ErasureSeals"]

#: Tokens in one record: it stays far below 64 KiB.
_RECORD_TOKENS_MAX: Final = 2000
#: The ledger keeps the beginning of a uid; a shorter one would be too easy to hit.
_UID_BYTES_MIN: Final = 8
_PURPOSE: Final = "hash/erasure"


@dataclass(frozen=True, slots=True)
class Erasure:
    """People forgotten in one transaction.

    Attributes:
        erasure_id: 16 random bytes.
        time: microseconds.
        by: the token of who asked for it; None where nobody said.
        reason: why.
        people: how many persons were asked for and known; the rest of the tokens went with them.
        tokens: everything forgotten, in ascending order.
    """

    erasure_id: bytes
    time: int
    by: bytes | None
    reason: str
    people: int
    tokens: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """An erasure, or a part of a large one, as the ledger keeps it.

    Attributes:
        uid: a keyed hash of 16 bytes, the same whenever the record is made again; proves that this estate made it.
        detail: encrypted as `Vault.encrypt` does for the estate.
        people: how many persons, counted in the first part.
    """

    uid: bytes
    detail: bytes
    people: int


class _Note(msgspec.Struct, frozen=True, array_like=True):
    time: int
    by: bytes | None
    reason: bytes
    people: int
    tokens: bytes


class _Told(msgspec.Struct, frozen=True, array_like=True, tag="beholden.erasure/1"):
    erasure_id: bytes
    part: int
    reason: bytes
    tokens: bytes


class ErasureSeals:
    """Encrypts and reads what is told of erasures; needs the master key alone, so that a lost vault is no hindrance."""

    def __init__(self, master: MasterKey, entropy: Entropy = system_entropy) -> None:
        self._estate = Sealer(master.derive("estate"), entropy)
        self._hash = KeyedHash(master.derive(_PURPOSE))

    def seal_note(self, erasure: Erasure) -> bytes:
        """What the vault keeps until the ledger has the event."""
        note = _Note(erasure.time, erasure.by, _bytes(erasure.reason), erasure.people, b"".join(erasure.tokens))
        return self._estate.seal(_encoded(note), erasure.erasure_id)

    def open_note(self, erasure_id: bytes, sealed: bytes) -> Erasure:
        """The reverse of `seal_note`; raises `IntegrityError` when it was altered."""
        note = msgspec.msgpack.decode(self._estate.open(sealed, erasure_id), type=_Note)
        reason = note.reason.decode("utf-8", "surrogatepass")
        return Erasure(erasure_id, note.time, note.by, reason, note.people, tuple(_split(note.tokens)))

    def records(self, erasure: Erasure) -> list[ErasureRecord]:
        """What the ledger is told, in parts of at most 2000 tokens."""
        bound = header(())
        found = []
        for part, start in enumerate(range(0, max(1, len(erasure.tokens)), _RECORD_TOKENS_MAX)):
            tokens = b"".join(erasure.tokens[start : start + _RECORD_TOKENS_MAX])
            text = _encoded(_Told(erasure.erasure_id, part, _bytes(erasure.reason), tokens))
            people = 0 if part else erasure.people
            found.append(
                ErasureRecord(self._uid(erasure.erasure_id, part), bound + self._estate.seal(text, bound), people)
            )
        return found

    def read(self, records: Iterable[tuple[bytes, bytes]]) -> set[bytes]:
        """The tokens that records of the ledger, (uid, detail), say are forgotten.

        A record that this estate's vault did not make is passed over: a log may call its source as it likes, but
        nobody without the master key finds the uid.
        """
        tokens: set[bytes] = set()
        for uid, detail in records:
            try:
                bound, _ = read_header(detail)
                told = msgspec.msgpack.decode(self._estate.open(detail[len(bound) :], bound), type=_Told)
            except (IntegrityError, msgspec.MsgspecError):
                continue
            if len(uid) >= _UID_BYTES_MIN and self._uid(told.erasure_id, told.part).startswith(uid):
                tokens.update(_split(told.tokens))
        return tokens

    def _uid(self, erasure_id: bytes, part: int) -> bytes:
        return self._hash.many([erasure_id + part.to_bytes(4, "big")])[0]


def _bytes(reason: str) -> bytes:
    return reason.encode("utf-8", "surrogatepass")


def _encoded(value: msgspec.Struct) -> bytes:
    return msgspec.msgpack.encode(value)


def _split(tokens: bytes) -> Iterator[bytes]:
    return (tokens[place : place + TOKEN_BYTES] for place in range(0, len(tokens), TOKEN_BYTES))
