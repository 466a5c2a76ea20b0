"""Adding a table to ``beholden.toml`` without disturbing what people wrote there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from beholden.core.config import FILE_NAME, parse_config
from beholden.core.errors import NotFoundError

__all__ = ["append_table"]


def append_table(directory: Path, section: str, values: Mapping[str, object]) -> None:
    """Append ``[[section]]`` with the values that are not None.

    The whole text is validated first and replaced in one step: the file is either as it was or complete.
    Raises `ConfigError` when the new table is not valid (a name declared twice, for example).
    """
    path = directory / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
        lines = [f"{key} = {_literal(value)}" for key, value in values.items() if value is not None]
        text = text.rstrip("\n") + f"\n\n[[{section}]]\n" + "\n".join(lines) + "\n"
        parse_config(text, directory)
        fresh = path.with_name(FILE_NAME + ".new")
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, path)  # noqa: PTH105 - atomic by contract of os.replace
    except OSError as error:
        raise NotFoundError(str(path), f"cannot be changed ({error.strerror})") from None


def _literal(value: object) -> str:
    """A TOML literal; JSON's strings, numbers and arrays of strings are valid TOML."""
    return msgspec.json.encode(value).decode()
