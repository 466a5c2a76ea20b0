"""What a log says of applications and purposes: kept as written unless it tells who somebody is.

Such texts are names of things (``psql``, ``complaint``), but anybody may put anything there: a login or an e-mail
address into ``application_name``. One that does becomes a pseudonym: equal texts stay equal, and nobody reads the
person in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

import pyarrow as pa

from beholden.core.names import Person

__all__ = ["without_people"]

_EMAIL: Final = re.compile(r"\S@\S")
#: As long as an account, card, telephone or social security number, however it is grouped.
_LONG_NUMBER: Final = re.compile(r"(?<![\w.])\+?\d(?:[ ./()-]{0,2}\d){8,}(?![\w.])")
#: Shorter identifiers occur in a text by chance: ``16`` in ``PostgreSQL 16``.
_CHARS_MIN: Final = 3
_DIGITS_MIN: Final = 5


def without_people(texts: pa.Array, people: Iterable[Person], hashed: Callable[[list[bytes]], list[bytes]]) -> pa.Array:
    """The texts, with a pseudonym of 33 characters for each that holds an e-mail address, a long number, or one of ``people``.

    Args:
        texts: of one batch, as strings.
        people: everybody the batch names.
        hashed: a keyed hash of each text.
    """
    distinct = [text for text in texts.unique().to_pylist() if text]
    identifiers = _identifiers(people) if distinct else frozenset()
    telling = [text for text in distinct if _is_telling(text, identifiers)]
    if not telling:
        return texts
    digests = hashed([text.encode("utf-8", "surrogatepass") for text in telling])
    instead = {text: f"~{digest.hex()}" for text, digest in zip(telling, digests, strict=True)}
    return pa.array([instead.get(text, text) for text in texts.to_pylist()], pa.string())


def _identifiers(people: Iterable[Person]) -> frozenset[str]:
    folded = (person.identifier.casefold() for person in people)
    return frozenset(own for own in folded if len(own) >= (_DIGITS_MIN if own.isdigit() else _CHARS_MIN))


def _is_telling(text: str, identifiers: frozenset[str]) -> bool:
    if _EMAIL.search(text) or _LONG_NUMBER.search(text):
        return True
    folded = text.casefold()
    return any(own in folded and re.search(rf"(?<![^\W_]){re.escape(own)}(?![^\W_])", folded) for own in identifiers)
