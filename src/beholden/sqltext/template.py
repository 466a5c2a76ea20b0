"""A statement with its literals taken out, by one pass of a regular expression and no parser.

Runs over every statement of a log, so it is the fast half of this room: what it cannot tell without a parser (is this
string a date?) it does not ask. It errs on one side only: nothing that may be a literal stays in the text.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

from beholden.sqltext._lexical import NUMBER, ORACLE_QUOTES, Rules, rules_for
from beholden.sqltext.facts import Template

__all__ = ["template"]

# Stand-ins while the text is put together. Outside strings and quoted names, which they stand for, no token holds a
# control character: so the rest can be folded and searched as plain words.
_LITERAL: Final = "\x01"
_NAME: Final = "\x02"
_QUESTION: Final = "\x03"

# What a token may be, by its first character; any other character begins a word or an operator that stays as it is.
_STRING, _DOUBLE, _OTHER_NAME, _NUMBER, _PREFIX, _MARK = range(6)
_KINDS: Final[dict[str, int]] = {
    "'": _STRING,
    '"': _DOUBLE,
    **dict.fromkeys("`[", _OTHER_NAME),
    **dict.fromkeys("0123456789.", _NUMBER),
    **dict.fromkeys("eEnNxXbBuUrRqQ", _PREFIX),
    **dict.fromkeys("$?%@-/#*", _MARK),
}

_DOLLAR_QUOTE: Final = re.compile(r"\$\w*\$")
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S])|\Z)")
_ESCAPED: Final = re.compile(r"\\[\s\S]")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "Z": "\x1a"}
_ROW: Final = r"\((?:[^()]++|\([^()]*+\))*+\)"
_ROWS: Final = re.compile(_ROW)
_LISTS: Final = re.compile(rf"\bin \(\x01(?:, \x01)++\)|\bvalues {_ROW}(?:, {_ROW})++")
_PLAIN_CELLS: Final = frozenset({_LITERAL, f"- {_LITERAL}", "null", "default", "true", "false"})
_HASH_OPERATORS: Final = frozenset({"#", "#>", "#>>", "#-"})
#: Words after which a quoted name is that of a field, a table or the like.
_BEFORE_NAMES: Final = frozenset(
    [
        "add",
        "all",
        "alter",
        "analyze",
        "and",
        "any",
        "asc",
        "between",
        "binary",
        "by",
        "call",
        "case",
        "cluster",
        "column",
        "comment",
        "constraint",
        "copy",
        "create",
        "cross",
        "current",
        "database",
        "default",
        "delete",
        "desc",
        "describe",
        "distinct",
        "domain",
        "drop",
        "else",
        "except",
        "exclude",
        "execute",
        "exists",
        "extension",
        "filter",
        "for",
        "foreign",
        "from",
        "full",
        "function",
        "grant",
        "group",
        "having",
        "if",
        "ignore",
        "ilike",
        "immediate",
        "in",
        "index",
        "inner",
        "insert",
        "intersect",
        "into",
        "is",
        "join",
        "key",
        "lateral",
        "left",
        "like",
        "limit",
        "lock",
        "materialized",
        "merge",
        "natural",
        "not",
        "null",
        "nulls",
        "of",
        "offset",
        "on",
        "only",
        "operator",
        "or",
        "order",
        "outer",
        "over",
        "overwrite",
        "partition",
        "policy",
        "primary",
        "procedure",
        "references",
        "reindex",
        "rename",
        "replace",
        "restrict",
        "returning",
        "revoke",
        "right",
        "role",
        "rule",
        "schema",
        "select",
        "sequence",
        "server",
        "set",
        "show",
        "similar",
        "some",
        "straight_join",
        "table",
        "tablesample",
        "tablespace",
        "then",
        "to",
        "trigger",
        "truncate",
        "type",
        "union",
        "unique",
        "update",
        "user",
        "using",
        "vacuum",
        "values",
        "view",
        "when",
        "where",
        "window",
        "with",
        "within",
    ]
)
_PLAIN_NAME: Final = re.compile(r".[\w$]*+.", re.DOTALL)
_COMPARES: Final = frozenset({"=", "==", "<>", "!=", "<", ">", "<=", ">=", "like", "LIKE"})


def template(sql: str, dialect: str) -> Template:
    """Take the literals out of ``sql``.

    In the text a literal is ``?``; bind parameters stay as they are written (``$1``, ``:name``), but ``?`` and ``%s``
    become ``?1``, ``?2``, and PostgreSQL's operator ``?`` becomes ``??``. Comments go, white space and the case of
    unquoted words are folded. A list ``IN (1, 2, 3)`` becomes ``in (?)`` and ``VALUES (1), (2)`` becomes
    ``values (?)``; ``Template.groups`` then says which literals each ``?`` stands for. A string, comment or quoted name
    without an end takes all that follows, and the text ends in ``...``. Cost: about 0.1 us a character.

    Raises:
        UsageError: sqlglot knows no such dialect.
    """
    rules = rules_for(dialect)
    tokens = _tokens(sql, rules)
    rest = tokens.pop() if tokens and _is_open(tokens[-1], rules) else None
    parts, literals, names = _read(tokens, rules)
    if rest is not None:
        parts += [_LITERAL, "..."]
        literals.append(rest)
    text = " ".join(parts).replace(" . ", ".").replace(" , ", ", ").replace("( ", "(").replace(" )", ")")
    text = text.replace(" :: ", "::").rstrip("; ").lower()
    groups: tuple[tuple[int, ...], ...] = ()
    if f"in ({_LITERAL}, " in text or ("values (" in text and "), (" in text):
        text, groups = _collapse(text)
    if _QUESTION in text:
        text = _number_questions(text)
    text = text.replace(_LITERAL, "?")
    if names:
        names = _without_titles(parts, names)
        pieces = text.split(_NAME)
        text = pieces[0] + "".join([name + piece for name, piece in zip(names, pieces[1:], strict=True)])
    digest = blake2b(f"{dialect}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return Template(digest, text, tuple(literals), groups)


def _tokens(sql: str, rules: Rules) -> list[str]:
    if rules.dollar_token is not None and "$" in sql and _DOLLAR_QUOTE.search(sql):
        tokens = [match[1] for match in rules.dollar_token.finditer(sql)]
    else:
        tokens = rules.token.findall(sql)
    while tokens and not tokens[-1]:  # found at the end, so that white space there is read only once
        tokens.pop()
    if rules.double_quoted_doubt and '"' in sql:
        # SQLite reads "x" as a string where no field has that name: after a comparison it is taken for one.
        around = zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)
        tokens = [
            "'" + lexeme[1:-1].replace("'", "''") + "'"
            if lexeme[0] == lexeme[-1] == '"' and before in _COMPARES and after[:1] != "."
            else lexeme
            for before, lexeme, after in around
        ]
    return tokens


def _read(tokens: list[str], rules: Rules) -> tuple[list[str], list[str], list[str]]:
    """Sort tokens into the parts of the text, the literals and the quoted names."""
    parts: list[str] = []
    literals: list[str] = []
    names: list[str] = []
    for lexeme in tokens:
        kind = _KINDS.get(lexeme[0])
        if kind is None:
            parts.append(lexeme)
        elif kind == _MARK:
            _read_mark(lexeme, parts, literals)
        elif kind == _PREFIX and "'" not in lexeme and '"' not in lexeme:
            parts.append(lexeme)
        elif (kind == _DOUBLE and not rules.double_quoted_string) or kind == _OTHER_NAME:
            parts.append(lexeme if lexeme == "[" else _NAME)
            names += [lexeme] if lexeme != "[" else []
        elif kind == _NUMBER:
            if lexeme == "." or (rules.digit_name and not lexeme.isdigit() and not NUMBER.fullmatch(lexeme)):
                parts.append(lexeme)
            else:
                parts.append(_LITERAL)
                literals.append(lexeme)
        else:
            parts.append(_LITERAL)
            literals.append(_value(lexeme, rules))
    return parts, literals, names


def _without_titles(parts: list[str], names: list[str]) -> list[str]:
    """The quoted names, with a number for each that the statement itself makes up and that is no plain word.

    ``AS "Orders of Jane Doe"`` may hold anything, and AS may be left out. A name that stands anywhere before is a
    field's and stays.
    """
    titles: dict[str, str] = {}
    kept: set[str] = set()
    found = []
    first = parts[0]  # COPY, LOCK, VACUUM ..: what follows the verb is no title
    befores = (before for before, part in zip(["", *parts], parts, strict=False) if part == _NAME)
    for name, before in zip(names, befores, strict=True):
        if name not in titles and name not in kept:
            if not _PLAIN_NAME.fullmatch(name) and _ends_an_expression(before) and before is not first:
                titles[name] = f"{name[0]}~{len(titles) + 1}{name[-1]}"
            else:
                kept.add(name)
        found.append(name if before.endswith(".") else titles.get(name, name))
    return found


def _ends_an_expression(before: str) -> bool:
    """Whether a name after this part is a title: after AS, a name, a literal, a parenthesis or a word that is no keyword."""
    if before[:1].isalpha() or before[:1] == "_":
        return before.lower() not in _BEFORE_NAMES and not before.endswith(".")
    return before in {_NAME, _LITERAL, ")"}


def _read_mark(lexeme: str, parts: list[str], literals: list[str]) -> None:
    """A token that begins like a bind parameter, a comment, a dollar quote or an operator."""
    start = lexeme[:2]
    if lexeme in ("?", "%s"):
        parts.append(_QUESTION)
    elif start == "%(":
        parts.append(f":{lexeme[2:-2]}")
    elif lexeme[0] == "$" and "$" in lexeme[1:]:
        opening = lexeme[: lexeme.index("$", 1) + 1]
        parts.append(_LITERAL)
        literals.append(lexeme[len(opening) : -len(opening)])
    elif start not in ("--", "/*") and lexeme != "*/" and (lexeme[0] != "#" or lexeme in _HASH_OPERATORS):
        parts.append(lexeme.replace("?", "??") if "?" in lexeme and not lexeme[1:].isdigit() else lexeme)


def _is_open(lexeme: str, rules: Rules) -> bool:
    """Whether the last token is a string, comment or quoted name without an end."""
    if lexeme.startswith("/*"):
        return not rules.comment.fullmatch(lexeme)
    if lexeme[0] == "$":
        opening = lexeme[: lexeme.find("$", 1) + 1]
        return opening != "" and (len(lexeme) < 2 * len(opening) or not lexeme.endswith(opening))
    if lexeme[0] == "[":
        return len(lexeme) > 1 and not lexeme.endswith("]")
    start = min((at for at in map(lexeme.find, "'\"`") if at >= 0), default=-1)
    return start >= 0 and _quote_is_open(lexeme, start, rules)


def _quote_is_open(lexeme: str, start: int, rules: Rules) -> bool:
    quote, prefix, body = lexeme[start], lexeme[:start].lower(), lexeme[start:]
    if rules.dialect == "oracle" and "q" in prefix:
        return len(body) < 4 or not body.endswith(ORACLE_QUOTES[body[1]] + quote)
    if rules.dialect == "bigquery" and body.startswith(quote * 3):
        return len(body) < 6 or not body.endswith(quote * 3)
    if _has_escapes(quote, prefix, rules):
        body = _ESCAPED.sub("", body)
    return body.count(quote) % 2 == 1 or body.endswith("\\")


def _has_escapes(quote: str, prefix: str, rules: Rules) -> bool:
    if quote == "`" or "r" in prefix:
        return False
    return (rules.backslash and (quote == "'" or rules.double_quoted_string)) or prefix == "e"


def _value(lexeme: str, rules: Rules) -> str:
    """What a string says: without quotes, prefix and escapes."""
    start = min(at for at in (lexeme.find("'"), lexeme.find('"')) if at >= 0)
    quote, prefix = lexeme[start], lexeme[:start].lower()
    if rules.dialect == "bigquery" and lexeme.startswith(quote * 3, start):
        return lexeme[start + 3 : -3]
    if rules.dialect == "oracle" and "q" in prefix:
        return lexeme[start + 2 : -2]
    body = lexeme[start + 1 : -1]
    if quote in body:
        body = body.replace(quote * 2, quote)
    if "\\" in body and _has_escapes(quote, prefix, rules):
        body = _ESCAPE.sub(_unescape, body)
    return body


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code or match[4]:
        number = int(code, 16) if code else int(match[4], 8)
        return chr(number) if number < 0x110000 else ""
    return _ESCAPES.get(match[5], match[5]) if match[5] else ""


def _number_questions(text: str) -> str:
    """Number the bare ``?``; one that stands before an operand is PostgreSQL's operator (does the key exist?)."""
    pieces = text.split(_QUESTION)
    out = [pieces[0]]
    number = 0
    for piece in pieces[1:]:
        if piece.startswith((f" {_LITERAL}", " $", " array", " (")):
            out.append("??")
        else:
            number += 1
            out.append(f"?{number}")
        out.append(piece)
    return "".join(out)


def _collapse(text: str) -> tuple[str, tuple[tuple[int, ...], ...]]:
    """Write lists of literals and rows of VALUES once; say which literals each remaining ``?`` stands for."""
    out: list[str] = []
    groups: list[tuple[int, ...]] = []
    slot = end = 0

    def keep(piece: str) -> None:
        nonlocal slot
        count = piece.count(_LITERAL)
        groups.extend((slot + offset,) for offset in range(count))
        slot += count
        out.append(piece)

    for match in _LISTS.finditer(text):
        keep(text[end : match.start()])
        end = match.end()
        whole = match[0]
        count = whole.count(_LITERAL)
        if whole[0] == "i":
            out.append(f"in ({_LITERAL})")
            groups.append(tuple(range(slot, slot + count)))
        else:
            row = _one_row(whole, slot)
            if row is None:
                keep(whole)
                continue
            out.append(f"values {row[0]}")
            groups.extend(row[1])
        slot += count
    keep(text[end:])
    return "".join(out), tuple(groups) if len(groups) < slot or () in groups else ()


def _one_row(values: str, first: int) -> tuple[str, list[tuple[int, ...]]] | None:
    """One row that stands for all rows of ``values``, and the literals of its columns; None where they differ.

    Rows of plain values may differ in which of them are null. A column that is not a plain literal in every row gets
    an empty group: nothing can be said about its values.
    """
    rows = _ROWS.findall(values)
    if _NAME in values:
        return None
    if all(row == rows[0] for row in rows):
        width = rows[0].count(_LITERAL)
        return rows[0], [tuple(range(first + at, first + width * len(rows), width)) for at in range(width)]
    cells = [row[1:-1].split(", ") for row in rows]
    width = len(cells[0])
    if any(len(row) != width or not _PLAIN_CELLS.issuperset(row) for row in cells):
        return None
    columns: list[list[int]] = [[] for _ in range(width)]
    slot = first
    for row in cells:
        for column, cell in zip(columns, row, strict=True):
            if cell == _LITERAL:
                column.append(slot)
            slot += cell.endswith(_LITERAL)
    groups = [tuple(column) if len(column) == len(rows) else () for column in columns]
    return f"({', '.join([_LITERAL] * width)})", groups
