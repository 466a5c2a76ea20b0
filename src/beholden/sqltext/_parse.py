"""From a template to sqlglot's trees, with each literal replaced by a number that leads back to its slot.

sqlglot quotes SQL in its errors and logs: neither passes this module, and no literal ever enters it.
"""

from __future__ import annotations

import logging
import re
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from beholden.core.limits import STATEMENT_BYTES_MAX
from beholden.sqltext._lexical import NUMBER
from beholden.sqltext.facts import Template

__all__ = ["NotUnderstood", "marked", "parse", "slot_of"]

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # its warnings quote the statement

# All literals are out of a template, so these numbers are the only ones in what is parsed; they are large so that none
# equals a number the parser adds of its own (an array's first index, a default precision).
_LITERAL_BASE: Final = 7_000_000_000
_PARAMETER_BASE: Final = 8_000_000_000

_NAME: Final = r'"[^"]*+(?:""[^"]*+)*+"|`[^`]*+(?:``[^`]*+)*+`'
_MARKS: Final = re.compile(
    rf"({_NAME})|(\?\?)|(?:\?|\$)(\d+)|((?<![\w)\]\":]):\w+|(?<![\w$@])[@$][^\W\d]\w*)"
    r"|(\b(?:date|time|timestamp|timestamptz|interval|_\w+) )?\?"
)


class NotUnderstood(Exception):  # noqa: N818 - it does not leave the room; it becomes StatementFacts.problem
    """A statement that could not be read; the text says why and quotes nothing."""


def marked(template: Template, dialect: str) -> str:
    """The template's text with a number for each literal and bind parameter.

    A literal that looks like a number becomes a number, any other a string of digits.
    """
    if len(template.text.encode("utf-8", "surrogatepass")) > STATEMENT_BYTES_MAX:
        raise NotUnderstood(f"longer than {STATEMENT_BYTES_MAX} bytes without its literals")
    place = -1
    names: dict[str, int] = {}

    def mark(match: re.Match[str]) -> str:
        nonlocal place
        name, operator, number, parameter, typed = match.groups()
        if name:
            return name
        if operator:
            return "?"
        if number:
            return str(_PARAMETER_BASE + int(number[:9]))
        if parameter:
            if parameter[0] == "@" and dialect == "mysql":
                return parameter  # a session's variable, not a bind parameter
            return str(_PARAMETER_BASE + names.setdefault(parameter, len(names) + 1))
        place += 1
        slots = template.groups[place] if template.groups else (place,)
        text = template.literals[slots[0]] if slots and slots[0] < len(template.literals) else ""
        code = str(_LITERAL_BASE + place)
        return code if not typed and NUMBER.fullmatch(text) else f"{typed or ''}'{code}'"

    return _MARKS.sub(mark, template.text)


def slot_of(literal: exp.Literal) -> tuple[int | None, int | None]:
    """The place of a literal among the template's ``?``, or the number of a bind parameter; (None, None) for neither."""
    text = literal.name
    code = int(text) if text.isdigit() else 0
    if code >= _PARAMETER_BASE:
        return None, code - _PARAMETER_BASE
    return (code - _LITERAL_BASE, None) if code >= _LITERAL_BASE else (None, None)


def parse(sql: str, dialect: str) -> exp.Expr:
    """The tree of one marked statement; raises `NotUnderstood`."""
    if sql.endswith(" ..."):
        raise NotUnderstood("ends within a string, a comment or a quoted name")
    try:
        tree = sqlglot.parse_one(sql, dialect=dialect)
    except ParseError as error:
        column = next((int(entry["col"]) for entry in error.errors if entry.get("col")), 0)
        raise NotUnderstood(f"could not be parsed near word {len(sql[:column].split())}") from None
    except SqlglotError:
        raise NotUnderstood("could not be split into tokens") from None
    except RecursionError:
        raise NotUnderstood("nested too deeply") from None
    return tree
