"""What a classifier answers, and the interface that any classifier keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import pyarrow as pa

from beholden.stores.connector import DatasetInfo

__all__ = ["Alternative", "Classifier", "Evidence", "Exit", "FieldClass"]

#: Why the looking stopped. typed: the type alone decides; dictionary: all of few distinct values were seen;
#: bounded: a sample was seen; full: every row was seen.
Exit = Literal["typed", "dictionary", "bounded", "full"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for or against a class. ``text`` is for people and holds no value: words of our own, masked shapes.

    ``matched`` of ``looked_at`` distinct values agreed; both are 0 where no value was needed. ``weight`` is what it
    added to the class's log-odds.
    """

    rule: str
    text: str
    weight: float
    matched: int = 0
    looked_at: int = 0


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another class that the evidence leaves open."""

    class_: str
    probability: float


@dataclass(frozen=True, slots=True)
class FieldClass:
    """What a field holds, how sure that is, and why.

    ``probability`` belongs to ``class_``, which may be ``none``. ``missed_share_max`` is a 95 % upper bound on the
    share of values that may be of a kind the sample did not show (0 when all were seen, None when values were not
    read: an empty or typed field). ``empty``: no value was there; the class rests on names alone.
    """

    field: str
    class_: str
    probability: float
    alternatives: tuple[Alternative, ...]
    evidence: tuple[Evidence, ...]
    exit: Exit
    missed_share_max: float | None
    empty: bool


class Classifier(Protocol):
    """Says what each field of a dataset holds."""

    def classify(self, dataset: DatasetInfo, sample: pa.RecordBatch) -> list[FieldClass]:
        """One answer per column of ``sample``, in its order.

        Args:
            dataset: the dataset as listed; ``rows`` tells whether the sample is all of it.
            sample: some or all of its rows. Any column type, invalid UTF-8 included.
        """
