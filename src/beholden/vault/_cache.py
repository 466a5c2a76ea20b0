"""A bounded memory of what the database said, dropped as a whole when somebody was forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar, cast

__all__ = ["Cache"]

_Value = TypeVar("_Value")


class Cache(Generic[_Value]):
    """Keeps the values used last, at most ``entries_max``; safe for several threads.

    Two dictionaries: the young one takes every hit and every new entry; when it is half of the bound it becomes the
    old one, and what nobody asked for since is dropped. That is nearly "least recently used" at the price of a
    dictionary.

    What it holds is true for one epoch of the vault (it changes whenever somebody is forgotten). An answer read under
    an older epoch is not accepted, so that a slow reader cannot bring a forgotten person's token back.
    """

    __slots__ = ("_epoch", "_half", "_lock", "_old", "_young")

    def __init__(self, entries_max: int) -> None:
        self._half = max(1, entries_max // 2)
        self._lock = threading.Lock()
        self._epoch = b""
        self._young: dict[bytes, _Value] = {}
        self._old: dict[bytes, _Value] = {}

    def __repr__(self) -> str:
        return f"Cache({len(self)} entries)"

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def enter(self, epoch: bytes) -> None:
        """Forget everything unless it was learned in this epoch."""
        with self._lock:
            if epoch != self._epoch:
                self._epoch, self._young, self._old = epoch, {}, {}

    def get(self, keys: Iterable[bytes]) -> dict[bytes, _Value]:
        """The entries there are for ``keys``."""
        found: dict[bytes, _Value] = {}
        with self._lock:
            young, old = self._young, self._old
            for key in keys:
                if key in young:
                    found[key] = young[key]
                elif key in old:
                    found[key] = young[key] = old.pop(key)
            self._turn()
        return found

    def get_all(self, keys: Iterable[bytes]) -> list[_Value] | None:
        """The entry of every key, in their order; None unless all of them were asked for not long ago."""
        with self._lock:
            found = list(map(self._young.get, keys))
        return None if None in found else cast("list[_Value]", found)

    def put(self, epoch: bytes, entries: Mapping[bytes, _Value]) -> None:
        """Keep ``entries``, which were read after ``epoch`` was."""
        with self._lock:
            if epoch == self._epoch:
                for key, value in entries.items():
                    self._young[key] = value
                    self._turn()

    def _turn(self) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
