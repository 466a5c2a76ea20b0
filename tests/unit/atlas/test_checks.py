"""Checksums against numbers whose validity is known from their own standards' examples."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from beholden.atlas.classify import checks
from beholden.atlas.classify.formats import FORMATS, strength

CASES = [
    (checks.luhn, ["4111111111111111", "4111 1111-1111 1111", "378282246310005"], ["4111111111111112", "1", "12"]),
    (checks.iban, ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"], ["DE89370400440532013001", "GB82"]),
    (checks.nif, ["12345678Z", "X1234567L"], ["12345678A", "X1234567A"]),
    (checks.cpf, ["529.982.247-25"], ["529.982.247-26", "529.982.247-15"]),
    (checks.italian_code, ["RSSMRA85T10A562S"], ["RSSMRA85T10A562T"]),
    (checks.mod97_tail, ["2 55 08 14 168 025 38"], ["255081416802539"]),
    (checks.weighted((1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10), ["44051401359"], ["44051401358"]),
    (checks.date_digits(0, 10, checks.luhn), ["811228-9874"], ["811328-9874", "811228-9875"]),
]  # fmt: skip


@pytest.mark.parametrize(("check", "valid", "invalid"), CASES)
def test_a_checksum_tells_valid_from_invalid(check, valid, invalid):
    assert check(pa.array(valid)).all()
    assert not check(pa.array(invalid)).any()


def test_the_stated_chance_of_each_checked_format_is_true():
    generator = np.random.default_rng(11)
    digits = pa.array(["4" + "".join(map(str, row)) for row in generator.integers(0, 10, (20_000, 15))])
    assert checks.luhn(digits).mean() == pytest.approx(0.1, abs=0.01)
    ids = pa.array(["".join(map(str, row)) for row in generator.integers(0, 10, (20_000, 11))])
    pesel = next(rule for rule in FORMATS if rule.rule == "pl_pesel")
    assert pesel.check is not None
    assert pesel.check(ids).mean() <= pesel.chance


@pytest.mark.parametrize(
    ("matched", "looked_at", "chance", "low", "high"),
    [
        (200, 2000, 0.1, 0.0, 0.0),
        (1, 1, 0.1, 0.0, 0.5),
        (20, 20, 0.1, 1.0, 1.0),
        (0, 0, 0.1, 0.0, 0.0),
        (3, 3, 1e-4, 1.0, 1.0),
    ],
)
def test_a_count_speaks_only_as_far_as_it_exceeds_chance(matched, looked_at, chance, low, high):
    assert low <= strength(matched, looked_at, chance) <= high
