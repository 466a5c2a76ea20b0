"""A small estate with a store, a log and a feed, whose people's values are planted so that tests can search for them."""

from __future__ import annotations

import csv
import io
import sqlite3
from pathlib import Path

from tests.support.command import beholden

__all__ = ["EVENTS", "PLANTED", "audit_lines", "make_estate", "make_store"]

#: Values that no message may hold: an identifier, a surname, an address, a member of staff.
PLANTED = ("71830455", "quillfeather", "vashti@", "mortimer")
#: Events in the log of `make_estate`.
EVENTS = 12


def audit_lines(count: int, *, first: int = 1, user: str = "mortimer") -> str:
    """Lines of PostgreSQL's CSV log with pgaudit: reads of one customer each."""
    text = io.StringIO()
    for number in range(first, first + count):
        message = io.StringIO()
        sql = f"select * from customer where customer_id = {71830455 + number % 50}"
        audit = ["SESSION", number, 1, "READ", "SELECT", "TABLE", "main.customer", sql, "<not logged>", 1]
        csv.writer(message).writerow(audit)
        stamp = f"2026-11-20 {number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000 UTC"
        csv.writer(text, lineterminator="\n").writerow(
            [stamp, user, "crm", 100, "10.0.0.9:5000", "aaaa.1", number, "SELECT", stamp, "3/1", 0, "LOG", "00000",
             "AUDIT: " + message.getvalue().rstrip("\r\n"), "", "", "", "", "", "", "", "", "console", "client backend",
             "", 0]
        )  # fmt: skip
    return text.getvalue()


def make_store(path: Path, *, people: int = 60) -> Path:
    """A database of customers, with a table for each letter of ``abc`` beside them."""
    database = sqlite3.connect(path)
    with database:
        database.execute("create table customer (customer_id integer primary key, first_name, last_name, email)")
        rows = [(71830455 + i, "Vashti", f"Quillfeather{i}", f"vashti@mail{i}.example") for i in range(people)]
        database.executemany("insert into customer values (?, ?, ?, ?)", rows)
        database.execute("create table product (product_id integer primary key, title)")
        database.executemany("insert into product values (?, ?)", [(i, f"thing {i}") for i in range(9)])
    database.close()
    return path


def make_estate(directory: Path, *, toml: str = "") -> Path:
    """The estate: declared, scanned, its log read and sealed; ``toml`` is what its beholden.toml begins with."""
    directory.mkdir(parents=True)
    if toml:
        (directory / "beholden.toml").write_text(toml)
    make_store(directory / "crm.db")
    (directory / "audit.csv").write_text(audit_lines(EVENTS))
    (directory / "contacts.csv").write_text(
        "ticket,agent,customer,opened,closed\nt1,mortimer,71830456,2026-11-20T00:00:00Z,2026-11-20T00:10:00Z\n"
    )
    beholden(directory, "init", ok=True)
    beholden(directory, "store", "add", "crm", "sqlite:///crm.db", ok=True)
    beholden(directory, "scan", ok=True)
    beholden(
        directory, "log", "add", "audit", "--format", "pgaudit-csv", "--path", "audit.csv", "--store", "crm", ok=True
    )
    beholden(
        directory, "feed", "add", "tickets", "contacts.csv", "--kind", "contact", "--actor", "agent",
        "--subject", "customer:customer", "--opened", "opened", "--closed", "closed", ok=True,
    )  # fmt: skip
    beholden(directory, "log", "ingest", ok=True)
    beholden(directory, "ledger", "seal", ok=True)
    return directory
