"""Addresses of clients, packed: what they are shows in how long they are.

4 and 16 bytes are an IPv4 and an IPv6 address; one more, the last, is the length of a network's prefix. Anything else is
the name of a host, which is often somebody's, or an address from which a data subject acted, which the company's own
tables hold too: of those a keyed hash of 10 bytes is kept.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["address_text", "packed_addresses"]

_HASH_BYTES: Final = 10


def packed_addresses(texts: pa.Array, hashed: Callable[[list[bytes]], list[bytes]], own: pa.Array) -> pa.Array:
    """The addresses of a batch; equal ones, however written, become equal bytes.

    Args:
        texts: as the log has them.
        hashed: a keyed hash of each text, at least 10 bytes.
        own: which are a data subject's own.
    """
    hidden = pc.if_else(own, texts, pa.scalar(None, texts.type))
    shown = pc.if_else(own, pa.scalar(None, texts.type), texts)
    return pc.coalesce(_as_bytes(shown, hashed, hide=False), _as_bytes(hidden, hashed, hide=True))


def _as_bytes(texts: pa.Array, hashed: Callable[[list[bytes]], list[bytes]], *, hide: bool) -> pa.Array:
    encoded = texts.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    packed = [_packed(text) if text else None for text in distinct]
    names = [i for i, text in enumerate(distinct) if text and (hide or packed[i] is None)]
    digests = hashed([packed[i] or distinct[i].encode("utf-8", "surrogatepass") for i in names])
    for i, digest in zip(names, digests, strict=True):
        packed[i] = digest[:_HASH_BYTES]
    return pa.array(packed, pa.binary()).take(encoded.indices)


def address_text(packed: bytes | None) -> str | None:
    """The address as people write it; a host's name as ``~`` and its hash in hex."""
    if packed is None:
        return None
    if len(packed) == _HASH_BYTES:
        return f"~{packed.hex()}"
    if len(packed) in (5, 17):
        return f"{ipaddress.ip_address(packed[:-1])}/{packed[-1]}"
    return str(ipaddress.ip_address(packed))


def _packed(text: str) -> bytes | None:
    try:
        packed = socket.inet_pton(socket.AF_INET, text)
        if socket.inet_ntoa(packed) == text:  # some systems read more forms of one address than there should be
            return packed
    except (OSError, ValueError):
        pass
    if "%" in text:  # a zone may be called anything
        return None
    try:
        if "/" not in text:
            return ipaddress.ip_address(text).packed
        interface = ipaddress.ip_interface(text)
    except ValueError:
        return None
    return interface.packed + bytes([interface.network.prefixlen])
