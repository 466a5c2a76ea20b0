"""What a reading left open is told until the same file was read again and no less of it understood."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.support.estate import Rooms, rooms_in
from tests.support.ledger import NOW
from tests.support.small_estate import audit_lines

from beholden.core.errors import SourceError
from beholden.ledger.readings import note_directories
from beholden.logs import open_reader
from beholden.state.ingests import ingest_rows, start_ingest

GARBAGE = "\n".join(f"no record at all, number {i}" for i in range(3)) + "\n"


@pytest.fixture
def rooms(tmp_path):
    with rooms_in(tmp_path) as made:
        yield made


def read(rooms: Rooms, name: str, format_: str = "pgaudit-csv", log: str = "audit") -> None:
    rooms.ingest(open_reader(format_), path=rooms.directory / name, log=log)


def left(rooms: Rooms) -> list[tuple[str, int]]:
    """Files with what is still open of them: records, and readings that were stopped."""
    return [
        (Path(row.file).name, sum(row.not_understood.values()) + sum(row.mended.values()))
        for row in ingest_rows(rooms.state)
        if row.unsettled
    ]


def test_rotation_hides_nothing(rooms: Rooms):
    path = rooms.directory / "audit.csv"
    path.write_text(audit_lines(5) + GARBAGE)
    read(rooms, "audit.csv")
    assert left(rooms) == [("audit.csv", 3)]
    path.write_text(audit_lines(20, first=100))  # moved away or copied and cut: another file lies there
    read(rooms, "audit.csv")
    assert left(rooms) == [("audit.csv", 3)]
    path.write_text("")
    read(rooms, "audit.csv")
    assert left(rooms) == [("audit.csv", 3)]


def test_the_same_header_makes_no_file_the_same(rooms: Rooms):
    """Files of one application begin alike; only the records tell them apart."""
    header = ",".join(f"a column of the application number {i}" for i in range(300)) + "\n"
    path = rooms.directory / "audit.csv"
    path.write_text(header + audit_lines(5) + GARBAGE)
    read(rooms, "audit.csv")
    path.write_text(header + audit_lines(9, first=100))
    read(rooms, "audit.csv")
    assert [name for name, _ in left(rooms)] == ["audit.csv"] * 2


def test_a_file_that_grew_is_read_in_place_of_what_it_was(rooms: Rooms):
    path = rooms.directory / "audit.csv"
    for count in (1, 40, 3000):
        path.write_text(audit_lines(count)[:-40])  # the last record is still being written
        read(rooms, "audit.csv")
        assert left(rooms) == [("audit.csv", 1)]
    path.write_text(audit_lines(3000))
    read(rooms, "audit.csv")
    assert left(rooms) == []


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("count", [3, 3000])
def test_a_file_that_was_moved_is_the_same(rooms: Rooms, count, packed):
    path = rooms.directory / "audit.csv"
    path.write_text(audit_lines(count)[:-40])
    read(rooms, "audit.csv")
    whole = audit_lines(count).encode()
    (rooms.directory / "audit.csv.1").write_bytes(gzip.compress(whole) if packed else whole)
    path.write_text(audit_lines(2, first=9000))
    read(rooms, "audit.csv")
    assert left(rooms) == [("audit.csv", 1)]
    read(rooms, "audit.csv.1")
    assert left(rooms) == []


def test_a_file_that_is_gone_from_its_place_is_found_at_another(rooms: Rooms):
    (rooms.directory / "audit.csv").write_text(audit_lines(9)[:-40])
    read(rooms, "audit.csv")
    (rooms.directory / "audit.csv").rename(rooms.directory / "audit.csv.1")
    read(rooms, "audit.csv.1")
    assert left(rooms) == [("audit.csv.1", 1)]


def test_two_files_that_hold_the_same_are_two(rooms: Rooms):
    for name in ("a.csv", "b.csv"):
        (rooms.directory / name).write_text(GARBAGE)
        read(rooms, name)
    assert [name for name, _ in left(rooms)] == ["a.csv", "b.csv"]


def test_the_same_file_in_another_log_settles_nothing(rooms: Rooms):
    (rooms.directory / "audit.csv").write_text(audit_lines(2) + GARBAGE)
    read(rooms, "audit.csv")
    (rooms.directory / "audit.csv").write_text(audit_lines(2) + GARBAGE.replace("no record", '"'))
    read(rooms, "audit.csv", log="other")
    assert left(rooms)[0] == ("audit.csv", 3)


def test_a_wrong_format_is_put_right_and_puts_nothing_right(rooms: Rooms):
    (rooms.directory / "audit.csv").write_text(audit_lines(99) + GARBAGE)
    read(rooms, "audit.csv", "ocsf")
    wrong = left(rooms)
    assert len(wrong) == 1
    read(rooms, "audit.csv")
    assert left(rooms) == [("audit.csv", 3)]
    read(rooms, "audit.csv", "ocsf")
    assert left(rooms) == [("audit.csv", 3), *wrong]
    read(rooms, "audit.csv")
    assert left(rooms) == [("audit.csv", 3)]


def test_what_remains_of_a_file_settles_nothing_of_the_rest(rooms: Rooms):
    (rooms.directory / "audit.csv").write_text(audit_lines(900) + GARBAGE)
    read(rooms, "audit.csv")
    (rooms.directory / "audit.csv").write_text(audit_lines(400))
    read(rooms, "audit.csv")
    assert left(rooms) == [("audit.csv", 3)]


def test_a_reading_that_was_killed_is_made_good_by_a_whole_one_of_that_file_only(rooms: Rooms):
    path = rooms.directory / "audit.csv"
    path.write_text(audit_lines(400))
    read(rooms, "audit.csv")
    (done,) = ingest_rows(rooms.state)
    start_ingest(
        rooms.state, log="audit", source="crm", file=str(path), format_="pgaudit-csv", now=NOW, head=done.head,
        head_bytes=done.head_bytes,
    )  # fmt: skip
    assert left(rooms) == [("audit.csv", 0)]
    path.write_text(audit_lines(600, first=1000))
    read(rooms, "audit.csv")
    assert left(rooms) == [("audit.csv", 0)]
    path.write_text(audit_lines(500))
    read(rooms, "audit.csv")
    assert left(rooms) == []


def test_a_file_that_could_not_be_opened_counts_until_it_can(rooms: Rooms):
    read(rooms, "audit.csv")
    assert left(rooms) == [("audit.csv", 1)]
    read(rooms, "audit.csv")
    assert left(rooms) == [("audit.csv", 1)]
    (rooms.directory / "other.csv").write_text(audit_lines(3))
    read(rooms, "other.csv")
    assert left(rooms) == [("audit.csv", 1)]
    (rooms.directory / "audit.csv").write_text(audit_lines(3))
    read(rooms, "audit.csv")
    assert left(rooms) == []


def test_a_directory_that_could_not_be_read_counts_until_it_can(rooms: Rooms):
    shut, other = rooms.directory / "shut", rooms.directory / "other"
    shut.mkdir()
    error = SourceError("log directory shut", "cannot be read (Permission denied)")

    def note(*directories: Path, log: str = "audit") -> list[tuple[str, int]]:
        unread = dict.fromkeys(directories, error)
        note_directories(rooms.state, log=log, source="crm", format_="pgaudit-csv", unread=unread, now=NOW)
        return left(rooms)

    assert note() == []
    assert note(shut) == [("shut", 1)]
    assert note(shut, other) == [("shut", 1), ("other", 1)]
    assert note(log="console") == [("shut", 1), ("other", 1)]
    assert note() == [("other", 1)]  # gone: what it held was never read
    other.mkdir()
    (other / "a.csv").write_text(audit_lines(1))
    read(rooms, "other/a.csv")
    assert left(rooms) == [("other", 1)]
    assert note() == []


def test_how_a_file_begins_is_kept_in_no_form_that_could_be_guessed(rooms: Rooms):
    (rooms.directory / "audit.csv").write_text("quillfeather\n")
    read(rooms, "audit.csv")
    (row,) = ingest_rows(rooms.state)
    assert (row.head, row.head_bytes) == (rooms.vault.keyed_hash("log-head", [b"quillfeather\n"])[0].hex(), 13)
    rooms.state.close()
    for path in rooms.directory.glob("state.db*"):
        assert b"quillfeather" not in path.read_bytes()
