"""The words of an identifier: ``customerEmail_2`` -> customer, email; ``stateprovincecode`` -> state, province, code.

Words are matched whole. A glued lower-case name is split only where known words cover all of it, with the fewest
words: a part that merely occurs in a longer word (``card`` in ``discarded``) never counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

__all__ = ["fold", "split_identifier", "table_stem"]

#: Longer names are cut: no database allows them and a file's header line may hold anything.
_NAME_CHARS_MAX: Final = 200
_WORD: Final = re.compile(r"[A-Z]+(?=[A-Z][^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_CHUNK: Final = re.compile(r"[^\W_]+")
_EXTENSION: Final = re.compile(r"\.(csv|tsv|txt|jsonl?|ndjson|parquet|avro|xlsx|log|gz|zst|zip|bz2)\Z", re.IGNORECASE)
#: Shorter words take part in splitting only where they are unmistakable at the edge of a glued name.
_GLUED_CHARS_MIN: Final = 4
_GLUED_SHORT: Final = frozenset(
    {"id", "ip", "zip", "ssn", "url", "fax", "tax", "pay", "exp", "pct", "qty", "amt", "ytd", "key", "no", "of", "cost", "day", "due", "web", "bom", "sub", "at", "cvv", "max", "min", "num"}
)  # fmt: skip


def fold(text: str) -> str:
    """Lower case without marks: ``Straße`` -> ``strasse``, ``prénom`` -> ``prenom``."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def split_identifier(name: str, vocabulary: Collection[str]) -> tuple[str, ...]:
    """The folded words of a column or table name; digits and separators are left out."""
    plain = "".join(
        char for char in unicodedata.normalize("NFKD", name[:_NAME_CHARS_MAX]) if not unicodedata.combining(char)
    )
    words: list[str] = []
    for chunk in _CHUNK.findall(plain):
        for match in _WORD.findall(chunk):
            word = fold(match)
            words.extend(_segment(word, vocabulary))
    return tuple(words)


def table_stem(path: str) -> str:
    """The table's own name: ``public.customer`` -> ``customer``, ``exports/crm.people.csv.gz`` -> ``people``."""
    stem = path.rsplit("/", 1)[-1]
    while (match := _EXTENSION.search(stem)) and match.start():
        stem = stem[: match.start()]
    return stem.rsplit(".", 1)[-1] or stem


def _segment(word: str, vocabulary: Collection[str]) -> tuple[str, ...]:
    """The fewest known words that cover ``word`` entirely, or the word itself."""
    if word in vocabulary or not word.isascii() or len(word) < 2 * 3:
        return (word,)
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(end):
            head, part = best[start], word[start:end]
            if head is None or part not in vocabulary:
                continue
            if len(part) < _GLUED_CHARS_MIN and part not in _GLUED_SHORT:
                continue
            known = best[end]
            if known is None or len(head) + 1 < len(known):
                best[end] = (*head, part)
    return best[-1] or (word,)
