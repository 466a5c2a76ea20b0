"""One specimen of every way a log can be laid out: what makes its records, and which reader reads it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pytest

from beholden.logs import LogBatch, LogContext, Reader, open_reader
from beholden.logs.mapping import parse_mapping

SECRET = "Zebedee Quux"

MAPPING = """
{head}
time_format = "epoch_ms"
[event]
time = "$.at"
actor = "$.who"
activity = {{ path = "$.op", values = {{ view = "read" }} }}
dataset = "public.$.what"
subject = "customer:$.cust"
rows = "$.n"
[skip]
"$.op" = ["ping"]
"""


def pg_message(i: int) -> str:
    """Every third statement spans lines and holds doubled quotes."""
    text = f"select *\n from customer where name = '{SECRET}' and \"id\" = {i}" if i % 3 == 0 else f"select {i}"
    quoted = '"' + text.replace('"', '""') + '"' if i % 3 == 0 else text
    return f"AUDIT: SESSION,{i},1,READ,SELECT,TABLE,public.customer,{quoted},<not logged>,{i}"


def pg_csv(i: int) -> bytes:
    message = pg_message(i).replace('"', '""')
    return (
        f'2026-11-22 12:44:35.{i % 1000:03} UTC,"{SECRET}","shop",17,"10.0.0.1:5000",6b02e3b3.2475,{i},"SELECT",'
        f'2026-11-22 12:00:00 UTC,3/1,0,LOG,00000,"{message}",,,,,,,,,"console","client backend",,0'
    ).encode()


def pg_json(i: int) -> bytes:
    record = {
        "timestamp": f"2026-11-22 12:44:35.{i % 1000:03} UTC", "user": SECRET, "dbname": "shop", "pid": 17,
        "remote_host": "10.0.0.1", "remote_port": 5000, "session_id": "6b02e3b3.2475", "line_num": i,
        "error_severity": "LOG", "message": pg_message(i), "application_name": "console",
    }  # fmt: skip
    return json.dumps(record).encode()


def ocsf(i: int) -> bytes:
    record = {
        "class_uid": 6005, "activity_id": 1, "time": 1_795_351_475_000 + i, "metadata": {"uid": f"u{i}"},
        "actor": {"user": {"name": SECRET}}, "table": {"name": "public.customer"}, "status_id": 1,
    }  # fmt: skip
    return json.dumps(record).encode()


def app(i: int) -> bytes:
    return json.dumps(
        {"at": 1_795_351_475_000 + i, "who": SECRET, "op": "view", "what": "customer", "cust": i, "n": 1}
    ).encode()


def app_csv(i: int) -> bytes:
    return f'{1_795_351_475_000 + i},"{SECRET}\n""Zeb""",view,customer,{i},1'.encode()


def pretty(i: int) -> bytes:
    return b"\n".join(b"    " + line for line in json.dumps(json.loads(app(i)), indent=3).encode().split(b"\n"))


@dataclass(frozen=True)
class Specimen:
    name: str
    make: Callable[[int], bytes]
    new_reader: Callable[[], Reader]
    head: bytes = b""
    between: bytes = b"\n"
    tail: bytes = b"\n"
    in_lines: bool = True  # records are lines or rows, so that a file can be cut between any two

    def log(self, records: list[bytes]) -> bytes:
        return self.head + self.between.join(records) + self.tail

    def many(self, count: int, start: int = 1) -> list[bytes]:
        return [self.make(i) for i in range(start, start + count)]

    def read(self, raw: bytes, server: str = "crm") -> Reading:
        return read_all(self.new_reader(), raw, server)


@dataclass(frozen=True)
class Reading:
    batches: list[LogBatch]

    @property
    def events(self) -> pa.Table:
        return pa.Table.from_batches([batch.events for batch in self.batches])

    @property
    def identities(self) -> list[bytes]:
        return self.events.column("identity").to_pylist() if self.batches else []

    @property
    def records(self) -> int:
        return sum(batch.records for batch in self.batches)

    @property
    def reasons(self) -> list[str]:
        return [problem.reason for batch in self.batches for problem in batch.problems]

    @property
    def mended(self) -> int:
        return sum(sum(batch.mended.values()) for batch in self.batches)


def read_all(reader: Reader, raw: bytes, server: str = "crm") -> Reading:
    """Read and hold the reader to what its border promises of every batch."""
    batches = list(reader.read(io.BytesIO(raw), LogContext(server)))
    for batch in batches:
        assert batch.records == batch.parsed + sum(batch.noise.values()) + len(batch.problems)
        assert all("Zebedee" not in problem.reason for problem in batch.problems)
        assert all(problem.record >= 1 for problem in batch.problems)
        assert batch.events.num_rows <= 8192
        assert None not in batch.events.column("identity").to_pylist()
        assert None not in batch.events.column("time").to_pylist()
    return Reading(batches)


def mapped(head: str) -> Callable[[], Reader]:
    return lambda: open_reader("mapped", mapping=parse_mapping(MAPPING.format(head=head), name="test.toml"))


SPECIMENS = [
    Specimen("pgaudit-csv", pg_csv, lambda: open_reader("pgaudit-csv")),
    Specimen("pgaudit-json", pg_json, lambda: open_reader("pgaudit-json")),
    Specimen("ocsf", ocsf, lambda: open_reader("ocsf")),
    Specimen("ocsf-array", ocsf, lambda: open_reader("ocsf"), b"[", b",\n", b"]\n", in_lines=False),
    Specimen("mapped", app, mapped("")),
    Specimen("mapped-csv", app_csv, mapped('format = "csv"'), b"at,who,op,what,cust,n\n"),
    Specimen("mapped-array", pretty, mapped('records = "$[*]"'), b"[\n", b",\n", b"\n]\n", in_lines=False),
    Specimen(
        "mapped-wrapper", pretty, mapped('records = "$.Records[*]"'),
        b'{"more": {"a": [{}]}, "Records": [\n', b",\n", b'\n], "next": "x"}\n', in_lines=False,
    ),
    Specimen("mapped-documents", pretty, mapped('records = "$"'), between=b"\n", in_lines=False),
]  # fmt: skip


@pytest.fixture(params=SPECIMENS, ids=lambda specimen: specimen.name)
def specimen(request: pytest.FixtureRequest) -> Specimen:
    value: Specimen = request.param
    return value
