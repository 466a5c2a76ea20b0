"""No plain identifier of a person and no SQL literal reaches anything that is written: planted values are searched
for in every file of the estate, in every form they might take, and in everything that commands print as talk.
"""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
import sqlite3
from pathlib import Path

import pytest

from tests.acceptance.conftest import EstateUnderTest

SUBJECT = "71830455"
SURNAME = "Quillfeatherson"
EMAIL = "vashti.quillfeatherson@planted.example"
CARD = "4929100200300405"
STAFF = "mortimer.planted"
OTHER_STAFF = "ludmilla.planted"
TICKET = "TICKET-PLANTED-9917"
TOKEN = "ak-planted-55512"
ADVERSARIAL = "it''s O\\'planted"
PLANTED = [SUBJECT, SURNAME, EMAIL, CARD, STAFF, OTHER_STAFF, TICKET, TOKEN, "planted"]


def audit_line(number: int, user: str, kind: str, obj: str, sql: str, rows: int, bound: str = "<not logged>") -> str:
    message = io.StringIO()
    csv.writer(message).writerow(
        ["SESSION", number, 1, "READ" if kind == "SELECT" else "WRITE", kind, "TABLE", obj, sql, bound, rows]
    )
    row = io.StringIO()
    stamp = f"2026-11-20 10:00:{number:02d}.000 UTC"
    csv.writer(row, quoting=csv.QUOTE_MINIMAL).writerow(
        [stamp, user, "crm", 100, "10.0.0.9:5000", "aaaa.1", number, kind, stamp, "3/1", 0, "LOG", "00000",
         "AUDIT: " + message.getvalue().rstrip("\r\n"), "", "", "", "", "", "", "", "", f"console of {user}", "client backend", "", 0]
    )  # fmt: skip
    return row.getvalue().replace("\r\n", "\n")


STATEMENTS = [
    ("SELECT", f"select * from customer where customer_id = {SUBJECT}"),
    ("SELECT", f"select * from customer where last_name = '{SURNAME}' /* {STAFF} asked */"),
    ("SELECT", f"select * from customer where email in ('{EMAIL}', '{EMAIL}x') -- {SURNAME}"),
    ("UPDATE", f"update customer set email = '{EMAIL}' where customer_id = '{SUBJECT}'"),
    ("INSERT", f"insert into customer values ({SUBJECT}, 'Vashti', '{SURNAME}', '{EMAIL}')"),
    ("SELECT", f"select * from customer where last_name = '{ADVERSARIAL}'"),
    ("SELECT", f"select * from customer where last_name = '{SURNAME} unterminated"),
    ("SELECT", f"select this is not ( sql '{SURNAME}' at all {SUBJECT}"),
    ("GRANT", f'grant select on customer to "{OTHER_STAFF}"'),
    ("ALTER TABLE", f'alter table customer owner to "{STAFF}"'),
    ("SELECT", f'select last_name "for {SURNAME} please" from customer'),
    ("SELECT", f"select case when email = E'{EMAIL}' then $q${SURNAME}$q$ end from customer"),
]


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> EstateUnderTest:
    root = tmp_path_factory.mktemp("privacy")
    sources = tmp_path_factory.mktemp("sources")
    database = sqlite3.connect(sources / "crm.db")
    database.execute("create table customer (customer_id integer primary key, first_name, last_name, email)")
    people = [(int(SUBJECT), "Vashti", SURNAME, EMAIL)] + [
        (i, "Anna", f"Meier{i}", f"anna.meier{i}@planted.example") for i in range(400)
    ]
    database.executemany("insert into customer values (?, ?, ?, ?)", people)
    database.execute("create table card (customer_id integer references customer, pan text)")
    database.executemany("insert into card values (?, ?)", [(int(SUBJECT), CARD)] * 50)
    database.commit()
    database.close()
    log = "".join(audit_line(i, STAFF, kind, "main.customer", sql, 1) for i, (kind, sql) in enumerate(STATEMENTS, 1))
    sql = "select * from customer where customer_id = $1 and last_name = $2"
    log += audit_line(49, STAFF, "SELECT", "main.customer", sql, 1, f'{SUBJECT},"{SURNAME}"')
    (sources / "audit.csv").write_text(log + "a torn line about " + SURNAME)
    app = [
        {"t": "2026-11-20T11:00:00Z", "who": OTHER_STAFF, "cust": SUBJECT, "op": "view", "ticket": TICKET, "key": TOKEN,
         "note": f"called about {SURNAME}", "session": f"{OTHER_STAFF}/1", "device": f"{OTHER_STAFF}-laptop",
         "app": f"tool for {SUBJECT}", "why": f"asked by {EMAIL}"},
        {"t": "not a time", "who": OTHER_STAFF, "cust": SUBJECT, "op": "view"},
    ]  # fmt: skip
    with gzip.open(sources / "app.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(line) + "\n" for line in app)
        file.write('{"t": "2026-11-20T11:00:00Z", "who": "' + OTHER_STAFF)
    (sources / "map.toml").write_text(
        '[event]\ntime = "$.t"\nactor = "$.who"\nsubject = "customer:$.cust"\nstore = "crm"\ndataset = "main.customer"\n'
        'activity = { path = "$.op", values = { view = "read" } }\nassignment = "$.ticket"\ncredential = "$.key"\n'
        'detail = "$.note"\nsession = "$.session"\ndevice = "$.device"\napp = "$.app"\npurpose = "$.why"\n'
    )
    (sources / "contacts.csv").write_text(
        f"ticket,agent,cust,opened,closed\n{TICKET},{OTHER_STAFF},{SUBJECT},2026-11-20T10:59:00Z,2026-11-20T11:09:00Z\n"
    )
    estate = EstateUnderTest(root)
    estate.run("init")
    estate.run("store", "add", "crm", f"sqlite:///{sources / 'crm.db'}")
    talk = [estate.run("scan")]
    talk.append(estate.run("log", "ingest", "--format", "pgaudit-csv", "--store", "crm", str(sources / "audit.csv")))
    mapped = ("--format", "mapped", "--mapping", str(sources / "map.toml"), "--store", "crm")
    talk.append(estate.run("log", "ingest", *mapped, str(sources / "app.jsonl.gz")))
    feed = (
        "--kind",
        "contact",
        "--actor",
        "agent",
        "--subject",
        "customer:cust",
        "--opened",
        "opened",
        "--closed",
        "closed",
    )
    estate.run("feed", "add", "tickets", str(sources / "contacts.csv"), *feed)
    answers = (("map", "fields", "--all"), ("map", "where", "email"), ("map", "coverage"), ("log", "status"))
    talk += [estate.run(*arguments) for arguments in answers]
    talk += [estate.run("watch", "reasons"), estate.run("ledger", "seal"), estate.run("ledger", "verify")]
    estate.run("vault", "backup", str(root / "vault.backup"))
    talk.append(estate.run("who", "--subject", f"customer:{SUBJECT}", "--resolve"))
    said = "\n".join(run.err for run in talk) + "\n".join(run.out for run in talk[:3])
    (root / "said.txt").write_text(said)
    return estate


def forms(value: str) -> list[bytes]:
    plain = value.encode()
    return [
        plain,
        plain.upper(),
        value.encode("utf-16-le"),
        base64.b64encode(plain).rstrip(b"=")[:-1],
        plain.hex().encode(),
        hashlib.sha256(plain).digest(),
        hashlib.sha256(plain).hexdigest().encode(),
        hashlib.md5(plain, usedforsecurity=False).digest(),
    ]


def test_the_answers_are_right(planted):
    items = planted.run("who", "--subject", f"customer:{SUBJECT}", "--json").json()["items"]
    assert {(row["actor"], row["match"]) for row in items} >= {
        (STAFF, "named"),
        (OTHER_STAFF, "named"),
        (STAFF, "possible"),
    }


def test_no_planted_value_is_in_any_file_of_the_estate(planted):
    files = [path for path in planted.directory.rglob("*") if path.is_file() and path.name != "beholden.toml"]
    assert {"state.db", "vault.db", "manifest.json", "said.txt", "vault.backup"} <= {path.name for path in files}
    assert any(path.suffix == ".parquet" for path in files)
    found = {
        (path.relative_to(planted.directory), place)
        for path in files
        for data in [readable(path)]
        for place, value in enumerate(PLANTED)
        for form in forms(value)
        if form in data
    }
    assert found == set()


def readable(path: Path) -> bytes:
    """The file's bytes, and those of its values where it is compressed."""
    data = path.read_bytes()
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        file = pq.ParquetFile(path)
        data += repr(file.read().to_pylist()).encode() + repr(file.metadata.to_dict()).encode()
    return data


def test_no_planted_value_waits_in_the_write_ahead_log(planted, tmp_path_factory):
    """Before sealing, events lie in the write-ahead log: read it as Arrow, since its frames are compressed."""
    import pyarrow as pa

    from beholden.ledger.format import Layout
    from beholden.ledger.wal import scan_wal, wal_files

    extra = tmp_path_factory.mktemp("extra") / "more.csv"
    extra.write_text(audit_line(50, STAFF, "SELECT", "main.customer", STATEMENTS[1][1], 1))
    planted.run("log", "ingest", "--format", "pgaudit-csv", "--store", "crm", str(extra))
    estate_id = json.loads((planted.directory / ".beholden" / "ledger" / "ledger.json").read_text())["body"][
        "estate_id"
    ]
    batches = [
        batch
        for path in wal_files(Layout(planted.directory / ".beholden" / "ledger").wal)
        for batch in scan_wal(path, path.name, estate_id).batches
    ]
    text = repr(pa.Table.from_batches(batches).to_pylist())
    assert batches
    assert [place for place, value in enumerate(PLANTED) if value in text] == []
