from __future__ import annotations

import gzip
import os

import pytest

from beholden.core.errors import ConfigError, SourceError, UsageError
from beholden.logs import FORMATS, expand, likely_format, open_log, open_reader
from beholden.logs._identity import ContentIdentity
from beholden.logs._sniff import looks_like
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
        return [path.name for path in expand(pattern, tmp_path)]

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
