"""JSON records: one value a line; decoded without their content ever being quoted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from beholden.logs._account import Account
from beholden.logs._csv import TRUNCATED
from beholden.logs._source import TOO_LONG, Line, Source, decode, lines

__all__ = ["NOT_JSON", "JsonRecord", "decode_any_object", "decode_object", "decode_record", "json_lines", "json_record"]

NOT_JSON: Final = "not valid JSON"
_NOT_OF_TYPE: Final = "not a JSON object with the values this format needs"

_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])
_ANY_OBJECT: Final = msgspec.json.Decoder(dict[str, Any], float_hook=float)

T = TypeVar("T")


@dataclass(slots=True)
class JsonRecord:
    """The bytes of one record, or the reason why there are none.

    ``ended`` is false when the log ends right behind it without a newline, so that it may be half a record.
    """

    number: int  # first physical line, from 1
    raw: bytes
    problem: str | None = None
    ended: bool = True


def json_lines(source: Source) -> Iterator[JsonRecord]:
    """One record a physical line; blank lines are none."""
    for line in lines(source):
        record = json_record(line)
        if record is not None:
            yield record


def json_record(line: Line) -> JsonRecord | None:
    """The record of a physical line; None where it is blank."""
    if line.text is None:
        return JsonRecord(line.number, b"", TOO_LONG)
    return None if line.text.isspace() or not line.text else JsonRecord(line.number, line.text, ended=line.ended)


def decode_record(decoder: msgspec.json.Decoder[T], record: JsonRecord, account: Account) -> T | None:
    """The record's value; None when it has none, and then the account has the problem."""
    if record.problem is not None:
        account.problem(record.number, record.problem)
        return None
    try:
        return _decode(decoder, record.raw)
    except UnicodeDecodeError:
        account.mended("invalid UTF-8 replaced")
    except ValueError as error:
        account.problem(record.number, str(error) if record.ended else TRUNCATED)
        return None
    try:
        return _decode(decoder, decode(record.raw)[0])
    except ValueError as error:
        account.problem(record.number, str(error))
        return None


def decode_object(record: JsonRecord, account: Account) -> dict[str, Any] | None:
    """As `decode_record`, for records of which only is known that they are objects."""
    return decode_record(_OBJECT, record, account)


def decode_any_object(record: JsonRecord, account: Account) -> dict[str, Any] | None:
    """As `decode_object`; a number that is too large for any column is infinite, and refuses no record by itself."""
    return decode_record(_ANY_OBJECT, record, account)


def _decode(decoder: msgspec.json.Decoder[T], raw: bytes | str) -> T:
    """The value. Raises `ValueError` that says no more than what kind of mistake it is."""
    try:
        return decoder.decode(raw)
    except UnicodeDecodeError:
        raise
    except msgspec.ValidationError:
        raise ValueError(_NOT_OF_TYPE) from None
    except (ValueError, RecursionError):
        raise ValueError(NOT_JSON) from None
