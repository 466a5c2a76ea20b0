"""docs/reference/logs.md names every format, and every reason for which a record is noise or not understood."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from beholden.core import times
from beholden.ledger import _one_by_one, databases, ingest, interpret
from beholden.logs import (
    FORMATS,
    _columns,
    _csv,
    _documents,
    _json,
    _mapped_record,
    _ocsf_record,
    _pgaudit,
    _pgtime,
    _source,
    _tables,
    _times,
    mapped,
    ocsf,
)
from beholden.logs.pgaudit_csv import _Csvlog

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "logs.md").read_text()
#: Functions that are given a reason.
SAID_BY = {"problem", "noise", "mended", "RefusedError", "_RefusedError", "RefusedRecordError"}
CONSTANTS = [
    _csv.TRUNCATED, _csv.BROKEN, _json.NOT_JSON, _json._NOT_OF_TYPE, _documents.NO_RECORDS, _source.TOO_LONG, _tables.DAMAGED,
    _pgtime.ZONE_UNKNOWN, _Csvlog.stray, databases.ANOTHER_DATABASE, "no dataset", "not a JSON object",
]  # fmt: skip


def texts(tree: ast.AST, names: set[str]) -> Iterator[str]:
    """The texts that calls of functions of these names are given."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in names:
                yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def reasons(module: ModuleType, names: set[str] = SAID_BY) -> set[str]:
    return set(texts(ast.parse(inspect.getsource(module)), names))


def returned(function: object) -> set[str]:
    tree = ast.parse(inspect.getsource(function))  # type: ignore[arg-type]
    found = {
        n.value for r in ast.walk(tree) if isinstance(r, ast.Return) for n in ast.walk(r) if isinstance(n, ast.Constant)
    }
    return {text for text in found if isinstance(text, str)}


ALL = (
    set(CONSTANTS)
    | {
        text
        for module in (_json, _pgaudit, _mapped_record, _ocsf_record, mapped, ocsf, interpret)
        for text in reasons(module)
    }
    | reasons(_pgtime, {"ValueError"})
    | reasons(_times, {"ValueError"}) - set(texts(ast.parse(inspect.getsource(_times.check_pattern)), {"ValueError"}))
    | set(texts(ast.parse(inspect.getsource(times.parse_time)), {"ValueError"}))
    | returned(_pgaudit._failure)
    | returned(_pgaudit._chatter)
)


@pytest.mark.parametrize("reason", sorted(ALL))
def test_the_page_has_every_reason(reason):
    assert f"`{reason}`" in PAGE


def test_the_page_has_no_reason_that_is_gone():
    tables = PAGE.partition("## What is noise")[2].partition("## pgaudit")[0]
    named = {text for line in tables.splitlines() if line.startswith("|") for text in re.findall(r"`([^`]+)`", line)}
    made_up = {
        "skipped by PATH",
        "reading stopped: ...",
        "statement not understood: ...",
        "on_behalf_of: not kind:identifier",
        f"{ingest.NO_SCHEMA.partition(';')[0]} ...",
        f"{databases.SEVERAL_DATABASES.partition(';')[0]} ...",
    }
    examples = {"database", "rows: not a whole number", "time: ", "[skip]", "log_statement", "log_duration", "SELECT 1"}
    assert named - made_up - examples <= ALL
    assert '"no dataset"' in inspect.getsource(_one_by_one)
    assert '"reading stopped: ' in inspect.getsource(ingest)
    assert '"statement not understood: ' in inspect.getsource(_one_by_one)
    assert "not a whole number" in inspect.getsource(_columns)


@pytest.mark.parametrize("name", FORMATS)
def test_the_page_has_every_format(name):
    assert f"| `{name}` | " in PAGE
