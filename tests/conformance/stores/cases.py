"""The same small company in every kind of store."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from tests.support.postgres import UrlBuilder

from beholden.core.config import StoreConfig
from beholden.stores import Connector, open_store

__all__ = ["BIG_ROWS", "TABLES", "Case", "make_cases"]

BIG_ROWS: Final = 60_000

#: name -> (fields with their SQL types, rows). No value is a real person's.
TABLES: Final[dict[str, tuple[dict[str, str], list[tuple[Any, ...]]]]] = {
    "people": (
        {"person_id": "integer", "name": "text", "city": "text", "score": "double precision", "note": "text"},
        [
            (
                i,
                f"Name {i}",
                ("Köln", "Łódź", "東京")[i % 3],
                i + 0.5,
                None if i % 4 else f'said "{i}", then;\nleft | ok',
            )
            for i in range(1, 301)
        ],
    ),
    "orders": (
        {"order_id": "integer", "person_id": "integer", "code": "text"},
        [(i, 1 + i % 300, f"Code-{i % 500}") for i in range(1, 1001)],
    ),
    "big": (
        {"big_id": "integer", "word": "text"},
        [
            (i, f"word {i} of a line that is as long as lines are, more or less, {'x' * (i % 200)}")
            for i in range(BIG_ROWS)
        ],
    ),
    "void": ({"a": "integer", "b": "text"}, []),
}
_KEYS: Final = {"people": "person_id", "orders": "order_id", "big": "big_id"}


@dataclass(frozen=True)
class Case:
    """A connector under test and where the tables of `TABLES` are in it."""

    kind: str
    config: StoreConfig
    paths: dict[str, str]

    def open(self, **changes: Any) -> Connector:
        return open_store(self.config, root=Path("/"), environ={}, **changes)


def make_cases(directory: Path, postgres_url: UrlBuilder) -> dict[str, Case]:
    """Write everything once; connectors only read."""
    cases = {
        "sqlite": _case("sqlite", f"sqlite:{_sqlite(directory)}", "main.{}"),
        "postgresql": _case("postgresql", _postgresql(postgres_url), "public.{}"),
    }
    writers: dict[str, Callable[[Path, list[str], list[tuple[Any, ...]]], None]] = {
        "csv": _csv,
        "jsonl": _jsonl,
        "parquet": _parquet,
    }
    for kind, write in writers.items():
        (directory / kind).mkdir()
        for name, (fields, rows) in TABLES.items():
            write(directory / kind / f"{name}.{kind}", list(fields), rows)
        cases[kind] = _case(kind, f"file:{directory / kind}", "{}." + kind)
    return cases


def _case(kind: str, url: str, pattern: str) -> Case:
    return Case(kind, StoreConfig(name="shop", url=url), {name: pattern.format(name) for name in TABLES})


def _ddl(name: str, fields: dict[str, str]) -> str:
    columns = [f"{field} {kind}" for field, kind in fields.items()]
    if name in _KEYS:
        columns.append(f"primary key ({_KEYS[name]})")
    if name == "orders":
        columns.append("foreign key (person_id) references people (person_id)")
    return f"create table {name} ({', '.join(columns)})"


def _sqlite(directory: Path) -> Path:
    path = directory / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        for name, (fields, rows) in TABLES.items():
            connection.execute(_ddl(name, fields))
            connection.executemany(f"insert into {name} values ({', '.join('?' * len(fields))})", rows)
        connection.execute("create view adults as select person_id, name from people")
        connection.commit()
    return path


def _postgresql(url: UrlBuilder) -> str:
    with psycopg.connect(url(), autocommit=True) as connection:
        connection.execute("create database shop")
        connection.execute("create role shop_reader")
    with psycopg.connect(url("shop")) as connection:
        for name, (fields, rows) in TABLES.items():
            connection.execute(_ddl(name, fields))
            with connection.cursor().copy(f"copy {name} from stdin") as copy:
                for row in rows:
                    copy.write_row(row)
        connection.execute("create view adults as select person_id, name from people")
        connection.execute("grant select on people to shop_reader")
        connection.execute("analyze")
    return url("shop")


def _csv(path: Path, fields: list[str], rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(fields)
        writer.writerows(rows)


def _jsonl(path: Path, fields: list[str], rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(dict(zip(fields, row, strict=True))) + "\n" for row in rows)


def _parquet(path: Path, fields: list[str], rows: list[tuple[Any, ...]]) -> None:
    types = TABLES[path.stem][0]
    arrow = {"integer": pa.int64(), "text": pa.string(), "double precision": pa.float64()}
    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    arrays = [pa.array(column, arrow[types[name]]) for name, column in zip(fields, columns, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, names=fields), path, row_group_size=5000)
