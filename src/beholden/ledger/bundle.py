"""An export for outsiders: records of consecutive events, what proves them, and programs that check, in one directory.

One range proof serves all events: with the leaves of the records, the hashes of at most two subtrees for each level of
the tree make the signed root. It is about two kilobytes, however many events there are.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import BeholdenError, IntegrityError, SourceError, UsageError
from beholden.core.times import Clock, parse_window
from beholden.ledger.canonical import canonical_records
from beholden.ledger.checkpoint import verifier_key
from beholden.ledger.disk import temporary_name
from beholden.ledger.heads import KeptHead
from beholden.ledger.merkle import leaf_hash, range_root
from beholden.ledger.proof import StoredTree
from beholden.ledger.proof_texts import event_proof, hash_lines
from beholden.ledger.rows import iterate_rows
from beholden.ledger.segments import read_columns

__all__ = ["PROOFS_MAX", "Bundle", "export_bundle", "range_of"]

#: Up to so many events each has a file of its own proof; a range proof serves any number.
PROOFS_MAX: Final = 1000
_PROGRAMS: Final = ("check.py", "check.mjs", "check.go", "check_sigstore.py")
#: Zlib's levels above take several times as long for some per cent.
_LEVEL: Final = 3
_LENGTH_BYTES: Final = 4
#: A number with more of them is none of an event.
_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was exported: events ``first`` to ``last``, both included."""

    first: int
    last: int
    size_bytes: int


def range_of(tree: StoredTree, start: str, end: str | None, clock: Clock) -> tuple[int, int]:
    """The events that ``--from`` and ``--to`` mean, as [first, stop): numbers, times or ages.

    Between two times it is the shortest range that has every sealed event of the window.

    Raises:
        UsageError: the texts mean nothing, or no event.
    """
    size = tree.newest.size
    numbers = [text for text in (start, end) if text and text.isascii() and text.isdecimal() and len(text) < _DIGITS]
    if len(numbers) == (1 if end is None else 2):
        first, stop = int(start), int(end) if end is not None else size
    elif numbers:
        raise UsageError("ledger export", "a number and a time", expected="--from and --to of one kind")
    else:
        window = parse_window(start, end, clock)
        first, stop = _between(tree, window.start, window.end)
    if first >= stop:
        raise UsageError(
            "ledger export", "there is no sealed event in that range", expected=f"[from, to) within 0 to {size}"
        )
    return first, stop


def export_bundle(tree: StoredTree, first: int, stop: int, head: KeptHead, directory: Path) -> Bundle:
    """Write the bundle of events [first, stop) under a tree head. The directory appears when it is whole.

    Raises:
        UsageError: the directory is there already, or the head does not cover the events.
        IntegrityError: the records do not lead to the signed root; nothing is left.
        SourceError: it cannot be written.
    """
    if directory.exists():
        raise UsageError(f"--out {directory}", "is there already", expected="a directory that is not there yet")
    outside = tree.prove_range(first, stop, head.checkpoint)
    fresh = temporary_name(directory)
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        leaves = _write_records(tree, first, stop, fresh / "records.gz")
        if range_root(first, leaves, head.checkpoint.size, outside) != head.checkpoint.root:
            raise IntegrityError(
                "checkpoint", f"events {first} to {stop - 1} do not lead to the signed root",
                advice="find what was altered with: beholden ledger verify",
            )  # fmt: skip
        (fresh / "range").write_text(f"range {first} {stop}\n{hash_lines(outside)}")
        (fresh / "checkpoint").write_bytes(head.note)
        (fresh / "key.pub").write_text(f"{verifier_key(tree.key)}\n", encoding="utf-8")
        if stop - first <= PROOFS_MAX:
            _write_proofs(tree, first, stop, head, fresh / "proofs")
        _write_programs(tree, first, stop, head, fresh)
        size_bytes = sum(path.stat().st_size for path in fresh.rglob("*") if path.is_file())
        fresh.rename(directory)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise SourceError(f"--out {directory}", f"cannot be written ({error.strerror})", expected="room") from None
    except BeholdenError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return Bundle(first, stop - 1, size_bytes)


def _between(tree: StoredTree, start: int | None, end: int | None) -> tuple[int, int]:
    """The first and one more than the last event whose time is in the window, among those in segments."""
    found: list[int] = []
    segments = [
        segment for segment in tree.manifest.segments
        if (start is None or segment.time_max >= start) and (end is None or segment.time_min < end)
    ]  # fmt: skip
    for order, choose in ((segments, min), (segments[::-1], max)):
        for segment in order:
            path = tree.layout.segments / segment.file
            columns = read_columns(path, tree.layout.name(path), ["seq", "time"])
            times = columns["time"].cast(pa.int64())
            inside = pc.greater_equal(times, -(1 << 63) if start is None else start)
            if end is not None:
                inside = pc.and_(inside, pc.less(times, end))
            if seqs := columns["seq"].filter(inside).to_pylist():
                found.append(choose(seqs))
                break
    return (found[0], found[1] + 1) if found else (0, 0)


def _batches(tree: StoredTree, first: int, stop: int) -> Iterator[pa.RecordBatch | pa.Table]:
    sealed = tree.manifest.next_seq
    if first < sealed:
        yield from iterate_rows(tree.layout, tree.manifest, first, min(stop, sealed))
    if stop > sealed:
        yield tree.read(max(first, sealed), stop)


def _write_records(tree: StoredTree, first: int, stop: int, path: Path) -> list[bytes]:
    """Write the records; returns their leaves."""
    leaves: list[bytes] = []
    with path.open("wb") as raw, gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as file:
        for batch in _batches(tree, first, stop):
            records = canonical_records(batch)
            file.write(b"".join([len(record).to_bytes(_LENGTH_BYTES, "big") + record for record in records]))
            leaves += map(leaf_hash, records)
    return leaves


def _write_proofs(tree: StoredTree, first: int, stop: int, head: KeptHead, directory: Path) -> None:
    directory.mkdir()
    for proof in tree.prove_events(range(first, stop), head.checkpoint):
        text = event_proof(proof.seq, proof.path, head.note, proof.record)
        (directory / f"{proof.seq}.tlog-proof").write_bytes(text)


def _write_programs(tree: StoredTree, first: int, stop: int, head: KeptHead, directory: Path) -> None:
    programs = resources.files("beholden.ledger").joinpath("outsiders")
    for name in _PROGRAMS:
        (directory / name).write_text(programs.joinpath(name).read_text("utf-8"), encoding="utf-8")
    text = Template(programs.joinpath("README.md").read_text("utf-8")).substitute(
        first=first,
        last=stop - 1,
        origin=tree.info.origin,
        key=verifier_key(tree.key),
        size=head.checkpoint.size,
        proofs_max=f"{PROOFS_MAX:,}",
        witnesses=f", cosigned by {', '.join(head.witnesses)}" if head.witnesses else "",
    )
    (directory / "README.md").write_text(text, encoding="utf-8")
