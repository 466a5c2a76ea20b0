"""What a record costs from a log file to a sealed, provable event: CPU us an event, and events a second.

python bench/ledger_ingest.py [EVENTS] [--generator SCRIPT]

EVENTS nested OCSF records (200,000 unless said; classes 6005 and 6003, 800 bytes each), made from a seed, are read from
JSON lines; as many flat ones of the same accesses from Parquet by a mapping. Each file is read twice into the same
estate, the second time as another server's record: then every person has a token already. SCRIPT is a program that is
called with a number of events and a directory and leaves Parquet files in DIRECTORY/time with the columns ts, actor_id,
actor_type, session_id, action, dataset_id, system, subject_id, case_id, rows_returned, src_ip; its events are then told
instead of made-up ones.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from beholden.core.times import system_clock
from beholden.ledger import Ed25519Signer, Ledger, verify
from beholden.ledger.ingest import Ingest, LogFile
from beholden.ledger.world import StoreView, SubjectFields, World
from beholden.logs import LogBatch, LogContext, Reader, load_mapping, open_reader
from beholden.state import open_state
from beholden.vault import MasterKey, open_vault

_FIRST = 1_760_000_000_000_000
_ACTIONS = {"read": 1, "query": 4, "list": 8, "update": 2, "export": 1, "delete": 7}
_ACTIVITIES = {"read": 2, "query": 2, "list": 2, "update": 3, "export": 2, "delete": 4}
_MAPPING = """
[event]
time = "$.ts"
uid = "$.uid"
actor = "$.actor.id"
actor_kind = { path = "$.actor.type", values = { employee = "staff", service = "service", partner_key = "partner" } }
session = "$.actor.session"
device = "$.actor.device"
ip = "$.ip"
app = "$.system"
activity = { path = "$.action", values = { list = "query", export = "export" }, default = "read" }
dataset = "public.$.dataset"
subject = "customer:$.subject"
purpose = "$.purpose"
assignment = "$.case"
rows = "$.rows"
status = "success"
"""


def make_accesses(count: int) -> Iterator[dict[str, Any]]:
    """Accesses of a busy company: 300 actors, 40 datasets, 70 % of them of one of 50,000 customers."""
    chance = random.Random(1)
    for i in range(count):
        actor = chance.randrange(300)
        yield {
            "ts": _FIRST + i * 137_000,
            "uid": f"{chance.getrandbits(128):032x}",
            "actor": f"emp-{actor:05}",
            "type": "employee" if actor < 270 else "service",
            "device": f"WS-{actor}",
            "session": f"sess-{i // 40}",
            "action": chance.choice(["read", "read", "query", "update", "export"]),
            "dataset": f"table_{chance.randrange(40)}",
            "system": chance.choice(["console", "desk", "batch"]),
            "subject": chance.randrange(50_000) if chance.random() < 0.7 else None,
            "case": f"case-{i // 5}" if chance.random() < 0.6 else None,
            "rows": chance.randrange(1, 50),
            "ip": f"10.{actor % 4}.{actor // 4}.{chance.randrange(8)}",
        }


def given_accesses(script: Path, count: int, directory: Path) -> Iterator[dict[str, Any]]:
    """The events that a script makes, as accesses."""
    subprocess.run([sys.executable, str(script), str(count), str(directory)], check=True, stdout=subprocess.DEVNULL)
    chance = random.Random(1)
    for path in sorted((directory / "time").glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(8192):
            for row in batch.to_pylist():
                yield {
                    "ts": int(row["ts"].replace(tzinfo=UTC).timestamp() * 1e6),
                    "uid": f"{chance.getrandbits(128):032x}",
                    "actor": row["actor_id"],
                    "type": row["actor_type"],
                    "device": f"WS-{row['actor_id']}",
                    "session": row["session_id"],
                    "action": row["action"],
                    "dataset": row["dataset_id"],
                    "system": row["system"],
                    "subject": row["subject_id"],
                    "case": row["case_id"],
                    "rows": row["rows_returned"],
                    "ip": "10." + ".".join(str(row["src_ip"] >> shift & 255) for shift in (16, 8, 0)),
                }


def record_of(access: dict[str, Any], place: int) -> dict[str, Any]:
    """An access as an OCSF record: of class Datastore Activity, every third of API Activity."""
    is_api = place % 3 == 2
    class_uid = 6003 if is_api else 6005
    activity = (_ACTIVITIES if is_api else _ACTIONS).get(access["action"], 1)
    is_staff = access["type"] == "employee"
    record: dict[str, Any] = {
        "metadata": {
            "version": "1.3.0",
            "uid": access["uid"],
            "product": {"name": "Access gateway", "vendor_name": "Example", "version": "7.4.1"},
            "log_name": "access",
        },
        "class_uid": class_uid, "category_uid": 6, "activity_id": activity, "type_uid": class_uid * 100 + activity,
        "severity_id": 1, "time": access["ts"] // 1000, "status": "Success", "status_id": 1,
        "actor": {
            "user": {"name": access["actor"], "uid": access["actor"], "type_id": 1 if is_staff else 4, "groups": [{"name": "desk"}]},
            "session": {"uid": access["session"], "is_remote": False},
            "app_name": access["system"],
        },
        "src_endpoint": {"ip": access["ip"], "port": 40_000 + place % 9000},
        "device": {"uid": access["device"], "hostname": access["device"].lower(), "type_id": 2},
        "query_info": {"query_result_count": access["rows"]},
    }  # fmt: skip
    if is_api:
        record["api"] = {"operation": "GetRows", "service": {"name": "crm"}, "request": {"uid": access["uid"][:16]}, "response": {"code": 200}}  # fmt: skip
        record["resources"] = [{"name": f"public.{access['dataset']}", "type": "table"}]
    else:
        record["database"] = {"name": "shop", "type_id": 1}
        record["table"] = {"name": access["dataset"], "uid": f"public.{access['dataset']}"}
    record["unmapped"] = {"case": access["case"], "purpose": "support"}
    if access["subject"] is not None:
        record["unmapped"]["subjects"] = [f"customer:{access['subject']}"]
    return record


def write_files(accesses: Iterator[dict[str, Any]], directory: Path) -> tuple[Path, Path, int]:
    """The accesses as JSON lines and as Parquet; both paths, and how many there were."""
    lines, table = directory / "ocsf.jsonl", directory / "flat.parquet"
    rows: list[dict[str, Any]] = []
    writer, count = None, 0
    with lines.open("w") as out:
        for place, one in enumerate(accesses):
            count = place + 1
            out.write(json.dumps(record_of(one, place)) + "\n")
            actor = {"id": one["actor"], "type": one["type"], "session": one["session"], "device": one["device"]}
            flat = {name: one[name] for name in ("uid", "action", "dataset", "system", "subject", "case", "rows", "ip")}
            rows.append({**flat, "actor": actor, "ts": one["ts"], "purpose": "support"})
            if len(rows) == 100_000:
                writer = _write(rows, table, writer)
                rows = []
    writer = _write(rows, table, writer)
    writer.close()
    (directory / "mapping.toml").write_text(_MAPPING)
    return lines, table, count


def _write(rows: list[dict[str, Any]], path: Path, writer: Any) -> Any:
    schema = pa.schema(
        {
            "ts": pa.timestamp("us", "UTC"), "uid": pa.string(), "action": pa.string(), "dataset": pa.string(),
            "system": pa.string(), "subject": pa.int64(), "case": pa.string(), "rows": pa.int32(), "ip": pa.string(),
            "purpose": pa.string(),
            "actor": pa.struct({name: pa.string() for name in ("id", "type", "session", "device")}),
        }
    )  # fmt: skip
    writer = writer or pq.ParquetWriter(path, schema, compression="zstd")
    writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return writer


class TimedReader:
    """A reader that counts the CPU seconds its thread spends in it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.format = reader.format
        self.cpu_s = 0.0

    def read(self, stream: BinaryIO, context: LogContext) -> Iterator[LogBatch]:
        """As the reader's."""
        batches = self._reader.read(stream, context)
        while True:
            begin = time.thread_time()
            batch = next(batches, None)
            self.cpu_s += time.thread_time() - begin
            if batch is None:
                return
            yield batch


class TimedLedger:
    """A ledger that counts the CPU seconds of the thread that appends to it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.cpu_s = 0.0

    def append(self, events: pa.RecordBatch) -> Any:
        """As the ledger's."""
        begin = time.thread_time()
        result = self._ledger.append(events)
        self.cpu_s += time.thread_time() - begin
        return result


def measure(title: str, path: Path, reader: Reader, source: str, count: int, rooms: dict[str, Any]) -> None:
    """Read a file, seal, and print what each step cost."""
    ledger: Ledger = rooms["ledger"]
    timed, appending = TimedReader(reader), TimedLedger(ledger)
    worker = Ingest(**{**rooms, "ledger": appending})
    cpu, own, wall = time.process_time(), time.thread_time(), time.perf_counter()
    account, stopped = worker.file(LogFile("bench", path, source, "crm"), timed)
    cpu, own = time.process_time() - cpu, time.thread_time() - own
    if stopped is not None or account.events_new != count:
        raise SystemExit(f"{account.events_new} of {count} events: {stopped}, {account.not_understood}")
    seal = time.process_time()
    ledger.seal()
    seal = time.process_time() - seal
    wall = time.perf_counter() - wall
    steps = {
        "read": timed.cpu_s,
        "interpret": own - timed.cpu_s,
        "append": appending.cpu_s,
        "others": max(0.0, cpu - own - appending.cpu_s),
        "seal": seal,
        "total": cpu + seal,
    }
    shown = "".join(f"{value / count * 1e6:11.2f}" for value in steps.values())
    print(f"{title:28}{shown}{count / wall:13,.0f}", flush=True)


def main(count: int, script: Path | None) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        made = make_accesses(count) if script is None else given_accesses(script, count, directory)
        lines, table, count = write_files(made, directory)
        print(f"{count:,} events; {platform.machine()}, Python {platform.python_version()}, pyarrow {pa.__version__}")
        print(f"JSON {lines.stat().st_size / count:.0f} bytes an event, Parquet {table.stat().st_size / count:.0f}")
        print(
            f"{'CPU us an event':28}{'read':>11}{'interpret':>11}{'append':>11}{'others':>11}{'seal':>11}{'total':>11}{'events/s':>13}"
        )
        view = StoreView("crm", "postgres", {}, {}, ("public",))
        world = World({"crm": view}, (SubjectFields("customer", frozenset({("crm", "public.customer", "id")})),))
        mapping = load_mapping(directory / "mapping.toml")
        signer = Ed25519Signer("bench.example/ledger", bytes(32))
        for form, path, reader in (
            ("OCSF JSON", lines, open_reader("ocsf")),
            ("Parquet", table, open_reader("mapped", mapping=mapping)),
        ):
            estate = directory / form.replace(" ", "-")
            estate.mkdir()
            with (
                open_vault(f"sqlite:///{estate}/vault.db", MasterKey(bytes(range(32))), create=True) as vault,
                open_state(f"sqlite:///{estate}/state.db", create=True) as state,
            ):
                ledger = Ledger.open(
                    estate / "ledger", estate_id="bench", origin=signer.name, signer=signer, clock=system_clock, create=True
                )  # fmt: skip
                rooms = {"state": state, "vault": vault, "ledger": ledger, "world": world, "clock": system_clock}
                measure(f"{form}, nobody known", path, reader, "first", count, rooms)
                measure(f"{form}, everybody known", path, reader, "second", count, rooms)
                report = verify(estate / "ledger", key=signer)
                print(f"{'':28}verified: {report.events:,} events, {len(report.findings)} findings")
        print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB at most in memory")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="?", default="200,000")
    parser.add_argument("--generator", type=Path)
    given = parser.parse_args()
    main(int(given.events.replace(",", "")), given.generator)
