"""Formats that values keep, and how often a value keeps each by chance.

A rule counts the distinct values of a column that keep its format, and weighs that count against its null model:
Luhn passes one number in ten, so a column of random 16-digit numbers at ten per cent is at chance and says nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from beholden.atlas.classify import checks
from beholden.atlas.classify.checks import Mask
from beholden.atlas.classify.column import Column, Kind

__all__ = ["FORMATS", "NAMED_FORMATS", "Format", "FormatHit", "apply", "coverage", "strength"]

#: Log-likelihood (nats) at which the count counts in full.
_SURE: Final = 6.0
#: From this share of values on, a format describes the column; below, it describes some of it.
_MOST: Final = 0.7
#: What a format that only some values keep still counts: more where chance cannot explain it.
_FLOOR: Final = 0.3
_FLOOR_SURE: Final = 0.6
_CHANCE_SMALL: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the pattern a value must match entirely, a check on those that do, and the weight it can add.

    ``chance`` is the share that keep it by chance: of the candidates where there is a check, else of all values.
    ``also`` is a second pattern that must occur in the value. ``kinds`` are the kinds of column it is tried on.
    """

    rule: str
    class_: str
    pattern: str
    weight: float
    chance: float
    check: checks.Check | None = None
    text: str = ""
    kinds: tuple[Kind, ...] = ("text",)
    also: str = ""


@dataclass(frozen=True, slots=True)
class FormatHit:
    """What a format found in a column. ``at_chance``: candidates were there, but no more passed than chance allows."""

    format: Format
    mask: Mask
    weight: float
    candidates: int
    at_chance: bool


def strength(matched: int, looked_at: int, chance: float) -> float:
    """How far a count is from chance, 0 to 1: its log-likelihood ratio in units of certainty."""
    if not matched or matched <= chance * looked_at:
        return 0.0
    share = matched / looked_at
    likelihood = matched * math.log(share / chance)
    if share < 1:
        likelihood += (looked_at - matched) * math.log((1 - share) / (1 - chance))
    return min(1.0, likelihood / _SURE)


def coverage(matched: int, looked_at: int, floor: float) -> float:
    """How much of a column a format describes: 1 from `_MOST` on, falling to ``floor`` for a few values."""
    return min(1.0, floor + (1.0 - floor) * matched / (_MOST * looked_at))


def apply(rule: Format, column: Column) -> FormatHit | None:
    """Count a format in a column; None where nothing is even a candidate."""
    mask = column.matches(rule.pattern)
    if rule.also and mask.any():
        mask = mask & column.matches(rule.also)
    candidates = int(mask.sum())
    if not candidates:
        return None
    if rule.check is None:
        floor = _FLOOR_SURE if rule.chance <= _CHANCE_SMALL else _FLOOR
        factor = strength(candidates, column.distinct, rule.chance) * coverage(candidates, column.distinct, floor)
        return FormatHit(rule, mask, rule.weight * factor, candidates, at_chance=False)
    passed = np.zeros_like(mask)
    passed[mask] = rule.check(column.values.filter(pa.array(mask)))
    matched = int(passed.sum())
    # The null model is about candidates; the rest of the column only dilutes what they show.
    sure = strength(matched, candidates, rule.chance)
    weight = rule.weight * sure * coverage(matched, column.distinct, _FLOOR_SURE)
    # A few candidates above chance among many that fail are a lucky draw of another kind of number.
    true_share = (matched / candidates - rule.chance) / (1 - rule.chance)
    return FormatHit(rule, passed, weight * min(1.0, max(0.0, true_share) / _MOST), candidates, at_chance=sure == 0.0)


_NUMERIC: Final = ("text", "integer")
_PESEL: Final = checks.weighted((1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10)
_BSN: Final = checks.weighted((9, 8, 7, 6, 5, 4, 3, 2, -1), 11)
#: By brand: sixteen digits and more in fours, fifteen as 4-6-5, fourteen as 4-6-4, thirteen.
_CARD: Final = (
    r"^((4[0-9]{3}|5[1-5][0-9]{2}|2(22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)|6011|64[4-9][0-9]|65[0-9]{2}"
    r"|35[2-8][0-9]|62[0-9]{2}|50[0-9]{2}|5[6-8][0-9]{2})([ -]?[0-9]{4}){3}[0-9]{0,3}"
    r"|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}|3(0[0-5]|[68][0-9])[0-9][ -]?[0-9]{6}[ -]?[0-9]{4}|4[0-9]{12})$"
)
_OCTET: Final = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#: A word for a street, alone or as the ending of a German, Dutch or Swedish compound.
_STREET: Final = (
    r"(?i)(^|[\s,.0-9])(st|str|street|ave|av|avenue|rd|road|blvd|blv|boulevard|dr|drive|ln|lane|ct|court|way|pl|place|"
    r"sq|square|terrace|pkwy|parkway|hwy|highway|loop|circle|trail|apt|suite|gasse|weg|platz|allee|ring|rue|chemin|quai|"
    r"impasse|calle|carrera|avda|avenida|paseo|via|viale|piazza|corso|largo|rua|travessa|praça|alameda|estrada|gata|"
    r"gatan|ulica|ul|straat|plein|gracht|postfach|p\.?o\.? ?box)([\s,.]|$)"
    r"|\pL(straße|strasse|str\.|gasse|weg|platz|allee|gatan|vägen|straat|laan|gracht|plein)([\s,.]|$)"
)

#: Formats that speak for themselves.
FORMATS: Final = (
    Format("email", "email", r"^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63})*\.\pL{2,24}$", 9.0, 1e-4),
    Format(
        "phone_international", "phone",
        r"^(\+|00 ?)[1-9][0-9]{0,2}[ .()/-]{0,2}(\(?[0-9]{1,5}\)?[ ./-]{0,2}){2,6}[0-9]{1,5}$", 7.0, 1e-2,
    ),
    Format(
        "phone_north_american", "phone",
        r"^(1[ .-])?(\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[ .-]?[0-9]{4}|[2-9][0-9]{2}[ .-][2-9][0-9]{2}[ .-][0-9]{4})( ?(x|ext\.?) ?[0-9]{1,6})?$",
        6.5, 1e-2,
    ),
    Format("card_luhn", "payment_card.number", _CARD, 9.0, 0.1, checks.luhn, "passes Luhn with a known prefix", _NUMERIC),
    Format(
        "iban_mod97", "bank_account",
        r"^[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){2,7} ?[A-Z0-9]{0,3}$", 9.0, 0.02, checks.iban, "passes modulo 97",
    ),
    Format(
        "us_ssn", "national_id.us_ssn",
        r"^(00[1-9]|0[1-9][0-9]|[1-57-8][0-9]{2}|6[0-57-9][0-9]|66[0-57-9])-(0[1-9]|[1-9][0-9])-([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)$",
        7.0, 1e-2,
    ),
    Format("uk_nino", "national_id.uk_nino", r"^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]$", 7.0, 1e-2),
    Format("es_nif", "national_id.es_nif", r"^([0-9]{8}|[XYZ][0-9]{7})-?[A-HJ-NP-TV-Z]$", 8.0, 1 / 23, checks.nif, "check letter is right"),
    Format(
        "pl_pesel", "national_id.pl_pesel", r"^[0-9]{11}$", 7.0, 0.02, checks.date_digits(0, 11, _PESEL),
        "a date and a check digit", _NUMERIC,
    ),
    Format("br_cpf", "national_id.br_cpf", r"^[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}$", 8.0, 0.01, checks.cpf, "both check digits are right"),
    Format(
        "se_personnummer", "national_id.se_personnummer", r"^[0-9]{6}[-+][0-9]{4}$", 8.0, 0.005,
        checks.date_digits(0, 10, checks.luhn), "a date and a check digit",
    ),
    Format("it_codice_fiscale", "national_id.it_codice_fiscale", r"^[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]$", 8.0, 1 / 26, checks.italian_code),
    Format("fr_nir", "national_id.fr_nir", r"^[12] ?[0-9]{2} ?(0[1-9]|1[0-2]) ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}$", 8.0, 0.01, checks.mod97_tail, "passes modulo 97", _NUMERIC),
    Format("ca_sin", "national_id.ca_sin", r"^[1-79][0-9]{2}[ -][0-9]{3}[ -][0-9]{3}$", 7.0, 0.1, checks.luhn, "passes Luhn"),
    Format("ipv4", "ip_address", rf"^({_OCTET}\.){{3}}{_OCTET}(/[0-9]{{1,2}}|:[0-9]{{1,5}})?$", 7.5, 1e-3),
    Format("ipv6", "ip_address", r"^(([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|[0-9a-fA-F:]{0,30}::[0-9a-fA-F:.]{0,30})$", 7.0, 1e-3),
    Format("mac", "device_id.mac", r"^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$", 8.0, 1e-4),
    Format("imei", "device_id.imei", r"^(01|35|86|99)[0-9]{13}$", 7.0, 0.1, checks.luhn, "passes Luhn with a known prefix", _NUMERIC),
    Format(
        "coordinates", "geo",
        r"^(POINT ?\(-?[0-9.]+ -?[0-9.]+\)|\(?-?[0-9]{1,2}\.[0-9]{3,}[,; ] ?-?[0-9]{1,3}\.[0-9]{3,}\)?)$", 8.0, 1e-3,
    ),
    Format("geography_bytes", "geo", r"^(0x)?(E6100000010C[0-9A-F]{32}|0101000020E6100000[0-9A-F]{32})$", 8.0, 1e-4, text="a serialised point"),
    Format("postal_code_uk", "postal_address.postal_code", r"^([A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2})$", 5.5, 1e-2),
    Format("postal_code_ca", "postal_address.postal_code", r"^[A-CEGHJ-NPR-TVXY][0-9][A-Z] [0-9][A-Z][0-9]$", 5.5, 1e-2),
    Format("street_word", "postal_address.street", _STREET, 6.0, 0.05, also=r"^[^@{}<>]{0,99}[0-9][^@{}<>]{0,99}$"),
    Format("password_hash", "password_hash", r"^(\$2[abxy]?\$[0-9]{2}\$|\$argon2(id|i|d)\$|\$[156]\$|\$pbkdf2|pbkdf2_sha|\{SSHA|scrypt:)", 9.0, 1e-4),
    Format("gender_words", "gender", r"(?i)^(male|female|männlich|weiblich|masculin|féminin|masculino|femenino|feminino|maschio|femmina|man|vrouw|woman|divers|non-?binary)$", 5.5, 0.05),
    Format("salutation_words", "gender.salutation", r"(?i)^(mr|mrs|ms|miss|mx|dr|prof|herr|frau|monsieur|madame|mme|mlle|señora?|sra?|sr|signora?|sig|dhr|mevr)\.?$", 5.5, 0.05),
)  # fmt: skip

#: Plain formats: by class, what values of a column named so look like. They support a name, or contradict it.
NAMED_FORMATS: Final[dict[str, str]] = {
    "email": r"@",
    "phone": r"^[+(]?[0-9][0-9 ()./+-]{5,20}([ ,]?(x|ext\.?|#) ?[0-9]{1,6})?$",
    "phone.extension": r"^x?[0-9]{2,6}$",
    "postal_address.street": r"(\pL.*[0-9]|[0-9].*\pL)",
    "postal_address.postal_code": r"^[A-Za-z]{0,3}[- ]?[0-9][0-9A-Za-z]{0,5}([- ]?[0-9A-Za-z]{2,4})?$",
    "postal_address.city": r"^[^0-9@]{2,60}$",
    "postal_address.region": r"^[^0-9@]{1,60}$",
    "postal_address.country": r"^[^0-9@]{2,60}$",
    "person_name": r"^\pL[\pL\pM .,'\x{2019}\x{b4}`-]{0,79}$",
    "person_name.given": r"^\pL[\pL\pM .,'\x{2019}\x{b4}`-]{0,59}$",
    "person_name.family": r"^\pL[\pL\pM .,'\x{2019}\x{b4}`-]{0,59}$",
    "person_name.middle": r"^\pL[\pL\pM .,'\x{2019}\x{b4}`-]{0,59}$",
    "payment_card.number": r"^[0-9*xX•]{4}[0-9*xX•. -]{8,19}$",
    "payment_card.expiry": r"^[0-9]{1,4}([-/][0-9]{1,4}){0,2}",
    "payment_card.security_code": r"^[0-9]{3,4}$",
    "payment_card.last_digits": r"^[*xX•. -]*[0-9]{4}$",
    "bank_account": r"^[A-Z]{0,4}[0-9][0-9 A-Z-]{5,33}$",
    "national_id": r"^[A-Z]{0,3}[0-9][0-9A-Z ./-]{4,19}$",
    "national_id.us_ssn": r"^([0-9]{3}-?[0-9]{2}-?[0-9]{4}|[0-9]{4}|[*xX]{3}-[*xX]{2}-[0-9]{4})$",
    "ip_address": r"^[0-9a-fA-F:.]{3,45}(/[0-9]+)?$",
    "device_id": r"^[0-9a-zA-Z:_.{}-]{8,}$",
    "device_id.mac": r"^[0-9a-fA-F]{2}([:.-]?[0-9a-fA-F]{2}){5}$",
    "geo": r"(^[+-]?[0-9]{1,3}[.,][0-9]{2,})|POINT|^[0-9A-F]{40,}$",
    "username": r"^[^\s]{2,64}$",
    "age": r"^((1[01][0-9]|[0-9]{1,2})(\.0)?|[0-9]{1,2} ?(-|to) ?[0-9]{1,3}|[0-9]{1,2}\+)$",
    "date_of_birth": r"^(1[89]|20)[0-9]{2}$|^[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}|^(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9]$",
    "financial": r"^[^\pL]{0,4}[0-9][0-9.,' ]*[^0-9]{0,5}$",
    "password_hash": r"^([0-9a-fA-F]{32,128}|[A-Za-z0-9+/]{22,88}={0,2}|[$*{:.\w/+=-]{20,})$",
    "secret": r"^\S{3,}$",
}  # fmt: skip
