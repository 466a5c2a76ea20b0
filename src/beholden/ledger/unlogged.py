"""Statements with parameters whose values no log tells: whom they reached cannot be known from the record."""

from __future__ import annotations

import re
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.unknown import Unknown
from beholden.ledger.candidates import fetch
from beholden.ledger.format import StatementValues
from beholden.ledger.snapshot import Snapshot
from beholden.state import State
from beholden.state.templates import templates_by_id
from beholden.vault import Vault

__all__ = ["unlogged_parameters"]

#: Accesses whose values are looked at; beyond these the count is of so many.
_LOOKED_AT_MAX: Final = 2000
_PARAMETER: Final = re.compile(r"\$(\d+)")


def unlogged_parameters(matched: pa.Table, snapshot: Snapshot, state: State, vault: Vault) -> list[Unknown]:
    """How many of the matching accesses chose their rows by a parameter whose value was not logged, by dataset.

    ``matched`` is what `matched_events` returned.
    """
    chosen = pc.and_(pc.equal(matched["scope"], "predicate"), pc.is_valid(matched["statement"]))
    rows = matched.filter(chosen).select(["seq", "store", "dataset", "statement"])
    texts = templates_by_id(state, pc.unique(rows["statement"]).to_pylist()) if rows.num_rows else {}
    needs = {key: max(map(int, found)) for key, (_, text) in texts.items() if (found := _PARAMETER.findall(text))}
    if not needs:
        return []
    rows = rows.filter(pc.is_in(rows["statement"], pa.array(list(needs), rows["statement"].type)))
    cut = rows.num_rows > _LOOKED_AT_MAX
    rows = rows.slice(0, _LOOKED_AT_MAX)
    held = fetch(snapshot, rows["seq"].to_numpy(), ["literals"])["literals"].to_pylist()
    known = np.flatnonzero([value is not None for value in held]).tolist()
    told = dict(zip(known, vault.decrypt([held[i] for i in known]), strict=True))
    counts: dict[str, int] = {}
    for i, row in enumerate(rows.to_pylist()):
        plain = told.get(i)
        values = () if plain is None else msgspec.json.decode(plain, type=StatementValues)[2]
        if len(values) < needs[row["statement"]] or None in values:
            place = f"{row['store'] or '?'}/{row['dataset'] or '?'}"
            counts[place] = counts.get(place, 0) + 1
    reason = "chose rows by parameters whose values were not logged"
    if cut:
        reason += f" (of the first {_LOOKED_AT_MAX:,} with parameters)"
    return [Unknown("statement", place, reason, count=count) for place, count in counts.items()]
