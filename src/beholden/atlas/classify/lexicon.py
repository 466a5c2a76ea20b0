"""The word lists, read once: which phrase of a name speaks for which class, and which nouns name whom."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from beholden.atlas.classify.tokens import fold, split_identifier

__all__ = ["Lexicon", "NameRule", "lexicon", "name_list"]


@dataclass(frozen=True, slots=True)
class NameRule:
    """A phrase that speaks for a class. ``needs`` names a condition on the table: person, card or pay_table."""

    phrase: tuple[str, ...]
    class_: str
    weight: float
    needs: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The lists of ``lexicon.toml``; see there."""

    rules: tuple[NameRule, ...]  # longest phrase first
    concepts: dict[str, frozenset[str]]  # word -> concepts
    nouns: dict[str, frozenset[str]]
    after: frozenset[str]
    before: frozenset[str]
    neutral: frozenset[str]
    vocabulary: frozenset[str]

    def words(self, name: str) -> tuple[str, ...]:
        """The words of a column or table name."""
        return split_identifier(name, self.vocabulary)

    def means(self, word: str, element: str) -> bool:
        """Whether a word of a name is this word or concept of a phrase."""
        return word == element or element in self.concepts.get(word, frozenset())


@cache
def lexicon() -> Lexicon:
    """The lexicon that comes with the program."""
    raw: dict[str, Any] = tomllib.loads(_read("lexicon.toml"))
    concepts: dict[str, set[str]] = {}
    for concept, words in raw["concepts"].items():
        for word in words.split():
            concepts.setdefault(word, set()).add(concept)
    rules = [
        NameRule(tuple(phrase.split()), rule["class"], float(rule["weight"]), rule.get("needs", ""))
        for rule in raw["rule"]
        for phrase in rule["phrases"]
    ]
    rules.sort(key=lambda rule: -len(rule.phrase))
    nouns = {kind: frozenset(words.split()) for kind, words in raw["nouns"].items()}
    qualifiers = {kind: frozenset(words.split()) for kind, words in raw["qualifiers"].items()}
    vocabulary = {word for rule in rules for word in rule.phrase} | set(concepts) | set(raw["concepts"])
    for words in (*nouns.values(), *qualifiers.values()):
        vocabulary |= words
    return Lexicon(
        rules=tuple(rules),
        concepts={word: frozenset(found) for word, found in concepts.items()},
        nouns=nouns,
        after=qualifiers["after"],
        before=qualifiers["before"],
        neutral=qualifiers["neutral"],
        vocabulary=frozenset(vocabulary),
    )


@cache
def name_list(kind: str) -> frozenset[str]:
    """Folded words of a packaged list: ``given`` or ``family`` names."""
    lines = _read(f"{kind}_names.txt").splitlines()
    return frozenset(fold(word) for line in lines if not line.startswith("#") for word in line.split())


def _read(file_name: str) -> str:
    return (resources.files("beholden.atlas.classify") / file_name).read_text(encoding="utf-8")
