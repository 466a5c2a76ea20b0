"""The columns of a mapping, compiled: from a decoded record to the value of one event column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from beholden.core.events import ACTIVITIES, CLASS_UIDS, SCOPES
from beholden.logs._paths import Getter, Template, compile_path, parse_template, text_of

__all__ = ["COLUMNS", "Lookup", "RefusedError", "Spec", "compile_column", "is_free_text", "templates_of"]


class RefusedError(Exception):
    """A record's value cannot be that of its column. The text says why and quotes nothing of the record."""


class Lookup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A path with a value table.

    ``values`` translates what stands at ``path``; ``default`` is for what is not in the table (without a table: for
    whatever is there), ``missing`` for when nothing is there.
    """

    path: str | list[str]
    values: dict[str, str | int] | None = None
    default: str | int | None = None
    missing: str | int | None = None


#: How a mapping describes one column.
Spec = str | int | list[str] | Lookup

#: text, whole number, a list of texts, or a time (read elsewhere, where the zone is known).
Kind = Literal["text", "number", "texts", "values", "time", "place"]

#: Event columns a mapping may fill. ``place`` may have several values and then gives several events; ``values`` is a
#: list whose nulls keep their places.
COLUMNS: Final[Mapping[str, Kind]] = {
    "time": "time", "uid": "text", "actor": "text", "actor_kind": "text", "on_behalf_of": "text",
    "credential": "text", "session": "text", "device": "text", "ip": "text", "app": "text", "class_uid": "number",
    "activity": "text", "store": "text", "dataset": "place", "fields": "texts", "subject": "text", "subjects": "texts",
    "scope": "text", "subject_count": "number", "rows": "number", "bytes": "number", "purpose": "text",
    "assignment": "text", "decision": "text", "status": "text", "statement": "text", "parameters": "values",
    "database": "text", "detail": "text",
}  # fmt: skip

_CHOICES: Final[Mapping[str, tuple[str | int, ...]]] = {
    "activity": ACTIVITIES, "status": ("success", "failure"), "scope": SCOPES, "class_uid": CLASS_UIDS,
}  # fmt: skip
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")
_PERSON: Final = re.compile(r"[a-z][a-z0-9_-]*:.+", re.DOTALL)
_FORMS: Final = {
    "actor_kind": (_NAME, "a name such as staff or service"),
    "store": (_NAME, "the name of a store"),
    "on_behalf_of": (_PERSON, "kind:identifier"),
    "subject": (_PERSON, "kind:identifier"),
    "subjects": (_PERSON, "kind:identifier"),
}
_DIGITS: Final = re.compile(r"\d{1,19}", re.ASCII)
_INT64_MAX: Final = (1 << 63) - 1


def compile_column(name: str, spec: Spec) -> Callable[[Any], Any]:
    """A function from a record to the column's value (None where it has none); it raises `RefusedError`.

    Raises `ValueError`, saying what is wrong, when the mapping's description of the column is.
    """
    if isinstance(spec, Lookup):
        texts = [spec.path] if isinstance(spec.path, str) else spec.path
        return _finish(name, _first(name, [parse_template(text) for text in texts]), spec)
    if isinstance(spec, int):
        constant = _constant(name, spec)
        return lambda _record: constant
    templates = [parse_template(text) for text in ([spec] if isinstance(spec, str) else spec)]
    if not templates:
        raise ValueError("an empty list")
    if not any(_has_path(template) for template in templates):
        return _constants(name, [str(template.pieces[0]) for template in templates])
    return _finish(name, (_all if COLUMNS[name] == "texts" else _first)(name, templates), None)


def templates_of(spec: Spec) -> list[Template]:
    """The texts with paths in them that a column is described by; none where it is a number."""
    texts = spec.path if isinstance(spec, Lookup) else spec
    if isinstance(texts, int):
        return []
    return [parse_template(text) for text in ([texts] if isinstance(texts, str) else texts)]


def is_free_text(name: str) -> bool:
    """Whether a column takes any text as it is."""
    return COLUMNS[name] == "text" and name not in _CHOICES and name not in _FORMS


def _constants(name: str, texts: Sequence[str]) -> Callable[[Any], Any]:
    values = [_constant(name, text) for text in texts]
    if COLUMNS[name] not in ("texts", "values", "place") and len(values) > 1:
        raise ValueError("several constants where one value is expected")
    value = values if COLUMNS[name] in ("texts", "values") or len(values) > 1 else values[0]
    return lambda _record: value


def _constant(name: str, value: str | int) -> Any:
    if COLUMNS[name] == "time":
        raise ValueError("a constant; expected a path, e.g. $.time")
    try:
        return _convert(name, value)
    except RefusedError as error:
        raise ValueError(str(error).partition(": ")[2]) from None


def _has_path(template: Template) -> bool:
    return not all(isinstance(piece, str) for piece in template.pieces)


def _template(name: str, template: Template) -> Getter:
    """A function from a record to the value or values a text with paths stands for."""
    if template.path is not None:
        return compile_path(template.path)
    pieces = [piece if isinstance(piece, str) else compile_path(piece) for piece in template.pieces]

    def get(record: Any) -> Any:
        texts = [""]
        for piece in pieces:
            value = piece if isinstance(piece, str) else piece(record)
            found = [text_of(item) for item in (value if type(value) is list else [value])]
            if type(value) is dict or (None in found and type(value) is list):
                raise RefusedError(f"{name}: an object or list where plain values are expected")
            if len(texts) > 1 and len(found) > 1:
                raise RefusedError(f"{name}: several lists in one text")
            texts = [text + more for text in texts for more in found if more is not None]
        return texts if len(texts) > 1 else texts[0] if texts else None

    return get


def _first(name: str, templates: Sequence[Template]) -> Getter:
    """The first that is there."""
    getters = [_template(name, template) for template in templates]
    if len(getters) == 1:
        return getters[0]

    def get(record: Any) -> Any:
        for getter in getters:
            value = getter(record)
            if value is not None and value not in ("", []):
                return value
        return None

    return get


def _all(name: str, templates: Sequence[Template]) -> Getter:
    """All that are there, in one list."""
    getters = [_template(name, template) for template in templates]

    def get(record: Any) -> list[Any]:
        found: list[Any] = []
        for getter in getters:
            value = getter(record)
            if type(value) is list:
                found += value
            elif value is not None:
                found.append(value)
        return found

    return get


def _finish(name: str, get: Getter, lookup: Lookup | None) -> Callable[[Any], Any]:
    """Translate, check and shape what ``get`` finds."""
    kind = COLUMNS[name]
    if kind == "time":
        if lookup is not None:
            raise ValueError("a value table; expected a path, e.g. $.time")
        return get
    translate = _translator(name, lookup)
    missing = None if lookup is None or lookup.missing is None else _constant(name, lookup.missing)
    many = kind in ("texts", "place")

    def column(record: Any) -> Any:
        value = get(record)
        if value is None or value in ("", []):
            return [missing] if kind == "texts" and missing is not None else missing
        if kind == "values":
            return [None if item is None else translate(item) for item in (value if type(value) is list else [value])]
        if type(value) is not list:
            value = translate(value)
            return [value] if kind == "texts" and value is not None else value
        values = [item for item in map(translate, value) if item is not None]
        if many and values:
            return values
        if len(set(values)) > 1:
            raise RefusedError(f"{name}: several values where one is expected")
        return values[0] if values else missing

    return column


def _translator(name: str, lookup: Lookup | None) -> Callable[[Any], Any]:
    if lookup is None or (lookup.values is None and lookup.default is None):
        return lambda value: _convert(name, value)
    table = {key: _constant(name, value) for key, value in (lookup.values or {}).items()}
    default = None if lookup.default is None else _constant(name, lookup.default)

    def translate(value: Any) -> Any:
        found = table.get(text_of(value) or "", default)
        if found is None:
            raise RefusedError(f"{name}: a value that is not in the table 'values' and no 'default'")
        return found

    return translate


def _convert(name: str, value: Any) -> Any:
    """One value as its column holds it; raises `RefusedError` when it cannot."""
    if COLUMNS[name] == "number":
        return _number(name, value)
    if name == "detail" and type(value) is dict:
        return msgspec.json.encode(value).decode()
    text = text_of(value)
    if text is None:
        if type(value) in (dict, list):
            raise RefusedError(f"{name}: an object or list where a plain value is expected")
        return None
    if name in _CHOICES and text not in _CHOICES[name]:
        raise RefusedError(f"{name}: not one of {', '.join(map(str, _CHOICES[name]))}")
    if name in _FORMS and not _FORMS[name][0].fullmatch(text):
        raise RefusedError(f"{name}: not {_FORMS[name][1]}")
    return text


def _number(name: str, value: Any) -> int:
    if type(value) is str and _DIGITS.fullmatch(value):
        value = int(value)
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value <= _INT64_MAX:
        raise RefusedError(f"{name}: not a whole number")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise RefusedError(f"{name}: not one of {', '.join(map(str, _CHOICES[name]))}")
    return value
