from __future__ import annotations

import gzip
import os
import socket
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholden.core.config import StoreConfig
from beholden.core.errors import SourceError
from beholden.stores import RowCount, Shortfall, open_store


@contextmanager
def opened(url):
    with open_store(StoreConfig(name="exports", url=str(url)), root=Path("/"), environ={}) as store:
        yield store


def listed(url) -> dict[str, str | None]:
    with opened(url) as store:
        return {info.path: info.problem for info in store.datasets()}


def rows(store, path, fields=None):
    return [row for batch in store.read(path, fields) for row in batch.to_pylist()]


def test_a_directory_a_glob_and_a_file_are_stores(tmp_path):
    for name in ("a.csv", "b.CSV", "deep/er/c.csv", "deep/d.jsonl", "notes.txt", "per [cent] 100%.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"x": 1}\n' if name.endswith("jsonl") else "x\n1\n")
    assert listed(tmp_path) == {
        "a.csv": None,
        "b.CSV": None,
        "deep/d.jsonl": None,
        "deep/er/c.csv": None,
        "notes.txt": "its format is not read",
        "per [cent] 100%.csv": None,
    }
    assert set(listed(tmp_path / "*.csv")) == {"a.csv", "per [cent] 100%.csv"}
    assert set(listed(tmp_path / "**/*.csv")) == {"a.csv", "deep/er/c.csv", "per [cent] 100%.csv"}
    assert set(listed(tmp_path / "deep/*/[!d].csv")) == {"er/c.csv"}
    assert set(listed(tmp_path / "per [cent] 100%.csv")) == {"per [cent] 100%.csv"}
    assert listed(tmp_path / "none*.csv") == {}
    with pytest.raises(SourceError, match=r"store exports: cannot be read \(No such file or directory\)"):
        listed(tmp_path / "gone")


NOT_REGULAR = "pipes, devices, sockets, broken or circular links"


def test_links_are_not_followed_in_circles_nor_out_of_the_store(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "o.csv").write_text("x\n1\n")
    (root / "a.csv").write_text("x\n1\n")
    (root / "link.csv").symlink_to(root / "a.csv")
    (root / "circle").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "broken.csv").symlink_to(root / "gone.csv")
    os.mkfifo(root / "pipe.csv")
    with opened(root) as store:
        assert [info.path for info in store.datasets()] == ["a.csv", "link.csv"]
        assert store.shortfalls() == (
            Shortfall("", "links to directories not followed", 2),
            Shortfall("", f"not regular files, so not read: {NOT_REGULAR}", 2),
        )
        for path in ("../outside/o.csv", "out/o.csv", str(tmp_path / "outside/o.csv"), "a.csv\0", "", "out"):
            with pytest.raises(SourceError, match="there is no such file"):
                store.count(path)


@pytest.mark.parametrize("kind", ["pipe", "device", "link to a pipe", "link to a device", "socket"])
def test_what_is_no_regular_file_is_not_waited_for(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    odd = tmp_path / "odd.csv"
    target = tmp_path / "aside" / "pipe"
    target.parent.mkdir()
    os.mkfifo(target)
    with ExitStack() as held:
        if kind == "pipe":
            os.mkfifo(odd)
        elif kind == "socket":
            held.enter_context(socket.socket(socket.AF_UNIX)).bind("odd.csv")
        elif kind == "link to a pipe":
            odd.symlink_to(target)
        else:
            odd.symlink_to("/dev/zero")
        (tmp_path / "good.csv").write_text("a\n1\n")
        with opened(tmp_path / "*.csv") as store:
            assert [info.path for info in store.datasets()] == ["good.csv"]
            assert [shortfall.count for shortfall in store.shortfalls()] == [1]
            with pytest.raises(SourceError, match=r"exports/odd\.csv: it is not a regular file"):
                store.sample("odd.csv", 5, 1)
        for place in (odd, Path("/dev/zero")) if kind == "device" else (odd,):
            assert listed(place) == {place.name: "it is not a regular file"}


def test_a_place_that_is_a_circle_of_links_or_no_possible_name_is_one_line(tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    (tmp_path / "good.csv").write_text("a\n1\n")
    assert listed(tmp_path) == {"good.csv": None}
    for place in (tmp_path / "a.csv", tmp_path / ("x" * 300), tmp_path / "good.csv" / "below"):
        with pytest.raises(SourceError, match=r"^store exports: cannot be read \("):
            listed(place)


def test_directories_nested_without_end_are_not_followed_to_it(tmp_path):
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=place)
        below = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    (tmp_path / "d" / "a.csv").write_text("a\n1\n")
    with opened(tmp_path) as store:
        assert [info.path for info in store.datasets()] == ["d/a.csv"]
        assert store.shortfalls() == (Shortfall("", "directories below 200 others not entered", 1),)


def test_directories_without_rights_are_counted(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "also").mkdir()
    (tmp_path / "also" / "closed").mkdir(mode=0)
    scandir = os.scandir

    def guarded(path):  # root may read every directory: for it the system's refusal is played
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with opened(tmp_path) as store:
        assert list(store.datasets()) == []
        (shortfall,) = store.shortfalls()
    assert (shortfall.reason, shortfall.count, shortfall.rows) == ("directories that may not be read", 2, True)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("zipped", [False, True])
def test_delimiters_encodings_and_gzip_are_found_out(tmp_path, delimiter, encoding, zipped):
    text = f'id{delimiter}name{delimiter}"a, b; c"\r\n007{delimiter}Zoë{delimiter}"x\r\ny"\r\n'
    data = ("\ufeff" + text if encoding == "utf-16-be" else text).encode(encoding)
    path = tmp_path / ("p.csv.gz" if zipped else "p.csv")
    path.write_bytes(gzip.compress(data) if zipped else data)
    with opened(tmp_path) as store:
        assert rows(store, path.name) == [{"id": "007", "name": "Zoë", "a, b; c": "x\r\ny"}]
        assert store.count(path.name) == store.sample(path.name, 5, 1).num_rows == 1


def test_latin_1_far_behind_utf_8_is_read_too(tmp_path):
    (tmp_path / "p.csv").write_bytes(b"a\n" + b"plain\n" * 400_000 + "Zoë".encode() + b"\nZo\xeb\n")
    with opened(tmp_path) as store:
        *_, last = store.read("p.csv")
        assert last.column("a").to_pylist()[-2:] == ["Zoë", "Zoë"]


def test_ragged_rows_are_left_out_and_counted(tmp_path):
    (tmp_path / "p.csv").write_text('a,b,a,\n1,2,3,4\n1,2\n\n1,2,3,4,5\n"",,x,\n')
    with opened(tmp_path) as store:
        assert rows(store, "p.csv") == [
            {"a": "1", "b": "2", "a_2": "3", "column_4": "4"},
            {"a": "", "b": None, "a_2": "x", "column_4": None},
        ]
        assert store.count("p.csv") == 2
        store.sample("p.csv", 5, 1)
        assert store.shortfalls() == (Shortfall("p.csv", "rows with another number of fields than the header", 2),)


def test_values_stay_the_text_they_are(tmp_path):
    values = ["007", "1e5", "true", "NULL", "2020-02-29", "+49 30 1", " x ", "1.10", "NaN"]
    (tmp_path / "p.csv").write_text("v,w\n" + "".join(f"{value},\n" for value in values))
    (tmp_path / "p.jsonl").write_text(
        '{"v": 1.10, "w": 12345678901234567890123, "x": true, "y": null, "z": [1.50, {"k": "é"}]}\n'
    )
    with opened(tmp_path) as store:
        assert [row["v"] for row in rows(store, "p.csv")] == values
        assert rows(store, "p.jsonl") == [
            {"v": "1.10", "w": "12345678901234567890123", "x": "true", "y": None, "z": '["1.50",{"k":"é"}]'}
        ]


def test_json_lines_that_are_none_are_left_out_and_late_fields_are_read(tmp_path):
    lines = ['{"a": 1}'] * 40_000 + ["not json", "[1]", '{"late": {"x": {"y": 2}, "e": {}}}', "", '{"a": "cut sho']
    (tmp_path / "p.ndjson").write_text("\n".join(lines))
    with opened(tmp_path) as store:
        batches = list(store.read("p.ndjson"))
        assert batches[-1].to_pylist()[-1] == {"a": None, "late$.x.y": "2", "late$.e": "{}"}
        assert store.count("p.ndjson") == sum(batch.num_rows for batch in batches) == 40_001
        assert store.shortfalls() == (Shortfall("p.ndjson", "lines that are not a JSON object", 3),)
        assert [row["late$.x.y"] for row in rows(store, "p.ndjson", ["late$.x.y"])][-1] == "2"


def test_very_deep_json_ends(tmp_path):
    deep = '{"a":' * 40 + "1" + "}" * 40
    (tmp_path / "p.jsonl").write_text(deep + "\n" + '{"b":' * 100_000 + "1" + "}" * 100_000 + "\n")
    with opened(tmp_path) as store:
        (row,) = rows(store, "p.jsonl")
        assert len(row) == 1
        assert store.shortfalls()[0].count == 1


def test_parquet_structs_lists_and_odd_types(tmp_path):
    table = pa.table(
        {
            "s": pa.array(
                [{"a": {"b": 1}, "c": None}, None], pa.struct({"a": pa.struct({"b": pa.int64()}), "c": pa.string()})
            ),
            "l": [["x"], None],
            "d": pa.array(["p", "q"]).dictionary_encode(),
            "n": pa.nulls(2),
            "t": pa.array([1, None], pa.timestamp("us", "UTC")),
        }
    )
    pq.write_table(table, tmp_path / "p.parquet")
    with opened(tmp_path) as store:
        (info,) = store.datasets()
        assert info.rows == RowCount(2, exact=True)
        assert [field.name for field in info.fields] == ["s$.a.b", "s$.c", "l", "d", "n", "t"]
        batch = next(store.read("p.parquet"))
        assert batch.drop_columns(["t"]).to_pylist() == [
            {"s$.a.b": 1, "s$.c": None, "l": '["x"]', "d": "p", "n": None},
            {"s$.a.b": None, "s$.c": None, "l": None, "d": "q", "n": None},
        ]
        assert [b.num_rows for b in store.find("p.parquet", "s$.a.b", ["1"])] == [1]


PARQUET = b"PAR1" + b"Jane Roe" * 100


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("p.parquet", b"Jane Roe,1\n", "not a Parquet file"),
        ("p.parquet", PARQUET, "it is damaged or not of the format that its name says"),
        ("p.parquet.gz", b"x", "its format is not read"),
        ("p.csv", PARQUET, "a binary file, not text"),
        ("p.csv", "Jane,Roe\n1,2\n".encode("utf-16-le"), "a binary file, or UTF-16 without its byte order mark"),
        ("p.csv.gz", gzip.compress(b"Jane,Roe\n" * 9)[:25], "its gzip stream is cut short or damaged"),
        ("p.jsonl", b'[\n{"name": "Jane Roe"}]\n', "a JSON list; expected one JSON object a line"),
        (
            "p.json",
            b'{\n"name": "Jane Roe"}\n',
            "no line of its beginning is a JSON object; expected one JSON object a line",
        ),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_listed_with_the_problem(tmp_path, name, content, problem):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.csv").write_text("a\n1\n")
    assert listed(tmp_path) == {"good.csv": None, name: problem}
    if name.startswith("p.json"):
        return  # a reading of it gives no rows and counts the lines
    with opened(tmp_path) as store, pytest.raises(SourceError, match=f"dataset exports/{name}: ") as raised:
        list(store.read(name))
    assert "Roe" not in str(raised.value)


def test_a_gzip_stream_cut_short_gives_its_beginning_and_then_one_line(tmp_path):
    lines = "".join(f'{{"a": {i}}}\n' for i in range(200_000))
    (tmp_path / "p.jsonl.gz").write_bytes(gzip.compress(lines.encode())[:-20_000])
    with opened(tmp_path) as store:
        reading = store.read("p.jsonl.gz", ["a"])
        assert next(reading).num_rows == 8192
        with pytest.raises(SourceError, match="its gzip stream is cut short or damaged"):
            list(reading)


def test_a_long_row_is_read_once_and_so_are_those_around_it(tmp_path):
    with (tmp_path / "p.csv").open("w") as file:
        file.write("id,text\n")
        file.writelines(f"{i},{'x' * (3_000_000 if i == 30_000 else 100)}\n" for i in range(40_000))
    with opened(tmp_path) as store:
        found = rows(store, "p.csv")
    assert [int(row["id"]) for row in found] == list(range(40_000))
    assert len(found[30_000]["text"]) == 3_000_000


def test_an_empty_file_has_no_rows(tmp_path):
    for name in ("p.csv", "p.jsonl"):
        (tmp_path / name).write_text("")
    with opened(tmp_path) as store:
        for info in store.datasets():
            assert (info.fields, info.problem) == ((), None)
            assert store.count(info.path) == store.sample(info.path, 5, 1).num_rows == 0
            assert list(store.read(info.path)) == []


def test_a_large_file_with_line_breaks_in_values_is_sampled_by_whole_rows(tmp_path):
    with (tmp_path / "p.csv").open("w") as file:
        file.write("id,text,end\n")
        file.writelines(f'{i},"one\ntwo {i}",E\n' if i % 9 == 0 else f"{i},{'x' * 150},E\n" for i in range(80_000))
    with opened(tmp_path) as store:
        sample = store.sample("p.csv", 1000, 1)
        assert sample.num_rows == 1000
        assert set(sample.column("end").to_pylist()) == {"E"}
        assert all(value.isdecimal() for value in sample.column("id").to_pylist())


def test_a_large_zipped_file_is_looked_at_in_part(tmp_path, monkeypatch):
    monkeypatch.setattr("beholden.stores.files.SAMPLE_BYTES_MAX", 1_000_000)
    with gzip.open(tmp_path / "p.csv.gz", "wt", compresslevel=1) as file:
        file.write("id,text\n")
        file.writelines(f"{i},{'x' * 150}\n" for i in range(100_000))
    with opened(tmp_path) as store:
        sample = store.sample("p.csv.gz", 100, 1)
        assert sample.num_rows == 100
        assert max(int(value) for value in sample.column("id").to_pylist()) < 60_000


def test_a_format_that_is_not_read_is_told_from_a_file_that_cannot_be(tmp_path):
    (tmp_path / "README.md").write_text("# nothing to scan")
    (tmp_path / "table.parquet").write_bytes(b"no parquet")
    with opened(tmp_path) as store:
        told = {info.path: (info.problem is not None, info.unsupported) for info in store.datasets()}
    assert told == {"README.md": (True, True), "table.parquet": (True, False)}


def test_a_place_that_is_not_there_does_not_answer(tmp_path):
    with opened(tmp_path / "absent") as store, pytest.raises(SourceError, match="No such file"):
        store.test()
