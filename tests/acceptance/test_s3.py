"""An estate whose ledger lies in a bucket, from the command line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import beholden, start
from tests.support.object_store import ENVIRONMENT, Place, make_bucket, object_server
from tests.support.small_estate import EVENTS, PLANTED, audit_lines, make_estate

PLACE = Place("s3://records/estate/ledger")
TOML = f"""[estate]
name = "estate"

[ledger]
url = "{PLACE.url}"
origin = "estate.example/ledger"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, object_server() as address:
        for name, value in (ENVIRONMENT | {"AWS_ENDPOINT_URL": address}).items():
            patch.setenv(name, value)
        make_bucket("records")
        yield address


@pytest.fixture(scope="module")
def estate(server, tmp_path_factory) -> Path:
    return make_estate(tmp_path_factory.mktemp("s3") / "estate", toml=TOML)


def test_from_a_log_to_an_answer(estate, tmp_path):
    status = beholden(estate, "ledger", "status", "--json", ok=True).items[0]
    assert (status["events"], status["sealed"], status["tree_size"]) == (EVENTS, EVENTS, EVENTS)
    assert not (estate / ".beholden" / "ledger").exists()
    local = make_estate(tmp_path / "local")
    question = ["who", "--subject", "customer:71830456", "--json"]
    there, here = (beholden(directory, *question, ok=True).items for directory in (estate, local))
    assert there == here != []
    assert "verified: 12 events" in beholden(estate, "ledger", "verify", ok=True).err
    for name in PLACE.names():
        assert not any(value.encode() in PLACE.read(name) for value in PLANTED), name


def test_two_readings_of_different_logs_at_once(estate):
    """Two commands on one machine share nothing but the bucket, the state and the vault."""
    files = [f"more-{number}.csv" for number in range(2)]
    for number, file in enumerate(files):
        (estate / file).write_text(audit_lines(20, first=1000 + 100 * number))
    before = beholden(estate, "ledger", "status", "--json", ok=True).items[0]["events"]
    reading = [start(estate, "log", "ingest", "--format", "pgaudit-csv", "--store", "crm", file) for file in files]
    for process in reading:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert beholden(estate, "ledger", "status", "--json", ok=True).items[0]["events"] == before + 40
    beholden(estate, "ledger", "seal", ok=True)
    beholden(estate, "ledger", "verify", ok=True)


def test_another_machine_with_a_copy_of_the_estate_answers_from_the_bucket(estate, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(estate, copy)
    shutil.rmtree(copy / ".beholden" / "cache")
    question = ["who", "--actor", "mortimer", "--json"]
    assert (
        beholden(copy, *question, ok=True).out.split('"unknown"')[0]
        == beholden(estate, *question, ok=True).out.split('"unknown"')[0]
    )


def test_what_is_wrong_with_the_bucket_is_one_line(estate, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(estate, other)
    (other / "beholden.toml").write_text(
        (estate / "beholden.toml").read_text().replace("s3://records/", "s3://recordz/")
    )
    for command in (["ledger", "status"], ["ledger", "verify"], ["ledger", "seal"], ["who", "--actor", "mortimer"]):
        assert "s3://recordz/estate/ledger: there is no such bucket" in beholden(other, *command).refused(4)
    line = beholden(estate, "ledger", "status", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="").refused(4)
    assert "there are no credentials" in line


def test_a_ledger_that_is_gone_is_not_made_anew(estate, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(estate, other)
    elsewhere = (estate / "beholden.toml").read_text().replace("estate/ledger", "estate/elsewhere")
    (other / "beholden.toml").write_text(elsewhere)
    for command in (["init"], ["ledger", "status"], ["ledger", "verify"], ["log", "ingest"]):
        assert "ledger s3://records/estate/elsewhere: is gone" in beholden(other, *command).refused(5)


def test_verify_looks_into_the_bucket_and_not_into_the_copy(estate):
    name = next(name for name in PLACE.names() if name.startswith("segments/"))
    data = PLACE.read(name)
    PLACE.write(name, data[:60] + bytes([data[60] ^ 1]) + data[61:])
    run = beholden(estate, "ledger", "verify", "--json")
    assert (run.code, {item["object"] for item in run.items}) == (5, {name})
    PLACE.write(name, data)
    beholden(estate, "ledger", "verify", ok=True)
