"""The whole company on disk: whole, repeatable, readable by those who know nothing of how it was made."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from beholden.core.config import Config
from beholden.core.config_file import parse_config
from beholden.core.times import parse_time
from beholden.feeds import open_feed
from beholden.logs import LogContext, load_mapping, open_log, open_reader
from beholden.retailer import Company, build_company, day
from beholden.retailer.incidents import GRADES, KINDS
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.schedule import scheduled
from beholden.retailer.world import World

END = parse_time("2026-11-22T00:00:00Z")


@dataclass(frozen=True, slots=True)
class Built:
    """A company and the CPU seconds it took."""

    company: Company
    cpu_s: float

    @property
    def directory(self) -> Path:
        return self.company.directory

    def config(self) -> Config:
        return parse_config((self.directory / "beholden.toml").read_text(), self.directory)

    def truth(self) -> list[dict[str, Any]]:
        paths = sorted((self.directory / "truth" / "events").glob("*.parquet"))
        return [row for path in paths for row in pq.read_table(path).to_pylist()]

    def incidents(self) -> list[dict[str, Any]]:
        text = (self.directory / "truth" / "incidents.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    began = time.process_time()
    company = build_company(tmp_path_factory.mktemp("meridian") / "company", end=END, run="recall")
    return Built(company, time.process_time() - began)


def digest(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_it_is_made_in_seconds(built: Built) -> None:
    assert built.cpu_s < 20  # with forty-eight incidents; a generous bound, since the machine may be busy


def test_the_same_seed_gives_the_same_bytes_in_another_environment(tmp_path: Path) -> None:
    build_company(tmp_path / "here", scale=0.001, days=3, seed=5, end=END)
    script = (
        "import sys, pathlib; from beholden.retailer import build_company;"
        f"build_company(pathlib.Path(sys.argv[1]), scale=0.001, days=3, seed=5, end={END})"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "Pacific/Chatham", "LC_ALL": "tr_TR.UTF-8"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "there")], check=True, env=environment)
    assert digest(tmp_path / "here") == digest(tmp_path / "there")


def test_days_can_be_made_in_other_processes(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"scale": 0.001, "days": 3, "seed": 5, "end": END}
    build_company(tmp_path / "one by one", **settings)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        build_company(tmp_path / "side by side", **settings, map_days=processes.map)
    assert digest(tmp_path / "one by one") == digest(tmp_path / "side by side")


def test_a_stopped_build_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"scale": 0.001, "days": 4, "seed": 6, "end": END}
    build_company(tmp_path / "whole", **settings)
    written: list[int] = []
    real = day.write_day_of

    def stopping(world: Any, incidents: Any, number: int, directory: Path) -> Any:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(number)
        return real(world, incidents, number, directory)

    monkeypatch.setattr("beholden.retailer.company.write_day_of", stopping)
    with pytest.raises(KeyboardInterrupt):
        build_company(tmp_path / "stopped", **settings)
    assert (tmp_path / "stopped" / "INCOMPLETE").is_file()
    again: list[int] = []

    def noting(world: Any, incidents: Any, number: int, directory: Path) -> Any:
        again.append(number)
        return real(world, incidents, number, directory)

    monkeypatch.setattr("beholden.retailer.company.write_day_of", noting)
    build_company(tmp_path / "stopped", **settings)
    assert len(again) == 2
    assert digest(tmp_path / "stopped") == digest(tmp_path / "whole")


def test_a_build_that_was_stopped_among_its_stores_makes_them_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"scale": 0.001, "days": 2, "seed": 6, "end": END}
    build_company(tmp_path / "whole", **settings)
    with monkeypatch.context() as patch:
        patch.setattr("beholden.retailer.stores.writing.derive", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            build_company(tmp_path / "stopped", **settings)
    assert not list((tmp_path / "stopped" / "stores").iterdir())
    # Where the process itself was ended, nobody took away what it had begun.
    (tmp_path / "stopped" / "stores" / "crm.db").write_bytes(b"half of a database")
    build_company(tmp_path / "stopped", **settings)
    assert digest(tmp_path / "stopped") == digest(tmp_path / "whole")


def _interrupted(*_: Any) -> int:
    raise KeyboardInterrupt


def test_every_event_of_the_truth_is_found_at_its_place(built: Built) -> None:
    lines: dict[str, list[str]] = {}
    for path in (built.directory / "logs").iterdir():
        with open_log(path) as stream:
            lines[path.name] = stream.read().decode().split("\n")
    with_uid = {"console", "seller-desk", "gateway", "wiki", "sso", "accounts", "warehouse"}
    seen: Counter[str] = Counter()
    for row in built.truth():
        if row["file"] is None:
            continue
        seen[row["log"]] += 1
        line = lines[row["file"]][row["record"] - 1]
        assert line, row
        if row["log"] in with_uid:
            assert row["uid"] in line or row["uid"][:8] in line
    assert len(seen) >= 10


def test_each_kind_and_grade_is_there_and_joined_to_its_events(built: Built) -> None:
    described = {(one["kind"], one["grade"]): one for one in built.incidents()}
    missing = {(kind, grade) for kind in KINDS for grade in GRADES} - described.keys()
    assert len(missing) <= 3, missing  # a small company has no room for some
    by_number: dict[int, set[str]] = defaultdict(set)
    for row in built.truth():
        if row["incident"] is not None:
            assert row["label"] == "incident"
            by_number[row["incident"]].add(row["uid"])
    for one in described.values():
        assert one["event_uids"]
        assert set(one["event_uids"]) == by_number[one["incident"]]
        assert one["first"] <= one["last"]


@pytest.mark.parametrize("preset", ["retailer", "grocer", "bank"])
def test_a_recall_run_has_each_kind_and_grade(preset: str) -> None:
    for seed in (1, 2, 3):
        world = World(checked_parameters(preset=preset, scale=0.01, seed=seed, days=14, end=END))
        planned = {(one.kind, one.grade) for one in scheduled(world, "recall")}
        assert planned == {(kind, grade) for kind in KINDS for grade in GRADES}


def test_its_logs_are_understood_but_for_the_torn_lines(built: Built) -> None:
    config = built.config()
    assert len(config.log) >= 8
    for log in config.log:
        mapping = load_mapping(config.path(log.mapping)) if log.mapping else None
        reader = open_reader(log.format, mapping=mapping)
        records = problems = 0
        files = sorted(config.root.glob(log.path))
        assert files, log.name
        for path in files:
            with open_log(path) as stream:
                for batch in reader.read(io.BytesIO(stream.read()), LogContext(log.server or log.name)):
                    records += batch.records
                    problems += len(batch.problems)
        assert records, log.name
        assert problems <= len(files), log.name


def test_its_feeds_can_be_read(built: Built) -> None:
    config = built.config()
    assert config.feed
    for declared in config.feed:
        feed = open_feed(declared, root=config.root)
        assert sum(batch.num_rows for batch in feed.intervals()) > 0, declared.name


def test_names_of_datasets_are_those_of_the_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("check_stores", "write_stores", "unmark_stores"):
        monkeypatch.setattr(f"beholden.retailer.company.{name}", lambda *_, **__: None)
    for server, schema in ((None, "main"), ("postgresql://ann:secret@127.0.0.1/", "public")):
        directory = tmp_path / schema
        company = build_company(directory, scale=0.003, days=7, seed=3, end=END, postgres=server)
        config = parse_config((directory / "beholden.toml").read_text(), directory)
        store, path = company.demo_dataset.split("/")
        aliases = [name for one in config.subject for name in one.aliases if name.startswith(f"{store}/")]
        assert path.partition(".")[0] == schema == aliases[0].split("/")[1].partition(".")[0]


def test_runs(tmp_path: Path) -> None:
    counts = {}
    for run in ("quiet", "prevalence", "demo"):
        company = build_company(tmp_path / run, scale=0.003, days=14, seed=3, end=END, run=run)
        counts[run] = company.incidents
    assert counts["quiet"] == 0
    assert counts["prevalence"] <= 2
    assert counts["demo"] >= 3
    shutil.rmtree(tmp_path / "quiet")
