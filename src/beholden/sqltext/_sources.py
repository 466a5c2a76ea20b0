"""What stands in FROM: datasets, functions and queries, and how their fields are used.

A query's output columns are followed into it only when something uses them: so a field counts as leaving the statement
exactly when a path of uses leads from the statement's own output to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from sqlglot import exp

from beholden.sqltext._names import Named
from beholden.sqltext.facts import Asked, Change, KeyPredicate, Relation

__all__ = [
    "LEAVING",
    "Constraint",
    "Function",
    "Output",
    "Query",
    "Scope",
    "Source",
    "TableSource",
    "Use",
    "is_aggregated",
]


class Use(Enum):
    """What becomes of a field's value."""

    OUT = 1  # leaves, row by row
    GROUPED = 2  # leaves, once a group
    LEAKED = 3  # leaves through an aggregate that shows values it was given: max, array_agg
    FILTER = 4  # decides which rows
    JOIN = 5  # compared with another dataset's field
    NONE = 6  # counted or summed


LEAVING = frozenset({Use.OUT, Use.GROUPED, Use.LEAKED})


@dataclass(frozen=True, slots=True)
class Constraint:
    """``field = value``: places among the template's literals, and numbers of bind parameters."""

    places: tuple[int, ...] = ()
    parameters: tuple[int, ...] = ()

    def __or__(self, other: Constraint) -> Constraint:
        return Constraint(
            tuple(dict.fromkeys(self.places + other.places)), tuple(dict.fromkeys(self.parameters + other.parameters))
        )


class Source:
    """Something rows come from. ``holders`` are the scopes in whose FROM it stands."""

    def __init__(self) -> None:
        self.holders: list[Scope] = []

    def has(self, name: str) -> bool | None:
        """Whether a column (folded name) is here; None when the columns are not known."""
        raise NotImplementedError

    def use(self, name: str, use: Use) -> None:
        """One column is used."""
        raise NotImplementedError

    def use_all(self, use: Use) -> None:
        """All columns are used, as by ``*``."""
        raise NotImplementedError

    def columns(self) -> list[str] | None:
        """Columns in order; None when they are not known."""
        raise NotImplementedError


class TableSource(Source):
    """A dataset. ``returned`` stands beside the target of a write whose rows are given back (RETURNING)."""

    def __init__(self, named: Named, role: Literal["read", "write"] = "read") -> None:
        super().__init__()
        self.named = named
        self.role = role
        self.fields: dict[str, None] = {}
        self.filtering: dict[str, None] = {}
        self.joining: dict[str, None] = {}
        self.keys: dict[KeyPredicate, None] = {}
        self.equal_to: dict[tuple[str, str, str], None] = {}
        self.asked: dict[tuple[str, Asked], None] = {}
        self.raw = False  # some field leaves row by row
        self.returned: TableSource | None = None
        self.change: Change | None = None
        self.assigned: dict[KeyPredicate, None] = {}
        self.new = False  # its rows are those just inserted, never the whole dataset

    def has(self, name: str) -> bool | None:
        return None if self.named.columns is None else name in self.named.columns

    def columns(self) -> list[str] | None:
        return None if self.named.columns is None else list(self.named.columns)

    def spelled(self, name: str) -> str:
        """A column as the schema spells it, or as written."""
        return (self.named.columns or {}).get(name, name)

    def use(self, name: str, use: Use) -> None:
        spelled = self.spelled(name)
        if use is Use.FILTER:
            self.filtering[spelled] = None
        elif use is Use.JOIN:
            self.joining[spelled] = None
        elif use in LEAVING:
            self._leave(use, spelled)

    def use_all(self, use: Use) -> None:
        for name in self.named.columns or {}:
            self.use(name, use)
        if use in LEAVING:
            self._leave(use)

    def _leave(self, use: Use, *spelled: str) -> None:
        if self.role == "write":
            if self.returned is not None:
                self.returned._leave(use, *spelled)  # noqa: SLF001 - the same class
            return
        self.fields.update(dict.fromkeys(spelled))
        self.raw = self.raw or use is not Use.GROUPED

    def write(self, name: str) -> None:
        """One column is written."""
        self.fields[self.spelled(name)] = None

    def relation(self, *, aggregate_only: bool) -> Iterator[Relation]:
        """What is said of this dataset, and of the rows a write gave back."""
        filtered = is_filtered(self)
        for source in (self, self.returned):
            if source is not None:
                yield Relation(
                    path=self.named.path,
                    resolved=self.named.resolved,
                    role=source.role,
                    fields=tuple(source.fields),
                    fields_filtered=tuple(self.filtering),
                    fields_joined=tuple(self.joining),
                    keys=tuple(self.keys),
                    equal_to=tuple(self.equal_to),
                    filtered=filtered or source.new,
                    aggregate_only=aggregate_only and source.role == "read",
                    change=source.change,
                    assigned=tuple(source.assigned),
                    asked=tuple(self.asked),
                )


class Function(Source):
    """A function in FROM, VALUES aside: its columns come from its arguments. Also the store's own catalogue."""

    def __init__(self, names: list[str], arguments: Callable[[Use], None] | None = None) -> None:
        super().__init__()
        self._names = names
        self._arguments = arguments
        self._used: set[Use] = set()

    def has(self, name: str) -> bool | None:
        return True if name in self._names else None

    def columns(self) -> list[str] | None:
        return self._names or None

    def use(self, name: str, use: Use) -> None:  # noqa: ARG002 - any column may carry any argument
        self.use_all(use)

    def use_all(self, use: Use) -> None:
        if self._arguments is not None and use not in self._used:
            self._used.add(use)
            self._arguments(use)


@dataclass(slots=True)
class Output:
    """One output column: an expression of its scope, or a column passed on by ``*``."""

    name: str
    expression: exp.Expr | None = None
    sources: tuple[Source, ...] = ()  # several where USING made one column of theirs


@dataclass(slots=True, eq=False)
class Scope:
    """One SELECT: where its rows come from and what it gives."""

    query: Query
    parent: Scope | None
    ctes: Mapping[str, Query]
    named: list[tuple[str, Source]] = field(default_factory=list)  # alias (folded) and source, in order of FROM
    outputs: list[Output] = field(default_factory=list)
    open_stars: list[Source] = field(default_factory=list)  # under ``*``, with columns that are not known
    merged: set[str] = field(default_factory=set)  # columns of USING: one name, several sources
    aggregating: bool = False
    grouped: set[tuple[int, str]] = field(default_factory=set)  # (id of source, column) of GROUP BY
    grouped_by_place: bool = False  # GROUP BY 1: which output that is, the template does not say
    restricts_all: bool = False
    restricts: set[int] = field(default_factory=set)  # ids of sources a join restricts

    @property
    def sources(self) -> list[Source]:
        """What stands in FROM, in order."""
        return [source for _, source in self.named]

    def hold(self, alias: str, source: Source) -> None:
        """Add a source to FROM."""
        self.named.append((alias, source))
        source.holders.append(self)

    def as_grouped(self, source: Source, name: str, use: Use) -> Use:
        """The use of a column of this scope: a field it groups by leaves only once a group."""
        grouped = self.aggregating and (self.grouped_by_place or (id(source), name) in self.grouped)
        return Use.GROUPED if grouped and use is Use.OUT else use

    def restricts_rows_of(self, source: Source) -> bool:
        """Whether a predicate, a limit or an inner join of this scope restricts the source's rows."""
        return self.restricts_all or id(source) in self.restricts


class Query(Source):
    """A query in FROM, in WITH or in an expression: one scope for each branch of a set operation.

    ``outer`` is the scope in whose expression it stands. ``walk`` follows an expression in a scope.
    """

    def __init__(self, walk: Callable[[exp.Expr, Scope, Use], None]) -> None:
        super().__init__()
        self.branches: list[Scope] = []
        self.renamed: list[str] = []  # WITH x (a, b)
        self.outer: Scope | None = None
        self.recursive = False
        self._walk = walk
        self._used: set[tuple[str | None, Use]] = set()

    def columns(self) -> list[str] | None:
        if not self.branches:
            return self.renamed or None
        first = self.branches[0]
        if first.open_stars:
            return None
        given = [output.name for output in first.outputs]
        return self.renamed + given[len(self.renamed) :]

    def has(self, name: str) -> bool | None:
        columns = self.columns()
        return None if columns is None else name in columns

    def outputs(self, name: str) -> Iterator[tuple[Scope, Output]]:
        """The output of each branch that gives this column."""
        columns = self.columns() or []
        place = columns.index(name) if name in columns else -1
        for scope in self.branches:
            if 0 <= place < len(scope.outputs) and not scope.open_stars:
                yield scope, scope.outputs[place]
            else:
                yield from ((scope, output) for output in scope.outputs if output.name == name)
                yield from ((scope, Output(name, sources=(source,))) for source in scope.open_stars)

    def use(self, name: str, use: Use) -> None:
        if (name, use) in self._used:
            return
        self._used.add((name, use))
        for scope, output in self.outputs(name):
            self._follow(scope, output, use)

    def use_all(self, use: Use) -> None:
        if (None, use) in self._used:
            return
        self._used.add((None, use))
        for scope in self.branches:
            for output in scope.outputs:
                self._follow(scope, output, use)
            for source in scope.open_stars:
                source.use_all(use)

    def _follow(self, scope: Scope, output: Output, use: Use) -> None:
        if output.expression is not None:
            self._walk(output.expression, scope, use)
        for source in output.sources:
            source.use(output.name, scope.as_grouped(source, output.name, use))


def is_filtered(source: Source) -> bool:
    """Whether every reference to the source restricts its rows, or stands in a query whose rows are restricted."""
    return _holds(source, lambda scope, held: scope.restricts_rows_of(held), set(), through_expressions=False)


def is_aggregated(source: Source) -> bool:
    """Whether every reference to the source stands within an aggregating query."""
    return _holds(source, lambda scope, _: scope.aggregating, set(), through_expressions=True)


def _holds(source: Source, test: Callable[[Scope, Source], bool], seen: set[int], *, through_expressions: bool) -> bool:
    seen.add(id(source))
    holders = source.holders
    if isinstance(source, Query) and source.outer is not None and through_expressions:
        outer = source.outer
        return outer.aggregating or (
            id(outer.query) not in seen and _holds(outer.query, test, seen, through_expressions=True)
        )
    return bool(holders) and all(
        test(scope, source)
        or (
            id(scope.query) in seen  # a recursive query: its other references decide
            or _holds(scope.query, test, seen, through_expressions=through_expressions)
        )
        for scope in holders
    )
