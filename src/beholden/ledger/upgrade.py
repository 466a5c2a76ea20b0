"""Which format a ledger has, also one that this program refuses to open."""

from __future__ import annotations

from pathlib import Path

import msgspec

from beholden.core.errors import IntegrityError, NotFoundError
from beholden.ledger.files import reading
from beholden.ledger.format import FORMAT_VERSION, Layout

__all__ = ["ledger_format"]


class _Body(msgspec.Struct, frozen=True):
    format: int


class _File(msgspec.Struct, frozen=True):
    body: _Body


def ledger_format(directory: Path) -> tuple[int, int]:
    """The format of the ledger in ``directory``, and the one this program reads and writes. Changes nothing.

    Raises:
        NotFoundError: there is none.
        IntegrityError: its file does not say.
        SourceError: it cannot be read.
    """
    layout = Layout(Path(directory))
    with reading():
        try:
            data = layout.info.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise NotFoundError(
                f"ledger {layout.root.name}",
                "there is no ledger in this directory",
                advice="make one with: beholden init",
            ) from None
    try:
        return msgspec.json.decode(data, type=_File).body.format, FORMAT_VERSION
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise IntegrityError("ledger.json", "cannot be read as what it should be", advice="restore it") from None
