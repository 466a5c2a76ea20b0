"""A store in memory, with faults that tests plant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import pyarrow as pa

from beholden.core.errors import SourceError
from beholden.stores.connector import DatasetInfo, FieldInfo, Grant, RowCount, Shortfall, StoreInfo

__all__ = ["FakeStore", "describe", "rows"]


def describe(path: str, table: pa.Table, *, key: str = "", refers: dict[str, str] | None = None, **more) -> DatasetInfo:
    fields = tuple(
        FieldInfo(i, name, str(table.schema.types[i - 1]), in_key=name == key, refers_to=(refers or {}).get(name))
        for i, name in enumerate(table.schema.names, 1)
    )
    return DatasetInfo(path, more.pop("kind", "table"), fields, **more)


@dataclass
class FakeStore:
    """Tables by path; ``broken`` maps a path to the exception its sample raises."""

    tables: dict[str, pa.Table]
    infos: list[DatasetInfo]
    broken: dict[str, BaseException] = field(default_factory=dict)
    unreachable: bool = False
    breaks_listing_after: int | None = None
    grant_rows: list[Grant] = field(default_factory=list)
    cut: tuple[Shortfall, ...] = ()
    sampled: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    closed: int = 0
    kind: str = "fake"

    def test(self) -> StoreInfo:
        if self.unreachable:
            raise SourceError("store fake", "does not answer")
        return StoreInfo("fake", "1.0", "reader")

    def datasets(self) -> Iterator[DatasetInfo]:
        for i, info in enumerate(self.infos):
            if i == self.breaks_listing_after:
                raise SourceError("store fake", "went away while listing")
            yield info

    def grants(self) -> Iterator[Grant]:
        return iter(self.grant_rows)

    def count(self, path: str) -> int:
        self.counted.append(path)
        return int(self.tables[path].num_rows)

    def read(self, path: str, fields: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        yield from self.tables[path].select(fields or self.tables[path].schema.names).to_batches()

    def sample(self, path: str, rows: int, seed: int) -> pa.RecordBatch:  # noqa: ARG002 - the protocol's signature
        self.sampled.append(path)
        if path in self.broken:
            raise self.broken[path]
        table = self.tables[path].slice(0, rows).combine_chunks()
        return table.to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([], schema=table.schema)

    def find(
        self, path: str, field: str, values: Sequence[str], fields: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        raise NotImplementedError

    def shortfalls(self) -> tuple[Shortfall, ...]:
        return self.cut

    def close(self) -> None:
        self.closed += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def rows(number: int, *, exact: bool) -> RowCount:
    return RowCount(number, exact=exact)
