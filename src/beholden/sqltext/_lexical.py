"""How each dialect spells a literal, a comment, a quoted name and a bind parameter.

A dialect's rules become one regular expression: its first group is one token, white space before it is skipped. Every
repetition is possessive, or lazy up to a fixed end, so that matching is linear in the text. A string, comment or
quoted name that is never closed reaches to the end of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlglot.dialects.dialect import Dialect

from beholden.core.errors import UsageError

__all__ = ["NUMBER", "ORACLE_QUOTES", "Rules", "rules_for"]

#: Comments nested deeper than this are taken, with all that follows, for one literal.
_COMMENT_DEPTH_MAX: Final = 4

_POSTGRES: Final = frozenset({"postgres", "redshift", "materialize", "risingwave", "duckdb"})
_MYSQL: Final = frozenset({"mysql", "doris", "starrocks", "singlestore"})
_SPARK: Final = frozenset({"databricks", "hive", "spark", "spark2"})
_BACKSLASH: Final = _MYSQL | _SPARK | {"bigquery", "clickhouse", "snowflake"}
_DOUBLE_QUOTED_STRING: Final = _MYSQL | _SPARK | {"bigquery"}
_HASH_COMMENT: Final = _MYSQL | {"bigquery", "clickhouse"}
_NESTED_COMMENT: Final = _POSTGRES | {"tsql", "fabric", "clickhouse"}
_BRACKET_NAME: Final = frozenset({"tsql", "fabric", "sqlite"})
_AT_PARAMETER: Final = frozenset({"tsql", "fabric", "sqlite", "bigquery"})
_DOLLAR_QUOTE: Final = _POSTGRES | {"snowflake", "databricks", "clickhouse"}

#: Oracle's q'[..]': what ends a string that begins so.
ORACLE_QUOTES: Final = dict(zip("[({<!|#^~", "])}>!|#^~", strict=True))

_OPERATORS: Final = r"->>|->|<=>|<<|>>|<=|>=|<>|!=|=>|==|::|:=|\|\||\*\*|//"
_POSTGRES_OPERATORS: Final = (
    r"@@@|@@|@>|<@|@\?|\?\||\?&|\?(?=\s*(?:[eE]?'|\$|array\b|\(|\d))|&&|\|/|\|\|/|<<=|>>=|<<\||\|>>|&<\||\|&>|&<|&>|"
    r"#>>|#>|#-|<->|<#>|!~~\*|!~~|!~\*|!~|~~\*|~~|~\*|\^@|-\|-"
)
_NUMBER: Final = r"\d[\d_]*+(?:\.\d*)?+(?:[eE][+-]?\d+)?+"
#: A number glued to what stands before it (``t.1``) is part of a name.
_FRACTION: Final = r"(?<![\w$`\"\]])\.\d+(?:[eE][+-]?\d+)?+"
#: A token that is a number and nothing else.
NUMBER: Final = re.compile(rf"0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|{_NUMBER}|{_FRACTION}")


@dataclass(frozen=True, slots=True)
class Rules:
    """The lexical habits of one dialect.

    ``token`` finds tokens with ``findall``, with empty ones at the end; ``dollar_token`` is for texts that hold dollar quotes, which need a second
    group to know their end (None: the dialect has none).
    """

    dialect: str
    backslash: bool  # strings know backslash escapes
    double_quoted_string: bool  # ".." is a string
    double_quoted_doubt: bool  # ".." is a name, or a string where no field has that name (SQLite)
    digit_name: bool  # an unquoted name may begin with digits
    exact_case: bool  # unquoted names are folded to lower case, quoted ones compared exactly
    comment: re.Pattern[str]  # a whole block comment, or the mark of one whose text counts
    token: re.Pattern[str]
    dollar_token: re.Pattern[str] | None


def _comment(depth: int) -> str:
    # No possessive repetition within another: Python before 3.11.5 matches such a one wrongly. What may follow differs
    # in its first character, so nothing is tried twice.
    inner = f"|{_comment(depth - 1)}" if depth > 1 else ""
    return rf"/\*[^*/]*(?:(?:\*(?!/)|/(?!\*){inner})[^*/]*)*\*/"


def _comments(dialect: str) -> list[str]:
    parts = [r"--(?=[\s\x00-\x1f]|\Z)[^\n]*" if dialect in _MYSQL else r"--[^\n]*"]
    if dialect in _HASH_COMMENT:
        parts.append(r"#[^\n]*")
    if dialect in _MYSQL:
        parts.append(r"/\*M?!\d*|\*/")  # MySQL runs what stands inside; only the marks are comment
    return [*parts, _block_comment(dialect), r"/\*[\s\S]*"]


def _block_comment(dialect: str) -> str:
    return _comment(_COMMENT_DEPTH_MAX) if dialect in _NESTED_COMMENT else r"/\*[\s\S]*?\*/"


def _quoted(dialect: str) -> list[str]:
    plain = r"'[^']*+(?:''[^']*+)*+(?:'|\Z)"
    escaped = r"'(?:[^'\\]++|\\[\s\S]|'')*+(?:'|\\?\Z)"
    parts = []
    if dialect == "bigquery":
        parts += [r"[rRbB]{0,2}'''[\s\S]*?(?:'''|\Z)", r'[rRbB]{0,2}"""[\s\S]*?(?:"""|\Z)', rf"[rR]{plain}"]
    if dialect == "oracle":
        parts += [
            rf"[nN]?[qQ]'{re.escape(first)}[\s\S]*?(?:{re.escape(last)}'|\Z)" for first, last in ORACLE_QUOTES.items()
        ]
    if dialect in _POSTGRES:
        parts.append(f"[eE]{escaped}")
    string = escaped if dialect in _BACKSLASH else plain
    parts.append(f"(?:[uU]&|[bBxXnN])?{string}")
    parts.append((string if dialect in _DOUBLE_QUOTED_STRING else plain).replace("'", '"'))
    parts.append(plain.replace("'", "`"))
    if dialect in _BRACKET_NAME:
        parts.append(r"\[[^\]]*+(?:\]|\Z)")
    return parts


def _token_source(dialect: str) -> str:
    word = r"[^\W\d][\w$#@]*+" if dialect in _BRACKET_NAME | {"oracle"} else r"[^\W\d][\w$]*+"
    # Most tokens are words: they come first, but for one that is the prefix of a string (E'..').
    parts = [rf"{word}(?:\.{word})*+(?!['\"])", r"[,();]", *_quoted(dialect)]
    if dialect in _AT_PARAMETER:
        parts.append(r"@[^\W\d]\w*")
    parts.append(rf"@{{1,2}}[\w$.]++|{word}" if dialect in _MYSQL else word)
    parts += _comments(dialect)
    parts.append(r"0[xX][0-9a-fA-F]+\b|0[bB][01]+\b|0[oO][0-7]+\b")
    if dialect in _MYSQL:
        parts.append(rf"{_NUMBER}(?![\w$])|\d[\w$]*+")
    parts += [_NUMBER, _FRACTION]
    first = r"(?!\d)" if dialect in _POSTGRES else ""  # in PostgreSQL :1 ends an array's slice
    parts.append(rf"\$\d+|%\(\w+\)s|%s(?!\w)|(?<![\w)\]\":]):{first}\w+")
    if dialect == "sqlite":
        parts.append(r"\$[^\W\d]\w*")
    if dialect in _POSTGRES:
        parts.append(_POSTGRES_OPERATORS)
    parts += [r"\?\d+", _OPERATORS, r"[^\s\x00-\x1f]"]
    return "|".join(parts)


@cache
def rules_for(dialect: str) -> Rules:
    """The rules of a dialect sqlglot knows by this name; raises `UsageError` for another name."""
    if not dialect or Dialect.get(dialect) is None:
        raise UsageError("SQL dialect", f"'{dialect[:40]}' is not known", expected="e.g. postgres, mysql or sqlite")
    source = _token_source(dialect)
    dollar = rf"[\s\x00-\x1f]*+(\$(\w*)\$[\s\S]*?\$\2\$|\$\w*\$[\s\S]*|{source}|\Z)"
    return Rules(
        dialect=dialect,
        backslash=dialect in _BACKSLASH,
        double_quoted_string=dialect in _DOUBLE_QUOTED_STRING,
        double_quoted_doubt=dialect == "sqlite",
        digit_name=dialect in _MYSQL,
        exact_case=dialect in _POSTGRES - {"duckdb"},
        comment=re.compile(_block_comment(dialect) + (r"|/\*M?!\d*" if dialect in _MYSQL else "")),
        token=re.compile(rf"[\s\x00-\x1f]*+({source}|\Z)"),
        dollar_token=re.compile(dollar) if dialect in _DOLLAR_QUOTE else None,
    )
