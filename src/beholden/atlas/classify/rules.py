"""The first classifier: evidence from names, values, lists, types and neighbours, summed to a probability."""

from __future__ import annotations

import math
from typing import Final

import pyarrow as pa

from beholden.atlas.classify.column import Column
from beholden.atlas.classify.evidence import Scores, gather
from beholden.atlas.classify.lexicon import lexicon
from beholden.atlas.classify.model import Alternative, Evidence, Exit, FieldClass
from beholden.atlas.classify.names import read_table
from beholden.atlas.classify.neighbours import lift
from beholden.core.classes import NONE
from beholden.stores.connector import DatasetInfo

__all__ = ["RuleClassifier"]

#: Weights set by hand earn no certainty: no probability beyond these is stated.
_PROBABILITY_MAX: Final = 0.995
_ALTERNATIVES_MAX: Final = 3
_ALTERNATIVE_MIN: Final = 0.02
_EVIDENCE_MAX: Final = 8
#: A column of at most so many distinct values, all seen, is a dictionary.
_DICTIONARY_VALUES_MAX: Final = 50
#: One minus the confidence of `missed_share_max`.
_RISK: Final = 0.05
_TYPED: Final = frozenset({"boolean", "date", "time", "binary", "none"})


class RuleClassifier:
    """Classifies by rules alone; keeps no state between calls. See docs/explanation/classification.md."""

    def classify(self, dataset: DatasetInfo, sample: pa.RecordBatch) -> list[FieldClass]:
        """One answer per column of ``sample``. Raises nothing of its own for any content."""
        words = lexicon()
        names = tuple(sample.schema.names)
        table = read_table(dataset.path, names, words)
        columns = [
            gather(Column.of(name, array), table, words) for name, array in zip(names, sample.columns, strict=True)
        ]
        lift(table, columns, sample)
        whole = dataset.rows is not None and dataset.rows.exact and sample.num_rows >= dataset.rows.rows
        return [_decide(scores, whole=whole) for scores in columns]


def _decide(scores: Scores, *, whole: bool) -> FieldClass:
    column = scores.column
    totals = {top: scores.total(top) for top in scores.classes()}
    odds = {top: math.exp(min(total, 50.0)) for top, total in totals.items()}
    mass = 1.0 + sum(odds.values())
    shares = sorted(((share / mass, top) for top, share in odds.items()), reverse=True)
    shares = sorted([*shares, (1.0 / mass, NONE)], reverse=True)
    probability, top = shares[0]
    exit_, missed = _exit(column, whole=whole)
    evidence = list(scores.evidence(top) if top != NONE else scores.evidence(shares[1][1]) if len(shares) > 1 else ())
    if column.declared == "binary":
        evidence.insert(0, Evidence("unread", "bytes that are not text were not read", 0.0))
    return FieldClass(
        field=column.name,
        class_=NONE if top == NONE else scores.finest(top),
        probability=round(min(probability, _PROBABILITY_MAX), 4),
        alternatives=tuple(
            Alternative(NONE if other == NONE else scores.finest(other), round(share, 4))
            for share, other in shares[1 : 1 + _ALTERNATIVES_MAX]
            if share >= _ALTERNATIVE_MIN
        ),
        evidence=tuple(evidence[:_EVIDENCE_MAX]),
        exit=exit_,
        missed_share_max=missed,
        empty=column.empty,
    )


def _exit(column: Column, *, whole: bool) -> tuple[Exit, float | None]:
    """Why looking stopped, and how large a share of values it may have missed (rule of three, 95 %)."""
    if column.empty:
        return ("full" if whole else "bounded"), None
    if column.declared in _TYPED:
        return "typed", None
    if whole:
        few = column.distinct <= _DICTIONARY_VALUES_MAX and column.distinct * 2 <= column.present
        return ("dictionary" if few else "full"), 0.0
    return "bounded", round(1.0 - math.pow(_RISK, 1.0 / column.present), 6)
