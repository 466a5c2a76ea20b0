"""Whose rows a statement reaches, as far as its text says.

From key predicates (``customer_id = 16``), also across joins. What the text leaves open stays open. Worked out once for a template as places among its literals (`Pin`), and brought to each statement's own literals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from beholden.core.names import Person
from beholden.ledger.world import World, fits
from beholden.sqltext import KeyPredicate, Relation, StatementFacts, Template

__all__ = ["NOBODY", "Pin", "Whose", "pinned", "whose"]


@dataclass(frozen=True, slots=True)
class Pin:
    """Literals that name the persons of one kind; ``is_open`` where bind parameters may name others."""

    kind: str
    slots: tuple[int, ...]
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Whose:
    """Persons whose rows are reached. ``only``: and nobody else's; without it there may be others."""

    people: tuple[Person, ...] = ()
    only: bool = False


NOBODY: Final = Whose()
#: Datasets in one statement whose joins are followed; of a statement with more, only what stands in conditions counts.
_RELATIONS_MAX: Final = 256

#: By the kind of person: a row may carry the identifiers of a customer and of a seller.
_Pins = dict[str, Pin]


def whose(instances: Iterable[tuple[Pin, ...]], template: Template, world: World) -> Whose:
    """Whose rows one dataset gave, from the pins of each reference to it."""
    people: dict[Person, None] = {}
    only = True
    for pins in instances:
        only = only and bool(pins)
        for pin in pins:
            only = only and not pin.is_open
            for slot in pin.slots:
                person, sure = world.person(pin.kind, template.literals[slot])
                if not fits(person):
                    only = False
                    continue
                people[person] = None
                only = only and sure
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
        found.setdefault((relation.path, relation.role), []).append(tuple(pins[place].values()))
    return found


def _own(relation: Relation, world: World, store: str) -> _Pins:
    """What the relation's own conditions say of the identifiers in its rows."""
    pins: _Pins = {}
    for key in relation.keys:
        kind = world.kind_of(store, relation.path, key.field)
        if kind is not None:
            _hold(pins, _pin(kind, key))
    return pins


def _pin(kind: str, key: KeyPredicate) -> Pin:
    return Pin(kind, key.slots, bool(key.parameters))


def _breadth(pin: Pin) -> tuple[bool, int]:
    return pin.is_open, len(pin.slots)


def _hold(pins: _Pins, pin: Pin) -> None:
    """All conditions hold at once: the one that leaves the fewest persons says most."""
    before = pins.get(pin.kind)
    if pin.slots and (before is None or _breadth(pin) < _breadth(before)):
        pins[pin.kind] = pin


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
                _hold(pins, pin)


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
        for kind in tuple(others[0]) if others else ():
            by_key = kind == world.kind_of(store, relation.path, own) == world.kind_of(store, path, field)
            if kind in pins[place] or (kind in own_kinds and not by_key):
                continue
            pin = _same(other.get(kind) for other in others)
            if pin is not None:
                pins[place][kind] = pin
                learned = True
    return learned


def _same(values: Iterable[Pin | None]) -> Pin | None:
    """The one value of all; None where they differ: which of several references a condition means is not known."""
    told = set(values)
    return told.pop() if len(told) == 1 else None
