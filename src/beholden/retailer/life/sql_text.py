"""SQL as people and programs write it: one grammar for everybody's statements, in the habits of each author."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

from beholden.retailer.chance import Chance, Rng
from beholden.retailer.world import World

__all__ = [
    "DATABASES", "Draws", "Sql", "Style", "aliased", "assigned", "copied_table", "created", "date", "day_text", "exported", "inserted",
    "mistyped", "named", "selected", "style_of", "texted",
]  # fmt: skip

T = TypeVar("T")

_EPOCH: Final = dt.date(1970, 1, 1)
DATABASES: Final = ("crm", "orders", "payments", "warehouse")
#: Numbers that `Draws` fetches at a time.
_BLOCK: Final = 4096


class Sql(NamedTuple):
    """A statement and what the server would say it did.

    ``command`` is PostgreSQL's command tag; ``reads`` and ``writes`` are tables without their schema; ``rows`` is -1
    where no server counts them. ``wrong`` is the misspelt name in one that must fail.
    """

    database: str
    text: str
    command: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    rows: int = -1
    wrong: str = ""

    @property
    def object(self) -> str:
        """The one table that logs with room for one name."""
        return (self.writes or self.reads or ("",))[0]


class Draws:
    """Chance for texts: a supply of uniform numbers used one by one, a tenth of the cost of drawing each alone."""

    __slots__ = ("uniform",)

    def __init__(self, rng: Rng) -> None:
        #: A number in [0, 1).
        self.uniform: Callable[[], float] = _supply(rng).__next__

    def below(self, count: int) -> int:
        """A whole number in [0, count)."""
        return int(self.uniform() * count)

    def chance(self, share: float) -> bool:
        """True in that share of cases."""
        return self.uniform() < share

    def one(self, of: Sequence[T]) -> T:
        """One of them."""
        return of[self.below(len(of))]

    def several(self, of: Sequence[T], count: int) -> list[T]:
        """Up to ``count`` different ones of many, in any order."""
        return list(dict.fromkeys(self.one(of) for _ in range(count)))

    def some(self, of: Sequence[T], count: int) -> list[T]:
        """Up to ``count`` different ones in their order."""
        left = min(count, len(of))
        found = []
        for place, one in enumerate(of):
            if self.uniform() * (len(of) - place) < left:
                found.append(one)
                left -= 1
        return found


def _supply(rng: Rng) -> Iterator[float]:
    while True:
        yield from rng.random(_BLOCK).tolist()


@dataclass(frozen=True, slots=True)
class Style:
    """An author's habits."""

    upper: bool  # SELECT
    broken: bool  # clauses on lines of their own
    semicolon: bool
    alias: int  # of a single table: none, its first letter, that after AS
    qualified: bool  # public.customer
    quoted: bool  # '17' for 17
    dates: int  # how dates are written
    comment: int  # none, before the statement, behind it


@lru_cache(maxsize=4096)
def _habits(seed: int, principal: int) -> Style:
    bits = int(Chance(seed, "sql habits")(principal)[0])
    return Style(
        upper=bits % 5 < 2,
        broken=bits >> 4 & 3 == 0,
        semicolon=bits >> 6 & 1 == 0,
        alias=(bits >> 8) % 3,
        qualified=bits >> 12 & 7 == 0,
        quoted=bits >> 16 & 7 == 0,
        dates=(bits >> 20) % 4,
        comment=0,
    )


_NOTES: Final = (
    "quick check", "numbers for monday", "see ticket", "as discussed with {}", "requested by {}", "tmp", "adhoc", "v2",
    "for the weekly", "re-run", "do not schedule", "TODO join on seller", "same as last month",
)  # fmt: skip
_TEAMS: Final = ("finance", "marketing", "support", "the board", "logistics", "pricing")


def style_of(world: World, principal: int, draws: Draws | None = None) -> Style:
    """How somebody writes SQL; with ``draws`` as they write this once."""
    style = _habits(world.parameters.seed, principal)
    if draws is None:
        return style
    if draws.chance(0.15):
        style = replace(style, broken=not style.broken)
    if draws.chance(0.1):
        style = replace(style, alias=draws.below(3), dates=draws.below(4))
    return replace(style, comment=1 + draws.below(2)) if draws.chance(0.08) else style


_WORDS: Final = [
    "select",
    "from",
    "where",
    "join",
    "left",
    "inner",
    "on",
    "and",
    "or",
    "group",
    "order",
    "by",
    "limit",
    "as",
    "in",
    "like",
    "ilike",
    "between",
    "is",
    "not",
    "null",
    "distinct",
    "case",
    "when",
    "then",
    "else",
    "end",
    "insert",
    "into",
    "update",
    "set",
    "delete",
    "create",
    "table",
    "drop",
    "if",
    "exists",
    "merge",
    "using",
    "matched",
    "values",
    "union",
    "all",
    "with",
    "having",
    "desc",
    "asc",
    "date",
    "timestamp",
    "interval",
    "cast",
    "truncate",
    "copy",
    "to",
    "alter",
    "rename",
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "coalesce",
    "lower",
    "upper",
    "trim",
    "add",
    "column",
    "grant",
    "explain",
    "format",
    "csv",
    "header",
    "true",
]
_SPLIT: Final = re.compile(r"('(?:[^']|'')*'|--[^\n]*|/\*.*?\*/)")
_WORD: Final = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b")


def texted(style: Style, clauses: Sequence[str], draws: Draws | None = None) -> str:
    """The statement of these clauses in that style: words in its case, line ends, comment, semicolon."""
    text = ("\n" if style.broken else " ").join(clauses)
    if style.upper:
        pieces = _SPLIT.split(text)
        pieces[::2] = map(_uppered, pieces[::2])
        text = "".join(pieces)
    if style.semicolon:
        text += ";"
    if style.comment and draws is not None:
        note = draws.one(_NOTES).format(draws.one(_TEAMS))
        text = f"-- {note}\n{text}" if style.comment == 1 else f"{text} /* {note} */"
    return text


@lru_cache(maxsize=20_000)
def _uppered(piece: str) -> str:
    """What stands between two literals, with SQL's own words in capitals."""
    return _WORD.sub(lambda found: found[0].upper(), piece)


@lru_cache(maxsize=2048)
def day_text(day: int) -> str:
    """A day as ISO 8601 text."""
    return (_EPOCH + dt.timedelta(day)).isoformat()


def date(style: Style, day: int) -> str:
    """A day as a literal."""
    text = day_text(day)
    return (f"'{text}'", f"date '{text}'", f"cast('{text}' as date)", f"'{text} 00:00:00'")[style.dates]


_LAST_WORD: Final = re.compile(r"[a-z]+")


def named(style: Style, database: str, table: str) -> str:
    """A table as it stands in a statement; PostgreSQL's have a schema."""
    return f"public.{table}" if style.qualified and database in {"crm", "payments"} else table


def aliased(style: Style, database: str, table: str) -> tuple[str, str]:
    """A single table with its alias, and what stands before its columns."""
    name = named(style, database, table)
    if style.alias == 0:
        return name, ""
    letter = _LAST_WORD.findall(table)[-1][0]
    return (f"{name} {letter}" if style.alias == 1 else f"{name} as {letter}"), f"{letter}."


def selected(
    style: Style, database: str, table: str, columns: Sequence[str], where: Sequence[str] = (), *,
    group: str = "", order: str = "", limit: int = 0, rows: int = -1, draws: Draws | None = None,
) -> Sql:  # fmt: skip
    """A query of one table. In ``columns`` and ``where`` names of columns stand after a ``$``, which becomes the alias."""
    relation, before = aliased(style, database, table)
    clauses = [f"select {', '.join(columns)}", f"from {relation}"]
    if where:
        clauses.append("where " + " and ".join(where))
    if group:
        clauses.append(f"group by {group}")
    if order:
        clauses.append(f"order by {order}")
    if limit:
        clauses.append(f"limit {limit}")
    clauses = [clause.replace("$", before) for clause in clauses]
    return Sql(database, texted(style, clauses, draws), "SELECT", (table,), (), min(rows, limit) if limit else rows)


def assigned(
    style: Style, database: str, table: str, values: Sequence[str], where: str, *, rows: int = 1, draws: Draws | None = None
) -> Sql:  # fmt: skip
    """An UPDATE: ``values`` are ``column = literal``."""
    clauses = [f"update {named(style, database, table)}", f"set {', '.join(values)}", f"where {where}"]
    return Sql(database, texted(style, clauses, draws), "UPDATE", (), (table,), rows)


def created(style: Style, database: str, table: str, columns: str) -> Sql:
    """A CREATE TABLE with its columns."""
    return Sql(database, texted(style, [f"create table {table} ({columns})"]), "CREATE TABLE", (), (table,))


def copied_table(
    style: Style, database: str, target: str, sources: Sequence[str], query: Sequence[str], rows: int
) -> Sql:
    """A CREATE TABLE .. AS of a query, given as its clauses, on ``sources``."""
    clauses = [f"create table {target} as", *query]
    return Sql(database, texted(style, clauses), "CREATE TABLE AS", tuple(sources), (target,), rows)


def inserted(
    style: Style, database: str, target: str, names: Sequence[str], sources: Sequence[str], query: Sequence[str], rows: int
) -> Sql:  # fmt: skip
    """An INSERT .. SELECT of a query, given as its clauses, on ``sources``."""
    clauses = [f"insert into {target} ({', '.join(names)})", *query]
    return Sql(database, texted(style, clauses), "INSERT", tuple(sources), (target,), rows)


def exported(
    style: Style, database: str, table: str, columns: str, to: str, rows: int, where: str = "", *, limit: int = 0
) -> Sql:  # fmt: skip
    """A COPY of a table or, with ``columns``, ``where`` or ``limit``, of a query, to ``stdout`` or a file."""
    name = named(style, database, table)
    place = to if to == "stdout" else f"'{to}' with (format csv, header true)"
    condition = (f" where {where}" if where else "") + (f" limit {limit}" if limit else "")
    what = f"(select {columns or '*'} from {name}{condition})" if columns or condition else name
    rows = min(rows, limit) if limit else rows
    return Sql(database, texted(style, [f"copy {what} to {place}"]), "COPY", (table,), (), rows)


def mistyped(sql: Sql, name: str) -> Sql:
    """The statement with one of its names misspelt: two letters have changed places."""
    at = max(1, len(name) // 2)
    wrong = name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]
    if wrong == name:
        wrong = f"{name}s"
    return sql._replace(text=re.sub(rf"\b{name}\b", wrong, sql.text), rows=-1, wrong=wrong)
