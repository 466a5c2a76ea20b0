"""A company of each preset: what its logs, feeds and truth say is what its stores hold, in its own words throughout."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import sqlglot
from sqlglot import exp

from beholden.core.config import Config
from beholden.core.config_file import parse_config
from beholden.core.times import parse_time
from beholden.feeds import open_feed
from beholden.logs import LogContext, load_mapping, open_log, open_reader
from beholden.retailer import PRESETS, build_company
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.words import WORDS, Words

END = parse_time("2026-11-22T00:00:00Z")
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/")
_TABLE = re.compile(
    r"\b(?:from|join|into|update|table(?: if exists)?|copy|rename to)\s+(?:public\.)?`?([a-z]\w*)", re.IGNORECASE
)
_MADE = re.compile(r"\b(?:create table|rename to|with)\s+([a-z]\w*)", re.IGNORECASE)
_AUDIT_QUERY = re.compile(r",QUERY,(\w+),'((?:[^'\\\n]|\\.)*)',0$", re.MULTILINE)


@dataclass(frozen=True)
class Built:
    """One company on disk."""

    words: Words
    directory: Path

    @cached_property
    def config(self) -> Config:
        return parse_config((self.directory / "beholden.toml").read_text(encoding="utf-8"), self.directory)

    @cached_property
    def tables(self) -> dict[str, dict[str, list[str]]]:
        """Columns by store and table."""
        found: dict[str, dict[str, list[str]]] = {}
        for path in (self.directory / "stores").glob("*.db"):
            with closing(sqlite3.connect(path)) as store:
                names = [name for (name,) in store.execute("select name from sqlite_master where type = 'table'")]
                found[path.stem] = {
                    name: [row[1] for row in store.execute(f'pragma table_info("{name}")')] for name in names
                }
        return found

    @cached_property
    def customers(self) -> set[str]:
        """Ids as the CRM holds them, as texts."""
        key, table = self.words.name("customer_id"), self.words.name("customer")
        with closing(sqlite3.connect(self.directory / "stores" / f"{self.words.store('crm')}.db")) as store:
            return {str(one) for (one,) in store.execute(f"select {key} from {table}")}

    def lines(self, pattern: str) -> list[dict[str, Any]]:
        """The whole JSON lines of some logs."""
        found = []
        for path in sorted((self.directory / "logs").glob(pattern)):
            with open_log(path) as stream:
                found += [json.loads(line) for line in stream.read().decode().splitlines() if line.endswith("}")]
        return found

    @cached_property
    def statements(self) -> dict[str, set[str]]:
        """By database, every statement that did not fail, as its log has it."""
        found: dict[str, set[str]] = defaultdict(set)
        logs = self.directory / "logs"
        for path in logs.glob("*-postgresql-*.csv"):
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.reader(file):
                    if len(row) == 26 and row[13].startswith("AUDIT: "):
                        [fields] = csv.reader(io.StringIO(row[13].removeprefix("AUDIT: "), newline=""))
                        found[row[2]].add(fields[7])
        for path in logs.glob("*-audit-*.log"):
            for database, text in _AUDIT_QUERY.findall(path.read_text(encoding="utf-8")):
                found[database].add(text.replace("\\n", "\n").replace("\\'", "'").replace("\\\\", "\\"))
        for line in self.lines("*.ocsf.jsonl"):
            if line["class_uid"] == 6005 and line["status"] == "Success":
                found[line["database"]["name"]].add(line["query_info"]["query_string"])
        return found


@pytest.fixture(scope="module", params=PRESETS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    directory = tmp_path_factory.mktemp("presets") / request.param
    build_company(directory, preset=request.param, scale=0.006, days=4, seed=2, end=END, run="recall")
    return Built(WORDS[request.param], directory)


def test_every_table_that_a_statement_names_is_in_its_store_or_was_made_in_the_log(built: Built) -> None:
    words = built.words
    assert set(built.statements) == {words.store(name) for name in ("crm", "orders", "payments", "warehouse")}
    for database, texts in built.statements.items():
        plain = {_COMMENT.sub("", _LITERAL.sub("''", text)) for text in texts}
        made = {name for text in plain for name in _MADE.findall(text)}
        named = {name for text in plain for name in _TABLE.findall(text)} - {"stdin", "stdout", "set", "SET"}
        assert len(named) > 1
        assert named <= built.tables[database].keys() | made, (database, named - built.tables[database].keys() - made)


def test_every_column_that_a_simple_query_names_is_in_its_table(built: Built) -> None:
    checked = 0
    for database, texts in built.statements.items():
        mysql = database == built.words.store("orders")
        shapes = {re.sub(r"\d+|'[^']*'", "0", text): text for text in sorted(texts)}
        for text in list(shapes.values())[:250]:
            if not text.lower().startswith("select"):
                continue
            tree = sqlglot.parse_one(text, read="mysql" if mysql else "postgres")
            tables = {one.name for one in tree.find_all(exp.Table)}
            if not tables <= built.tables[database].keys():
                continue
            known = {name for table in tables for name in built.tables[database][table]}
            known |= {one.alias for one in tree.find_all(exp.Alias)}
            strange = {one.name for one in tree.find_all(exp.Column) if not one.is_star} - known
            assert not strange, text
            checked += 1
    assert checked > 60


def test_every_customer_is_called_as_in_the_crm(built: Built) -> None:
    words, customers = built.words, built.customers
    names = "|".join(map(words.name, ("customer_id", "customer_ref", "cust", "buyer", "caller")))
    compared = re.compile(rf"\b(?:{names})\s*(?:=|<>|in\s*\()\s*('?\w[\w-]*'?(?:\s*,\s*'?\w[\w-]*'?)*)", re.IGNORECASE)
    said = {
        one.strip().strip("'")
        for texts in built.statements.values()
        for text in texts
        for ids in compared.findall(text)
        for one in ids.split(",")
    }
    said = {one for one in said if re.search(r"\d\d|^\d", one)}  # the rest are columns and their aliases
    console = [dict(words.console.fields)["subject"].removeprefix("$.").split(".")]
    logs = {
        "console-*": console[0], "gateway-*": [words.name("buyer")], "accounts-*": ["account"],
    }  # fmt: skip
    found: dict[str, set[str]] = {"statements": said}
    for pattern, path in logs.items():
        for line in built.lines(pattern):
            value = line
            for key in path:
                value = value[key]
            if value is not None:
                found.setdefault(pattern, set()).add(str(value))
    for name in ("contacts", "cases", "reviews", "requests", "assignments"):
        column = pq.read_table(built.directory / "feeds" / f"{words.told(name)}.parquet")[words.name("customer_id")]
        found[name] = set(map(str, column.drop_null().to_pylist()))
    kind = words.name("customer")
    incidents = (built.directory / "truth" / "incidents.jsonl").read_text(encoding="utf-8").splitlines()
    subjects = [one for line in incidents for one in json.loads(line)["subjects"]]
    found["truth"] = {one.partition(":")[2] for one in subjects if one.startswith(f"{kind}:")}
    for place, ids in found.items():
        assert ids or place == "requests", place  # a small company has few of them
        assert ids <= customers, (place, len(ids - customers))
    stores = {f"{store}/{table}" for store, tables in built.tables.items() for table in tables}
    databases = [one for one in subjects if one.partition("/")[0] in built.tables]
    assert databases
    assert stores.issuperset(databases)


def test_copies_and_grants_are_about_what_is_there(built: Built) -> None:
    lines = (built.directory / "truth" / "copies.jsonl").read_text(encoding="utf-8").splitlines()
    for copy in map(json.loads, lines):
        assert (built.directory / copy["place"]).is_file()
        store, _, path = copy["source"].partition("/")
        assert path.partition(".")[2] in built.tables[store]
    granted = pq.read_table(built.directory / "feeds" / "grants.parquet")["object"].to_pylist()
    named = [one.split("/") for one in granted if one.split("/")[0] in built.tables]
    for store, name in named:
        assert name.endswith("*") or name in built.tables[store], (store, name)
        assert not name.endswith("*") or any(one.startswith(name[:-1]) for one in built.tables[store])


def test_its_configuration_names_what_there_is(built: Built) -> None:
    config = built.config
    declared = {store.name for store in config.store}
    for log in config.log:
        assert log.store is None or log.store in declared
        mapping = load_mapping(config.path(log.mapping)) if log.mapping else None
        records = 0
        for path in config.root.glob(log.path):
            with open_log(path) as stream:
                raw = io.BytesIO(stream.read())
            for batch in open_reader(log.format, mapping=mapping).read(raw, LogContext(log.server or log.name)):
                records += batch.records
                stores = set(batch.events["store"].to_pylist()) - {None, "aws"}
                assert stores <= declared
        assert records, log.name
    for feed in config.feed:
        assert sum(batch.num_rows for batch in open_feed(feed, root=config.root).intervals()) >= 0


#: Words of the contract, not of the company: kinds of feeds, classes of data.
_OURS = re.compile(r'^(?:kind = "(?:seller|contact)"|only_here = .*)$', re.MULTILINE)


def test_no_word_of_the_retailers_stands_in_the_files_of_others(built: Built) -> None:
    words = built.words
    own = {one for _, said in (*words.parts, *words.whole, *words.stores) for one in re.findall("[a-z]+", said.lower())}
    foreign = {name for name, _ in words.parts} | {name for name, _ in words.whole if "_" not in name}
    foreign = foreign - own
    if words.is_first:
        assert not foreign
        return
    texts: dict[str, str] = {}
    for path in sorted(built.directory.rglob("*")):
        place = path.relative_to(built.directory).as_posix()
        if place.startswith("truth") or path.is_dir():
            continue
        texts[f"name of {place}"] = place
        if path.suffix == ".parquet":
            texts[place] = " ".join(pq.read_schema(path).names) if place.startswith("feeds") else ""
        elif place.startswith("feeds") or (path.suffix == ".csv" and place.startswith("exports")):
            texts[place] = path.read_text(encoding="utf-8").partition("\n")[0]
        elif path.suffix != ".db":
            with open_log(path) as stream:
                texts[place] = stream.read().decode(errors="replace")
    for store, tables in built.tables.items():
        texts[f"schema of {store}"] = " ".join(name for table, names in tables.items() for name in (table, *names))
    texts["beholden.toml"] = _OURS.sub("", texts["beholden.toml"])
    for place, text in texts.items():
        plain = re.sub(r"\\u00[c-f][0-9a-f]", "é", text)  # a name's letter as JSON has it
        plain = re.sub(r"(?:\b|\\n)order(?:\s|\\n)+by\b", "", plain, flags=re.IGNORECASE)
        said = {one.lower() for one in re.findall(r"(?<![\u00c0-\u024f])(?:[A-Z]?[a-z]+|[A-Z]+(?![a-z]))", plain)}
        assert not said & foreign, (place, said & foreign)


@pytest.mark.parametrize("preset", PRESETS)
def test_ids_are_the_same_one_by_one_and_by_the_column(preset: str) -> None:
    form = WORDS[preset].customer
    numbers = np.array([1, 17, 99_999, 16_777_215, 16_777_216, 123_456_789])
    assert form.texts(numbers).to_pylist() == [form.text(one) for one in numbers.tolist()]
    assert form.texts(numbers[:2]).to_pylist() == form.texts(numbers).to_pylist()[:2]


def test_presets_work_otherwise() -> None:
    found = [checked_parameters(preset=one, scale=0.01, seed=1, days=2, end=END) for one in PRESETS]
    for name in ("order_hours", "weekdays_sunday_first", "contact_reasons"):
        assert len({getattr(one, name) for one in found}) == len(PRESETS)
        assert len({len(getattr(one, name)) for one in found}) == 1
