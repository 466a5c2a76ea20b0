from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from beholden.core.times import parse_time
from beholden.retailer.canaries import canaries
from beholden.retailer.chance import stream
from beholden.retailer.copies import FORMS, planned_copies
from beholden.retailer.extracts import extracts_of
from beholden.retailer.life.buckets import CHAIN_TABLES
from beholden.retailer.life.cloudtrail import access_key
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.planted import write_planted
from beholden.retailer.secret_texts import LOOKALIKES, SECRETS
from beholden.retailer.world import World
from beholden.retailer.writings import wiki_pages

END = parse_time("2026-11-22T00:00:00Z")


def made(directory: Path, seed: int = 5) -> World:
    world = World(checked_parameters(preset="retailer", scale=0.01, seed=seed, days=20, end=END))
    write_planted(world, directory)
    return world


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    directory = tmp_path_factory.mktemp("planted")
    return made(directory), directory


def told(directory: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "truth" / f"{name}.jsonl").read_text("utf-8").splitlines()]


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(planted: tuple[World, Path], tmp_path: Path) -> None:
    made(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(planted[1])
    made(tmp_path / "other", seed=6)
    assert contents(tmp_path / "other") != contents(planted[1])


def test_truth_lists_the_canaries(planted: tuple[World, Path]) -> None:
    listed = [row["subject"] for row in told(planted[1], "canaries")]
    assert listed == [f"customer:{one + 1}" for one in canaries(planted[0]).tolist()]
    assert listed


def test_every_kind_of_secret_and_of_look_alike_is_planted(planted: tuple[World, Path]) -> None:
    rows = told(planted[1], "secrets")
    assert {row["kind"] for row in rows if row["secret"]} == set(SECRETS)
    assert {row["kind"] for row in rows if not row["secret"]} == set(LOOKALIKES)
    trees = Counter(row["place"].split("/")[0] for row in rows if row["secret"])
    assert set(trees) == {"exports", "wiki", "repositories"}
    assert Counter(row["secret"] for row in rows)[False] > sum(trees.values())  # most of what looks it is none


#: What the line that the truth names must hold.
MARKS = {
    "aws_access_key": r"AKIA[A-Z2-7]{16}", "aws_secret_key": r"[A-Za-z0-9+/]{40}", "github_token": r"ghp_[A-Za-z0-9]{36}",
    "slack_webhook": r"https://hooks\.slack\.com/services/T\w+/B\w+/\w{24}", "private_key": "BEGIN PRIVATE KEY",
    "jwt": r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+", "database_url": r"\w+://svc_\w+:\w+@", "npm_token": r"npm_\w{36}",
    "azure_storage": "AccountKey=", "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4", "commit": "[0-9a-f]{40}",
    "public_key": "BEGIN PUBLIC KEY", "otp_seed": "otpauth://", "stripe_key": r"sk_live_\w{24}",
}  # fmt: skip


def test_the_truth_names_the_line_where_each_stands(planted: tuple[World, Path]) -> None:
    checked = 0
    for row in told(planted[1], "secrets"):
        line = (planted[1] / row["place"]).read_text("utf-8").split("\n")[row["line"] - 1]
        assert "@@-" not in line
        assert "@@~" not in line
        if row["kind"] in MARKS:
            assert re.search(MARKS[row["kind"]], line), row
            checked += 1
    assert checked > 60


def test_secrets_are_of_the_documented_form() -> None:
    rng = stream(1, "secrets")
    for _ in range(20):
        assert re.fullmatch(r"AKIA[A-Z2-7]{16}", SECRETS["aws_access_key"](rng))
        assert len(SECRETS["github_token"](rng)) == 40
        assert load_pem_private_key(SECRETS["private_key"](rng).encode(), None)
    assert len({SECRETS["password"](rng) for _ in range(100)}) == 100


def test_json_files_stay_json(planted: tuple[World, Path]) -> None:
    found = [path for path in (planted[1] / "repositories").rglob("*") if path.suffix in {".json", ".ipynb"}]
    found += list((planted[1] / "exports").rglob("*.json"))
    assert len(found) > 6
    for path in found:
        json.loads(path.read_text("utf-8"))


def test_a_program_s_own_key_stands_on_a_page(planted: tuple[World, Path]) -> None:
    world, directory = planted
    page = next(one for one in wiki_pages(world.parameters) if one.owner)
    assert access_key(world, world.staff.service(page.owner)) in (directory / page.path).read_text("utf-8")


def test_copies_are_as_the_truth_and_the_register_say(planted: tuple[World, Path]) -> None:
    world, directory = planted
    every = told(directory, "copies")
    assert len({row["place"] for row in every}) == len(every)
    planned = {copy.place for copy in planned_copies(world.parameters, world.staff)}
    rows = [row for row in every if row["place"] in planned]
    assert {row["kind"] for row in rows} == set(FORMS)
    assert len(rows) == len(planned)
    with (directory / "feeds" / "copies_register.csv").open(encoding="utf-8", newline="") as file:
        known = {f"exports/{row['object']}" for row in csv.DictReader(file)}
    assert known == {row["place"] for row in every if row["documented"]}
    assert 0 < len(known & planned) < len(rows)
    by_kind = {row["kind"]: directory / row["place"] for row in rows}
    customers = {row["kind"]: row["customers"] for row in rows}
    assert pq.read_table(by_kind["columnar"]).num_rows == customers["columnar"]
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(by_kind["damaged"])
    with by_kind["partial"].open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == customers["partial"]
    line = json.loads(by_kind["log"].read_text("utf-8").split("\n")[0])
    text = world.people.text(_position(line["payload"]["customer"]["id"]))
    assert line["payload"]["customer"]["mail"] == text.email[0]
    sheet = by_kind["spreadsheet"].read_bytes().decode("utf-8-sig").split("\r\n")
    assert sheet[2].split(";")[0] == "Nr"
    assert sheet[-2] == f"Summe;{customers['spreadsheet']};;;"


def test_extracts_of_ordinary_work_stand_there_and_some_are_in_the_register(tmp_path: Path) -> None:
    world = World(checked_parameters(preset="retailer", scale=0.1, seed=5, days=21, end=END))
    extracts = extracts_of(world, ())
    write_planted(world, tmp_path)
    kept = [one for one in extracts if one.key.startswith("share/")]
    assert 0 < sum(one.documented for one in kept) < len(kept)
    assert not any(one.documented for one in extracts if one not in kept)
    assert {one.form for one in extracts} == {"extract", "spreadsheet"}
    assert {one.table for one in extracts} == set(CHAIN_TABLES)
    rows = {row["place"]: row for row in told(tmp_path, "copies")}
    for one in extracts:
        assert rows[one.place]["incident"] is None
        assert rows[one.place]["customers"] == one.rows <= world.parameters.copied_rows_max
        size = len((tmp_path / one.place).read_bytes().splitlines())
        assert size == one.rows + (4 if one.form == "spreadsheet" else 1)


def test_hashed_copies_hold_digests_of_real_customers(planted: tuple[World, Path]) -> None:
    world, directory = planted
    row = next(row for row in told(directory, "copies") if row["kind"] == "hashed")
    with (directory / row["place"]).open(encoding="utf-8", newline="") as file:
        digests = {line["hashed_email"] for line in csv.DictReader(file)}
    emails = world.people.text(_positions(len(world.people))).email
    assert len(digests & {hashlib.sha256(email.lower().encode()).hexdigest() for email in emails}) == len(digests)


def _position(number: int) -> Any:
    return _positions(number)[-1:]


def _positions(count: int) -> Any:
    import numpy as np

    return np.arange(count)
