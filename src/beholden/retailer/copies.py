"""Which files teams made of the company's data, where they lie, and which of them anybody wrote down.

The plan is small and the same wherever it is asked for: `planted` writes the files, the object store's log has who
opened them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from beholden.retailer.chance import Chance, below, uniform
from beholden.retailer.parameters import Parameters
from beholden.retailer.resources import BUCKETS
from beholden.retailer.staff import Staff
from beholden.retailer.table_forms import WAREHOUSE

__all__ = ["FORMS", "Copy", "Extract", "planned_copies"]

#: How a copy differs from its source, and its file's ending.
FORMS: Final = {
    "table": "csv",  # all fields, other names
    "columnar": "parquet",
    "partial": "csv",  # some fields
    "hashed": "csv",  # e-mail addresses as SHA-256
    "stale": "jsonl",  # as customers were once
    "spreadsheet": "csv",  # as a spreadsheet saves it: a title, semicolons, totals below
    "log": "jsonl",  # a program's messages with customers in nested JSON
    "orders": "parquet",
    "aggregate": "csv",  # no persons in it
    "damaged": "parquet",  # the beginning of an interrupted copy
}
_WEIGHTS: Final = tuple(FORMS)
_TOPICS: Final = (
    "loyalty", "win_back", "newsletter", "returns", "satisfaction", "pilot", "refunds", "delivery", "prices", "churn",
    "vip", "survey", "audit", "onboarding",
)  # fmt: skip
_FOLDERS: Final = ("", "tmp/", "share/", "2025/", "archive/", "for-agency/", "to-delete/")
#: Share of copies that are large.
_LARGE: Final = 0.06
_ROWS_MIN: Final = 120
_ROWS_MORE: Final = 1400
_AGE_DAYS_MAX: Final = 700
_COPIES_MIN: Final = 20
#: Files of a role: those who copy.
_MAKERS: Final = ("analyst", "marketing", "engineer", "finance", "supervisor")


@dataclass(frozen=True, slots=True)
class Copy:
    """One file: ``made_by`` is a position among the staff, ``made`` a day before or in the window."""

    number: int
    bucket: str
    key: str
    form: str
    rows: int
    made_by: int
    made: int
    documented: bool

    @property
    def place(self) -> str:
        """Where it lies in the company's directory."""
        return f"exports/{self.bucket}/{self.key}"

    @property
    def source(self) -> str:
        """What it was made of."""
        if self.form in {"orders", "aggregate"}:
            return "warehouse/core.fact_order"
        return "crm/main.customer" if self.form in {"log", "stale"} else "warehouse/core.dim_customer"


@dataclass(frozen=True, slots=True)
class Extract:
    """A file that somebody made of rows of a table in the window, as a log tells: the table's own columns.

    It holds the customers at positions ``first`` to ``first + rows``, as the table had them at ``read``.
    """

    bucket: str
    key: str
    form: str  # "extract", or "spreadsheet" for what a spreadsheet made of one
    database: str
    table: str
    first: int
    rows: int
    made_by: int  # a position among the staff
    read: int  # microseconds
    made: int  # microseconds, when the object was put
    documented: bool = False
    columns: tuple[str, ...] = ()  # some of the table's; all if empty
    incident: int = -1

    @property
    def place(self) -> str:
        """Where it lies in the company's directory."""
        return f"exports/{self.bucket}/{self.key}"

    @property
    def source(self) -> str:
        """What it was made of."""
        return f"{self.database}/{'core' if self.database == WAREHOUSE else 'main'}.{self.table}"


def planned_copies(parameters: Parameters, staff: Staff) -> tuple[Copy, ...]:
    """Every copy: each form in turn, so that even the smallest company has them all."""
    p = parameters
    count = max(_COPIES_MIN, round(p.copies_at_full_scale * p.scale))
    chance, first = Chance(p.seed, "copies"), p.start // 86_400_000_000
    makers = [i for i, m in enumerate(staff.members) if m.role in _MAKERS and m.hired < first and m.left is None]
    found = []
    for i in range(count):
        draw = uniform(chance(i, np.arange(9))).tolist()
        form = _WEIGHTS[i % len(_WEIGHTS)]
        rows = (
            int(p.customers * p.copied_customers)
            if draw[0] < _LARGE or i == 0
            else _ROWS_MIN + int(draw[1] ** 3 * _ROWS_MORE)
        )
        topic = _TOPICS[int(draw[2] * len(_TOPICS))]
        bucket = BUCKETS[int(below(chance(i, np.array([10])), len(BUCKETS))[0])]
        ending = FORMS[form]
        name = (f"{topic}_{i:03d}", f"{topic}-final-{i}", f"export_{topic}{i}", f"{topic}_v{2 + i}")[int(draw[3] * 4)]
        made_by = makers[int(draw[4] * len(makers))]
        found.append(
            Copy(
                number=i,
                bucket=bucket,
                key=f"{_FOLDERS[int(draw[5] * len(_FOLDERS))]}{name}.{ending}",
                form=form,
                rows=min(rows, p.copied_rows_max),
                made_by=made_by,
                made=max(first - int(draw[6] ** 2 * _AGE_DAYS_MAX), staff.members[made_by].hired),
                documented=form not in {"damaged", "log"} and draw[7] < p.copies_documented,
            )
        )
    return tuple(found)
