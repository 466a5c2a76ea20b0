"""What stands inside values: secrets, personal data in running text, names of people, words of small dictionaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.atlas.classify.checks import Mask, luhn
from beholden.atlas.classify.column import Column
from beholden.atlas.classify.formats import strength
from beholden.atlas.classify.lexicon import name_list
from beholden.atlas.classify.tokens import fold

__all__ = [
    "Inside",
    "NameShare",
    "dictionary_class",
    "name_share",
    "personal_data_inside",
    "secrets_inside",
    "secrets_possible",
]

#: Kinds of secret with the form each has by its issuer's own documentation.
_SECRETS: Final = {
    "secret.aws_access_key": r"(^|[^A-Za-z0-9])(AKIA|ASIA)[A-Z2-7]{16}([^A-Za-z0-9]|$)",
    "secret.private_key": r"-----BEGIN ([A-Z]+ )?PRIVATE KEY( BLOCK)?-----",
    "secret.jwt": r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}",
    "secret.github_token": r"(^|[^A-Za-z0-9])(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50,})",
    "secret.stripe_key": r"(^|[^A-Za-z0-9])[sr]k_(live|test)_[A-Za-z0-9]{16,}",
    "secret.slack_token": r"(^|[^A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{20,}",
    "secret.google_api_key": r"(^|[^A-Za-z0-9])AIza[A-Za-z0-9_-]{35}",
    "secret.url_credentials": r"[a-z][a-z0-9+.-]{1,20}://[^/\s:@]{1,64}:[^/\s:@]{3,128}@[A-Za-z0-9]",
}
#: One look that most columns fail: only then are the kinds tried one by one.
_MARKS: Final = r"AKIA|ASIA|PRIVATE KEY|eyJ|gh[pousr]_|github_pat_|[sr]k_(live|test)_|xox[abeoprs]-|AIza|://[^/\s]+@"

_EMAIL_INSIDE: Final = r"(^|[^\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63})*\.[A-Za-z]{2,24}([^\w]|$)"
_PHONE_INSIDE: Final = (
    r"(^|[\s:;,(])(\+[1-9][0-9]{0,2}[ .(-]{0,2}[0-9]{1,5}([ .)/-]{1,2}[0-9]{2,5}){1,4}|\+[1-9][0-9]{9,13}"
    r"|\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[ .-][0-9]{4}|[2-9][0-9]{2}[.-][2-9][0-9]{2}[.-][0-9]{4})([\s.,;)!?]|$)"
)
_SSN_INSIDE: Final = r"(?i)(ssn|social security)[^0-9]{0,20}[0-9]{3}-[0-9]{2}-[0-9]{4}([^0-9-]|$)"
_IBAN_INSIDE: Final = r"(^|[\s:])[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){3,7}( ?[A-Z0-9]{1,3})?([\s.,;]|$)"
_CARD_INSIDE: Final = r"(?:^|[^0-9-])(?P<card>[3-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{3,4})(?:[^0-9-]|$)"

_GENDER: Final = (
    {"m", "f"}, {"m", "w"}, {"h", "f"}, {"m", "f", "u"}, {"m", "f", "x"}, {"m", "f", "o"}, {"m", "w", "d"}, {"m", "v"},
    {"m", "f", "n"}, {"male", "female"},
)  # fmt: skip
_WORDS_OF_NAME_MAX: Final = 4
_NAME_VALUES_MAX: Final = 400


@dataclass(frozen=True, slots=True)
class Inside:
    """How many values hold something: its name, the mask over distinct values."""

    what: str
    mask: Mask


@dataclass(frozen=True, slots=True)
class NameShare:
    """Of the distinct values looked at: how many look like names, and how many of these hold a known name."""

    looked_at: int
    known: int
    two_words: int


def secrets_inside(column: Column) -> list[Inside]:
    """Which kinds of secret stand in the values, whole or embedded."""
    if not secrets_possible(column):
        return []
    found = ((kind, column.matches(pattern)) for kind, pattern in _SECRETS.items())
    return [Inside(kind, mask) for kind, mask in found if mask.any()]


def secrets_possible(column: Column) -> bool:
    """Whether any value shows the mark of a secret; cheap."""
    return bool(column.matches(_MARKS).any())


def personal_data_inside(column: Column) -> list[Inside]:
    """E-mail addresses, phones, cards, accounts and social security numbers that stand inside longer values."""
    found: list[Inside] = []
    if column.matches(r"@[\w-]+\.").any():
        found.append(Inside("an e-mail address", column.matches(_EMAIL_INSIDE)))
    if column.matches(r"[0-9]{3,}").any():
        found.append(Inside("a telephone number", column.matches(_PHONE_INSIDE)))
        found.append(Inside("a social security number", column.matches(_SSN_INSIDE)))
        found.append(Inside("a payment card number", _cards_inside(column)))
        found.append(Inside("a bank account", column.matches(_IBAN_INSIDE)))
    return [inside for inside in found if inside.mask.any()]


def _cards_inside(column: Column) -> Mask:
    """Values with a card-like number in them, where these pass Luhn beyond chance."""
    mask = column.matches(_CARD_INSIDE)
    if not mask.any():
        return mask
    candidates = column.values.filter(pa.array(mask))
    numbers = pc.struct_field(pc.extract_regex(candidates, pattern=_CARD_INSIDE), "card")
    passed = luhn(pc.fill_null(numbers, "1"))
    if strength(int(passed.sum()), len(passed), 0.1) < 0.5:
        return np.zeros_like(mask)
    mask = mask.copy()
    mask[mask] = passed
    return mask


def name_share(column: Column) -> NameShare:
    """How many values are people's names by the packaged lists of given and family names."""
    given, family = name_list("given"), name_list("family")
    looked_at = known = two_words = 0
    for value in column.values.slice(0, _NAME_VALUES_MAX).to_pylist():
        looked_at += 1
        words = [word.strip(".,'\u2019\"()") for word in fold(value).replace("-", " ").split()]
        if not words or len(words) > _WORDS_OF_NAME_MAX or not all(word.isalpha() or not word for word in words):
            continue
        hits = sum(word in given or word in family for word in words)
        if hits and hits * 2 >= len(words) - 1:
            known += 1
            two_words += len(words) > 1 and (words[0] in given or words[-1] in given or words[-1] in family)
    return NameShare(looked_at, known, two_words)


def dictionary_class(column: Column) -> str:
    """``gender`` where the few values are a known set of codes, else nothing."""
    if 2 <= column.distinct <= 4:  # codes for genders come in twos to fours
        values = set(column.folded.to_pylist())
        if values in _GENDER:
            return "gender"
    return ""
