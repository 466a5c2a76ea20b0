"""Runs of uids: what is written is read back, what is damaged is seen, filters let every entry through."""

from __future__ import annotations

import numpy as np
import pytest

from beholden.ledger import uid_runs
from beholden.ledger.files import Disk
from beholden.ledger.uid_runs import Entries, is_intact, open_run, run_name, run_range, write_run

EDGES = [0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 2, 2**64 - 1]


def entries(count, seed, sources=("crm", "web"), first=()):
    chance = np.random.default_rng(seed)
    high = chance.integers(0, 2**64, count, dtype=np.uint64)
    high[: len(first)] = first
    high.sort()
    return Entries(
        high, chance.integers(0, 2**16, count).astype(np.uint16), chance.integers(0, len(sources), count), sources
    )


def rows(*parts):
    """What is to be found again, in the order of a run but for equal ``high``."""
    return sorted(
        (high, low, part.sources[code])
        for part in parts
        for high, low, code in zip(part.high.tolist(), part.low.tolist(), part.code.tolist(), strict=True)
    )


def written(directory, *parts):
    count = sum(map(len, parts))
    path = directory / run_name(5, 4 + count)
    write_run(Disk(), path, parts)
    return path


@pytest.mark.parametrize("step_bits", [64, 1 << 24])
@pytest.mark.parametrize("narrow", [1, 1 << 16])
@pytest.mark.parametrize("counts", [(1,), (7, 1), (300, 40, 7, 900)])
def test_merged_parts_read_back(tmp_path, monkeypatch, step_bits, narrow, counts):
    monkeypatch.setattr(uid_runs, "_STEP_BITS", step_bits)
    monkeypatch.setattr(uid_runs, "_NARROW_SOURCES", narrow)
    sources = [("crm", "web"), ("web",), ("a", "b", "crm"), ("z", "crm")]
    parts = [entries(count, i, sources[i], EDGES[:count]) for i, count in enumerate(counts)]
    path = written(tmp_path, *parts)
    run = open_run(path)
    assert is_intact(path)
    assert (run.first_seq, run.last_seq) == run_range(path.name) == (5, 4 + sum(counts))
    assert rows(run.entries) == rows(*parts)
    assert (run.entries.high[1:] >= run.entries.high[:-1]).all()
    assert run.entries.code.itemsize == (2 if len(run.entries.sources) <= narrow else 4)
    assert len(run.possible(run.entries.high)) == len(run.entries)


def test_a_filter_stops_nearly_all_that_is_not_held(tmp_path):
    run = open_run(written(tmp_path, entries(20_000, 1)))
    assert len(run.possible(entries(20_000, 2).high)) / 20_000 == pytest.approx(1 / 16, rel=0.1)


def test_the_same_entries_make_the_same_bytes(tmp_path):
    parts = [entries(50, i) for i in range(3)]
    first = written(tmp_path, *parts).read_bytes()
    assert written(tmp_path, *parts[::-1]).read_bytes() == first


def test_every_flipped_byte_and_every_cut_is_seen(tmp_path):
    path = written(tmp_path, entries(9, 1))
    data = path.read_bytes()
    for i in range(len(data)):
        path.write_bytes(data[:i] + bytes([data[i] ^ 8]) + data[i + 1 :])
        assert not is_intact(path)
    for cut in (*range(0, len(data), 3), len(data) - 1):
        path.write_bytes(data[:cut])
        assert not is_intact(path)
        with pytest.raises(ValueError, match="not a run of uids"):
            open_run(path)


@pytest.mark.parametrize("name", ["x.uids", "5-6.uids", f"{6:016d}-{5:016d}.uids", f"{5:016d}-{6:016d}.uids.old"])
def test_other_names_are_no_runs(name):
    assert run_range(name) is None
