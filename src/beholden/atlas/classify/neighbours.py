"""What the columns of one table say about each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from beholden.atlas.classify.evidence import Scores
from beholden.atlas.classify.model import Evidence
from beholden.atlas.classify.names import Table
from beholden.core.classes import top_class

__all__ = ["lift"]

_PARTS: Final = ("postal_address.city", "postal_address.region", "postal_address.country", "postal_address.postal_code")
_ANCHORS: Final = ("email", "phone", "date_of_birth", "gender", "person_name")
_WITH_STREET: Final = 3.5
_WITH_PERSON: Final = 2.5
_WITH_HINT: Final = 1.0
_ALONE: Final = -2.5
_PLACES: Final = -3.0
_NAME_OF_PERSONS: Final = 4.0
_NAME_BESIDE_PERSON: Final = 2.5
_NAME_OF_THINGS: Final = -2.5
_NAMES_SOME: Final = 2.5
_OWN_NAME: Final = 6.0
_TEXT_ROWS_MAX: Final = 300
_TEXT_WORDS_MIN: Final = 5.0
_NAME_CHARS_MIN: Final = 3


def lift(table: Table, columns: Sequence[Scores], sample: pa.RecordBatch) -> None:
    """Add to each column what its neighbours and its table say."""
    street = any(_leading(scores, "postal_address.street") for scores in columns)
    anchors = {top for top in _ANCHORS for scores in columns if _likely(scores, top)}
    for scores in columns:
        if any(class_ in _PARTS and source == "name" for source, class_, _ in scores.items):
            _address_part(scores, table, street=street, anchors=len(anchors))
        if table.place and not anchors and not street and "geo" in scores.classes():
            scores.add("neighbours", "geo", Evidence("list_of_places", "a table of places, not of people", _PLACES))
        if any(
            class_ == "person_name" and source == "name" and 0 < item.weight < 2
            for source, class_, item in scores.items
        ):  # a bare name
            _bare_name(scores, table, anchors - {"person_name"})
        elif anchors - {"person_name"} and any(
            item.rule == "known_names" and item.weight > _NAMES_SOME for _, _, item in scores.items
        ):
            text = "known names beside a person's data"
            scores.add("neighbours", "person_name", Evidence("neighbours", text, _NAME_BESIDE_PERSON))
    names = [i for i, scores in enumerate(columns) if _likely(scores, "person_name")]
    if names:
        for i, scores in enumerate(columns):
            if i not in names and scores.column.kind == "text" and scores.column.words_mean >= _TEXT_WORDS_MIN:
                _own_names(scores, sample, i, names)


def _likely(scores: Scores, top: str) -> bool:
    return not scores.column.empty and scores.total(top) > 0


def _leading(scores: Scores, class_: str) -> bool:
    top = top_class(class_)
    return scores.total(top) > 0 and scores.finest(top) == class_


def _address_part(scores: Scores, table: Table, *, street: bool, anchors: int) -> None:
    if street:
        weight, text = _WITH_STREET, "beside a street"
    elif anchors > 1:
        weight, text = _WITH_PERSON, "beside a person's data"
    elif anchors:
        weight, text = _WITH_HINT, "beside something personal"
    else:
        weight, text = _ALONE, "no street and no person beside it"
    scores.add("neighbours", "postal_address", Evidence("address_group", text, weight))
    if table.place and not street and not anchors:
        scores.add(
            "neighbours", "postal_address", Evidence("list_of_places", "a table of places, not of people", _PLACES)
        )


def _bare_name(scores: Scores, table: Table, anchors: set[str]) -> None:
    if table.thing:
        evidence = Evidence("table", "a table of things, not of people", _NAME_OF_THINGS)
    elif table.person:
        evidence = Evidence("table", "a table of people", _NAME_OF_PERSONS)
    elif anchors:
        evidence = Evidence("neighbours", "beside a person's data", _NAME_BESIDE_PERSON)
    else:
        return
    scores.add("neighbours", "person_name", evidence)


def _own_names(scores: Scores, sample: pa.RecordBatch, index: int, names: Sequence[int]) -> None:
    """Running text that repeats the row's own name is text about a person."""
    rows = min(sample.num_rows, _TEXT_ROWS_MAX)
    texts = sample.column(index).slice(0, rows)
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        return
    looked_at = matched = 0
    columns = [sample.column(i).slice(0, rows).to_pylist() for i in names]
    lowered = pc.utf8_lower(texts).to_pylist()
    for row, text in enumerate(lowered):
        if not text:
            continue
        looked_at += 1
        padded = f" {text} "
        matched += any(
            isinstance(column[row], str)
            and len(column[row]) >= _NAME_CHARS_MIN
            and f" {column[row].strip().lower()} " in padded
            for column in columns
        )
    if matched and matched >= 0.3 * looked_at:  # a third of the texts
        scores.add(
            "neighbours",
            "free_text_with_pii",
            Evidence("own_name", "text that repeats the row's own name", _OWN_NAME, matched, looked_at),
        )
