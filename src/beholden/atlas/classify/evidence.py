"""Gathers the evidence for one column, source by source. Weights are log-odds, set by hand until calibrated.

Sources are summed; within a source only the strongest item counts for a class, since its items are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from beholden.atlas.classify import formats, texts
from beholden.atlas.classify.column import Column, Kind
from beholden.atlas.classify.lexicon import Lexicon
from beholden.atlas.classify.model import Evidence
from beholden.atlas.classify.names import NameHit, Table, read_name
from beholden.core.classes import NONE, top_class

__all__ = ["BASE_RATE", "Scores", "gather"]

Source = Literal["name", "values", "lists", "neighbours", "type"]

#: Log-odds of any one class before evidence: about one column in ninety.
BASE_RATE: Final = -4.5
_WRONG_KIND: Final = -8.0
_SUPPORT: Final = 2.0
_SUPPORT_SOME: Final = 0.8
_CONTRADICTION: Final = -4.0
_DOUBT: Final = -1.0
_CHECKSUM_AT_CHANCE: Final = -1.5
_SECRET: Final = 7.5
_INSIDE: Final = 6.5
_INSIDE_ONCE: Final = 5.0
_DICTIONARY: Final = 2.0
#: Share of values that hold a known name -> weight. Half is what lists of some hundreds of names reach on real names.
_KNOWN_NAMES: Final = ((0.75, 5.0), (0.5, 4.0), (0.25, 2.5), (0.1, 1.0))
_WHOLE_NAMES: Final = 6.0
#: So many values without one known name speak against names.
_NAMES_TO_DOUBT: Final = 30
#: Text counts as running text from here on.
_RUNNING_WORDS: Final = 3.0
_RUNNING_CHARS: Final = 25.0
_LONG_TEXT_CHARS: Final = 200.0
_HASH_CHARS_MIN: Final = 20.0

#: Kinds of value a class can have. A class not listed takes any.
_KINDS: Final[dict[str, frozenset[Kind]]] = {
    "email": frozenset({"text"}),
    "person_name": frozenset({"text"}),
    "free_text_with_pii": frozenset({"text"}),
    "ip_address": frozenset({"text", "decimal"}),
    "username": frozenset({"text"}),
    "password_hash": frozenset({"text", "binary"}),
    "secret": frozenset({"text", "integer", "binary"}),
    "postal_address": frozenset({"text", "integer"}),
    "phone": frozenset({"text", "integer"}),
    "payment_card": frozenset({"text", "integer", "date", "decimal"}),
    "bank_account": frozenset({"text", "integer"}),
    "national_id": frozenset({"text", "integer"}),
    "device_id": frozenset({"text", "integer"}),
    "other_id": frozenset({"text", "integer"}),
    "date_of_birth": frozenset({"date", "text", "integer"}),
    "age": frozenset({"integer", "decimal", "text"}),
    "gender": frozenset({"text", "integer", "boolean"}),
    "geo": frozenset({"text", "decimal", "binary"}),
    "financial": frozenset({"integer", "decimal", "text"}),
    "demographic": frozenset({"text", "integer", "decimal", "boolean"}),
    "health": frozenset({"text", "integer", "decimal", "boolean"}),
}


@dataclass(slots=True)
class Scores:
    """The evidence of one column so far."""

    column: Column
    items: list[tuple[Source, str, Evidence]] = field(default_factory=list)

    def add(self, source: Source, class_: str, evidence: Evidence) -> None:
        """Note one item for a class or sub-class."""
        self.items.append((source, class_, evidence))

    def classes(self) -> set[str]:
        """Top-level classes with any evidence."""
        return {top_class(class_) for _, class_, _ in self.items}

    def total(self, top: str) -> float:
        """Log-odds of a top-level class: per source the strongest item for it, and all that speak against it."""
        sums: dict[str, float] = {}
        total = BASE_RATE
        for source, class_, evidence in self.items:
            if top_class(class_) != top:
                continue
            if evidence.weight < 0:
                total += evidence.weight
            else:
                sums[source] = max(sums.get(source, 0.0), evidence.weight)
        return total + sum(sums.values())

    def finest(self, top: str) -> str:
        """The sub-class with the strongest item of its own that describes most values, or the class itself."""
        subs = [
            (evidence.weight, class_)
            for source, class_, evidence in self.items
            if top_class(class_) == top
            and class_ != top
            and evidence.weight > 0
            and source != "neighbours"
            and evidence.matched * 2 >= evidence.looked_at
        ]
        return max(subs)[1] if subs else top

    def evidence(self, top: str) -> tuple[Evidence, ...]:
        """The items for a class, strongest first."""
        found = [evidence for _, class_, evidence in self.items if top_class(class_) == top]
        return tuple(sorted(found, key=lambda item: -abs(item.weight)))


def gather(column: Column, table: Table, lexicon: Lexicon) -> Scores:
    """Evidence from the column's own name, type and values."""
    scores = Scores(column)
    hits = read_name(column.name, table, lexicon)
    for hit in _password_decided(hits, column):
        if hit.class_ == NONE:
            if hit.weight < 0:
                scores.add("name", "person_name", Evidence("name", hit.phrase, hit.weight))
            continue
        scores.add("name", hit.class_, Evidence("name", f"called '{hit.phrase}'", round(hit.weight, 2)))
    if column.empty:
        return scores
    if column.kind in {"text", "integer", "decimal", "date"}:
        _formats(scores)
        _named_formats(scores)
    if column.kind == "text":
        _lists(scores)
        _inside(scores)
    _kinds(scores)
    return scores


def _password_decided(hits: list[NameHit], column: Column) -> list[NameHit]:
    """A column called password holds hashes or, worse, passwords: the values tell."""
    decided = []
    for hit in hits:
        if hit.class_ != "password":
            decided.append(hit)
            continue
        hashed = (
            column.chars_mean >= _HASH_CHARS_MIN and column.share(formats.NAMED_FORMATS["password_hash"]) > 0.8
        )  # most values
        decided.append(NameHit("password_hash" if hashed else "secret.password", hit.weight, hit.phrase))
    return decided


def _formats(scores: Scores) -> None:
    column = scores.column
    numbers: list[formats.FormatHit] = []
    for rule in formats.FORMATS:
        if column.kind not in rule.kinds:
            continue
        hit = formats.apply(rule, column)
        if hit is None:
            continue
        if hit.at_chance:
            if top_class(rule.class_) in scores.classes():
                text = f"{rule.rule}: no more pass than chance allows"
                scores.add(
                    "values",
                    rule.class_,
                    Evidence(rule.rule, text, _CHECKSUM_AT_CHANCE, int(hit.mask.sum()), hit.candidates),
                )
        elif hit.weight > 0:
            text = " ".join(filter(None, (rule.text, "shapes", column.shapes(hit.mask))))
            scores.add(
                "values",
                rule.class_,
                Evidence(rule.rule, text, round(hit.weight, 2), int(hit.mask.sum()), column.distinct),
            )
            if top_class(rule.class_) == "national_id":
                numbers.append(hit)
    if len(numbers) > 1:
        _several_numbers(scores, numbers)


def _several_numbers(scores: Scores, hits: list[formats.FormatHit]) -> None:
    """A column that mixes the numbers of several countries: each covers little of it, together they cover it."""
    matched = int(np.any([hit.mask for hit in hits], axis=0).sum())
    looked_at = scores.column.distinct
    weight = max(hit.format.weight for hit in hits)
    weight *= formats.strength(matched, looked_at, 0.1) * formats.coverage(matched, looked_at, 0.5)
    text = "national numbers of several kinds"
    scores.add(
        "values", "national_id", Evidence("several_numbers", text, round(weight, 2), matched, scores.column.distinct)
    )


def _named_formats(scores: Scores) -> None:
    """What columns called so look like supports the name, or contradicts it."""
    column = scores.column
    strong = {
        top_class(class_) for source, class_, item in scores.items if source == "values" and item.weight > _SUPPORT
    }
    for source, class_, item in list(scores.items):
        pattern = formats.NAMED_FORMATS.get(class_) or formats.NAMED_FORMATS.get(top_class(class_))
        if source != "name" or item.weight <= 0 or pattern is None or top_class(class_) in strong:
            continue
        matched = int(column.matches(pattern).sum())
        share = matched / column.distinct
        weight = _SUPPORT if share >= 0.8 else _SUPPORT_SOME if share >= 0.5 else _DOUBT  # most, half
        if share < 0.2 and column.distinct >= 3:  # next to none of several
            weight = _CONTRADICTION
        shapes = column.shapes()
        says = "look" if weight > 0 else "do not look"
        scores.add(
            "values",
            class_,
            Evidence("plausible", f"values {says} like it: {shapes}", weight, matched, column.distinct),
        )


def _lists(scores: Scores) -> None:
    column = scores.column
    class_ = texts.dictionary_class(column)
    if class_:
        scores.add(
            "lists",
            class_,
            Evidence("dictionary", "the few codes of a known list", _DICTIONARY, column.distinct, column.distinct),
        )
    if column.chars_mean > 2 * _RUNNING_CHARS or column.words_mean > _RUNNING_WORDS + 1:
        return
    found = texts.name_share(column)
    if found.looked_at == 0:
        return
    share = found.known / found.looked_at
    weight = next((weight for least, weight in _KNOWN_NAMES if share >= least), 0.0)
    if found.two_words >= max(3, 0.4 * found.looked_at):
        weight = _WHOLE_NAMES
    if not weight and not found.known and found.looked_at >= _NAMES_TO_DOUBT and "person_name" in scores.classes():
        weight = _DOUBT
    if weight:
        text = "given or family names of our lists"
        scores.add("lists", "person_name", Evidence("known_names", text, weight, found.known, found.looked_at))


def _inside(scores: Scores) -> None:
    column = scores.column
    secrets = texts.secrets_inside(column)
    for inside in secrets:
        matched = int(inside.mask.sum())
        class_ = inside.what if matched * 2 >= column.distinct else "secret"
        text = f"values hold the form of {inside.what.partition('.')[2]}"
        scores.add("values", class_, Evidence("secret_form", text, _SECRET, matched, column.distinct))
    whole = max(
        (
            item.matched
            for source, _, item in scores.items
            if source == "values" and item.rule != "plausible" and item.weight > 0
        ),
        default=0,
    )
    running = column.words_mean >= _RUNNING_WORDS or column.chars_mean >= _RUNNING_CHARS
    if running and "free_text_with_pii" in scores.classes() and column.chars_mean >= _LONG_TEXT_CHARS:
        scores.add(
            "values",
            "free_text_with_pii",
            Evidence("long_text", "long running text", 1.0, column.distinct, column.distinct),
        )
    if secrets or not running or whole * 2 >= column.distinct:
        return
    found = texts.personal_data_inside(column)
    if not found:
        return
    union = np.any([inside.mask for inside in found], axis=0)
    matched = int(union.sum())
    weight = _INSIDE if matched > 1 or column.distinct <= 2 else _INSIDE_ONCE  # one find in many may be chance
    what = ", ".join(inside.what for inside in found)
    scores.add(
        "values",
        "free_text_with_pii",
        Evidence("inside_text", f"text with {what} inside", weight, matched, column.distinct),
    )


def _kinds(scores: Scores) -> None:
    kind = scores.column.kind
    for top in scores.classes():
        allowed = _KINDS.get(top)
        if allowed is not None and kind not in allowed:
            scores.add("type", top, Evidence("type", f"{kind} values cannot be this", _WRONG_KIND))
