"""From raw events to the ledger's, by columns: those that their log describes in full, without SQL.

Whatever depends on a value alone is worked out once for each distinct one of a batch: whose an identifier is, which
dataset a name means, which token a person has. What is out of the ordinary in any way is left to `OneByOne`, which
would make the same of these (``tests/unit/ledger/test_plain.py`` holds one against the other).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.coded import Coded, combined, taken
from beholden.core.errors import UsageError
from beholden.core.events import DEFAULT_CLASS_UID
from beholden.core.names import Person
from beholden.ledger._addresses import packed_addresses
from beholden.ledger._kept import COPIED, LABEL_CHARS_MAX, LABELS, Kept
from beholden.ledger.databases import DatabaseStores
from beholden.ledger.format import INPUT_EVENTS
from beholden.ledger.interpret import NO_ROWS, SUBJECTS_MAX, acting
from beholden.ledger.world import World, fits, unchanged_identifiers
from beholden.vault import Vault, encode_people

__all__ = ["plain_events"]

#: Columns that hold something only where an event is more than plain.
_BEYOND: Final = ("statement", "statement_ref", "parameters")
#: A kind of person, short enough for every number to fit into the vault.
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
#: Identifiers of this length fit into the vault, whatever their kind and letters.
_SHORT_CHARS: Final = 1024
#: Kinds of person that are looked for in one batch; with more, each text is looked at by itself.
_KINDS_MAX: Final = 4
_TOKEN: Final = INPUT_EVENTS.field("actor").type

_Places = npt.NDArray[np.int64]


def plain_events(
    raw: pa.RecordBatch, stores: DatabaseStores, source: str, *, world: World, vault: Vault
) -> tuple[Kept, _Places]:
    """The events of the plain ones among raw events, in their order, and the rows of the others.

    The people of the plain ones have their tokens, durably, when it returns.

    Args:
        raw: a batch of ``RAW_EVENTS``.
        stores: says whose database a record is of.
        source: the server or application whose records they are.
        world: what is known of stores and persons.
        vault: gives people their tokens, encrypts details.
    """
    usable = raw.column("activity").is_valid().to_numpy(zero_copy_only=False)
    for name in _BEYOND:
        if raw.column(name).null_count < raw.num_rows:
            usable &= raw.column(name).is_null().to_numpy(zero_copy_only=False)
    while True:
        places = np.flatnonzero(usable)
        chosen = raw if len(places) == raw.num_rows else raw.take(pa.array(places))
        batch = _Batch(chosen, stores, source, world, vault)
        if not batch.odd.any():
            break
        usable[places[batch.odd]] = False
    return Kept(batch.events(), places), np.flatnonzero(~usable)


class _Batch:
    """Raw events that may be plain, and what their distinct values mean. ``odd`` marks those that are not plain."""

    def __init__(self, raw: pa.RecordBatch, stores: DatabaseStores, source: str, world: World, vault: Vault) -> None:
        self._raw = raw
        self._source = source
        self._world = world
        self._vault = vault
        self.odd = np.zeros(raw.num_rows, np.bool_)
        coded = partial(self._coded)
        self._activity = coded("activity")
        self._odd_where(self._activity, lambda text: not text)
        self._people: list[bytes] = []  # encoded, of all columns one behind the other
        self._who: dict[str, tuple[int, npt.NDArray[np.int64]]] = {}  # column -> its first person, and each row's
        actor, kind = coded("actor"), coded("actor_kind")
        if any(map(world.is_kind, ("actor", *kind.values))):
            pairs, codes = combined(actor, kind)
            self._name("actor", pairs, codes, lambda pair: acting(pair[0], pair[1], world))
            actors = (acting(pair[0], pair[1], world) for pair in pairs)
            self._subject_acts = np.array([one is not None and one.kind != "actor" for one in actors], np.bool_)[codes]
        else:
            self._name_alike("actor", actor)
            self._subject_acts = np.zeros(raw.num_rows, np.bool_)
        for name in ("credential", "device"):
            self._name_alike(name, coded(name))
        column = coded("on_behalf_of")
        self._name("on_behalf_of", column.values, column.codes, self._stated)
        for name in LABELS:
            column = coded(name)
            texts = encode_people(name, (text[:LABEL_CHARS_MAX] for text in column.values))
            codes = column.codes
            if "" in column.values:
                codes = np.where(codes == column.values.index(""), -1, codes)
            self._enter(name, texts, codes)
        self._subjects()
        self._stores(coded("store"), coded("database"), coded("object"), stores)

    def _coded(self, name: str) -> Coded:
        return Coded(self._raw.column(name))

    def _odd_where(self, column: Coded, is_odd: Callable[[Any], bool]) -> None:
        odd = [code for code, value in enumerate(column.values) if is_odd(value)]
        if odd:
            self.odd |= column.where(odd)

    # Who

    def _name(
        self, name: str, values: Sequence[Any], codes: npt.NDArray[np.int64], person_of: Callable[[Any], Person | None]
    ) -> None:
        """Enter the people of a column; rows whose person cannot be kept are odd."""
        texts: list[bytes] = []
        known: list[int] = []
        odd: list[int] = []
        for code, value in enumerate(values):
            person = person_of(value)
            if person is not None and fits(person):
                known.append(len(texts))
                texts += encode_people(person.kind, (person.identifier,))
            else:
                known.append(-1)
                if person is not None or name == "on_behalf_of":
                    odd.append(code)
        if odd:
            self.odd |= np.isin(codes, odd)
        table = np.array([*known, -1], np.int64)
        self._enter(name, texts, table[codes])

    def _name_alike(self, name: str, column: Coded) -> None:
        """Enter people of one kind, which the column is called after, whose identifiers are kept as they are."""
        if max(map(len, column.values), default=0) <= _SHORT_CHARS:
            self._enter(name, encode_people(name, column.values), column.codes)
        else:
            self._name(name, column.values, column.codes, partial(Person, name))

    def _enter(self, name: str, texts: Sequence[bytes], codes: npt.NDArray[np.int64]) -> None:
        self._who[name] = len(self._people), codes
        self._people += texts

    def _stated(self, text: str) -> Person | None:
        try:
            person = Person.parse(text)
        except UsageError:
            return None
        return self._world.person(person.kind, person.identifier)[0]

    def _subjects(self) -> None:
        column = self._raw.column("subjects")
        lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        self._lengths = lengths
        flat = Coded(column.flatten())
        texts, table = _plain_people(flat.values, self._world) or self._each_subject(flat.values)
        people = table[flat.codes]
        rows = np.repeat(np.arange(len(lengths)), lengths)
        self.odd[rows[people < 0]] = True
        longest = int(lengths.max(initial=0))
        if longest > 1:
            if longest > SUBJECTS_MAX:
                self.odd |= lengths > SUBJECTS_MAX
            pairs = rows * (len(texts) + 1) + people
            _, first = np.unique(pairs, return_index=True)
            again = np.ones(len(pairs), np.bool_)
            again[first] = False
            self.odd[rows[again]] = True  # somebody named twice counts once
        self._enter("subjects", texts, people)

    def _each_subject(self, values: Sequence[str | None]) -> tuple[list[bytes], npt.NDArray[np.int64]]:
        """The persons that some texts name, encoded, and which of them each text does; -1 for none."""
        numbers: dict[bytes, int] = {}
        table = np.full(len(values) + 1, -1, np.int64)
        for code, text in enumerate(values):
            person = None if text is None else self._stated(text)
            if person is not None and fits(person):
                encoded = encode_people(person.kind, (person.identifier,))[0]
                table[code] = numbers.setdefault(encoded, len(numbers))
        return list(numbers), table

    # Which dataset

    def _stores(self, store: Coded, database: Coded, name: Coded, stores: DatabaseStores) -> None:
        combinations, codes = combined(store, database, name)
        found: list[tuple[str | None, str | None]] = []
        odd: list[int] = []
        for code, (stated, of, place) in enumerate(combinations):
            own, elsewhere = (stated, None) if stated else stores.store_of(of)
            if elsewhere is not None:
                odd.append(code)
            view = self._world.stores.get(own) if own else None
            found.append((own, place if place is None or view is None else view.resolve(place)))
        if odd:
            self.odd |= np.isin(codes, odd)
        self._places = found, codes

    # The events

    def events(self) -> pa.RecordBatch:
        """The events of a batch without odd ones."""
        raw = self._raw
        if not raw.num_rows:
            return pa.RecordBatch.from_pylist([], schema=INPUT_EVENTS)
        tokens = self._vault.tokens_of(self._people)
        all_tokens = pa.FixedSizeBinaryArray.from_buffers(_TOKEN, len(tokens), [None, pa.py_buffer(b"".join(tokens))])
        columns: dict[str, pa.Array] = {name: raw.column(name) for name in (*COPIED, "rows", "fields")}
        columns["ip"] = packed_addresses(
            columns["ip"], partial(self._vault.keyed_hash, "ip"), pa.array(self._subject_acts, pa.bool_())
        )
        columns |= {name: taken(all_tokens, codes, first) for name, (first, codes) in self._who.items()}
        columns["subjects"] = pa.ListArray.from_arrays(
            pa.array(np.concatenate(([0], np.cumsum(self._lengths))).astype(np.int32)),
            columns["subjects"],
            mask=pa.array(self._lengths == 0),
        )
        found, codes = self._places
        columns["store"] = taken(pa.array([store for store, _ in found], pa.string()), codes)
        columns["dataset"] = taken(pa.array([path for _, path in found], pa.string()), codes)
        columns["activity"] = raw.column("activity")
        columns["scope"] = self._scope()
        named = pa.array(self._lengths, mask=self._lengths == 0)
        columns["subject_count"] = pc.coalesce(raw.column("subject_count"), named)
        class_uid = pc.fill_null(raw.column("class_uid"), 0)
        columns["class_uid"] = pc.if_else(pc.equal(class_uid, 0), pa.scalar(DEFAULT_CLASS_UID, pa.int32()), class_uid)
        columns["source"] = pa.repeat(pa.scalar(self._source), raw.num_rows)
        columns["uid"] = self._hashes("uid", raw.column("identity").to_pylist())
        session = self._coded("session")
        hashes = self._hashes("session", [text.encode("utf-8", "surrogatepass") for text in session.values])
        columns["session"] = taken(hashes, session.codes)
        columns["detail"] = self._details(tokens)
        return pa.RecordBatch.from_arrays(
            [
                columns[field.name] if field.name in columns else pa.nulls(raw.num_rows, field.type)
                for field in INPUT_EVENTS
            ],
            schema=INPUT_EVENTS,
        )

    def _scope(self) -> pa.Array:
        some = self._lengths > 0
        named = Coded(pa.array(some))
        combinations, codes = combined(self._coded("scope"), self._activity, named)
        scopes = [
            stated or ("subjects" if people else "none" if activity in NO_ROWS else "predicate")
            for stated, activity, people in combinations
        ]
        return taken(pa.array(scopes, pa.string()), codes)

    def _hashes(self, column: str, data: list[bytes]) -> pa.Array:
        type_ = INPUT_EVENTS.field(column).type
        digests = np.frombuffer(b"".join(self._vault.keyed_hash(column, data)), np.uint8)
        cut = digests.reshape(len(data), -1)[:, : type_.byte_width] if data else digests
        return pa.FixedSizeBinaryArray.from_buffers(type_, len(data), [None, pa.py_buffer(cut.tobytes())])

    def _details(self, tokens: list[bytes]) -> pa.Array:
        """Details, under the keys of all subjects, of the one who acts or is acted for where there are none, or the estate's."""
        details = self._raw.column("detail")
        if details.null_count == len(details):
            return pa.nulls(len(details), pa.binary())
        rows = np.flatnonzero(details.is_valid().to_numpy(zero_copy_only=False))
        first, people = self._who["subjects"]
        ends = np.cumsum(self._lengths)
        texts = details.take(pa.array(rows)).to_pylist()

        def owners(row: int) -> list[bytes]:
            if length := int(self._lengths[row]):
                return [tokens[first + int(code)] for code in people[ends[row] - length : ends[row]]]
            start, codes = self._who["actor" if self._subject_acts[row] else "on_behalf_of"]
            return [tokens[start + int(codes[row])]] if codes[row] >= 0 else []

        pairs = [
            (owners(row), text.encode("utf-8", "surrogatepass")) for row, text in zip(rows.tolist(), texts, strict=True)
        ]
        sealed: list[bytes | None] = [None] * len(details)
        for row, blob in zip(rows.tolist(), self._vault.encrypt_many(pairs), strict=True):
            sealed[row] = blob
        return pa.array(sealed, pa.binary())


def _plain_people(values: Sequence[str | None], world: World) -> tuple[list[bytes], npt.NDArray[np.int64]] | None:
    """As `_Batch._each_subject`, where every identifier is kept as it is written: distinct texts are distinct persons."""
    texts: list[bytes] = []
    table = np.full(len(values) + 1, -1, np.int64)
    if None in values or max(map(len, values), default=0) > _SHORT_CHARS:
        return None
    rest, left = pa.array(values, pa.string()), np.arange(len(values))
    for _ in range(_KINDS_MAX):
        if not len(left):
            return texts, table
        kind = rest[0].as_py().partition(":")[0]
        if not _KIND.fullmatch(kind):
            return None
        pattern = unchanged_identifiers(world.identifiers_of(kind))
        fits_kind = pc.match_substring_regex(rest, rf"\A{kind}:{pattern}\z")
        hits = fits_kind.to_numpy(zero_copy_only=False).astype(np.bool_)
        table[left[hits]] = np.arange(len(texts), len(texts) + int(hits.sum()))
        numbers = pc.utf8_slice_codeunits(rest.filter(fits_kind), len(kind) + 1)
        texts += pc.binary_join_element_wise(f"{len(kind)}:{kind}", numbers, "").cast(pa.binary()).to_pylist()
        if not hits.any():
            return None
        rest, left = rest.filter(pa.array(~hits)), left[~hits]
    return None if len(left) else (texts, table)
