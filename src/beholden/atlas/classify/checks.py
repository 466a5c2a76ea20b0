"""Checksums over whole columns: one NumPy pass instead of one Python call per value.

Each check takes a string array of candidates (already of the right shape) and returns one boolean per value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Check", "Mask", "cpf", "date_digits", "iban", "italian_code", "luhn", "mod97_tail", "nif", "weighted"]

Mask = npt.NDArray[np.bool_]
#: Takes candidates of the right shape, gives one boolean each.
Check = Callable[[pa.StringArray], Mask]

_ZERO: Final = ord("0")


def _digits(values: pa.StringArray, width: int) -> npt.NDArray[np.int64]:
    """The digits of each value, right-aligned in ``width`` columns; other characters are left out."""
    plain = pc.replace_substring_regex(values, pattern=r"[^0-9]", replacement="")
    padded = pc.utf8_lpad(pc.utf8_slice_codeunits(plain, 0, width), width=width, padding="0")
    return _matrix(padded, width).astype(np.int64) - _ZERO


def _matrix(values: pa.StringArray, width: int) -> npt.NDArray[np.uint8]:
    """ASCII bytes as a matrix, zero-filled on the right."""
    text = np.asarray(values.to_pylist(), dtype=f"S{width}")
    return text.view(np.uint8).reshape(len(values), width)


def luhn(values: pa.StringArray) -> Mask:
    """ISO/IEC 7812-1 annex B. One random number in ten passes."""
    digits = _digits(values, 19)
    doubled = digits[:, -2::-2] * 2
    total = digits[:, -1::-2].sum(axis=1) + (doubled - 9 * (doubled > 9)).sum(axis=1)
    passed: Mask = total % 10 == 0
    return passed


def weighted(weights: Sequence[int], modulus: int, *, zero_when: int | None = None) -> Check:
    """A check of the form ``sum(weight * digit) % modulus == 0`` over right-aligned digits.

    Args:
        weights: one per digit, check digit included.
        modulus: usually 10 or 11.
        zero_when: a remainder that is written as check digit 0 (unused where None).
    """
    factors = np.asarray(weights, dtype=np.int64)

    def check(values: pa.StringArray) -> Mask:
        digits = _digits(values, len(factors))
        rest = (digits * factors).sum(axis=1) % modulus
        passed: Mask = rest == 0
        if zero_when is not None:
            passed |= (rest == zero_when) & (digits[:, -1] == 0)
        return passed

    return check


def cpf(values: pa.StringArray) -> Mask:
    """Brazilian CPF: two check digits modulo 11. One in a hundred passes by chance."""
    digits = _digits(values, 11)
    first = (digits[:, :9] * np.arange(10, 1, -1)).sum(axis=1) * 10 % 11 % 10
    second = (digits[:, :10] * np.arange(11, 1, -1)).sum(axis=1) * 10 % 11 % 10
    passed: Mask = (first == digits[:, 9]) & (second == digits[:, 10])
    return passed


def mod97_tail(values: pa.StringArray) -> Mask:
    """French NIR and Belgian number: the last two digits are 97 minus the rest modulo 97."""
    digits = _digits(values, 15)
    body = (digits[:, :13] * (10 ** np.arange(12, -1, -1))).sum(axis=1)
    passed: Mask = 97 - body % 97 == digits[:, 13] * 10 + digits[:, 14]
    return passed


def nif(values: pa.StringArray) -> Mask:
    """Spanish DNI and NIE: the letter is the number modulo 23."""
    plain = pc.utf8_upper(pc.replace_substring_regex(values, pattern=r"[ .-]", replacement=""))
    number = pc.replace_substring_regex(plain, pattern=r"^X", replacement="0")
    number = pc.replace_substring_regex(number, pattern=r"^Y", replacement="1")
    number = pc.replace_substring_regex(number, pattern=r"^Z", replacement="2")
    digits = _digits(number, 8)
    rest = (digits * (10 ** np.arange(7, -1, -1))).sum(axis=1) % 23
    letters = np.frombuffer(b"TRWAGMYFPDXBNJZSQVHLCKE", dtype=np.uint8)
    last = _matrix(pc.utf8_slice_codeunits(plain, -1), 1)[:, 0]
    passed: Mask = letters[rest] == last
    return passed


def iban(values: pa.StringArray) -> Mask:
    """ISO 13616: the number, its first four characters moved to the end, is 1 modulo 97."""
    plain = pc.utf8_upper(pc.replace_substring_regex(values, pattern=r"[ -]", replacement=""))
    moved = pc.binary_join_element_wise(pc.utf8_slice_codeunits(plain, 4, 34), pc.utf8_slice_codeunits(plain, 0, 4), "")
    codes = _matrix(moved, 34).astype(np.int64)
    rest = np.zeros(len(values), dtype=np.int64)
    for column in codes.T:
        is_digit = (column >= _ZERO) & (column <= _ZERO + 9)
        digit = (rest * 10 + column - _ZERO) % 97
        letter = (rest * 100 + column - ord("A") + 10) % 97
        rest = np.where(column == 0, rest, np.where(is_digit, digit, letter))
    passed: Mask = rest == 1
    return passed


def italian_code(values: pa.StringArray) -> Mask:
    """Codice fiscale: the last letter checks the fifteen characters before it."""
    odd = np.array([1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23])
    codes = _matrix(pc.utf8_upper(values), 16).astype(np.int64)
    order = np.where(codes >= ord("A"), codes - ord("A"), codes - _ZERO)
    total = odd[np.clip(order[:, 0:15:2], 0, 25)].sum(axis=1) + order[:, 1:15:2].sum(axis=1)
    passed: Mask = total % 26 == order[:, 15]
    return passed


def date_digits(start: int, width: int, inner: Check) -> Check:
    """Another check, and digits ``start`` to ``start + 6`` of ``width`` must be a date YYMMDD.

    Months may carry a century offset in tens (as the Polish number's do), which adds up to 80.
    """

    def check(values: pa.StringArray) -> Mask:
        digits = _digits(values, width)[:, start : start + 6]
        month = (digits[:, 2] * 10 + digits[:, 3]) % 20
        day = digits[:, 4] * 10 + digits[:, 5]
        passed: Mask = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
        return passed & inner(values)

    return check
