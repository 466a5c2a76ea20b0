"""Records that are too long, damaged or without end: the rest is read, and what was not is said."""

from __future__ import annotations

import gzip
import json
import resource
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholden.core.config import StoreConfig
from beholden.core.errors import SourceError
from beholden.core.limits import LINE_BYTES_MAX
from beholden.stores import Shortfall, open_store

TOO_LONG_LINE = "lines longer than a record may be"
TOO_LONG_ROW = "lines in rows longer than is read, or with a quotation mark that is never closed"
PASSED_OVER = "places of a sample passed over because no row could be told there"
RAGGED = "rows with another number of fields than the header"
UNREAD = "rows in row groups that are damaged or cannot be read"


@contextmanager
def opened(place):
    with open_store(StoreConfig(name="exports", url=str(place)), root=Path("/"), environ={}) as store:
        yield store


def rows(store, path, fields=None):
    return [row for batch in store.read(path, fields) for row in batch.to_pylist()]


def told(store) -> dict[str, int]:
    return {shortfall.reason: shortfall.count for shortfall in store.shortfalls()}


def fields_of(store) -> list[str]:
    (info,) = store.datasets()
    assert info.problem is None
    return [field.name for field in info.fields]


LONG = json.dumps({"id": 0, "only": "x" * LINE_BYTES_MAX}) + "\n"
SHORT = [json.dumps({"id": i, "mail": f"m{i}"}) + "\n" for i in range(1, 101)]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("at", [0, 1, 50, 99, 100])
def test_a_json_line_that_is_too_long_is_passed_over_wherever_it_stands(tmp_path, at, zipped):
    data = "".join([*SHORT[:at], LONG, *SHORT[at:]]).encode()
    path = tmp_path / ("p.jsonl.gz" if zipped else "p.jsonl")
    path.write_bytes(gzip.compress(data, 1) if zipped else data)
    with opened(tmp_path) as store:
        assert fields_of(store) == ["id", "mail"]
        sample = store.sample(path.name, 2000, 1)
        assert sorted(map(int, sample.column("id").to_pylist())) == list(range(1, 101))
        assert sample.schema.names == ["id", "mail"]
        assert store.count(path.name) == 100
        assert [int(row["id"]) for row in rows(store, path.name)] == list(range(1, 101))
        assert store.shortfalls() == (Shortfall(path.name, TOO_LONG_LINE, 1),)


def test_a_json_file_of_which_no_line_can_be_read_is_not_an_empty_one(tmp_path):
    (tmp_path / "p.jsonl").write_text(LONG.replace("xxxxxxxx", "Jane Roe", 1) * 2)
    with opened(tmp_path) as store:
        assert fields_of(store) == []
        with pytest.raises(
            SourceError, match=rf"p.jsonl: no row of it could be read: {TOO_LONG_LINE} \(\d\)"
        ) as raised:
            store.sample("p.jsonl", 10, 1)
        assert "Roe" not in str(raised.value)
        assert store.count("p.jsonl") == 0
        assert told(store) == {TOO_LONG_LINE: 2}


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_large_file_of_lines_longer_than_a_place_is_sampled_all_the_same(tmp_path, kind):
    path = tmp_path / f"p.{kind}"
    pad = "x" * 300_000
    with path.open("w") as file:
        if kind == "csv":
            file.write("id,pad\n")
        file.writelines(f'{{"id": {i}, "pad": "{pad}"}}\n' if kind == "jsonl" else f"{i},{pad}\n" for i in range(200))
    with opened(tmp_path) as store:
        ids = [int(i) for i in store.sample(path.name, 500, 1).column("id").to_pylist()]
        assert len(ids) == len(set(ids)) > 40
        assert min(ids) < 20
        assert max(ids) > 180
        assert store.count(path.name) == 200


def test_lines_that_cost_all_of_a_sample_still_come_from_all_over_the_file(tmp_path):
    pad = "x" * 6_000_000
    with (tmp_path / "p.jsonl").open("w") as file:
        file.writelines(f'{{"id": {i}, "pad": "{pad}"}}\n' for i in range(30))
    with opened(tmp_path) as store:
        ids = [int(i) for i in store.sample("p.jsonl", 500, 1).column("id").to_pylist()]
    assert len(ids) == len(set(ids)) > 3
    assert min(ids) == 0
    assert max(ids) > 20


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("broken", ["one long value", "one long quoted value"])
@pytest.mark.parametrize("at", [0, 1, 30_000, 99_999])
def test_a_row_that_is_too_long_is_passed_over_wherever_it_stands(tmp_path, at, broken, zipped):
    long = {
        "one long value": f"7,{'Roe ' * 3_000_000},E\n",
        "one long quoted value": f'7,"{"Roe, " * 2_000_000}",E\n',
    }[broken]
    good = [f'{i},"a ""quoted"", one",E\n' if i % 7 else f'{i},"two\nlines {"x" * 600}",E\n' for i in range(100_000)]
    data = "".join(["id,text,end\n", *good[:at], long, *good[at:]]).encode()
    path = tmp_path / ("p.csv.gz" if zipped else "p.csv")
    path.write_bytes(gzip.compress(data, 1) if zipped else data)
    with opened(tmp_path) as store:
        found = rows(store, path.name)
        assert [int(row["id"]) for row in found] == list(range(100_000))
        assert {row["end"] for row in found} == {"E"}
        assert told(store) == {TOO_LONG_ROW: 1}
        assert store.sample(path.name, 500, 1).num_rows == 500
        assert store.count(path.name) == len(found)


def test_a_mark_that_nothing_closes_costs_its_own_line(tmp_path):
    good = [f"{i},{'x' * 90},E\n" for i in range(120_000)]
    (tmp_path / "p.csv").write_text("".join(["id,text,end\n", *good[:20_000], '7,"Jane Roe,E\n', *good[20_000:]]))
    with opened(tmp_path) as store:
        assert [int(row["id"]) for row in rows(store, "p.csv")] == list(range(120_000))
        assert store.shortfalls() == (Shortfall("p.csv", TOO_LONG_ROW, 1),)


def test_a_row_without_end_costs_itself_and_memory_is_bounded(tmp_path):
    with (tmp_path / "p.csv").open("wb") as file:
        file.write(b"a,b\n" + b'1,2\n1,"Jane Roe')
        file.writelines(b" and more" * 1_000_000 for _ in range(20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with opened(tmp_path) as store:
        assert rows(store, "p.csv") == [{"a": "1", "b": "2"}]
        assert store.shortfalls() == (Shortfall("p.csv", TOO_LONG_ROW, 1),)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


@pytest.mark.parametrize(
    "content", ["name,mail\nJane Roe\n", 'name,mail\n1,"Jane Roe' + "x" * 9_000_000], ids=["short", "long"]
)
def test_a_csv_file_of_which_no_row_can_be_read_is_not_an_empty_one(tmp_path, content):
    (tmp_path / "p.csv").write_text(content)
    with opened(tmp_path) as store:
        with pytest.raises(
            SourceError, match=r"p.csv: no row of it could be read: (rows|lines|places) .* \(\d+\)"
        ) as raised:
            store.sample("p.csv", 10, 1)
        assert "Roe" not in str(raised.value)
        assert store.count("p.csv") == 0


def write_parquet(path: Path, *, checksums: bool) -> None:
    table = pa.table({"id": list(range(50_000)), "text": [f"text {i}" for i in range(50_000)]})
    pq.write_table(
        table, path, row_group_size=10_000, compression="snappy", use_dictionary=False, write_page_checksum=checksums
    )


def damage(path: Path, group: int, column: int) -> None:
    chunk = pq.ParquetFile(path).metadata.row_group(group).column(column)
    data = bytearray(path.read_bytes())
    middle = chunk.data_page_offset + chunk.total_compressed_size // 2
    data[middle : middle + 2000] = bytes(255 - byte for byte in data[middle : middle + 2000])
    path.write_bytes(data)


@pytest.mark.parametrize("checksums", [False, True])
def test_a_damaged_row_group_does_not_stop_the_others(tmp_path, checksums):
    write_parquet(tmp_path / "p.parquet", checksums=checksums)
    damage(tmp_path / "p.parquet", 2, 1)
    with opened(tmp_path) as store:
        assert store.count("p.parquet") == 50_000
        ids = [row["id"] for row in rows(store, "p.parquet")]
        lost = 50_000 - len(ids)
        assert 0 < lost <= 10_000
        assert set(range(50_000)) - set(ids) <= set(range(20_000, 30_000))
        assert store.shortfalls() == (Shortfall("p.parquet", UNREAD, lost),)
        assert len(rows(store, "p.parquet", ["id"])) == 50_000  # whose pages are sound
        assert {row["id"] for row in store.sample("p.parquet", 2000, 1).to_pylist()} <= set(ids)
        assert [batch.num_rows for batch in store.find("p.parquet", "text", ["text 49999"])] == [1]


def test_a_parquet_file_of_which_no_row_can_be_read_is_not_an_empty_one(tmp_path):
    write_parquet(tmp_path / "p.parquet", checksums=True)
    for group in range(5):
        damage(tmp_path / "p.parquet", group, 0)
    with opened(tmp_path) as store:
        with pytest.raises(SourceError, match=rf"p.parquet: no row of it could be read: {UNREAD} \(50000\)"):
            store.sample("p.parquet", 10, 1)
        assert rows(store, "p.parquet") == []
        assert store.shortfalls() == (Shortfall("p.parquet", UNREAD, 50_000),)
