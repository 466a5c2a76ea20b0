"""Every write may fail. Nothing acknowledged is lost, nothing unfinished stays, and one line says what happened."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.ledger import SIGNER, all_rows, events, open_ledger, uid_of
from tests.support.ledger_child import SteppingDisk

from beholden.core.errors import ReadOnlyError, SourceError
from beholden.ledger.verify import verify

ROOT = Path(__file__).parents[3]
SEAL_LINE = (
    "ledger seal: the disk is full; expected room to write. "
    "All events are kept in the write-ahead log; make room and run it again"
)


class FullDisk(SteppingDisk):
    """Fails from one step on, after writing half of what it was given; until there is room again."""

    def __init__(self, fails_at, code=errno.ENOSPC):
        super().__init__(self._fail)
        self.fails_at = fails_at
        self.code = code

    def _fail(self, step, file, data):
        if self.fails_at is not None and step >= self.fails_at:
            if file is not None:
                file.write(data[: len(data) // 2])
            raise OSError(self.code, os.strerror(self.code))


def line_of(call):
    """The one line a failing call ends with; None if it does not fail."""
    try:
        call()
    except SourceError as error:
        return error.line()
    return None


def contents(ledger):
    return [row["uid"] for row in all_rows(ledger)]


def test_append_takes_nothing_when_the_disk_is_full(tmp_path):
    for step in itertools.count():
        directory = tmp_path / str(step)
        open_ledger(directory)
        disk = FullDisk(step)
        ledger = open_ledger(directory, disk=disk)
        line = line_of(lambda ledger=ledger: ledger.append(events(0, 5)))
        if line is None:
            break
        assert line == (
            "ledger append: the disk is full; expected room to write. "
            "Nothing of this batch was taken; make room and run it again"
        )
        reader = open_ledger(directory)
        assert contents(reader) in ([], [uid_of(i) for i in range(5)])
        disk.fails_at = None
        assert ledger.append(events(0, 7)).next_seq == 7
        assert contents(reader) == [uid_of(i) for i in range(7)]
    assert step > 3


@pytest.mark.parametrize(("known", "stride"), [(0, 1), (270, 3)])
def test_seal_keeps_every_event_when_the_disk_is_full(tmp_path, known, stride):
    template = open_ledger(tmp_path / "template", segment_events_max=200)
    if known:
        template.append(events(0, known))
        template.seal()
    template.append(events(known, known + 250))
    for step in itertools.count(0, stride):
        directory = shutil.copytree(tmp_path / "template", tmp_path / str(step))
        disk = FullDisk(step)
        ledger = open_ledger(directory, segment_events_max=200, disk=disk)
        assert line_of(ledger.seal) in {None, SEAL_LINE}
        reader = open_ledger(directory)
        assert contents(reader) == [uid_of(i) for i in range(known + 250)]
        assert verify(directory, key=SIGNER).findings == ()
        failed = disk.steps >= step
        disk.fails_at = None
        assert ledger.append(events(known, known + 251)).new == 1
        ledger.seal()
        assert contents(reader) == [uid_of(i) for i in range(known + 251)]
        report = verify(directory, key=SIGNER)
        assert (report.findings, report.tree_size) == ((), known + 251)
        # Where only the re-creatable projection had no room, it is missing until another writer makes it.
        assert all(note.object.startswith("uids/") for note in report.notes)
        if not failed:
            break
        shutil.rmtree(directory)
    assert step > 20


def test_other_reasons_are_told_too(tmp_path):
    open_ledger(tmp_path)
    for code, found in [
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EFBIG, "a file-size limit is reached"),
        (errno.EIO, r"writing failed \(EIO\)"),
    ]:
        with pytest.raises(SourceError, match=found):
            open_ledger(tmp_path, disk=FullDisk(0, code)).append(events(0, 1))
    for code in (errno.EROFS, errno.EACCES, errno.EPERM):
        with pytest.raises(ReadOnlyError, match=r"^ledger: cannot be written to\. Nothing was changed\.") as caught:
            open_ledger(tmp_path, disk=FullDisk(0, code)).append(events(0, 1))
        assert caught.value.exit_code == 1
    with pytest.raises(SourceError, match=r"ledger new: the disk is full.*No ledger was made"):
        open_ledger(tmp_path / "new", disk=FullDisk(3))
    assert open_ledger(tmp_path / "new").status().events == 0


def test_a_real_limit_on_file_size_is_told_and_loses_nothing(tmp_path):
    """The limit holds for every write of the process, the Parquet writer's included."""
    open_ledger(tmp_path).append(events(0, 600))
    size = next((tmp_path / "wal").iterdir()).stat().st_size
    code = (
        "import resource, sys; from pathlib import Path; from tests.support.ledger import open_ledger\n"
        "ledger = open_ledger(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))\n"
        "ledger.seal()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(size // 4)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        "SourceError: ledger seal: a file-size limit is reached; expected room to write. All events are kept"
        in done.stderr
    )
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith((".tmp", ".parquet"))]
    assert contents(open_ledger(tmp_path)) == [uid_of(i) for i in range(600)]
    assert open_ledger(tmp_path).seal().events == 600
    assert verify(tmp_path, key=SIGNER).ok
