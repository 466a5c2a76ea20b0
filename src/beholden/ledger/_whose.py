"""Whose rows a statement reaches, as far as its text says.

From key predicates (``customer_id = 16``), also across joins. What the text leaves open stays open. Worked out once for a template as places among its literals and bind parameters (`Pin`), and brought to each statement's own values (`Values`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from beholden.core.names import Person
from beholden.ledger.world import World, fits
from beholden.sqltext import KeyPredicate, Relation, StatementFacts

__all__ = ["NOBODY", "Pin", "Values", "Whose", "pinned", "whose"]


@dataclass(frozen=True, slots=True)
class Pin:
    """Literals and bind parameters that name the persons of one kind."""

    kind: str
    slots: tuple[int, ...]
    parameters: tuple[int, ...] = ()
    shared: bool = False  # the rows may be others' of this kind too


@dataclass(frozen=True, slots=True)
class Values:
    """What one statement was given: its literals, and the values bound to $1, $2 .. where they are known."""

    literals: tuple[str, ...] = ()
    parameters: tuple[str | None, ...] = ()

    def of(self, key: Pin | KeyPredicate) -> Iterator[str | None]:
        """The values of a pin or key predicate; None for one that was not logged."""
        for slot in key.slots:
            yield self.literals[slot]
        for number in key.parameters:
            yield self.parameters[number - 1] if 0 < number <= len(self.parameters) else None


@dataclass(frozen=True, slots=True)
class Whose:
    """Persons whose rows are reached. ``only``: and nobody else's; without it there may be others."""

    people: tuple[Person, ...] = ()
    only: bool = False


NOBODY: Final = Whose()
#: Marks a field whose value the statement itself gave; no name of a field ends so.
_NEW: Final = "\0new"
#: Datasets in one statement whose joins are followed; of a statement with more, only what stands in conditions counts.
_RELATIONS_MAX: Final = 256

#: By the kind of person and the field that names them: a row may carry the identifiers of a customer and of a seller, or
#: of two customers. The field is empty where the rows were made out by those they are joined to.
_Pins = dict[tuple[str, str], Pin]


def whose(instances: Iterable[tuple[Pin, ...]], values: Values, world: World) -> Whose:
    """Whose rows one dataset gave, from the pins of each reference to it."""
    people: dict[Person, None] = {}
    only = True
    for pins in instances:
        only = only and bool(pins)
        for pin in pins:
            for text in values.of(pin):
                person, sure = (None, False) if text is None else world.person(pin.kind, text)
                if person is None or not fits(person):
                    only = False
                    continue
                people[person] = None
                only = only and sure and not pin.shared
    return Whose(tuple(people), only and bool(people)) if people else NOBODY


def pinned(facts: StatementFacts, world: World, store: str) -> dict[tuple[str, str], list[tuple[Pin, ...]]]:
    """For each dataset and role of a statement, the pins of each reference to it."""
    relations = facts.relations
    by_path: dict[str, list[int]] = {}
    for place, relation in enumerate(relations):
        by_path.setdefault(relation.path, []).append(place)
    pins = [_own(relation, world, store) for relation in relations]
    if 1 < len(relations) <= _RELATIONS_MAX:
        for place, relation in enumerate(relations):
            _through_joined_keys(pins[place], place, relation, relations, by_path, world, store)
        while any(_grow(pins, place, relations[place], by_path, world, store) for place in range(len(relations))):
            pass
    found: dict[tuple[str, str], list[tuple[Pin, ...]]] = {}
    for place, relation in enumerate(relations):
        found.setdefault((relation.path, relation.role), []).append(_complete(pins[place], relation, world, store))
    return found


def _complete(pins: _Pins, relation: Relation, world: World, store: str) -> tuple[Pin, ...]:
    """The pins, shared where the row names further persons of the kind whom nothing tells (who pays, and who is paid).

    Rows that an UPDATE gives to somebody were somebody's before.
    """
    found = []
    for (kind, field), pin in pins.items():
        every = world.key_fields(store, relation.path, kind)
        open_ = field != "" and any((kind, other) not in pins for other in every)
        found.append(replace(pin, shared=True) if open_ else pin)
    return tuple(found)


def _own(relation: Relation, world: World, store: str) -> _Pins:
    """What the relation's own conditions say of the identifiers in its rows."""
    pins: _Pins = {}
    for key in relation.keys:
        kind = world.kind_of(store, relation.path, key.field)
        if kind is not None:
            _hold(pins, key.field, _pin(kind, key))
    for key in relation.assigned:  # whose the rows become
        kind = world.kind_of(store, relation.path, key.field)
        if kind is not None:
            _hold(pins, f"{key.field}{_NEW}", _pin(kind, key))
    return pins


def _pin(kind: str, key: KeyPredicate) -> Pin:
    return Pin(kind, key.slots, key.parameters)


def _breadth(pin: Pin) -> tuple[bool, int]:
    """Values of parameters may not have been logged: literals say more."""
    return bool(pin.parameters), len(pin.slots) + len(pin.parameters)


def _hold(pins: _Pins, field: str, pin: Pin) -> None:
    """All conditions on a field hold at once: the one that leaves the fewest persons says most."""
    before = pins.get((pin.kind, field))
    if (pin.slots or pin.parameters) and (before is None or _breadth(pin) < _breadth(before)):
        pins[pin.kind, field] = pin


def _through_joined_keys(
    pins: _Pins,
    place: int,
    relation: Relation,
    relations: tuple[Relation, ...],
    by_path: Mapping[str, list[int]],
    world: World,
    store: str,
) -> None:
    """An identifier that equals a field of another dataset, which is held to literals there."""
    for own, path, field in relation.equal_to:
        kind = world.kind_of(store, relation.path, own)
        if kind is None:
            continue
        held = [
            [_pin(kind, key) for key in relations[other].keys if key.field == field]
            for other in by_path.get(path, ())
            if other != place
        ]
        if held and all(held):
            pin = _same(min(each, key=_breadth) for each in held)
            if pin is not None:
                _hold(pins, own, pin)


def _grow(
    pins: list[_Pins], place: int, relation: Relation, by_path: Mapping[str, list[int]], world: World, store: str
) -> bool:
    """Take over whose rows they are from a joined dataset; returns whether anything was learned.

    Rows joined to rows of known persons are theirs too, where the dataset has no identifier of its own that could say
    otherwise, or where it is that identifier which is joined.
    """
    learned = False
    own_kinds = world.kinds_in(store, relation.path)
    for own, path, field in relation.equal_to:
        others = [pins[other] for other in by_path.get(path, ()) if other != place]
        for kind, named_by in tuple(others[0]) if others else ():
            by_key = kind == world.kind_of(store, relation.path, own) == world.kind_of(store, path, field)
            if named_by.endswith(_NEW) or (by_key and named_by not in ("", field)):
                continue  # another person of the same row
            at = (kind, own if by_key else "")
            if at in pins[place] or (kind in own_kinds and not by_key):
                continue
            pin = _same(other.get((kind, named_by)) for other in others)
            if pin is not None:
                alone = by_key or named_by == "" or len(world.key_fields(store, path, kind)) == 1
                pins[place][at] = pin if alone else replace(pin, shared=True)
                learned = True
    return learned


def _same(values: Iterable[Pin | None]) -> Pin | None:
    """The one value of all; None where they differ: which of several references a condition means is not known."""
    told = set(values)
    return told.pop() if len(told) == 1 else None
