"""Files that people made of tables in the window: the ends of what their statements and the buckets' log tell.

Ordinary ones and those of incidents are written alike, beside the copies that teams made before (`planted`). Only the
register knows some of the ordinary ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from beholden.retailer.chance import DAY_US, SECOND_US
from beholden.retailer.copies import Extract
from beholden.retailer.life.buckets import chains_of_day
from beholden.retailer.stores import Changes
from beholden.retailer.stores.rows import customer_rows
from beholden.retailer.table_forms import WAREHOUSE
from beholden.retailer.tables import write_csv
from beholden.retailer.warehouse_tables import catalogue
from beholden.retailer.words import words_of
from beholden.retailer.world import World

__all__ = ["extracts_of", "spreadsheet", "write_extract"]


def extracts_of(world: World, left: Iterable[Extract]) -> tuple[Extract, ...]:
    """The ordinary ones of the window and those that incidents left, by where they lie: what was put there last."""
    every = [one for day in world.calendar.window for chain in chains_of_day(world, day) for one in chain.extracts]
    return tuple({one.place: one for one in sorted([*every, *left], key=lambda one: (one.place, one.made))}.values())


def write_extract(world: World, extract: Extract, changes: Changes, path: Path) -> int:
    """Write one; returns how many customers are in it."""
    words = words_of(world.parameters.preset)
    table = catalogue(world.parameters).by_path[f"{extract.database}.{extract.table}"]
    end = min(extract.first + extract.rows, world.parameters.customers)
    rows = customer_rows(world, words, np.arange(extract.first, end))[table.grain]
    # The warehouse has what was when the night's loads began.
    as_of = extract.read // DAY_US * DAY_US if extract.database == WAREHOUSE else extract.read // SECOND_US * SECOND_US
    rows = changes.applied(table.grain, rows, as_of)
    columns = [one for one in table.columns if not extract.columns or one.name in extract.columns]
    header = [words.name(one.name) for one in columns]
    cells = zip(*(rows[one.meaning] for one in columns), strict=True)
    if extract.form == "spreadsheet":
        path.write_bytes(spreadsheet(path.name, header, list(cells)))
    else:
        write_csv(path, header, cells)
    return len(rows)


def spreadsheet(name: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """A table as a spreadsheet saves it: a title, semicolons, a count below."""
    rest = ";" * (len(header) - 1)
    title = [f"Kontaktliste {name.removesuffix('.csv')}{rest}", rest, ";".join(header)]
    below = f"Summe;{len(rows)}{rest[1:]}"
    return ("\ufeff" + "\r\n".join([*title, *(";".join(map(str, row)) for row in rows), below, ""])).encode()
