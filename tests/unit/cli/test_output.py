"""What every answer has in common: envelope, CSV, tables of a given width, gaps, talk that no terminal obeys."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass

import pytest
from rich.cells import cell_len

from beholden.cli import schemas
from beholden.cli._failure import foreign_error
from beholden.cli._talk import note, printable
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
def test_a_table_keeps_to_the_width_and_drops_no_number_and_no_name(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    emit(None, "rows", ROWS, COLUMNS, empty="")
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= width
    assert [line for line in lines if line != line.rstrip()] == []
    assert all(row.time in said.out for row in ROWS)
    assert all(number in said.out for number in ("12,345", "0.50", "1.00"))
    assert ROWS[0].name in re.sub(r"\s", "", re.sub(r"  2026.*", "", said.out))
    numbers = {"rows", "share"}
    left_out = {column.heading for column in COLUMNS if column.heading not in said.out}
    assert left_out & numbers == set()
    assert said.err == "" if not left_out else all(heading in said.err for heading in left_out)
    assert left_out == {40: {"known", "fields"}, 60: {"fields"}}.get(width, set())


def test_numbers_without_room_stand_below_their_row(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    emit(None, "rows", ROWS, COLUMNS, empty="")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "time"]
    assert lines[-2:] == [f"b{' ' * 20}2026-11-20T11:00:00", "  share 1.00"]
    assert "  rows 12,345, share 0.50" in lines


def test_what_does_not_fit_at_all_is_one_field_a_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    columns = [
        Column("name of the row", lambda row: row.name, fold=True),
        Column("time of the access", lambda row: row.time + ".000000Z"),
        Column("rows", lambda row: row.rows, right=True),
        Column("known", lambda row: row.known or None, rare=True),
        Column("fields", lambda row: row.fields, spare=3),
    ]
    emit(None, "rows", ROWS, columns, empty="")
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines() == [
        "name of the row     crm/public.customer_",
        "                    address_history",
        "time of the access",
        "  2026-11-20T10:00:00.000000Z",
        "rows                12,345",
        "known               yes",
        "fields              a, b",
        "",
        "name of the row     b",
        "time of the access",
        "  2026-11-20T11:00:00.000000Z",
        "rows                -",
        "fields              -",
    ]


def test_wide_characters_stay_in_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    rows = [Row("山田太郎" * 8, "t", 7, 0.0, True, [], {}), Row("b", "t", 7, 0.0, True, [], {})]
    emit(None, "rows", rows, [COLUMNS[0], COLUMNS[2]], empty="")
    lines = capsys.readouterr().out.splitlines()
    assert {cell_len(line) for line in lines if line[-1] in "s7"} == {cell_len(lines[0])}
    assert max(map(cell_len, lines)) <= 50


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
    alike = [Unknown("dataset", f"crm/u{i}", "no rights", count=2) for i in range(5)]
    gaps = [Unknown("dataset", f"crm/t{i}", f"never scanned, for reason {i}") for i in range(1233)]
    emit(output, "rows", [], COLUMNS, empty="nothing", unknown=[*alike, *gaps])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == UNKNOWN_SHOWN_MAX + 1
    assert lines[0] == "unknown: 5 of kind dataset, such as crm/u0, crm/u1: no rights (10)"
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


def test_a_name_cannot_make_a_line_of_its_own(capsys):
    note("logs/x\nbeholden: all is well\x1b[1A")
    assert capsys.readouterr().err == "logs/x\\nbeholden: all is well\\x1b[1A\n"
    assert printable("a\u3000b\u00a0c") == "a\u3000b\u00a0c"  # other spaces steer nothing
    emit(None, "rows", [], COLUMNS, empty="nothing in \x1b]0;x\x07")
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 170", "'+49 170"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\\x09=1"),
        ("\r=1", "\\x0d=1"),
        ("\n=1", "\\n=1"),
        ("\uff1d1", "'\uff1d1"),
        ("x;=1", "x;'=1"),
        ("a\x1b[2J\x9b\u202e", "a\\x1b[2J\\x9b\\x202e"),
        ("a=b, c-d", "a=b, c-d"),
        ("O'Neill", "O'Neill"),
        ("", ""),
    ],
)
def test_text_in_csv_is_no_formula_and_no_order_to_a_terminal(capsys, text, cell):
    emit("csv", "rows", [Row(text, "t", -5, -0.5, True, [text, "=b"], {text: -1})], COLUMNS, empty="")
    out = capsys.readouterr().out
    (_, row) = csv.reader(io.StringIO(out))
    assert (row[0], row[2], row[3]) == (cell, "-5", "-0.5")
    assert row[5] == cell + ";'=b"
    assert json.loads(row[6]) == {text: -1}
    assert set("\x1b\x9b\u202e\r\t") & set(out) == set()


def test_json_is_exact_and_still_no_order_to_a_terminal(capsys):
    evil = "=1\x1b[2J\x7f\x9b\u202e\t ü"
    emit("json", "rows", [Row(evil, "t", 1, 0.0, True, [], {})], COLUMNS, empty="")
    out = capsys.readouterr().out
    assert json.loads(out)["items"][0]["name"] == evil
    assert "ü" in out
    assert set("\x1b\x7f\x9b\u202e\t") & set(out) == set()


def test_an_error_of_the_system_names_its_file_and_no_other_text():
    shown = foreign_error(PermissionError(13, "vashti", "/srv/x")).line()
    assert shown == "/srv/x: permission denied. What was finished is kept; mend it and run it again"
    assert "vashti" not in foreign_error(ValueError("vashti")).line()
