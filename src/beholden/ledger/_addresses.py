"""Addresses of clients: kept as written where they are addresses; a host's name is often somebody's."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pyarrow as pa

__all__ = ["without_host_names"]


def without_host_names(texts: pa.Array, hashed: Callable[[list[bytes]], list[bytes]]) -> pa.Array:
    """The texts of a batch, with a pseudonym of 33 characters (equal for equal ones) for each that is no IP address.

    Args:
        texts: as the log has them.
        hashed: a keyed hash of each text.
    """
    names = [text for text in texts.unique().to_pylist() if text and not _is_address(text)]
    if not names:
        return texts
    digests = hashed([name.encode("utf-8", "surrogatepass") for name in names])
    instead = {name: f"~{digest.hex()}" for name, digest in zip(names, digests, strict=True)}
    return pa.array([instead.get(text, text) for text in texts.to_pylist()], pa.string())


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)  # a network's length may follow
    except ValueError:
        return False
    return "%" not in text  # a zone may be called anything
