from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from beholden.core.errors import BeholdenError, UsageError
from beholden.core.times import parse_time
from beholden.retailer import build_company

END = parse_time("2026-11-22T00:00:00Z")


def small(directory: Path, **other: Any) -> None:
    build_company(directory, **{"scale": 0.001, "days": 1, "end": END, **other})


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"scale": 0}, "scale: 0; expected a number from 0.001 to 100"),
        ({"scale": -1}, "scale: -1"),
        ({"scale": 1e6}, "scale: 1000000.0"),
        ({"scale": float("nan")}, "scale: nan"),
        ({"scale": float("inf")}, "scale: inf"),
        ({"scale": "1"}, "scale: '1'; expected a number from 0.001 to 100"),
        ({"days": 0}, "days: 0; expected a whole number from 1 to 400"),
        ({"days": -3}, "days: -3"),
        ({"days": 10**9}, "days: 1000000000"),
        ({"seed": -1}, "seed: -1; expected a whole number from 0 to 9223372036854775807"),
        ({"seed": 2**64}, "seed: 18446744073709551616; expected a whole number from 0 to 9223372036854775807"),
        ({"end": 0}, "end: lies outside 2000 to 2100; expected a time in that range"),
        ({"end": 2**62}, "end: lies outside"),
        ({"preset": "farm"}, "preset: 'farm'; expected one of: retailer"),
        ({"preset": None}, "preset: None; expected one of: retailer"),
        ({"run": "wild"}, "run: 'wild' is unknown; expected one of: demo"),
    ],
)
def test_absurd_parameters_get_one_line_and_leave_nothing(
    tmp_path: Path, parameters: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        small(tmp_path / "new", **parameters)
    assert caught.value.line().startswith(says)
    assert "\n" not in caught.value.line()
    assert not (tmp_path / "new").exists()


def test_a_directory_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty; expected an empty or new directory"):
        small(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_finished_company_is_not_built_over(tmp_path: Path) -> None:
    small(tmp_path)
    with pytest.raises(UsageError, match="is not empty"):
        small(tmp_path)


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        small(tmp_path / "file")


@pytest.mark.parametrize("stop_at", ["feeds and registers", "stores", "truth"])
def test_an_unfinished_company_is_gone_on_with_and_another_refused(tmp_path: Path, stop_at: str) -> None:

    def stop(what: str, _: float) -> None:
        if what == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(tmp_path, progress=stop)
    assert (tmp_path / "INCOMPLETE").is_file()
    with pytest.raises(UsageError, match=r"holds another company that is not finished \(seed 1 there\)"):
        small(tmp_path, seed=2)
    small(tmp_path)
    assert not (tmp_path / "INCOMPLETE").exists()
    assert (tmp_path / "truth/incidents.jsonl").is_file()


def test_an_unfinished_company_with_something_else_beside_it_is_left_alone(tmp_path: Path) -> None:
    small(tmp_path / "whole")
    (tmp_path / "INCOMPLETE").write_text("my own mark")
    with pytest.raises(UsageError, match="is not empty"):
        small(tmp_path)
    (tmp_path / "INCOMPLETE").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not empty"):
        small(tmp_path)


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BeholdenError, match=r"below: cannot be written \(Not a directory\)") as caught:
        small(tmp_path / "file" / "below")
    assert "\n" not in caught.value.line()


def test_a_full_disk_is_one_line_and_stays_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("beholden.retailer.company.write_personnel", full)
    with pytest.raises(BeholdenError, match=r"cannot be written \(No space left on device\)"):
        small(tmp_path)
    assert (tmp_path / "INCOMPLETE").is_file()


def test_progress_goes_forward_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    small(tmp_path, progress=lambda what, share: told.append((what, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert told[-1] == ("done", 1.0)


@pytest.mark.parametrize("days", [1, 2, 3])
@pytest.mark.parametrize("offset", [0, 1, 2])
def test_short_windows_work_on_any_weekday(tmp_path: Path, days: int, offset: int) -> None:
    small(tmp_path, days=days, end=END + offset * 86_400_000_000 + 1)
