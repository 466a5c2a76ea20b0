"""What every answer has in common: envelope, CSV, tables of a given width, gaps, talk that no terminal obeys."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass

import pytest

from beholden.cli import schemas
from beholden.cli._failure import foreign_error
from beholden.cli._talk import printable
from beholden.cli.output import UNKNOWN_SHOWN_MAX, Column, emit
from beholden.core.errors import LimitError
from beholden.core.unknown import Unknown


@dataclass(frozen=True, slots=True)
class Row:
    """A row of every shape."""

    name: str
    time: str
    rows: int | None
    share: float
    known: bool
    fields: list[str]
    counts: dict[str, int]
    parts: tuple[dict[str, int], ...] = ()


ROWS = [
    Row(
        "crm/public.customer_address_history",
        "2026-11-20T10:00:00",
        12345,
        0.5,
        True,
        ["a", "b"],
        {"x": 1},
        ({"y": 2},),
    ),
    Row("b", "2026-11-20T11:00:00", None, 1.0, False, [], {}),
]
COLUMNS = [
    Column("name", lambda row: row.name, fold=True),
    Column("time", lambda row: row.time),
    Column("rows", lambda row: row.rows, right=True, spare=1),
    Column("share", lambda row: row.share, right=True, spare=2),
    Column("known", lambda row: row.known, spare=3),
    Column("fields", lambda row: row.fields, fold=True, spare=4),
]


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(schemas.NOUNS, "rows", f"{__name__}:Row")
    monkeypatch.setattr(schemas, "record_type", lambda noun: {"rows": Row}[noun])
    monkeypatch.setattr("beholden.cli.output.record_type", lambda noun: {"rows": Row}[noun])


def test_json_is_the_envelope_of_the_contract(capsys):
    emit("json", "rows", ROWS, COLUMNS, empty="", unknown=[Unknown("store", "crm", "never scanned")])
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["schema", "items", "truncated", "unknown"]
    assert document["schema"] == "beholden.rows/1"
    assert document["items"][0]["fields"] == ["a", "b"]
    assert document["unknown"] == [
        {"kind": "store", "object": "crm", "reason": "never scanned", "since": None, "count": None}
    ]


def test_csv_has_a_header_also_without_rows_and_joins_lists(capsys):
    emit("csv", "rows", [], COLUMNS, empty="")
    header = "name,time,rows,share,known,fields,counts,parts\n"
    assert capsys.readouterr().out == header
    emit("csv", "rows", ROWS, COLUMNS, empty="")
    text = capsys.readouterr().out
    assert text.startswith(header)
    assert list(csv.reader(io.StringIO(text)))[1:] == [
        [
            "crm/public.customer_address_history",
            "2026-11-20T10:00:00",
            "12345",
            "0.5",
            "true",
            "a;b",
            '{"x":1}',
            '[{"y":2}]',
        ],
        ["b", "2026-11-20T11:00:00", "", "1.0", "false", "", "{}", ""],
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_a_table_keeps_to_the_width_and_times_stay_whole(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    emit(None, "rows", ROWS, COLUMNS, empty="")
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= width
    assert [line for line in lines if line != line.rstrip()] == []
    assert all(row.time in said.out for row in ROWS)
    left_out = {column.heading for column in COLUMNS if column.heading not in lines[0]}
    assert said.err == "" if not left_out else all(heading in said.err for heading in left_out)
    assert (left_out == set()) == (width >= 80)


def test_columns_that_say_nothing_go_first_and_unsaid(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    columns = [COLUMNS[0], COLUMNS[1], Column("empty", lambda _row: None, spare=1)]
    emit(None, "rows", ROWS, columns, empty="")
    said = capsys.readouterr()
    assert "empty" not in said.out
    assert said.err == ""
    monkeypatch.setenv("COLUMNS", "80")
    emit(None, "rows", ROWS, columns, empty="")
    assert "empty" in capsys.readouterr().out
    emit(None, "rows", ROWS, [COLUMNS[0], Column("empty", lambda _row: None, rare=True)], empty="")
    assert "empty" not in capsys.readouterr().out


def test_an_empty_answer_says_what_was_looked_for_and_that_gaps_remain(capsys):
    emit(None, "rows", [], COLUMNS, empty="no row holds x")
    assert capsys.readouterr().out == "no row holds x\n"
    emit(None, "rows", [], COLUMNS, empty="no row holds x", unknown=[Unknown("store", "crm", "never scanned")])
    said = capsys.readouterr()
    assert said.out == "no row holds x; what is not known follows\n"
    assert said.err == "unknown: crm: never scanned\n"


@pytest.mark.parametrize("output", [None, "csv"])
def test_many_gaps_are_counted_not_poured_out(capsys, output):
    gaps = [Unknown("dataset", f"crm/t{i}", "never scanned") for i in range(1234)]
    emit(output, "rows", [], COLUMNS, empty="nothing", unknown=gaps)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == UNKNOWN_SHOWN_MAX + 1
    assert lines[-1] == "unknown: and 1,214 more: use --json"


@pytest.mark.parametrize("output", [None, "csv", "json"])
def test_an_answer_that_is_cut_ends_with_4(capsys, output):
    with pytest.raises(LimitError, match="cut after 2 rows") as raised:
        emit(output, "rows", ROWS, COLUMNS, empty="", truncated=True)
    assert raised.value.exit_code == 4
    assert ROWS[0].name in capsys.readouterr().out


def test_a_noun_or_record_that_is_not_registered_cannot_be_emitted():
    with pytest.raises(KeyError):
        emit("json", "colours", [], COLUMNS, empty="")
    with pytest.raises(TypeError):
        emit("json", "rows", [Unknown("store", "crm", "x")], COLUMNS, empty="")


def test_names_from_logs_cannot_steer_a_terminal(capsys):
    evil = "eve\x1b[2J\x07\n\u202eoot [red]x[/red]"
    emit(None, "rows", [Row(evil, "t", 1, 0.0, True, [], {})], COLUMNS, empty="", unknown=[Unknown("log", evil, "x")])
    said = capsys.readouterr()
    assert set("\x1b\x07\u202e") & set(said.out + said.err) == set()
    assert "\\x1b[2J" in said.out
    assert "[red]x[/red]" in said.out
    assert printable("plain ünïcode") == "plain ünïcode"


def test_an_error_of_the_system_names_its_file_and_no_other_text():
    shown = foreign_error(PermissionError(13, "vashti", "/srv/x")).line()
    assert shown == "/srv/x: permission denied. What was finished is kept; mend it and run it again"
    assert "vashti" not in foreign_error(ValueError("vashti")).line()
