"""Which earlier readings a later one takes the place of, so that what was not read is told until it was.

A log's path says little: rotation puts another file there. A file is the one that was read before if it begins as
that one began. A later reading takes the place of an earlier one if it is of the same file and understood no less:
one in a wrong format, or of what is left of a file, settles nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from beholden.core.errors import SourceError
from beholden.logs import beginning, open_log
from beholden.state import State
from beholden.state.ingests import (
    Account,
    IngestRow,
    finish_ingest,
    plain_name,
    settle,
    start_ingest,
    unsettled_rows,
    unsettled_sizes,
)
from beholden.vault import Vault

__all__ = ["head_of", "lies_still", "note_directories", "replaced_readings"]

_PURPOSE: Final = "log-head"
#: The head of what is no file.
_DIRECTORY: Final = ""


def head_of(vault: Vault, begins: bytes) -> str:
    """What tells a file that begins so from others; useless without the master key."""
    return vault.keyed_hash(_PURPOSE, [begins])[0].hex()


def replaced_readings(
    state: State, vault: Vault, reading: int, *, log: str, path: Path, begins: bytes, account: Account
) -> list[int]:
    """The earlier readings of the same file that the one with this account takes the place of.

    A file is looked for under its old path and, since rotation renames, under every other path of its log that does
    not hold it any more. One that could not be opened, or held nothing, is known by its path alone.
    """
    sizes = [size for size in unsettled_sizes(state, log) if size <= len(begins)]
    heads = [head.hex() for head in vault.keyed_hash(_PURPOSE, [begins[:size] for size in sizes])]
    understood = account.parsed + account.noise.total()
    return [
        row.ingest_id
        for row in unsettled_rows(state, log, heads)
        if row.ingest_id < reading
        and row.understood <= understood
        and (row.file == plain_name(str(path)) or (row.head_bytes > 0 and not lies_still(row, vault)))
    ]


def note_directories(
    state: State, *, log: str, source: str, format_: str, unread: Mapping[Path, SourceError], now: int
) -> None:
    """Keep in mind that directories of a log could not be read, and that earlier ones can be now. Durable."""
    earlier = unsettled_rows(state, log, [_DIRECTORY])
    names = {plain_name(str(path)) for path in unread}
    # looked at by os.path: a directory that may not be looked at is no error here
    if done := [row.ingest_id for row in earlier if row.file in names or os.path.isdir(row.file)]:  # noqa: PTH112 - see above
        settle(state, done)
    for path, error in unread.items():
        reading = start_ingest(state, log=log, source=source, file=str(path), format_=format_, now=now, head=_DIRECTORY)
        account = Account(records=1)
        account.add_problem(1, f"a directory of it {error.found}")
        finish_ingest(state, reading, account, now=now)


def lies_still(row: IngestRow, vault: Vault) -> bool:
    """Whether the file still lies where it was read, which makes another one that begins so a copy."""
    try:
        with open_log(Path(row.file)) as stream:
            begins = beginning(stream, row.head_bytes)
    except SourceError:
        return os.path.exists(row.file)  # noqa: PTH110 - one below a closed directory is no error here
    return len(begins) == row.head_bytes and head_of(vault, begins) == row.head
