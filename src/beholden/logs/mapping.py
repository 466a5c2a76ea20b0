"""A mapping file: how an application's own records become access events (docs/reference/mapping.md)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from beholden.core.errors import ConfigError
from beholden.core.limits import CONFIG_BYTES_MAX
from beholden.logs._columns import COLUMNS, Spec, compile_column
from beholden.logs._documents import Place
from beholden.logs._paths import Getter, compile_path, parse_whole_path
from beholden.logs._paths import Path as Path_
from beholden.logs._times import EPOCHS, check_pattern

__all__ = ["Mapping", "SkipRule", "load_mapping", "parse_mapping"]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as it is written."""

    event: dict[str, Spec]
    format: Literal["json", "csv"] = "json"
    records: str | None = None
    time_format: str = "rfc3339"
    skip: dict[str, list[str | int | bool]] = {}


_KEYS: Final = ("format", "records", "time_format", "event", "skip")


@dataclass(frozen=True, slots=True)
class SkipRule:
    """Records to leave out as noise: those with one of ``values`` at a path."""

    reason: str
    path: Path_
    get: Getter
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A compiled mapping: each column is a function from a decoded record to its value.

    ``place`` is where records are; None for one a line, or the values of one array. ``specs`` are the columns as the file
    describes them.
    """

    format: Literal["json", "csv"]
    place: Place | None
    time_format: str
    columns: dict[str, Callable[[Any], Any]]
    skip: tuple[SkipRule, ...] = ()
    specs: dict[str, Spec] = field(default_factory=dict)


def load_mapping(path: Path) -> Mapping:
    """Read and compile a mapping file.

    Raises:
        ConfigError: naming the file and the key, what was expected and what was found.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"mapping {path}", f"cannot be read ({error.strerror})") from None
    if len(raw) > CONFIG_BYTES_MAX:
        raise ConfigError(f"mapping {path}", f"larger than {CONFIG_BYTES_MAX} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"mapping {path}", "is not UTF-8 text") from None
    return parse_mapping(text, name=str(path))


def parse_mapping(text: str, *, name: str) -> Mapping:
    """Compile the text of a mapping file; ``name`` is how errors call it. Raises as `load_mapping`."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"mapping {name}", str(error)) from None
    except msgspec.ValidationError as error:
        raise _invalid(name, str(error)) from None

    def fail(key: str, error: ValueError, expected: str = "") -> ConfigError:
        return ConfigError(f"mapping {name}: {key}", str(error), expected=expected)

    try:
        check_pattern(file.time_format)
    except ValueError as error:
        raise fail("time_format", error, f"rfc3339, {', '.join(EPOCHS)} or a strptime pattern") from None
    try:
        place = _place(file)
    except ValueError as error:
        raise fail("records", error, "e.g. $[*], $.Records[*] or $") from None
    columns = {}
    for key, spec in file.event.items():
        if key not in COLUMNS:
            raise fail(f"event.{key}", ValueError("is not a column of an event"), ", ".join(COLUMNS))
        try:
            columns[key] = compile_column(key, spec)
        except ValueError as error:
            raise fail(f"event.{key}", error) from None
    _check_columns(columns, name)
    return Mapping(file.format, place, file.time_format, columns, _skip_rules(file, name), file.event)


def _invalid(name: str, message: str) -> ConfigError:
    message, _, path = message.partition(" - at `")
    unknown = re.search(r"unknown field `([^`]*)`", message)
    key = path.rstrip("`").removeprefix("$").removeprefix(".")
    if unknown:
        key = f"{key}.{unknown[1]}".removeprefix(".")
    expected = ", ".join(_KEYS) if unknown and "." not in key else ""
    found = "is not a key of this file" if expected else message[:1].lower() + message[1:].replace("Object", "table")
    return ConfigError(f"mapping {name}: {key or 'the file'}", found, expected=expected)


def _place(file: _File) -> Place | None:
    if file.records is None:
        return None
    if file.format == "csv":
        raise ValueError("CSV has one record a row; leave this out")
    if file.records == "$":
        return Place(in_array=False)
    steps = parse_whole_path(file.records).steps
    keys = tuple(step for step in steps[:-1] if isinstance(step, str))
    if steps[-1] is not None or len(keys) != len(steps) - 1:
        raise ValueError("not keys followed by [*]")
    return Place(keys)


def _check_columns(columns: dict[str, Any], name: str) -> None:
    if "time" not in columns:
        raise ConfigError(f"mapping {name}: event.time", "is missing", expected="a path, e.g. $.time")
    if "activity" not in columns and "statement" not in columns:
        raise ConfigError(
            f"mapping {name}: event.activity",
            "is missing",
            expected="a path, a constant, or a 'statement' that decides",
        )
    if "subject" in columns and "subjects" in columns:
        raise ConfigError(f"mapping {name}: event.subjects", "is there beside subject", expected="one of the two")


def _skip_rules(file: _File, name: str) -> tuple[SkipRule, ...]:
    rules = []
    for key, values in file.skip.items():
        try:
            path = parse_whole_path(key)
        except ValueError as error:
            raise ConfigError(f"mapping {name}: skip.{key}", str(error)) from None
        texts = frozenset(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
        rules.append(SkipRule(f"skipped by {key}", path, compile_path(path), texts))
    return tuple(rules)
