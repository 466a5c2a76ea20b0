"""What makes a record itself and no other, whatever file it arrives in.

An identity is the server's name (length-prefixed), a letter that says what follows, and that: the record's own
number or uid, or a digest of its content and how many equal records came before it. Nothing of it depends on the
file, so rotation, renaming, compression and a second reading all give the same bytes.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

__all__ = ["ContentIdentity", "identity_prefix", "numbered"]

#: Distinct records remembered for counting equal ones, in each of two generations (about 10 MB each).
_REMEMBERED: Final = 1 << 16

_decode: Final = msgspec.json.Decoder(float_hook=float).decode
_encode: Final = msgspec.json.Encoder(order="sorted").encode


def identity_prefix(server: str, kind: str) -> bytes:
    """The first part of every identity of one log.

    Args:
        server: whose record it is.
        kind: ``n`` for the source's own numbers, ``u`` for its own uid, ``c`` for content.
    """
    name = server.encode(errors="surrogateescape")
    return b"%d:%b%b:" % (len(name), name, kind.encode())


def numbered(identity: bytes, position: int) -> bytes:
    """The identity of one event of a record that tells of several; the first keeps the record's own."""
    return identity if position == 0 else b"%d/%b" % (position, identity)


class ContentIdentity:
    """Identities of records that carry no number or uid of their own.

    Equal records are told apart by how many came before. Only the last 65,536 to 131,072 distinct ones are
    remembered: equal records carry equal times, so in a log ordered by time they stand close together.
    """

    def __init__(self, server: str) -> None:
        self._prefix = identity_prefix(server, "c")
        self._new: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}

    def of_text(self, text: bytes) -> bytes:
        """As `of`, from a record's JSON, which is known to be valid."""
        return self.of(_decode(text))

    def of(self, record: Any) -> bytes:
        """The identity of a decoded record; its layout (white space, order of keys) does not matter."""
        digest = hashlib.blake2b(_encode(record), digest_size=16).digest()
        seen = self._new.get(digest)
        if seen is None:
            seen = self._old.get(digest, 0)
            if len(self._new) >= _REMEMBERED:
                self._old, self._new = self._new, {}
        self._new[digest] = seen + 1
        return b"%b%b%d" % (self._prefix, digest, seen)
