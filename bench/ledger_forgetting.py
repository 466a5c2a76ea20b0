"""What forgetting people costs and what it reaches: 1,000 customers of Meridian, robbed before and after.

python -m bench.ledger_forgetting [--people N] [--scale S] [--days N] [--vault N]

Makes a company, reads its logs, takes proofs of every event that names one of the people, forgets them in one call and
attacks with all that a thief would have; then measures the call on a vault of a million. Each attack is made before as
well: where it finds nobody then, it proves nothing. Under two minutes on two cores with the defaults.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tests.support.robbed import MUST_FIND_NOBODY, REMAINING, Robbed
from tests.support.thief import Line, Visit

from beholden.core.ids import seeded_entropy
from beholden.core.names import Person
from beholden.core.times import parse_time
from beholden.logs._identity import identity_prefix
from beholden.retailer import build_company
from beholden.vault import MasterKey, open_vault

_CONSOLE = {"source": "console", "time": "ts", "uid": "id", "person": "cust_id"}
_ACCOUNTS = {"source": "accounts", "time": "at", "uid": "entry", "person": "account"}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--scale", type=float, default=0.002)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--vault", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        _company(Path(directory) / "company", asked.people, asked.scale, asked.days)
    with tempfile.TemporaryDirectory() as directory:
        _vault_of_many(Path(directory), asked.vault, asked.people)


def _company(directory: Path, people: int, scale: float, days: int) -> None:
    build_company(directory, scale=scale, seed=1, days=days, end=parse_time("2026-11-23T00:00:00Z"))
    _run(directory, "init")
    _run(directory, "scan", may_fail=True)  # some files of the company are broken on purpose
    _run(directory, "log", "ingest", may_fail=True)
    _run(directory, "ledger", "seal")
    _run(directory, "vault", "backup", str(directory / ".beholden" / "before.backup"))
    robbed = _robbed(directory, people)
    robbed.look_around()
    before = robbed.guessed({**MUST_FIND_NOBODY, **REMAINING})
    with_key = robbed.guessed_with_the_master_key()
    readable = len(robbed.readable())
    files = _found(robbed)
    sources = {str(path): path.read_bytes() for part in ("feeds", "stores") for path in (directory / part).iterdir()}
    named = len(robbed.found_in_files(sources))
    reach = _reach(robbed)
    listed = directory / "forget.txt"
    listed.write_text("\n".join(robbed.people))
    begun = time.perf_counter()
    said = _run(directory, "vault", "forget", "--file", str(listed), "--reason", "bench", "--by", "bench", "--json")
    taken = time.perf_counter() - begun
    robbed.talk.append(said)
    (item,) = json.loads(said)["items"]
    _run(directory, "ledger", "seal")
    after = robbed.guessed({**MUST_FIND_NOBODY, **REMAINING})
    events = robbed.events()
    print(f"{len(events):,} events of {days} days; {item['forgotten']:,} people and {item['also']:,} tickets, devices and "
          f"texts forgotten in one call: {taken:.1f} s, with the start of the program")  # fmt: skip
    held = robbed.proofs_that_hold()
    verified = "clean" if json.loads(_run(directory, "ledger", "verify", "--json"))["items"] == [] else "NOT CLEAN"
    print(f"earlier proofs that hold: {held:,} of {len(robbed.proofs):,}; ledger verify: {verified}\n")
    print(f"{'people found':66}{'before':>8}{'after':>8}")
    rows = [(name, before[name], after[name]) for name in MUST_FIND_NOBODY]
    rows.append(("rows and keys of the vault, names, e-mails, hashes in any byte", files, _found(robbed)))
    rows.append(("  (a control: names and e-mails in feeds and stores)", named, named))
    for name, one, other in rows:
        print(f"{name:66}{one:>8,}{other:>8,}")
    print("\nbeyond the reach of an erasure in ledger and vault (decision 3):")
    keyed = robbed.guessed_with_the_master_key()
    rest = [(name, before[name], after[name]) for name in REMAINING]
    rest += [(f"raw lines and the master key: {name}", with_key[name], keyed[name]) for name in keyed]
    rest.append(("the master key: texts in which nobody was made out", readable, len(robbed.readable())))
    for name, one, other in rest:
        print(f"{name:66}{one:>8,}{other:>8,}")
    print(f"one raw line links its token, and with it {reach:.1f} events of that person on average")


def _robbed(directory: Path, people: int) -> Robbed:
    """The estate, and what its own logs, feeds and stores say of people who are on record."""
    lines = [*_lines(directory, _CONSOLE), *_lines(directory, _ACCOUNTS)]
    with contextlib.closing(sqlite3.connect(directory / "stores" / "crm.db")) as database:
        rows = database.execute("select customer_id, first_name, last_name, email from customer").fetchall()
    texts = {
        f"customer:{key}": [str(key), email, f"{first} {last}"] for key, first, last, email in rows if email is not None
    }
    with open_vault(f"sqlite:///{directory}/.beholden/vault.db", _master(directory)) as vault:
        names = sorted(texts)
        known = [name for name, token in zip(names, vault.find(_people(names)), strict=True) if token]
    chosen = random.Random(1).sample(known, min(people, len(known)))
    wanted = set(chosen)
    visits = [visit for visit in _visits(directory) if visit.person in wanted]
    return Robbed(directory, chosen, [line for line in lines if line.person in wanted], visits, texts)


def _found(robbed: Robbed) -> int:
    return len(robbed.found_in_files(robbed.files()))


def _people(names: list[str]) -> list[Person]:
    return [Person.parse(name) for name in names]


def _master(directory: Path) -> MasterKey:
    return MasterKey.load("file:.beholden/master.key", root=directory, environ={})


def _lines(directory: Path, form: dict[str, str]) -> Iterator[Line]:
    for path in sorted((directory / "logs").glob(f"{form['source']}-*.jsonl")):
        for text in path.read_text().splitlines():
            with contextlib.suppress(ValueError):  # broken on purpose
                yield _line(json.loads(text), form)


def _line(record: dict[str, Any], form: dict[str, str]) -> Line:
    values = {name: record[name] for name in ("ip", "session") if record.get(name)}
    acts = form is _ACCOUNTS and record["by"] is None
    identity = identity_prefix(form["source"], "u") + str(record[form["uid"]]).encode()
    return Line(f"customer:{record[form['person']]}", parse_time(record[form["time"]]), acts, identity, values)


def _visits(directory: Path) -> Iterator[Visit]:
    for row in pq.read_table(directory / "feeds" / "contacts.parquet").to_pylist():
        opened, closed = (row[name] and parse_time(row[name].isoformat()) for name in ("opened_at", "closed_at"))
        if closed:
            yield Visit(f"customer:{row['customer_id']}", row["ticket_id"], opened, closed)


def _reach(robbed: Robbed) -> float:
    """How many events name a person whom an exact time gives away."""
    counts: Counter[bytes] = Counter()
    for event in robbed.events():
        counts.update({event["actor"], *(event["subjects"] or ())} - {None})
    given_away = {robbed.truth[line.person] for line in robbed.lines if line.person in robbed.truth}
    return sum(counts[token] for token in given_away) / max(1, len(given_away))


def _run(directory: Path, *arguments: str, may_fail: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "beholden", *arguments], cwd=directory, capture_output=True, text=True, check=False
    )
    if done.returncode and not may_fail:
        raise SystemExit(done.stderr)
    return done.stdout


def _vault_of_many(directory: Path, known: int, people: int) -> None:
    """The vault's own part of forgetting, among many."""
    master = MasterKey(bytes(32))
    with open_vault(f"sqlite:///{directory}/vault.db", master, create=True, entropy=seeded_entropy(1)) as vault:
        begun = time.process_time()
        for start in range(0, known, 100_000):
            vault.tokens([Person("customer", str(number)) for number in range(start, min(start + 100_000, known))])
        made = time.process_time() - begun
        chosen = [Person("customer", str(number)) for number in random.Random(2).sample(range(known), people)]
        begun, cpu = time.perf_counter(), time.process_time()
        done = vault.forget(chosen, reason="bench")
        wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
        print(f"\nvault of {known:,} people (made in {made:.0f} CPU s): {len(done.tokens):,} forgotten in one transaction, "
              f"{wall:.2f} s, {cpu:.2f} CPU s, scrubbed: {'yes' if done.scrubbed else 'no'}")  # fmt: skip


if __name__ == "__main__":
    main()
