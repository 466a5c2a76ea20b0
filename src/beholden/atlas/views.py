"""What the views of a store show: the datasets behind each, and the fields it passes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from beholden.sqltext import Analyser, Reach, ViewSources
from beholden.stores.connector import DatasetInfo

__all__ = ["View", "views_among"]

#: A field of a dataset: path and name.
_Field = tuple[str, str]


@dataclass(frozen=True, slots=True)
class View:
    """What is known of a view.

    ``reads`` has the paths that it names, each with how much of its fields the view shows. ``passes_on`` has its
    fields that are a field of a table, also through other views, as PATH#field. ``problem`` says why this is not known.
    """

    reads: Mapping[str, Reach] | None = None
    passes_on: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None


def views_among(listed: Sequence[DatasetInfo]) -> dict[str, View]:
    """Every view of a store's listing by its path. Nothing of a definition's text is kept."""
    views = {info.path: info for info in listed if info.kind == "view"}
    schema = {info.path: tuple(one.name for one in info.fields) for info in listed} if views else {}
    analysers: dict[tuple[str, tuple[str, ...]], Analyser] = {}
    sources: dict[str, ViewSources | None] = {}
    for path, info in views.items():
        told = info.definition
        if told is not None:
            speech = told.dialect, told.search_path
            analyser = analysers.get(speech) or analysers.setdefault(
                speech, Analyser(told.dialect, schema, told.search_path)
            )
            sources[path] = analyser.view_sources(told.sql)
    followed = _Followed(listed, sources)
    return {path: _view(info, sources, followed) for path, info in views.items()}


def _view(info: DatasetInfo, sources: Mapping[str, ViewSources | None], followed: _Followed) -> View:
    known = sources.get(info.path)
    if known is None:
        lacks = "could not be read" if info.definition is None else "was not understood"
        return View(problem=f"which datasets it reads is not known: its definition {lacks}")
    told = ((one.name, followed.behind((info.path, one.name))) for one in info.fields)
    return View(known.reads, {name: "#".join(base) for name, base in told if base is not None})


class _Followed:
    """Follows the fields of views down to those of tables."""

    def __init__(self, listed: Sequence[DatasetInfo], sources: Mapping[str, ViewSources | None]) -> None:
        self._columns: dict[_Field, tuple[_Field, ...]] = {}
        self._refers: dict[_Field, _Field] = {}
        for info in listed:
            known = sources.get(info.path)
            columns = known.columns if known is not None else ()
            for place, one in enumerate(info.fields):
                own = info.path, one.name
                if info.kind == "view":
                    self._columns[own] = columns[place] if len(columns) == len(info.fields) else ()
                elif one.refers_to is not None:
                    path, _, name = one.refers_to.rpartition("#")
                    self._refers[own] = path, name

    def behind(self, own: _Field) -> _Field | None:
        """The field of a table that a view's field is; of several (a UNION), what all of them refer to."""
        bases = set(self._bases(own))
        if None in bases:
            return None
        told = bases if len(bases) == 1 else {self._referred(base) for base in bases if base is not None}
        return told.pop() if len(told) == 1 else None

    def _bases(self, own: _Field) -> Iterator[_Field | None]:
        """The fields of tables behind a field; None where it is something else, or its views go in a circle."""
        stack, seen = [own], {own}
        while stack:
            at = stack.pop()
            if at not in self._columns:
                yield at
                continue
            below = self._columns[at]
            if not below:
                yield None
            new = [one for one in below if one not in seen]
            seen.update(new)
            stack += new

    def _referred(self, base: _Field) -> _Field:
        seen = {base}
        while base in self._refers and self._refers[base] not in seen:
            base = self._refers[base]
            seen.add(base)
        return base
