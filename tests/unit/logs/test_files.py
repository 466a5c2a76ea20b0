from __future__ import annotations

import glob
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.command import few_rights

from beholden.core.errors import ConfigError, SourceError, UsageError
from beholden.logs import FORMATS, beginning, expand, likely_format, open_log, open_reader
from beholden.logs._identity import ContentIdentity
from beholden.logs._sniff import looks_like
from beholden.logs._source import Source
from beholden.logs.mapping import parse_mapping


def test_gzip_is_known_by_its_bytes_and_not_by_its_name(tmp_path):
    for name, raw in (("a.gz", b"plain"), ("b.csv", gzip.compress(b"packed")), ("c", b""), ("d", b"\x1f")):
        (tmp_path / name).write_bytes(raw)
    contents = []
    for name in "a.gz", "b.csv", "c", "d":
        with open_log(tmp_path / name) as stream:
            contents.append(stream.read())
    assert contents == [b"plain", b"packed", b"", b"\x1f"]


def test_gzip_of_several_members_is_read_to_the_end(tmp_path):
    (tmp_path / "a").write_bytes(gzip.compress(b"one ") + gzip.compress(b"two"))
    with open_log(tmp_path / "a") as stream:
        assert stream.read() == b"one two"


def test_what_cannot_be_opened_is_named(tmp_path):
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(SourceError, match=str(path)):
            open_log(path)


def test_patterns_are_relative_to_the_estate_and_sorted(tmp_path):
    (tmp_path / "logs" / "deep").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "c.txt", "odd[1].csv", "deep/d.csv"):
        (tmp_path / "logs" / name).write_bytes(b"")

    def names(pattern):
        return [path.name for path in expand(pattern, tmp_path).files]

    assert names("logs/*.csv") == ["a.csv", "b.csv", "odd[1].csv"]
    assert names("logs/**/*.csv") == ["a.csv", "b.csv", "d.csv", "odd[1].csv"]
    assert names("logs/odd[1].csv") == ["odd[1].csv"]
    assert names("logs/*") == ["a.csv", "b.csv", "c.txt", "odd[1].csv"]
    assert names(str(tmp_path / "logs" / "?.txt")) == ["c.txt"]


@pytest.mark.parametrize("pattern", ["absent.csv", "*.absent", "logs"])
def test_a_path_without_files_is_refused(tmp_path, pattern):
    (tmp_path / "logs").mkdir()
    with pytest.raises(SourceError, match="expected a file"):
        expand(pattern, tmp_path)


@pytest.mark.parametrize(
    "pattern",
    [
        "*", "*/*", "**", "**/*", "**/*.csv", "**/deep/*", "a/**/*.csv", "**/**/c.csv", "a**/*.csv", "?/[bc].csv",
        "a/[!b].csv", "a/[b.csv", "a/*]*", ".*", ".*/*", "**/.*", ".hidden/**", "a/./*.csv", "a/../a/*.csv", "**/a/b.csv",
        "to/*.csv", "**/to/*", "*.csv/*", "a/b.csv/*", "none/*.csv", "a/deep/*/x", "*/deep", "é/*", "A/*.csv",
    ],
)  # fmt: skip
def test_a_pattern_means_what_it_means_to_a_shell(tmp_path, pattern):
    """Where every directory can be read the answer is that of Python's glob."""
    root = tmp_path / "root"
    for name in (
        "a/b.csv", "a/c.csv", "a/[b.csv", "a/x]y", "a/deep/b.csv", "a/deep/deep/c.csv", "a/.b.csv", ".hidden/b.csv",
        ".top", "b.csv", "dir.csv/b.csv", "e/.hidden/deep/c.csv", "é/ö.csv", "line\nbreak/b.csv",
    ):  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "o.csv").write_bytes(b"")
    (root / "to").symlink_to(tmp_path / "outside")
    (root / "linked.csv").symlink_to(root / "b.csv")
    (root / "broken.csv").symlink_to(root / "gone")
    (root / "circle").symlink_to(root / "circle")
    found = map(Path, glob.glob(str(root / pattern), recursive=True))  # noqa: PTH207 - what ours is compared with
    wanted = sorted({path for path in found if path.is_file()})
    for given in (pattern, str(root / pattern)):
        if wanted:
            assert expand(given, root) == (wanted, {})
        else:
            with pytest.raises(SourceError, match="no such file"):
                expand(given, root)


def test_a_link_that_leads_back_up_is_not_followed_for_ever(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "x.csv").write_bytes(b"")
    (tmp_path / "a" / "to").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "to").symlink_to(tmp_path / "a")
    found = expand("**/*.csv", tmp_path)
    names = [str(path.relative_to(tmp_path)) for path in found.files]
    assert names == ["a/x.csv", "b/to/x.csv"]


def test_an_estate_whose_own_path_looks_like_a_pattern(tmp_path):
    (tmp_path / "[old]").mkdir()
    (tmp_path / "[old]" / "a.csv").write_bytes(b"")
    assert [path.name for path in expand("*.csv", tmp_path / "[old]").files] == ["a.csv"]


def test_a_path_with_a_null_character_is_no_file(tmp_path):
    for pattern in ("a\0b", "a\0b/*.csv"):
        with pytest.raises(SourceError, match="no such file"):
            expand(pattern, tmp_path)


CLOSED = """
import json, os, sys
from pathlib import Path
from beholden.core.errors import SourceError
from beholden.logs import expand
root = Path(sys.argv[1])
said = {}
for pattern in sys.argv[2:]:
    try:
        found = expand(pattern, root)
    except SourceError as error:
        said[pattern] = error.found
    else:
        unread = {str(path.relative_to(root)): error.line() for path, error in found.unread.items()}
        said[pattern] = [[str(path.relative_to(root)) for path in found.files], unread]
print(json.dumps(said))
"""


@pytest.fixture
def closed(tmp_path):
    """Directories without rights: ``b`` at all, ``list`` to be entered, ``enter`` to be listed; a link into ``b``."""
    for name in ("a/1.csv", "b/2.csv", "b/in/3.csv", "list/4.csv", "list/in/5.csv", "enter/6.csv", "enter/in/7.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "a" / "to.csv").symlink_to(tmp_path / "b" / "2.csv")
    modes = {"b": 0o000, "list": 0o400, "enter": 0o100}
    for name, mode in modes.items():
        (tmp_path / name).chmod(mode)
    yield tmp_path
    for name in modes:
        (tmp_path / name).chmod(0o700)


def test_directories_that_cannot_be_read_are_told(closed):
    def see(*patterns: str) -> dict[str, list[object]]:
        done = subprocess.run(
            [sys.executable, "-c", CLOSED, str(closed), *patterns],
            preexec_fn=few_rights, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return {
            pattern: [said[0], sorted(said[1])] if isinstance(said, list) else said
            for pattern, said in json.loads(done.stdout).items()
        }

    if see("b/2.csv")["b/2.csv"] == [["b/2.csv"], []]:
        pytest.skip("rights on directories do not bind this user, who cannot give them up")
    mine = ["a/1.csv", "a/to.csv"]  # opening the link says why it cannot be read
    assert see(
        "*/*.csv", "**/*.csv", "*/in/*.csv", "b/*.csv", "b/2.csv", "b/in/*.csv", "list/4.csv", "enter/6.csv",
        "enter/in/*.csv", "a/*.csv", "*.csv", "a/none*", "b*", "list/*/*.csv",
    ) == {
        "*/*.csv": [[*mine, "list/4.csv"], ["b", "enter"]],  # likewise a file in a directory that lets nobody in
        "**/*.csv": [["a/1.csv", "list/4.csv"], ["a/to.csv", "b", "enter", "list/in"]],
        "*/in/*.csv": [["enter/in/7.csv"], ["b", "list"]],
        "b/*.csv": [[], ["b"]],
        "b/2.csv": [[], ["b"]],
        "b/in/*.csv": [[], ["b"]],
        "list/4.csv": [[], ["list"]],
        "enter/6.csv": [["enter/6.csv"], []],
        "enter/in/*.csv": [["enter/in/7.csv"], []],
        "a/*.csv": [mine, []],
        "*.csv": "no such file",
        "a/none*": "no such file",
        "b*": "no such file",
        "list/*/*.csv": [[], ["list/in"]],
    }  # fmt: skip


def test_the_beginning_of_a_log_is_of_its_content_and_leaves_it_to_be_read(tmp_path):
    content = bytes(range(256)) * 200
    for name, raw in {
        "plain": content, "packed": gzip.compress(content), "members": gzip.compress(content[:99]) + gzip.compress(content[99:]),
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(raw)
        with open_log(tmp_path / name) as stream:
            assert beginning(stream) == content[: 16 * 1024]
            assert beginning(stream, 7) == content[:7]
            assert beginning(stream, 0) == b""
            assert stream.read() == content


@pytest.mark.parametrize("size", [300, 30_000])
@pytest.mark.parametrize("harm", ["cut", "checksum", "bytes"])
def test_the_beginning_of_a_damaged_log_is_what_can_be_read_of_it(tmp_path, size, harm):
    content = b"".join(b"line %d of some log\n" % i for i in range(size // 20))
    packed = bytearray(gzip.compress(content))
    if harm == "cut":
        del packed[len(packed) // 2 :]
    else:
        packed[-8 if harm == "checksum" else len(packed) // 2] ^= 0xFF
    (tmp_path / "a").write_bytes(packed)

    said = []
    for look in (False, True):
        with open_log(tmp_path / "a") as stream:
            assert not look or harm == "bytes" or content.startswith(beginning(stream))
            source = Source(stream)
            said.append((b"".join(source.chunks()), source.broken))
    assert said[0] == said[1]
    assert said[0][1] == "the compressed data is cut short or damaged"


def test_a_pipe_is_not_a_file_that_can_be_read_again(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match=r"pipe: is not a regular file .*Write it to a file first"):
        expand("pipe", tmp_path)
    with pytest.raises(SourceError, match="no such file"):
        expand("pip*", tmp_path)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SourceError, match="no such file"):
        expand("gone", tmp_path)


def test_the_likely_format_of_a_file_is_said_where_it_is_plain(tmp_path):
    record = b'\xef\xbb\xbf{"class_uid": 6005}\n'
    for name, raw in {
        "ocsf": record, "packed": gzip.compress(record), "cut": gzip.compress(record * 99)[:-20], "text": b"hello\n",
        "empty": b"",
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(raw)
    found = {path.name: likely_format(path) for path in tmp_path.iterdir()}
    assert found == {"ocsf": "ocsf", "packed": "ocsf", "cut": None, "text": None, "empty": None}
    assert likely_format(tmp_path / "absent") is None


def test_every_format_has_a_reader_and_a_description():
    mapping = parse_mapping('[event]\ntime = "$.t"\nactivity = "read"', name="x")
    for name, text in FORMATS.items():
        assert open_reader(name, mapping=mapping if name == "mapped" else None).format == name
        assert text
    with pytest.raises(UsageError, match="pgaudit-csv, pgaudit-json"):
        open_reader("syslog")
    with pytest.raises(ConfigError, match="no mapping"):
        open_reader("mapped")
    with pytest.raises(UsageError, match="takes no mapping"):
        open_reader("ocsf", mapping=mapping)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b'{"timestamp":"x","session_id":"1.2","line_num":1,"error_severity":"LOG"}\n', "pgaudit-json"),
        (b'2026-11-22 12:44:35.138 UTC,"a","b",1,"[local]",6b02e3b3.2475,1,"x"\nselect\n', "pgaudit-csv"),
        (b'[\n {"class_uid": 6005},\n {"class_uid": 6005}]', "ocsf"),
        (b'[\n {\n  "class_uid": 6005\n}]', "ocsf"),
        (b"20261122 12:22:59,vm,root,localhost,3,0,CONNECT,,,0\n", "a MariaDB server_audit log"),
        (b'1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1\n', "a web server's access log"),
        (b"2026-11-22 12:44:35.138 UTC [17] LOG:  AUDIT: SESSION,1\n", "PostgreSQL's plain-text log"),
        (b'  {"a": 1}', "JSON"),
        (b"PAR1....", "a Parquet file"),
        (b"\x1f\x8b..", "a gzip file inside a gzip file"),
        (b"abc\0def", "a binary file"),
        (b"hello", None),
        (b"", None),
    ],
)
def test_what_a_log_looks_like(head, name):
    assert looks_like(head) == name


def test_equal_records_are_told_apart_and_layout_does_not_matter():
    identity = ContentIdentity("s")
    first, second = identity.of({"a": 1, "b": 2}), identity.of({"b": 2, "a": 1})
    assert first != second
    again = ContentIdentity("s")
    assert [again.of({"b": 2, "a": 1}), again.of({"a": 1, "b": 2})] == [first, second]


def test_counting_equal_records_is_bounded_and_spans_generations(monkeypatch):
    monkeypatch.setattr("beholden.logs._identity._REMEMBERED", 4)
    identity = ContentIdentity("s")
    first = identity.of("x")
    others = {identity.of(i) for i in range(4)}
    assert identity.of("x") not in {first, *others}
    assert len(identity._new) + len(identity._old) <= 8
