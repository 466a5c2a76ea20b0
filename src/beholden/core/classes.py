"""The classes of data a field may hold. Sub-classes follow after a dot."""

from __future__ import annotations

from beholden.core.errors import UsageError

__all__ = ["CLASSES", "COARSE", "NONE", "check_class", "top_class"]

NONE = "none"

#: Every top-level class with one line of meaning, in the order reports list them.
CLASSES: dict[str, str] = {
    "payment_card": "a payment card's number, expiry, holder or security code",
    "bank_account": "an account number, IBAN or routing code of a person",
    "national_id": "a number a state gives to a person: social security, tax, passport, licence",
    "secret": "what grants access by being known: passwords in plain text, keys, tokens",
    "password_hash": "a hash of a password",
    "health": "health, diagnosis, treatment",
    "person_name": "a natural person's name or a part of it",
    "email": "an e-mail address",
    "phone": "a telephone number",
    "postal_address": "where a person lives or receives mail, or a part of it",
    "date_of_birth": "a date of birth",
    "age": "an age",
    "gender": "a gender or salutation",
    "demographic": "marital status, origin, religion, occupation, education",
    "financial": "salary, income, credit, balance of a person",
    "ip_address": "an IP address",
    "device_id": "an identifier of a device: MAC, IMEI, advertising id",
    "geo": "coordinates",
    "username": "a log-in or screen name",
    "other_id": "another identifier that singles out a person",
    "free_text_with_pii": "free text with personal data inside",
    NONE: "nothing personal was found",
}


#: Classes that say nothing of one person alone: a list of countries is not about anybody.
COARSE = frozenset({"postal_address.city", "postal_address.region", "postal_address.country"})


def top_class(name: str) -> str:
    """The class before the first dot: ``national_id.us_ssn`` -> ``national_id``."""
    return name.partition(".")[0]


def check_class(name: str) -> str:
    """Return ``name`` if its top-level class exists, else raise `UsageError`."""
    if top_class(name) not in CLASSES:
        raise UsageError("class of data", f"'{name[:40]}' is unknown", expected="one of " + ", ".join(CLASSES))
    return name
