"""Statements known by their first words: those sqlglot does not read, or reads only in part.

They work on a marked text (see ``_parse``), where every literal is a number: so no pattern can meet one.
"""

from __future__ import annotations

import re
from typing import Final

from beholden.sqltext._names import Named, Names
from beholden.sqltext.facts import Relation, StatementFacts, StatementKind

__all__ = ["WRAPPED", "read_form", "read_partly", "split", "without_destination"]

_NAME: Final = r'(?:"[^"]*+(?:""[^"]*+)*+"|`[^`]*+`|\[[^\]]*+\]|[\w$#@]++)'
_DOTTED: Final = rf"{_NAME}(?:\.(?:{_NAME}|\*))*+"
_LIST: Final = rf"{_DOTTED}(?:, {_DOTTED})*+"
_QUERY: Final = r"(?=select |with |insert |update |delete |merge |replace |values |create |table |\()"

#: Statements that hold another: EXPLAIN (with its options), PREPARE, DECLARE .. CURSOR, and COPY of a query.
WRAPPED: Final = {
    "explain": re.compile(
        rf"(?:explain|(?P<run>analyze)) (?P<options>(?:\([^()]*+\) |(?:analyze|verbose|extended|partitions|query plan|"
        rf"format = \w+) )*){_QUERY}"
    ),
    "prepare": re.compile(rf"prepare {_NAME} (?:\([^()]*+\) )?as "),
    "cursor": re.compile(rf"declare {_NAME} (?:\w+ ){{0,6}}?cursor (?:with(?:out)? hold )?for "),
    "copy": re.compile(r"copy \((?P<query>.*)\) to\b"),
}

_COPY: Final = re.compile(rf"copy (?:binary )?(?P<name>{_DOTTED}) ?(?:\((?P<columns>[^()]*+)\) )?(?P<way>to|from)\b")
_GRANT_ALL_OF: Final = re.compile(rf"all tables in schema (?P<schemas>{_LIST})\Z")
_GRANT_TABLES: Final = re.compile(rf"(?:table )?(?P<names>{_LIST})\Z")
_ROUTINE: Final = re.compile(
    r"(?:create|alter|drop) (?:(?!table |view |index |as )\S+ ){0,12}?(?:function|procedure|trigger|event|package|routine) "
)
_TRIGGER: Final = re.compile(rf"create (?:\S+ ){{0,12}}?trigger .*? on (?P<names>{_DOTTED}) ")
_BODY: Final = re.compile(r"\bbegin\b")
_VIEW: Final = re.compile(
    rf"create (?:(?!table |materialized |as )\S+ ){{0,12}}?view (?:if not exists )?(?P<names>{_DOTTED})"
)
_WRITTEN: Final[tuple[tuple[re.Pattern[str], StatementKind], ...]] = (
    (_VIEW, "ddl"),
    (_TRIGGER, "ddl"),
    (re.compile(rf"refresh materialized view (?:concurrently )?(?P<names>{_DOTTED})"), "ddl"),
    (re.compile(rf"rename tables? (?P<names>{_DOTTED}) to "), "ddl"),
    (re.compile(rf"load (?:data|xml) .*?\binto table (?P<names>{_DOTTED})"), "copy_in"),
)
_CODE: Final = re.compile(r"(?:do|call|execute|exec)\b")
_NO_DATA: Final = re.compile(
    r"(?:abort|analyze|attach|begin|check|checkpoint|close|cluster|comment|commit|deallocate|declare|desc|describe|"
    r"detach|discard|end|explain|fetch|flush|grant|kill|listen|load|lock|move|notify|optimize|pragma|prepare|reassign|"
    r"reindex|release|reset|revoke|rollback|savepoint|set|show|start|unlisten|unlock|use|vacuum|xa)\b"
)
_KINDS: Final[dict[str, StatementKind]] = {
    "select": "select", "with": "select", "insert": "insert", "replace": "insert", "update": "update",
    "delete": "delete", "merge": "merge", "create": "ddl", "alter": "ddl", "drop": "ddl",
}  # fmt: skip
_MENTIONED: Final = re.compile(
    rf"\b(?P<word>from|join|using|into|update|table)(?: if not exists| if exists| only| ignore)? (?P<name>{_DOTTED})"
)
_BY: Final = r"(?: (?:optionally )?(?:terminated|enclosed|escaped|starting) by '?\d+'?)+"
_OUTFILE: Final = re.compile(
    rf" into (?:outfile|dumpfile) '?\d+'?(?: character set \w+)?(?: (?:fields|columns){_BY})?(?: lines{_BY})?"
)
_INTO_VARIABLE: Final = re.compile(r" into @[\w$.]+(?:, @[\w$.]+)*")


_SEMICOLON: Final = re.compile(r'"[^"]*+"|`[^`]*+`|(;)')


def split(sql: str) -> list[str]:
    """The statements of a marked text. A routine's body is part of its definition: nothing in it runs now."""
    ends = [match.start() for match in _SEMICOLON.finditer(sql) if match[1]]
    pieces: list[str] = []
    for start, end in zip([0, *[end + 1 for end in ends]], [*ends, len(sql)], strict=True):
        piece = sql[start:end].strip()
        if piece:
            pieces.append(piece)
        if _ROUTINE.match(piece) and _BODY.search(piece):
            break
    return pieces


def read_partly(sql: str, names: Names, problem: str) -> StatementFacts:
    """What a statement that cannot be parsed (cut off, say) still shows: its kind, and the known datasets it names."""
    first = sql.partition(" ")[0]
    kind = _KINDS.get(first, "other")
    found: dict[Relation, None] = {}
    for match in _MENTIONED.finditer(sql) if first in _KINDS else ():
        written = kind not in ("select", "other") and not any(relation.role == "write" for relation in found)
        for named in _named(names, match["name"]):
            if named.resolved:
                found[Relation(named.path, True, "write" if written else "read", filtered=not written)] = None
    return StatementFacts(kind, tuple(found), problem)


def without_destination(sql: str) -> tuple[str, bool]:
    """MySQL: a query without its INTO OUTFILE or INTO @variable, and whether it wrote a file."""
    bare, files = _OUTFILE.subn("", sql)
    return _INTO_VARIABLE.sub("", bare), files > 0


def read_form(sql: str, names: Names) -> StatementFacts | None:
    """The facts of a statement known by its first words, or None."""
    for reads in (_read_copy, _read_grant, _read_written):
        facts = reads(sql, names)
        if facts is not None:
            return facts
    if _ROUTINE.match(sql):
        return StatementFacts("ddl")
    if _CODE.match(sql):
        return StatementFacts("other", problem="runs code that is not in the statement")
    return StatementFacts("other") if _NO_DATA.match(sql) else None


def _listed(names: Names, text: str, fields: tuple[str, ...] = ()) -> list[Relation]:
    """Written relations for a list of dotted names; ``schema.*`` is all of a schema."""
    return [
        Relation(named.path, named.resolved, "write", fields)
        for name in re.findall(_DOTTED, text)
        for named in _named(names, name)
    ]


def _named(names: Names, name: str) -> list[Named]:
    if name.endswith(".*"):
        return names.within(_bare(name[:-2]))
    parts = [_bare(part) for part in re.findall(_NAME, name)]
    named = None if any(part.isdigit() for part in parts) else names.dataset(parts)  # a number stands for a literal
    return [named] if named is not None else []


def _bare(name: str) -> str:
    """A name without its quotes."""
    quote = name[:1]
    return name[1:-1].replace(quote * 2, quote) if quote in ('"', "`", "[") else name


def _read_copy(sql: str, names: Names) -> StatementFacts | None:
    match = _COPY.match(sql)
    if match is None:
        return None
    listed = [_bare(column) for column in match["columns"].split(", ")] if match["columns"] else None
    relations = []
    for named in _named(names, match["name"]):
        known = named.columns or {}
        fields = tuple(known.get(names.fold(column), column) for column in (known if listed is None else listed))
        role = "read" if match["way"] == "to" else "write"
        relations.append(Relation(named.path, named.resolved, "read" if role == "read" else "write", fields))
    return StatementFacts("export" if match["way"] == "to" else "copy_in", tuple(relations))


def _read_grant(sql: str, names: Names) -> StatementFacts | None:
    verb, _, rest = sql.partition(" ")
    if verb not in ("grant", "revoke"):
        return None
    kind: StatementKind = "grant" if verb == "grant" else "revoke"
    objects = rest.partition("on " if rest.startswith("on ") else " on ")[2]
    objects = objects.partition(" to " if verb == "grant" else " from ")[0]
    whole = _GRANT_ALL_OF.match(objects)
    tables = _GRANT_TABLES.match(objects)
    relations: list[Relation] = []
    if whole is not None:
        listed = [named for schema in whole["schemas"].split(", ") for named in names.within(_bare(schema))]
        relations = [Relation(named.path, named.resolved, "write") for named in listed]
    elif tables is not None:
        relations = _listed(names, tables["names"])
    return StatementFacts(kind, tuple(relations))


def _read_written(sql: str, names: Names) -> StatementFacts | None:
    for pattern, kind in _WRITTEN:
        match = pattern.match(sql)
        if match is not None:
            return StatementFacts(kind, tuple(_listed(names, match["names"])))
    return None
