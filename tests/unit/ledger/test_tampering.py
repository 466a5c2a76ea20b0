"""Every kind of file in a ledger, and everything that may befall one: `verify` names it, or it is known to be harmless."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.support.ledger import NOW, SIGNER, events, open_ledger

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError
from beholden.ledger import Ed25519Signer, Ledger, VerifyReport, stored_key
from beholden.ledger.verify import verify

SEALED, HELD = 900, 920
FIRST = "segments/0000000000000000-0000000000000599.parquet"
SECOND = "segments/0000000000000600-0000000000000899.parquet"
WAL = "wal/0000000000000900.wal"
UIDS = "uids/0000000000000000-0000000000000599.uids"
INDEX = FIRST.replace("segments", "index").replace("parquet", "index")
HARMLESS = None


@dataclass(frozen=True)
class Ledgers:
    """A ledger, the same one earlier, and another one."""

    now: Path
    earlier: Path
    other: Path


def _grow(directory: Path, **options: object) -> Iterator[Ledger]:
    """900 events sealed in two segments, 20 in the write-ahead log; yields before the last appends."""
    clock = itertools.count(NOW)
    ledger = open_ledger(directory, clock=lambda: next(clock), **options)
    ledger.append(events(0, 600))
    ledger.seal()
    yield ledger
    ledger.append(events(600, SEALED))
    ledger.seal()
    ledger.append(events(SEALED, SEALED + 10))
    yield ledger
    ledger.append(events(SEALED + 10, HELD))
    yield ledger


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory) -> Ledgers:
    below = tmp_path_factory.mktemp("ledgers")
    found = Ledgers(below / "now", below / "earlier", below / "other")
    stages = _grow(found.now)
    next(stages)
    shutil.copytree(found.now, found.earlier)
    next(stages)
    shutil.copytree(found.now / "wal", found.earlier / "wal", dirs_exist_ok=True)
    next(stages)
    list(_grow(found.other, estate_id="estate-2", signer=Ed25519Signer(SIGNER.name, bytes(32))))
    return found


@pytest.fixture
def directory(ledgers, tmp_path) -> Path:
    return Path(shutil.copytree(ledgers.now, tmp_path / "ledger"))


def check(directory: Path) -> VerifyReport:
    return verify(directory, key=SIGNER, estate_id="estate-1", acknowledged=HELD)


def assert_found(directory: Path, *names: str | None) -> None:
    report = check(directory)
    if names == (HARMLESS,):
        assert report.findings == ()
        assert (report.events, report.tree_size) == (HELD, SEALED)
        return
    assert set(names) <= {finding.object for finding in report.findings}
    assert all("\n" not in finding.reason for finding in report.findings)


def test_the_ledger_is_sound_before(directory):
    report = check(directory)
    assert (report.findings, report.notes, report.events) == ((), (), HELD)


def delete(path: Path, _: Ledgers) -> None:
    path.unlink()


def halve(path: Path, _: Ledgers) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path, _: Ledgers) -> None:
    path.write_bytes(b"")


def shorten(path: Path, _: Ledgers) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path, _: Ledgers) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def put_back(path: Path, ledgers: Ledgers) -> None:
    """An older version of the file, or of one of its kind, in its place."""
    shutil.copy(ledgers.earlier / path.relative_to(path.parents[_depth(path)]), path)


def put_foreign(path: Path, ledgers: Ledgers) -> None:
    shutil.copy(ledgers.other / path.relative_to(path.parents[_depth(path)]), path)


def _depth(path: Path) -> int:
    """How far up the ledger's directory is."""
    return next(i for i, parent in enumerate(path.parents) if parent.name == "ledger")


Change = Callable[[Path, Ledgers], None]

#: File -> what is done to it -> the object `verify` must name.
TABLE: dict[str, dict[Change, str | None]] = {
    "ledger.json": dict.fromkeys([delete, halve, empty, shorten, lengthen, put_foreign], "ledger.json"),
    "key.pub": dict.fromkeys([delete, halve, empty, shorten, lengthen, put_foreign], "key.pub"),
    "checkpoint": dict.fromkeys([delete, halve, empty, shorten, lengthen, put_back, put_foreign], "checkpoint"),
    "manifest.json": dict.fromkeys([delete, halve, empty, shorten, lengthen, put_back], "manifest.json"),
    FIRST: dict.fromkeys([delete, halve, empty, shorten, lengthen], FIRST),
    SECOND: dict.fromkeys([delete, halve, empty, shorten, lengthen], SECOND),
    "tile/1/000.p/2": dict.fromkeys([delete, halve, empty, shorten, lengthen], "tile/1/000.p/2"),
    "tile/1/000.p/3": dict.fromkeys([delete, halve, empty, shorten, lengthen], "tile/1/000.p/3"),
    # Only what the state knows of ingest shows that unsealed events are gone; a torn end alone may be a stopped writer's.
    WAL: {delete: "wal", halve: WAL, empty: "wal", shorten: WAL, lengthen: HARMLESS, put_back: "wal", put_foreign: WAL},
    # No part of the record: made again from the segment, and never believed when it does not fit.
    UIDS: {delete: HARMLESS, halve: UIDS, empty: UIDS, shorten: UIDS, lengthen: UIDS},
    INDEX: {delete: HARMLESS, halve: INDEX, empty: INDEX, shorten: INDEX, lengthen: INDEX},
    "lock": dict.fromkeys([delete, lengthen], HARMLESS),
}
CASES = [(file, change, name) for file, changes in TABLE.items() for change, name in changes.items()]


@pytest.mark.parametrize(("file", "change", "name"), CASES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_what_befalls_a_file_is_named(directory, ledgers, file, change, name):
    change(directory / file, ledgers)
    assert_found(directory, name)


def test_the_table_has_every_file(directory):
    """Whoever adds a kind of file to the ledger says here what `verify` makes of it."""
    kinds = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    others = {SECOND.replace("segments", kind).replace("parquet", kind) for kind in ("uids", "index")}
    assert kinds - others == set(TABLE)


@pytest.mark.parametrize("file", [file for file in TABLE if file != "lock"])
def test_every_flipped_byte_is_named(directory, file):
    path = directory / file
    data = path.read_bytes()
    for place in sorted({0, len(data) - 1, *range(0, len(data), max(1, len(data) // 12))}):
        altered = bytearray(data)
        altered[place] ^= 0x10
        path.write_bytes(altered)
        assert_found(directory, file)


@pytest.mark.parametrize(
    ("file", "copy", "name"),
    [
        ("ledger.json", "ledger.json.old", HARMLESS),
        ("manifest.json", "manifest.old.json", HARMLESS),
        ("checkpoint", "checkpoint.1", HARMLESS),
        ("key.pub", "other.pub", HARMLESS),
        (FIRST, "segments/copy.parquet", "segments/copy.parquet"),
        (FIRST, "segments/0000000000000900-0000000000001499.parquet", "segments/0000000000000900-0000000000001499.parquet"),
        (FIRST, "segments/0000000000000900-0000000000000919.parquet", HARMLESS),  # as a stopped seal leaves one
        (FIRST, "0000000000000000-0000000000000599.parquet", HARMLESS),
        ("tile/1/000.p/3", "tile/1/000", "tile/1/000"),
        ("tile/1/000.p/3", "tile/1/000.p/1", "tile/1/000.p/1"),
        ("tile/1/000.p/3", "tile/2/000.p/1", "tile/2/000.p/1"),
        ("tile/1/000.p/3", "tile/1/notes", "tile/1/notes"),
        (WAL, "wal/0000000000000920.wal", "wal/0000000000000920.wal"),
        (WAL, "wal/copy.wal", "wal/copy.wal"),
        (WAL, "wal/0000000000000900.wal.bak", HARMLESS),
        (UIDS, "uids/0000000000000900-0000000000000919.uids", HARMLESS),
        ("ledger.json", "notes/read.me", HARMLESS),
        ("ledger.json", "segments/.x.parquet.tmp", HARMLESS),
    ],
)  # fmt: skip
def test_a_file_that_nobody_listed_is_named_or_ignored_by_readers(directory, file, copy, name):
    before = open_ledger(directory, create=False).tables()
    (directory / copy).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(directory / file, directory / copy)
    assert_found(directory, name)
    if name is HARMLESS:
        assert copy in {remark.object for remark in check(directory).notes}
        after = open_ledger(directory, create=False).tables()
        assert (after.segments, after.recent, after.next_seq) == (before.segments, before.recent, before.next_seq)


@pytest.mark.parametrize("name", ["wal", "segments", "tile", "uids"])
def test_a_directory_that_is_gone(directory, name):
    shutil.rmtree(directory / name)
    expected = {"wal": ["wal"], "segments": [FIRST, SECOND], "tile": ["tile/1/000.p/2", "tile/1/000.p/3"]}
    assert_found(directory, *expected.get(name, [HARMLESS]))


def test_all_but_the_name_of_a_ledger_gone(directory):
    """What is left still shows that there was one: it is not made anew over it."""
    for name in ("ledger.json", "wal", "segments", "tile", "uids"):
        path = directory / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert_found(directory, "ledger.json", "wal", FIRST, SECOND)
    with pytest.raises(IntegrityError, match=r"^ledger\.json: is missing beside a ledger's manifest\.json"):
        open_ledger(directory)
    (directory / "manifest.json").unlink()
    with pytest.raises(NotFoundError):
        check(directory)


def test_a_ledger_without_its_first_file_is_no_new_one(directory):
    (directory / "ledger.json").unlink()
    for create in (True, False):
        with pytest.raises(IntegrityError, match=r"^ledger\.json: is missing beside a ledger's wal"):
            open_ledger(directory, create=create)


def test_without_the_accounts_the_end_of_the_log_is_not_known(directory):
    """What the format says cannot be told apart; see docs/reference/ledger-format.md."""
    (directory / WAL).unlink()
    report = verify(directory, key=SIGNER)
    assert (report.findings, report.events) == ((), SEALED)


def many(count: int) -> pa.RecordBatch:
    """Events that differ in their uid alone."""
    rows = events(0, 1000).take(pa.array(np.arange(count) % 1000))
    uids = pa.array([number.to_bytes(10, "big") for number in range(count)], pa.binary(10))
    place = rows.schema.names.index("uid")
    return pa.RecordBatch.from_arrays([*rows.columns[:place], uids, *rows.columns[place + 1 :]], schema=rows.schema)


def test_tiles_of_two_levels(tmp_path):
    directory = tmp_path / "ledger"
    ledger = open_ledger(directory)
    ledger.append(many(66_000))
    ledger.seal()
    tiles = {"tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"}
    assert {path.relative_to(directory).as_posix() for path in directory.glob("tile/**/*") if path.is_file()} == tiles
    assert verify(directory, key=SIGNER).findings == ()
    for name in tiles:
        (directory / name).rename(tmp_path / "kept")
        assert [(one.object, one.reason) for one in verify(directory, key=SIGNER).findings] == [(name, "is missing")]
        (tmp_path / "kept").rename(directory / name)
    shutil.rmtree(directory / "tile")
    assert {one.object for one in verify(directory, key=SIGNER).findings} == tiles


def test_the_key_that_lies_in_the_ledger(directory, tmp_path):
    key = stored_key(directory)
    assert (key.name, key.public_key) == (SIGNER.name, SIGNER.public_key)
    text = (directory / "key.pub").read_bytes()
    for altered in (b"", b"\xff", text[:-2], text.replace(b"+", b" "), text * 2, text[:-9] + b"AAAAAAA=\n"):
        (directory / "key.pub").write_bytes(altered)
        with pytest.raises(IntegrityError, match=r"^key\.pub: is not a verifier key"):
            stored_key(directory)
    (directory / "key.pub").unlink()
    with pytest.raises(IntegrityError, match=r"^key\.pub: is missing"):
        stored_key(directory)
    with pytest.raises(NotFoundError):
        stored_key(tmp_path)
    with pytest.raises(BeholdenError):
        stored_key(tmp_path / "absent")
