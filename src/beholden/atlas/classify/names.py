"""What the names of a table and its columns say, before any value is read."""

from __future__ import annotations

from dataclasses import dataclass

from beholden.atlas.classify.lexicon import Lexicon, NameRule
from beholden.atlas.classify.tokens import table_stem
from beholden.core.classes import NONE, top_class

__all__ = ["NameHit", "Table", "read_name", "read_table"]

#: A phrase followed by a word nobody knows means less; one preceded by a thing's noun may be a company's.
_UNKNOWN_WORD_FACTOR = 0.75
_THING_FACTOR = 0.85
#: Of two phrases in one name the last is the head: `billing address city` is a city.
_NOT_HEAD_FACTOR = 0.5
_PERSONS_NAME = 6.0
_BARE_NAME = 1.0
_THINGS_NAME = -2.0
_PERSON_NOUN = 1.5
#: Classes whose columns, found by name, show that a table is about people.
_ABOUT_PEOPLE = frozenset({"person_name", "email", "date_of_birth", "gender"})


@dataclass(frozen=True, slots=True)
class NameHit:
    """A class that a name speaks for, and the words of ours that it matched."""

    class_: str
    weight: float
    phrase: str


@dataclass(frozen=True, slots=True)
class Table:
    """What a table is about, by its own name and by the names of its columns."""

    person: bool
    thing: bool
    place: bool
    needs: frozenset[str]


def read_table(path: str, columns: tuple[str, ...], lexicon: Lexicon) -> Table:
    """Judge a table by its last word (a `contact_type` is a type) and by what its columns are called."""
    words = lexicon.words(table_stem(path))
    nouns = lexicon.nouns
    head = words[-1] if words else ""
    person = head in nouns["person"] and head not in nouns["place"]
    thing = not person and head in nouns["thing"] | nouns["place"]
    by_columns = {
        top_class(hit.class_) for name in columns for hit in read_name(name, None, lexicon) if hit.weight > 4
    }  # a strong phrase
    needs: set[str] = set()
    if by_columns & _ABOUT_PEOPLE or (person and not thing):
        needs.add("person")
    if set(words) & nouns["card"] or "payment_card" in by_columns:
        needs.add("card")
    if set(words) & nouns["pay"]:
        needs.add("pay_table")
    return Table(person=person, thing=thing, place=head in nouns["place"], needs=frozenset(needs))


def read_name(name: str, table: Table | None, lexicon: Lexicon) -> list[NameHit]:
    """Every class the column's name speaks for; ``none`` where it speaks for something that is no person's."""
    words = lexicon.words(name)
    spans = _phrases(words, table, lexicon)
    hits: list[NameHit] = []
    last_start = max((start for start, _ in spans), default=-1)
    taken: set[int] = set()
    for start, rule in spans:
        taken.update(range(start, start + len(rule.phrase)))
    for start, rule in spans:
        factor = _factor(words, start, start + len(rule.phrase), taken, lexicon)
        if start != last_start:
            factor *= _NOT_HEAD_FACTOR
        if factor > 0:
            hits.append(NameHit(rule.class_, rule.weight * factor, " ".join(rule.phrase)))
    if not any(hit.class_ != NONE for hit in hits):
        hits.extend(_bare_name(words, taken, lexicon))
    return hits


def _phrases(words: tuple[str, ...], table: Table | None, lexicon: Lexicon) -> list[tuple[int, NameRule]]:
    """The longest phrases that do not overlap, each with where it starts."""
    found: list[tuple[int, NameRule]] = []
    taken: set[int] = set()
    for rule in lexicon.rules:
        if rule.needs and (table is None or rule.needs not in table.needs):
            continue
        size = len(rule.phrase)
        for start in range(len(words) - size + 1):
            span = range(start, start + size)
            if taken.isdisjoint(span) and all(
                lexicon.means(words[start + i], element) for i, element in enumerate(rule.phrase)
            ):
                taken.update(span)
                found.append((start, rule))
    return found


def _factor(words: tuple[str, ...], start: int, end: int, taken: set[int], lexicon: Lexicon) -> float:
    """How much of a phrase's meaning the other words of the name leave."""
    factor = 1.0
    for i, word in enumerate(words):
        if i in taken:
            continue
        if i >= end:
            if word in lexicon.after:
                return 0.0
            if word not in lexicon.neutral and word not in lexicon.nouns["person"]:
                factor *= _UNKNOWN_WORD_FACTOR
        elif i < start:
            if word in lexicon.before and word not in lexicon.neutral:
                return 0.0
            if word in lexicon.nouns["thing"] and word not in lexicon.nouns["person"]:
                factor *= _THING_FACTOR
    return factor


def _bare_name(words: tuple[str, ...], taken: set[int], lexicon: Lexicon) -> list[NameHit]:
    """A `name` that no phrase explains: whose name it is, the words before it tell. Or a person's noun alone."""
    person, thing = lexicon.nouns["person"], lexicon.nouns["thing"]
    named = [i for i, word in enumerate(words) if lexicon.means(word, "name") and i not in taken]
    last = len(words) - 1
    if not named:
        alone = last >= 0 and words[last] in person and last not in taken
        return [NameHit("person_name", _PERSON_NOUN, "a person")] if alone else []
    if any(word in lexicon.after for word in words[named[-1] + 1 :]):
        return []
    before = [word for word in words[: named[-1]] if word not in lexicon.before]
    if any(word in thing and word not in person for word in before):
        return [NameHit(NONE, _THINGS_NAME, "a thing's name")]
    if any(word in person for word in before):
        return [NameHit("person_name", _PERSONS_NAME, "a person's name")]
    return [NameHit("person_name", _BARE_NAME, "name")]
