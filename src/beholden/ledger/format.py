"""What is fixed in a ledger's directory: names, versions and sizes. docs/reference/ledger-format.md is the full text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from beholden.core.events import EVENTS

__all__ = [
    "APPEND_BYTES_MAX",
    "FORMAT_VERSION",
    "INPUT_EVENTS",
    "LOCK_TIMEOUT_S",
    "TILE_WIDTH",
    "WAL_BYTES_MAX",
    "Layout",
    "StatementValues",
]

#: Version of the whole directory. A program refuses any other.
FORMAT_VERSION: Final = 2
#: Hashes in a full tile (C2SP tlog-tiles: height 8).
TILE_WIDTH: Final = 256
#: Arrow bytes one append may carry; a larger batch is refused and must be split by its caller.
APPEND_BYTES_MAX: Final = 512 * 1024 * 1024
#: A write-ahead log of this many bytes is sealed before more is added, however few events it holds.
WAL_BYTES_MAX: Final = 256 * 1024 * 1024
#: How long a writer waits for its turn.
LOCK_TIMEOUT_S: Final = 30.0

#: What `Ledger.append` takes: an access event without ``seq`` and ``ingested``, which the ledger sets.
INPUT_EVENTS: Final = pa.schema([field for field in EVENTS if field.name not in {"seq", "ingested"}])

#: What ``EVENTS.literals`` is, as JSON, before it is encrypted: a statement's literals, the literals each ``?`` of its
#: template stands for (`sqltext.Template`), and the values bound to its parameters.
StatementValues = tuple[tuple[str, ...], tuple[tuple[int, ...], ...], tuple[str | None, ...]]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each part of a ledger lies below its directory."""

    root: Path

    @property
    def info(self) -> Path:
        """Format version, estate, origin."""
        return self.root / "ledger.json"

    @property
    def manifest(self) -> Path:
        """The list of sealed segments."""
        return self.root / "manifest.json"

    @property
    def checkpoint(self) -> Path:
        """The signed tree head."""
        return self.root / "checkpoint"

    @property
    def public_key(self) -> Path:
        """The verifier key, for people and outside verifiers; the program trusts its own signer, not this file."""
        return self.root / "key.pub"

    @property
    def checked(self) -> Path:
        """Which segments were found unchanged, and by what they would be seen to be; may be deleted."""
        return self.root / "checked.json"

    @property
    def cosigned(self) -> Path:
        """The newest tree head that each witness cosigned."""
        return self.root / "cosigned"

    @property
    def lock(self) -> Path:
        """Taken by the one writer."""
        return self.root / "lock"

    @property
    def wal(self) -> Path:
        """Acknowledged events that are not sealed yet."""
        return self.root / "wal"

    @property
    def segments(self) -> Path:
        """Sealed events, as Parquet."""
        return self.root / "segments"

    @property
    def tiles(self) -> Path:
        """The tree's hashes of level 1 and above."""
        return self.root / "tile"

    @property
    def pruned(self) -> Path:
        """The hashes that are kept of pruned events, so that old tree heads can still be continued."""
        return self.root / "pruned"

    @property
    def derived(self) -> tuple[Path, ...]:
        """Where files lie that can be made again from the segment whose name they begin with."""
        return (self.index,)

    @property
    def uids(self) -> Path:
        """Which uids are held; can be made again from the segments."""
        return self.root / "uids"

    @property
    def checked_uids(self) -> Path:
        """Which runs of uids were found whole, likewise."""
        return self.uids / "checked.json"

    @property
    def index(self) -> Path:
        """What questions look at instead of the segments; can be made again from these."""
        return self.root / "index"

    def name(self, path: Path) -> str:
        """A path as people and findings name it: below the directory, with slashes."""
        return path.relative_to(self.root).as_posix()
