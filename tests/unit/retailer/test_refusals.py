from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from click.testing import CliRunner

from beholden.cli import cli
from beholden.core.errors import BeholdenError, UsageError
from beholden.core.times import parse_time
from beholden.retailer import build_company
from beholden.retailer.chance import stream
from beholden.retailer.events import Events
from beholden.retailer.incidents import Incident, kinds, plan_of
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.world import World

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
        ({"run": None}, "run: None; expected one of: demo"),
        (
            {"end": dt.date(2026, 11, 22)},
            "end: datetime.date(2026, 11, 22); expected a whole number, microseconds since",
        ),
        ({"end": "2026-11-22"}, "end: '2026-11-22'; expected a whole number, microseconds since 1970"),
        ({"end": True}, "end: True; expected a whole number"),
        ({"map_days": 3}, "map_days: int; expected a function"),
        ({"progress": "bar"}, "progress: str; expected a function"),
        ({"changes": 3}, "changes: int; expected values by name"),
        ({"postgres": 5}, "postgres: int; expected a URL"),
        ({"mariadb": b"mariadb://h/"}, "mariadb: bytes; expected a URL"),
        ({"postgres": "nonsense"}, "PostgreSQL: the URL is none of such a server; expected postgresql://"),
        ({"postgres": "host=127.0.0.1 port=1"}, "PostgreSQL: the URL is none of such a server"),
        ({"postgres": ""}, "PostgreSQL: the URL is none of such a server"),
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


def test_a_directory_may_be_a_text(tmp_path: Path) -> None:
    build_company(str(tmp_path / "text"), scale=0.001, days=1, end=END)
    assert (tmp_path / "text" / "beholden.toml").is_file()


@pytest.mark.parametrize(
    ("directory", "says"),
    [
        (5, "directory: 5; expected a path"),
        (None, "directory: None; expected a path"),
        (b"bytes", "directory: b'bytes'; expected a path"),
        ("", "directory: ''; expected the name of an empty or new directory"),
        ("a\0b", "directory: 'a\\x00b'; expected the name of"),
    ],
)
def test_what_is_no_directory_is_one_line(directory: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        small(directory)
    assert caught.value.line().startswith(says)


def test_a_name_that_is_no_text_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"b\\udce9: its name is not UTF-8 here") as caught:
        small(tmp_path / "b\udce9")
    assert caught.value.line().isascii()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [b"b\xe9", "\u00e92".encode()])
def test_the_command_refuses_names_that_its_locale_cannot_say(tmp_path: Path, name: bytes) -> None:
    if sys.platform == "darwin":
        pytest.skip("names of files are always UTF-8 there")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}
    command = [
        sys.executable,
        "-c",
        "from beholden.cli import main; main()",
        "demo",
        "--build-only",
        "--scale",
        "0.001",
    ]
    done = subprocess.run([*command, "--out", name], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"its name is not UTF-8 here" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_command_does_not_take_an_empty_name_for_this_directory() -> None:
    result = CliRunner().invoke(cli, ["demo", "--out", "", "--build-only"])
    assert isinstance(result.exception, UsageError)
    assert result.exception.line().startswith("demo --out: is empty")


class _Package:
    name = "outside-kinds"


def made_outside(plan: Any, monkeypatch: pytest.MonkeyPatch) -> Incident | None:
    """What a plan gives that another package brings under the name ``odd``."""

    class Brought(EntryPoint):
        dist: ClassVar[Any] = _Package()

        def load(self) -> Any:
            if plan is None:
                raise ImportError("no such module")
            return plan

    point = Brought("odd", "outside:plan", "beholden.retailer.incidents")
    monkeypatch.setattr("beholden.retailer.incidents.entry_points", lambda **_: [point])
    kinds.cache_clear()
    try:
        world = World(checked_parameters(preset="retailer", scale=0.001, seed=1, days=2, end=END))
        return plan_of("odd")(world, stream(1, "odd"), 7, "loud", world.parameters.start, END)
    finally:
        kinds.cache_clear()


def odd(time: int = END - 1, *, log: str = "console", number: int = 7, count: int = 1) -> Incident:
    one = np.full(count, 0)
    events = Events(time=one + time, actor=one, label=one, incident=one + number)
    return Incident(number, "odd", "loud", ("ann",), (), {log: events})


def broken(*_: Any) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (None, "its plan failed (ImportError)"),
        (3, "its plan failed (TypeError)"),
        (broken, "its plan failed (ZeroDivisionError)"),
        (lambda: None, "its plan failed (TypeError)"),
        (lambda *_: "incident", "its plan returned something of the type str; expected None, or an Incident"),
        (lambda *_: odd(number=8), "its plan returned an incident of another number, kind or grade"),
        (lambda *_: odd(log="cupboard"), "its plan returned events in a log that is not there"),
        (lambda *_: odd(count=0), "its plan returned an incident without events"),
        (lambda *_: odd(END), "its plan returned events outside the time"),
        (lambda *_: Incident(7, "odd", "loud", (), (), {"console": 3}), "its plan returned events that are no Events"),  # type: ignore[dict-item]
    ],
)
def test_a_faulty_kind_of_another_package_is_named_with_it(
    plan: Any, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BeholdenError) as caught:
        made_outside(plan, monkeypatch)
    assert caught.value.line().startswith(f"kind of incident odd of the package outside-kinds: {says}")


def test_a_kind_of_another_package_plans_as_ours_do(monkeypatch: pytest.MonkeyPatch) -> None:
    made = made_outside(lambda *_: odd(), monkeypatch)
    assert made is not None
    assert made.number == 7
    assert made_outside(lambda *_: None, monkeypatch) is None  # too small a company


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BeholdenError, match=r"below: cannot be written \(Not a directory\)") as caught:
        small(tmp_path / "file" / "below")
    assert "\n" not in caught.value.line()
    assert "unfinished company" not in caught.value.line()


def test_a_full_disk_is_one_line_and_stays_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("beholden.retailer.company.write_personnel", full)
    with pytest.raises(BeholdenError, match=r"cannot be written \(No space left on device\).* unfinished company"):
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
