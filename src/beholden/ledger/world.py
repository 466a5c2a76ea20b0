"""What interpreting an access needs to know of the stores: schemas, row counts, and which fields name persons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final, Literal

from beholden.core.names import Person
from beholden.sqltext import Analyser, Asked, StatementFacts, Template
from beholden.state.subjects import Link
from beholden.vault import IDENTIFIER_BYTES_MAX

__all__ = [
    "Identifiers",
    "StoreView",
    "SubjectFields",
    "World",
    "fits",
    "identifiers_of_type",
    "same_identifier",
    "unchanged_identifiers",
]

#: How a store compares the identifiers of one kind: as whole numbers, as UUIDs, or letter by letter.
Identifiers = Literal["integer", "uuid", "text"]

#: Names whose dataset is remembered.
_REMEMBERED: Final = 1 << 16
_INTEGERS: Final = re.compile(
    r"(?:u?(?:tiny|small|medium|big|huge)?int(?:eger)?\d*|(?:small|big)?serial\d?|numeric|decimal|number)\b",
    re.IGNORECASE,
)
_TEXTS: Final = re.compile(r"(?:n?(?:var)?char|character|text|citext|string|large_string|clob)", re.IGNORECASE)
_PLAIN_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,38}")
_NUMERIC: Final = re.compile(r"\s*[+-]?[0-9][0-9._]{0,80}(?:[eE][+-]?[0-9]{1,2})?\s*", re.ASCII)
_UUID: Final = re.compile(r"\{?[0-9a-f]{4}(?:-?[0-9a-f]{4}){7}\}?", re.IGNORECASE)


def identifiers_of_type(type_: str | None) -> Identifiers | None:
    """How identifiers of a field are compared, by the store's own name of its type; None where that says nothing."""
    name = (type_ or "").strip()
    if _INTEGERS.match(name):
        return "integer"
    if name.lower() in ("uuid", "uniqueidentifier", "guid"):
        return "uuid"
    return "text" if _TEXTS.match(name) else None


def same_identifier(text: str, how: Identifiers | None) -> tuple[str, bool]:
    """The one way an identifier is written here, and whether the store would surely mean this one by ``text``.

    A store compares ``customer_id = '007'`` as its type does: with an integer that is customer 7, with text it is
    nobody else than 007. Where the type is not known (None), a text that may mean another identifier too (leading
    zeros, a fraction, an exponent, spaces around it, a UUID in capitals) is kept as written and not sure.
    """
    if how == "text" or _PLAIN_NUMBER.fullmatch(text):
        return text, True
    looks = "integer" if _NUMERIC.fullmatch(text) else "uuid" if _UUID.fullmatch(text.strip()) else None
    if how is None:
        return text, text == text.strip() and text != "" and (looks is None or _is_plain_uuid(text))
    if how == "integer" and looks == "integer":
        number = _whole(text.strip())
        return (text, False) if number is None else (str(number), True)
    if how == "uuid" and looks == "uuid":
        digits = re.sub(r"[{}-]", "", text.strip()).lower()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])), True
    return text, False


def unchanged_identifiers(how: Identifiers | None) -> str:
    """A pattern (RE2) of identifiers that `same_identifier` surely leaves as they are; others it may leave too."""
    if how in (None, "text"):
        return "(?s:.+)"
    number = "0|[1-9][0-9]{0,38}"
    return f"(?:{number}|[A-Za-z](?s:.*))" if how == "integer" else f"(?:{number})"


def _is_plain_uuid(text: str) -> bool:
    return text == text.lower() and [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12]


def _whole(text: str) -> int | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return int(number) if number == number.to_integral_value() else None


def fits(person: Person) -> bool:
    """Whether the vault takes the person; an identifier may not be longer than `IDENTIFIER_BYTES_MAX`."""
    chars = len(person.kind) + len(person.identifier) + 8  # and the length of the kind, with its colon
    if chars * 4 <= IDENTIFIER_BYTES_MAX:
        return True
    return len(person.identifier.encode("utf-8", "surrogatepass")) + len(person.kind) + 8 <= IDENTIFIER_BYTES_MAX


@dataclass(frozen=True, slots=True)
class SubjectFields:
    """Which fields identify or describe persons of one kind.

    ``keys`` are (store, path, field) whose values are the identifier itself: the declared key, its aliases, and
    fields that refer to it. ``describing`` hold personal data: a predicate on them may reach a person.
    ``pointing`` are those of them whose values single somebody out, as names and e-mail addresses do: any condition on
    them asks after somebody. None takes all.
    ``links`` lead to their data in datasets without the identifier.
    ``home`` is the (store, path) with one row a person: as many rows, as many persons; None takes every dataset with a
    key for such a one. ``identifiers`` says how the store compares them; None is not known.
    """

    kind: str
    keys: frozenset[tuple[str, str, str]]
    describing: frozenset[tuple[str, str, str]] = frozenset()
    pointing: frozenset[tuple[str, str, str]] | None = None
    home: tuple[str, str] | None = None
    identifiers: Identifiers | None = None
    links: tuple[Link, ...] = ()

    def key_datasets(self) -> set[tuple[str, str]]:
        """(store, path) of datasets that hold the identifier."""
        return {(store, path) for store, path, _ in self.keys}

    def datasets(self) -> set[tuple[str, str]]:
        """(store, path) of datasets that hold anything of these persons."""
        linked = {(link.store, link.path) for link in self.links}
        return self.key_datasets() | linked | {(store, path) for store, path, _ in self.describing}

    def person(self, identifier: str) -> Person:
        """The person behind an identifier, written the one way it is written here."""
        return Person(self.kind, same_identifier(identifier, self.identifiers)[0])


class StoreView:
    """One store as statements see it: its dialect, its datasets' fields, how many rows each has, what its views read.

    ``views`` has for each view the paths that it names with how much of their fields it shows (whole, part, none), or
    None where that is not known. ``server`` and ``database`` say which of a server's databases it is; None where a
    log of it can tell of no other. ``is_known`` is false for a store that no scan has seen and that cannot be asked.
    """

    def __init__(
        self,
        name: str,
        dialect: str,
        schema: Mapping[str, tuple[str, ...]],
        rows: Mapping[str, int],
        search_path: tuple[str, ...],
        views: Mapping[str, Mapping[str, str] | None] = MappingProxyType({}),
        *,
        server: str | None = None,
        database: str | None = None,
        is_known: bool = True,
    ) -> None:
        self.name = name
        self.dialect = dialect
        self._resolved: dict[str, str] = {}
        self.schema = schema
        self.rows = rows
        self.search_path = search_path
        self.server = server
        self.database = database
        self.is_known = is_known
        self._views = views
        self._analysers: dict[str, Analyser] = {}
        self._folded = {path.lower(): path for path in schema}
        self._schemas = {path.rpartition(".")[0] for path in schema}
        self._by_name: dict[str, list[str]] = {}
        for path in schema:
            self._by_name.setdefault(path.rpartition(".")[2].lower(), []).append(path)

    def may_read(self, view: str, path: str) -> bool:
        """Whether a dataset is a view that reads ``path``, also through others, or of which that is not known."""
        stack, seen = [view], {view}
        while stack:
            reads = self._views.get(stack.pop(), {})
            if reads is None or path in reads:
                return True
            new = [other for other in reads if other not in seen]
            seen.update(new)
            stack += new
        return False

    def shows_part(self, path: str) -> bool:
        """Whether a dataset is a view that is not known to show all rows of something: it may leave anybody out."""
        stack, seen = [path], {path}
        while stack:
            at = stack.pop()
            if at not in self._views:
                return False
            new = [other for other, reach in (self._views[at] or {}).items() if reach == "whole" and other not in seen]
            seen.update(new)
            stack += new
        return True

    def near(self, written: str | None) -> str:
        """The schema of the dataset a record names: where its session looks first for the other names of its SQL.

        Empty where the store's own search path serves. A role may have a search path that no log states.
        """
        schema = self.resolve(written).rpartition(".")[0] if written else ""
        return schema if schema in self._schemas and schema not in self.search_path else ""

    def facts(self, sql: str, near: str = "") -> tuple[Template, StatementFacts]:
        """What a statement touches, its unqualified names looked for in the schema ``near`` first."""
        analyser = self._analysers.get(near)
        if analyser is None:
            search_path = (near, *self.search_path) if near else self.search_path
            analyser = self._analysers[near] = Analyser(self.dialect, self.schema, search_path=search_path)
        return analyser.facts(sql)

    def resolve(self, written: str) -> str:
        """The dataset's path for a name as a log wrote it; the name itself, unquoted, when no dataset has it."""
        found = self._resolved.get(written)
        if found is None:
            if len(self._resolved) >= _REMEMBERED:
                self._resolved.clear()
            found = self._resolved[written] = self._resolve(written)
        return found

    def _resolve(self, written: str) -> str:
        plain = written.replace('"', "").replace("`", "")
        candidates = (plain, *(f"{schema}.{plain}" for schema in self.search_path))
        for candidate in candidates:
            if candidate in self.schema:
                return candidate
        for candidate in candidates:
            if candidate.lower() in self._folded:
                return self._folded[candidate.lower()]
        schema, _, name = plain.rpartition(".")
        if (schema and (self.dialect != "sqlite" or schema in self._schemas)) or not self.search_path:
            return plain
        # SQLite has one schema, whatever the log of what is kept in it calls that
        elsewhere = self._by_name.get(name.lower(), [])
        if len(elsewhere) == 1:
            return elsewhere[0]
        return plain if schema else f"{self.search_path[0]}.{plain}"


@dataclass(frozen=True, slots=True)
class World:
    """All stores and subject kinds that events may speak of."""

    stores: Mapping[str, StoreView]
    subjects: tuple[SubjectFields, ...]
    _by_field: dict[tuple[str, str, str], SubjectFields] = field(default_factory=dict, init=False, repr=False)
    _by_kind: dict[str, SubjectFields] = field(default_factory=dict, init=False, repr=False)
    _describing: set[tuple[str, str, str]] = field(default_factory=set, init=False, repr=False)
    _pointing: set[tuple[str, str, str]] = field(default_factory=set, init=False, repr=False)
    _keyed: dict[tuple[str, str], set[str]] = field(default_factory=dict, init=False, repr=False)
    _key_fields: dict[tuple[str, str, str], set[str]] = field(default_factory=dict, init=False, repr=False)
    _homes: set[tuple[str, str]] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self) -> None:
        for subject in self.subjects:
            self._by_kind.setdefault(subject.kind, subject)
            for place in subject.keys:
                self._by_field.setdefault(place, subject)
                self._keyed.setdefault(place[:2], set()).add(subject.kind)
                self._key_fields.setdefault((*place[:2], subject.kind), set()).add(place[2])
            self._describing.update(subject.describing)
            self._pointing.update(subject.describing if subject.pointing is None else subject.pointing)
            self._homes.update(subject.key_datasets() if subject.home is None else {subject.home})

    def beside(self, view: StoreView) -> dict[str, str]:
        """The stores of other databases of a store's server, by these."""
        if view.server is None:
            return {}
        others = (other for other in self.stores.values() if other.server == view.server)
        return {other.database: other.name for other in others if other.database not in (None, view.database)}

    def kind_of(self, store: str, path: str, field_name: str) -> str | None:
        """The kind of person that a field's value identifies, or None."""
        subject = self._by_field.get((store, path, field_name))
        return None if subject is None else subject.kind

    def is_kind(self, kind: str | None) -> bool:
        """Whether it is a kind of data subject."""
        return kind in self._by_kind

    def kinds_in(self, store: str, path: str) -> set[str]:
        """The kinds of person whose identifiers a row of the dataset carries."""
        return self._keyed.get((store, path), set())

    def key_fields(self, store: str, path: str, kind: str) -> set[str]:
        """The fields of a dataset that identify persons of the kind."""
        return self._key_fields.get((store, path, kind), set())

    def knows_persons_of(self, store: str) -> bool:
        """Whether any kind of person is known to have rows in the store."""
        return any(place[0] == store for place in self._keyed)

    def is_home(self, store: str, path: str) -> bool:
        """Whether the dataset has one row a person."""
        return (store, path) in self._homes

    def asks_after_somebody(self, store: str, path: str, field_name: str, how: Asked) -> bool:
        """Whether a comparison of a field with a given value asks after certain persons, and is no mere statistic."""
        place = (store, path, field_name)
        subject = self._by_field.get(place)
        if subject is not None and place not in self._pointing:
            # A range, or a function of a number (every tenth), makes groups.
            return how == "equal" or (how == "match" and subject.identifiers != "integer")
        return place in self._pointing

    def points_at_persons(self, store: str, path: str, field_name: str) -> bool:
        """Whether a field's values single out persons, each alone: not a country, a town or a year of birth."""
        place = (store, path, field_name)
        return place in self._by_field or place in self._pointing

    def concerns(self, kind: str, store: str, path: str, field_name: str) -> bool:
        """Whether a field's values identify or describe persons of that kind."""
        subject, place = self._by_kind.get(kind), (store, path, field_name)
        return subject is not None and (place in subject.keys or place in subject.describing)

    def tells_of_persons(self, store: str, path: str, field_name: str) -> bool:
        """Whether a field's values identify or describe persons."""
        place = (store, path, field_name)
        return place in self._by_field or place in self._describing

    def identifiers_of(self, kind: str) -> Identifiers | None:
        """How identifiers of a kind of person are compared; None where that is not known."""
        subject = self._by_kind.get(kind)
        return None if subject is None else subject.identifiers

    def person(self, kind: str, identifier: str) -> tuple[Person, bool]:
        """The person of an identifier as somebody wrote it, and whether it can mean no other one."""
        text, sure = same_identifier(identifier, self.identifiers_of(kind))
        return Person(kind, text), sure
