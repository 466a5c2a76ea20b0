"""Names of datasets, fields and persons, as the contract writes them.

``STORE/PATH`` is a dataset, ``STORE/PATH#field`` a field, ``kind:identifier`` a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from beholden.core.errors import UsageError

__all__ = ["DatasetName", "FieldName", "Person", "check_store_name"]

_STORE = re.compile(r"[a-z][a-z0-9_-]*\Z")
_KIND = re.compile(r"[a-z][a-z0-9_-]*\Z")


def check_store_name(text: str) -> str:
    """Return ``text`` if it may name a store, else raise `UsageError`."""
    if not _STORE.match(text):
        raise UsageError("store name", "not a valid name", expected="a lower-case letter, then letters, digits, _ or -")
    return text


@dataclass(frozen=True, slots=True, order=True)
class DatasetName:
    """A table, view or file: the store it lies in and its path there (``schema.table`` or a file's path)."""

    store: str
    path: str

    @classmethod
    def parse(cls, text: str) -> DatasetName:
        """Read ``STORE/PATH``; raise `UsageError` when it is not of that form."""
        store, slash, path = text.partition("/")
        if not slash or not path or not _STORE.match(store):
            raise UsageError("dataset name", f"'{text[:80]}'", expected="STORE/PATH, e.g. crm/public.customer")
        return cls(store, path)

    def __str__(self) -> str:
        return f"{self.store}/{self.path}"


@dataclass(frozen=True, slots=True, order=True)
class FieldName:
    """A field of a dataset; inside JSON the field is a path such as ``payload$.customer.email``."""

    dataset: DatasetName
    field: str

    @classmethod
    def parse(cls, text: str) -> FieldName:
        """Read ``STORE/PATH#field``; raise `UsageError` when it is not of that form."""
        dataset, mark, field = text.rpartition("#")
        if not mark or not field:
            raise UsageError(
                "field name", f"'{text[:80]}'", expected="STORE/PATH#field, e.g. crm/public.customer#email"
            )
        return cls(DatasetName.parse(dataset), field)

    def __str__(self) -> str:
        return f"{self.dataset}#{self.field}"


@dataclass(frozen=True, slots=True, order=True)
class Person:
    """A natural person (data subject or actor) under the identifier the source itself uses.

    Lives in memory only: before anything is written down a person becomes a random token (see ``vault``).
    ``repr`` shows no identifier, so that none slips into a log.
    """

    kind: str
    identifier: str

    @classmethod
    def parse(cls, text: str) -> Person:
        """Read ``kind:identifier``; raise `UsageError` when it is not of that form."""
        kind, colon, identifier = text.partition(":")
        if not colon or not identifier or not _KIND.match(kind):
            raise UsageError("person", "not of the form kind:identifier", expected="e.g. customer:17")
        return cls(kind, identifier)

    def __str__(self) -> str:
        return f"{self.kind}:{self.identifier}"

    def __repr__(self) -> str:
        return f"Person({self.kind}:…)"
