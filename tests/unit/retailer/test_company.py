from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import tomllib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholden.core.config import Config
from beholden.core.config_file import parse_config
from beholden.core.events import ACTIVITIES
from beholden.core.names import DatasetName, FieldName
from beholden.core.times import parse_time
from beholden.feeds import open_feed
from beholden.logs import LogContext, load_mapping, open_reader
from beholden.retailer import Company, build_company

END = parse_time("2026-11-22T00:00:00Z")


@dataclass(frozen=True, slots=True)
class Built:
    """A company and the CPU seconds it took."""

    company: Company
    cpu_s: float

    def __truediv__(self, name: str) -> Path:
        return self.company.directory / name

    def query(self, store: str, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self / "stores" / f"{store}.db")) as connection:
            return connection.execute(sql).fetchall()

    def lines(self, pattern: str) -> dict[str, list[str]]:
        found = {}
        for path in sorted((self / "logs").glob(pattern)):
            data = path.read_bytes()
            text = gzip.decompress(data) if path.suffix == ".gz" else data
            found[path.name] = text.decode().splitlines()
        return found

    def truth(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pq.read_table(self / "truth/events.parquet").to_pylist()
        return rows

    def incidents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self / "truth/incidents.jsonl").read_text().splitlines()]

    def config(self) -> Config:
        return parse_config((self / "beholden.toml").read_text(), self.company.directory)


@pytest.fixture(scope="module")
def meridian(tmp_path_factory: pytest.TempPathFactory) -> Built:
    began = time.process_time()
    company = build_company(tmp_path_factory.mktemp("meridian"), end=END)
    return Built(company, time.process_time() - began)


def console(meridian: Built) -> list[dict[str, Any]]:
    """Every event of the console's log that can be read, once."""
    events = {}
    for lines in meridian.lines("console-*").values():
        for line in lines:
            if line.endswith("}"):
                event = json.loads(line)
                events[event["id"]] = event
    return list(events.values())


def digest(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def luhn(number: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def test_it_is_made_in_seconds(meridian: Built) -> None:
    assert meridian.cpu_s < 6


def test_the_same_seed_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    build_company(tmp_path / "here", scale=0.001, days=3, seed=5, end=END)
    script = (
        "import sys, pathlib; from beholden.retailer import build_company;"
        f"build_company(pathlib.Path(sys.argv[1]), scale=0.001, days=3, seed=5, end={END})"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "Pacific/Chatham"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "there")], check=True, env=environment)
    assert digest(tmp_path / "here") == digest(tmp_path / "there")


def test_another_seed_gives_another_company(tmp_path: Path) -> None:
    for seed in (1, 2):
        build_company(tmp_path / str(seed), scale=0.003, days=5, seed=seed, end=END)
    one, other = digest(tmp_path / "1"), digest(tmp_path / "2")
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] == other[name]} == {"beholden.toml", "mappings/console.toml"}


def test_the_configuration_is_valid_and_all_it_names_is_there(meridian: Built) -> None:
    config = meridian.config()
    tables = {
        store: {name for (name,) in meridian.query(store, "select name from sqlite_master where type = 'table'")}
        for store in ("crm", "orders", "payments", "warehouse")
    }
    for store in config.store:
        kind, _, rest = store.url.partition(":")
        assert (config.root / rest.removeprefix("///")).exists()
        assert (kind, store.name in tables) in {("sqlite", True), ("file", False)}
    (subject,) = config.subject
    for text in (subject.key, *subject.names, *subject.emails, *subject.aliases):
        field = FieldName.parse(text)
        table = field.dataset.path.removeprefix("main.")
        columns = meridian.query(field.dataset.store, f"select name from pragma_table_info('{table}')")
        assert (field.field,) in columns
    for log in config.log:
        assert len(list(config.root.glob(log.path))) == 14
    assert [zone.name for zone in config.zone if zone.only_here] == ["cardholder"]
    assert config.ledger.retention
    assert config.ledger.retention[0].purpose


def test_the_mapping_covers_every_word_the_console_uses(meridian: Built) -> None:
    event = tomllib.loads((meridian / "mappings/console.toml").read_text())["event"]
    events = console(meridian)
    assert {e["op"] for e in events} == set(event["activity"]["values"])
    assert set(event["activity"]["values"].values()) <= set(ACTIVITIES)
    assert {e["screen"] for e in events} == set(event["store"]["values"]) == set(event["dataset"]["values"])
    assert {e["result"] for e in events} <= set(event["status"]["values"])
    for screen, path in event["dataset"]["values"].items():
        table = path.removeprefix("main.")
        assert meridian.query(event["store"]["values"][screen], f"select count(*) from {table}")[0][0] > 0


def test_every_line_but_the_torn_ones_is_understood_by_the_readers(meridian: Built) -> None:
    config = meridian.config()
    for log in config.log:
        mapping = load_mapping(config.path(log.mapping)) if log.mapping else None
        reader = open_reader(log.format, mapping=mapping)
        problems: list[str] = []
        identities: set[bytes] = set()
        for path in sorted(config.root.glob(log.path)):
            data = path.read_bytes()
            stream = io.BytesIO(gzip.decompress(data) if path.suffix == ".gz" else data)
            for batch in reader.read(stream, LogContext(server=log.name)):
                problems += [problem.reason for problem in batch.problems]
                identities |= set(batch.events["identity"].to_pylist())
        assert len(problems) == 1
        happened = {row["uid"] for row in meridian.truth() if row["log"] == log.name and row["file"] is not None}
        assert len(identities) == len(happened), "an event that stands in the log twice is one event"


def test_every_feed_can_be_read_with_its_columns(meridian: Built) -> None:
    config = meridian.config()
    read = {}
    for feed_config in config.feed:
        feed = open_feed(feed_config, root=config.root)
        read[feed.name] = (sum(len(batch) for batch in feed.intervals()), dict(feed.problems), dict(feed.assumed))
    tickets, cases, staff = read["tickets"], read["fraud-cases"], read["staff"]
    assert tickets[0] > 1000
    assert set(tickets[1]) == {"there is no opening time"}
    assert cases[0] > 20
    assert cases[2], "the case system writes its times without a zone"
    assert staff[0] == meridian.company.staff
    assert not staff[1]


def test_events_of_the_truth_are_found_at_their_place(meridian: Built) -> None:
    lines = {**meridian.lines("console-*"), **meridian.lines("*.ocsf.jsonl")}
    truth = meridian.truth()
    for row in truth:
        if row["file"] is not None:
            line = json.loads(lines[row["file"]][row["record"] - 1])
            assert row["uid"] == (line.get("id") or line["metadata"]["uid"])
    placed = {(row["file"], row["record"]) for row in truth if row["file"] is not None}
    rest = [line for name, all_ in lines.items() for n, line in enumerate(all_, 1) if (name, n) not in placed]
    assert len(rest) == 3, "one torn line in each log"
    assert not any(line.endswith("}") for line in rest)


def test_the_logs_are_as_untidy_as_they_should_be(meridian: Built) -> None:
    truth = [row for row in meridian.truth() if row["log"] == "console"]
    written = [row["uid"] for row in truth if row["file"] is not None]
    assert 0.01 < 1 - len(set(written)) / len(written) < 0.03
    lost = [row for row in truth if row["file"] is None]
    start, end = meridian.company.gap.start, meridian.company.gap.end
    assert lost
    assert all(start <= row["time"].timestamp() * 1e6 < end for row in lost)
    seen = sorted(e["ts"] for e in console(meridian))
    assert not any("2026-11-15T13:00" <= ts < "2026-11-15T17:00" for ts in seen)
    late = sum(1 for name, lines in meridian.lines("console-*").items() for line in lines
               if line.endswith("}") and json.loads(line)["ts"][:10].replace("-", "") not in name)  # fmt: skip
    assert late > 0, "some lines stand in the file of a later day"


def test_flows_balance(meridian: Built) -> None:
    company = meridian.company
    views = [row for row in meridian.truth() if row["log"] == "console"]
    in_window = meridian.query("orders", "select count(*) from orders where ordered_at >= '2026-11-08'")[0][0]
    assert 0.04 <= company.contacts / in_window <= 0.07
    assert len({row["uid"] for row in views}) == company.console_events
    assert 3.0 < company.console_events / company.contacts < 3.8
    second = sum(row["label"] == "benign:second_customer" for row in views)
    assert 0.02 < second / len(views) < 0.05


def test_nine_in_ten_views_have_a_documented_reason(meridian: Built) -> None:
    intervals: dict[tuple[str, int], list[tuple[Any, Any]]] = {}
    for file, actor in (("contacts", "agent_id"), ("cases", "investigator")):
        for row in pq.read_table(meridian / "feeds" / f"{file}.parquet").to_pylist():
            opened, closed = (t and t.replace(tzinfo=None).isoformat() for t in (row["opened_at"], row["closed_at"]))
            if opened:
                intervals.setdefault((row[actor], row["customer_id"]), []).append((opened, closed or "9"))
    events = console(meridian)
    explained = sum(
        any(opened <= e["ts"] < closed for opened, closed in intervals.get((e["user"]["login"], e["cust_id"]), []))
        for e in events
    )
    assert 0.90 <= explained / len(events) <= 0.945


def test_incidents_look_like_everything_else_but_have_no_reason(meridian: Built) -> None:
    incidents = meridian.incidents()
    by_kind = {incident["kind"]: incident for incident in incidents}
    assert set(by_kind) == {"card_export", "celebrity_spike", "personal_lookup"}
    events = {e["id"]: e for e in console(meridian)}
    contacts = pq.read_table(meridian / "feeds/contacts.parquet").to_pylist()
    spike = [events[uid] for uid in by_kind["celebrity_spike"]["event_uids"]]
    assert {f"customer:{e['cust_id']}" for e in spike} == {meridian.company.demo_subject}
    assert len({e["user"]["login"] for e in spike}) >= 3
    for event in spike:
        served = [
            c for c in contacts if (c["agent_id"], c["customer_id"]) == (event["user"]["login"], event["cust_id"])
        ]
        assert not any(c["opened_at"] and c["opened_at"].isoformat()[:19] <= event["ts"][:19] <= c["closed_at"].isoformat()
                       for c in served)  # fmt: skip
    assert set(spike[0]) == set(next(e for e in events.values() if e["id"] not in by_kind))
    surname_of = dict(
        line.split(",")[1:3] for line in (meridian / "feeds/staff.csv").read_text(encoding="utf-8").splitlines()
    )
    for incident in (i for i in incidents if i["kind"] == "personal_lookup"):
        (actor,), (subject,) = incident["actors"], incident["subjects"]
        number = int(subject.partition(":")[2])
        (last_name,) = meridian.query("crm", f"select last_name from customer where customer_id = {number}")[0]
        assert surname_of[actor].endswith(f" {last_name}")
        assert not any(c["customer_id"] == number for c in contacts)
        assert 1 <= len(incident["event_uids"]) <= 3


def test_the_card_table_left_its_zone(meridian: Built) -> None:
    name = DatasetName.parse(meridian.company.demo_dataset)
    table = name.path.removeprefix("main.")
    assert table == "marketing_export_2026"
    copied = meridian.query(name.store, f"select card_number from {table}")
    held = {number for (number,) in meridian.query("payments", "select pan from card")}
    assert len(copied) > 0.3 * len(held)
    assert {number for (number,) in copied} <= held
    incident = next(i for i in meridian.incidents() if i["kind"] == "card_export")
    sql = [json.loads(line) for lines in meridian.lines("*.ocsf.jsonl").values() for line in lines if line[-1] == "}"]
    of_it = {e["metadata"]["uid"]: e for e in sql if e["metadata"]["uid"] in incident["event_uids"]}
    assert {e["database"]["name"] for e in of_it.values()} == {"payments", "warehouse"}
    assert len({e["actor"]["user"]["name"] for e in of_it.values()}) >= 3
    texts = [e["query_info"]["query_string"] for e in sql]
    assert not any(re.search(r"\d{13}", text) for text in texts), "no card number stands in a statement"
    assert 0 < sum("table" not in e for e in sql) < 0.3 * len(sql)


def test_card_numbers_are_valid_and_only_for_testing(meridian: Built) -> None:
    numbers = [number for (number,) in meridian.query("payments", "select pan from card")]
    assert all(len(number) == 16 and luhn(number) for number in numbers)
    assert {number[:6] for number in numbers} <= {
        "411111", "424242", "400005", "401288", "555555", "510510", "520082", "222300", "601111", "353011",
    }  # fmt: skip
    tracking = [number for (number,) in meridian.query("warehouse", "select tracking_number from shipment")]
    assert all(len(number) == 16 for number in tracking)
    assert 0.09 < np.mean([luhn(number) for number in tracking]) < 0.11, "parcels pass the check by chance alone"


def test_nobody_can_be_reached(meridian: Built) -> None:
    rows = meridian.query("crm", "select email, phone from customer")
    assert all(re.fullmatch(r"[a-z0-9._]+@(example\.(com|org|net)|(mail|post|inbox)\.example)", e) for e, _ in rows)
    fiction = r"\+1 \d{3}-555-01\d\d|\+44 7700 900\d{3}|\+44 20 7946 0\d{3}|\+49 30 23125\d{3}|\+33 6 39 98 \d\d \d\d"
    assert all(re.fullmatch(fiction, phone) for _, phone in rows)


def test_some_share_an_address_and_most_of_them_a_name(meridian: Built) -> None:
    sql = "select count(*), count(distinct last_name) from customer group by street, postal_code, city having count(*) > 1"
    shared = meridian.query("crm", sql)
    assert 0.11 < sum(count for count, _ in shared) / meridian.company.customers < 0.14
    assert sum(names == 1 for _, names in shared) > 0.7 * len(shared)


def test_notes_hold_addresses_of_their_customers(meridian: Built) -> None:
    rows = meridian.query("crm", "select n.body, c.email, c.phone from notes n join customer c using (customer_id)")
    personal = [email in body or phone in body for body, email, phone in rows]
    assert 0.2 < np.mean(personal) < 0.4


def test_exports_hold_a_key_and_a_file_that_cannot_be_read(meridian: Built) -> None:
    text = (meridian / "exports/support_extract.jsonl").read_text(encoding="utf-8")
    assert len(re.findall(r"\bAKIA[A-Z2-7]{16}\b", text)) == 1
    assert all(isinstance(json.loads(line), dict) for line in text.splitlines())
    assert pq.read_table(meridian / "exports/newsletter_segments.parquet").num_rows > 1000
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(meridian / "exports/newsletter_segments_old.parquet")


def test_the_sourced_laws_hold(meridian: Built) -> None:
    expected = np.array([251, 118, 66, 31, 22, 19, 36, 113, 300, 475, 628, 677, 601, 711, 625, 633, 622, 640, 573, 560,
                         608, 657, 578, 456])  # fmt: skip
    hours = meridian.query("orders", "select substr(ordered_at, 12, 2), count(*) from orders group by 1 order by 1")
    counts = np.array([count for _, count in hours])
    assert np.abs(counts / counts.sum() - expected / expected.sum()).max() < 0.004
    sold = meridian.query("orders", "select count(*) from orders group by seller_id order by 1 desc")
    shares = np.array([count for (count,) in sold]) / counts.sum()
    # 200 sellers at this scale: the law's own shares for that many.
    law = np.arange(1, 201) ** -0.74
    assert abs(shares[:20].sum() - law[:20].sum() / law.sum()) < 0.02


def test_hires_and_leavers_are_in_the_staff_list(meridian: Built) -> None:
    rows = [line.split(",") for line in (meridian / "feeds/staff.csv").read_text(encoding="utf-8").splitlines()[1:]]
    assert len({row[1] for row in rows}) == len(rows) == meridian.company.staff
    assert any(row[6] for row in rows)
    assert any(row[5] == "2026-11-08" for row in rows)
    active = {e["user"]["login"] for e in console(meridian)}
    assert not active & {row[1] for row in rows if row[6]}


def test_nothing_marks_it_as_unfinished(meridian: Built) -> None:
    assert sorted(path.name for path in meridian.company.directory.iterdir()) == [
        "beholden.toml", "exports", "feeds", "logs", "mappings", "stores", "truth",
    ]  # fmt: skip
