"""An export, checked by the program it brings along."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.support.ledger import NOW, SIGNER, batch_of, event, open_ledger

from beholden.core.errors import IntegrityError, SourceError, UsageError
from beholden.core.events import EVENTS
from beholden.core.times import format_time
from beholden.ledger import Ed25519Signer
from beholden.ledger._addresses import address_text
from beholden.ledger.bundle import PROOFS_MAX, export_bundle, range_of
from beholden.ledger.cosignature import cosign, witness_key
from beholden.ledger.heads import keep_cosigned, kept_heads
from beholden.ledger.note import read_note
from beholden.ledger.proof import StoredTree

COUNT = 1200
#: Packed: IPv4, IPv6, networks of both, the hash of a host's name.
ADDRESSES = (b"\x0a\0\0\x01", bytes(15) + b"\x01", b"\x0a\0\0\0\x08", bytes(16) + b"\x40", bytes(range(10)))
WITNESS = Ed25519Signer("witness.example/w1", bytes(range(32, 64)))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("bundle") / "ledger"
    made = open_ledger(directory, segment_events_max=500)
    late: dict[int, dict[str, Any]] = {700: {"time": event(100)["time"] + 1}}
    for number, ip in enumerate(ADDRESSES):
        late[number] = {"ip": ip}
    made.append(batch_of(event(number, **late.get(number, {})) for number in range(COUNT)))
    made.seal()
    tree = StoredTree.open(directory, SIGNER)
    keep_cosigned(
        tree, tree.note + cosign(read_note(tree.note, "head"), WITNESS, 1_800_000_000).encode(), WITNESS, "answer"
    )
    return Path(directory)


@pytest.fixture
def tree(ledger) -> StoredTree:
    return StoredTree.open(ledger, SIGNER)


def export(tree: StoredTree, directory: Path, first: int, stop: int) -> Path:
    export_bundle(tree, first, stop, kept_heads(tree)[-1], directory)
    return directory


def check(bundle: Path, *arguments: str, key: str = "key.pub") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-I", "check.py", key, *arguments],
        cwd=bundle,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("first", "stop"), [(0, 1), (0, COUNT), (255, 257), (499, 1013), (COUNT - 1, COUNT)])
def test_what_it_brings_along_checks_it(tree, tmp_path, first, stop):
    bundle = export(tree, tmp_path / "export", first, stop)
    code, out, err = check(bundle, ".", "--show")
    said = f"events {first} to {stop - 1}, all of them, are under the tree head of {COUNT} events signed by test.example/ledger"
    assert (code, err) == (0, f".: {said}\n")
    shown = [json.loads(line) for line in out.splitlines()]
    assert [row["seq"] for row in shown] == list(range(first, stop))
    assert [list(row) for row in shown] == [EVENTS.names] * len(shown)
    assert (bundle / "proofs").exists() == (stop - first <= PROOFS_MAX)


def test_it_says_what_the_ledger_says(tree, tmp_path):
    """Every column of every kind, null and empty apart."""
    bundle = export(tree, tmp_path / "export", 0, 300)
    shown = [json.loads(line) for line in check(bundle, ".", "--show")[1].splitlines()]
    expected = tree.read(0, 300)
    for column in EVENTS:
        values = expected[column.name]
        said = [row[column.name] for row in shown]
        if pa.types.is_timestamp(column.type):
            assert said == [value.isoformat() for value in values.to_pylist()]
        elif column.name == "ip":
            assert said == [address_text(value) for value in values.to_pylist()]
        else:
            assert said == [plain(value) for value in values.to_pylist()], column.name


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    return [plain(part) for part in value] if isinstance(value, list) else value


def test_the_script_of_the_how_to_reads_the_record(tree, tmp_path):
    """Printed for those who want to read a record themselves: it says what the longer program says."""
    text = (Path(__file__).parents[3] / "docs" / "how-to" / "prove-an-access.md").read_text()
    script = text.partition("```python\n")[2].partition("```")[0]
    assert script.count("\n") <= 40
    bundle = export(tree, tmp_path / "export", 0, 60)
    (bundle / "read_record.py").write_text(script)
    for line in check(bundle, ".", "--show")[1].splitlines()[:7]:
        said = json.loads(line)
        done = subprocess.run(
            [sys.executable, "-I", "read_record.py", f"proofs/{said['seq']}.tlog-proof"],
            cwd=bundle, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert json.loads(done.stdout) == said


def test_a_proof_of_one_event_is_made_of_the_bundle_alone(tree, tmp_path):
    bundle = export(tree, tmp_path / "export", 100, 900)
    code, out, _ = check(bundle, ".", "--proof", "512")
    assert (code, out) == (0, (bundle / "proofs" / "512.tlog-proof").read_text())
    assert check(bundle, "proofs/512.tlog-proof")[0] == 0
    assert check(bundle, ".", "--proof", "99")[0] == 1


def test_the_witness_is_asked_for(tree, tmp_path):
    bundle = export(tree, tmp_path / "export", 0, 5)
    assert "cosigned by witness.example/w1" in (bundle / "README.md").read_text()
    (bundle / "w.pub").write_text(witness_key(WITNESS) + "\n")
    code, _, err = check(bundle, "--witness", "w.pub", ".", "proofs/3.tlog-proof")
    assert (code, err.count("signed by test.example/ledger, witness.example/w1")) == (0, 2)
    (bundle / "w.pub").write_text(witness_key(Ed25519Signer("witness.example/w1", bytes(32))))
    code, _, err = check(bundle, "--witness", "w.pub", ".")
    assert (code, err) == (1, ".: REFUSED: no signature of witness.example/w1\n")


def test_whatever_is_altered_is_refused(tree, tmp_path):
    bundle = export(tree, tmp_path / "export", 200, 300)
    (bundle / "w.pub").write_text(witness_key(WITNESS) + "\n")
    records = gzip.decompress((bundle / "records.gz").read_bytes())
    for number in range(40):
        chance = random.Random(number)
        name = chance.choice(["records.gz", "range", "checkpoint", "proofs/250.tlog-proof"])
        data = bytearray(records if name == "records.gz" else (bundle / name).read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        before = (bundle / name).read_bytes()
        (bundle / name).write_bytes(gzip.compress(data, 1) if name == "records.gz" else data)
        code, _, err = check(
            bundle, "--witness", "w.pub", "proofs/250.tlog-proof" if name.startswith("proofs") else "."
        )
        assert (code, "REFUSED" in err) == (1, True), (number, name, err)
        (bundle / name).write_bytes(before)
    for changed in (records[:-1], records + b"\0", b""):
        (bundle / "records.gz").write_bytes(gzip.compress(changed, 1))
        assert check(bundle, ".")[0] == 1


def test_another_key_is_refused(tree, tmp_path):
    from beholden.ledger import verifier_key

    bundle = export(tree, tmp_path / "export", 0, 5)
    (bundle / "other.pub").write_text(verifier_key(Ed25519Signer("test.example/ledger", bytes(32))))
    assert check(bundle, ".", key="other.pub")[0] == 1


def test_a_range_of_times_covers_late_events(tree):
    def times(first: int, last: int) -> tuple[str, str]:
        return format_time(event(first)["time"]), format_time(event(last)["time"])

    assert range_of(tree, *times(20, 30), lambda: NOW) == (20, 30)
    assert range_of(tree, *times(90, 110), lambda: NOW) == (90, 701)
    assert range_of(tree, "7", "9", lambda: NOW) == (7, 9)
    assert range_of(tree, "7", None, lambda: NOW) == (7, COUNT)
    assert range_of(tree, "9000d", None, lambda: NOW) == (0, COUNT)
    for start, end in [("9", "9"), ("9", "8"), ("2001-01-01", "2001-02-01")]:
        with pytest.raises(UsageError, match="there is no sealed event in that range"):
            range_of(tree, start, end, lambda: NOW)
    with pytest.raises(UsageError, match="a number and a time"):
        range_of(tree, "9", "2030-01-01", lambda: NOW)


def test_nothing_is_left_of_an_export_that_fails(ledger, tree, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        export(tree, tmp_path / "there", 0, 5)
    with pytest.raises(UsageError, match="there is no event 1,200"):
        export(tree, tmp_path / "new", 0, COUNT + 1)
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be written"):
        export(tree, tmp_path / "file" / "new", 0, 5)
    copy = Path(shutil.copytree(ledger, tmp_path / "copy"))
    segment = min((copy / "segments").iterdir())
    other = open_ledger(tmp_path / "other")
    other.append(batch_of(event(number, source="forged") for number in range(500)))
    other.seal()
    shutil.copy(next((tmp_path / "other" / "segments").iterdir()), segment)
    with pytest.raises(IntegrityError, match="do not lead to the signed root"):
        export(StoredTree.open(copy, SIGNER), tmp_path / "new", 0, 400)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "file", "other", "there"]
