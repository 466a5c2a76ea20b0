"""Finding, reading and validating ``beholden.toml``; errors carry the line they stand on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec

from beholden.core._config_checks import check_config
from beholden.core._toml_lines import KeyLines
from beholden.core.config import Config
from beholden.core.errors import ConfigError, NotFoundError
from beholden.core.limits import CONFIG_BYTES_MAX

__all__ = ["FILE_NAME", "find_estate", "load_config", "parse_config"]

FILE_NAME: Final = "beholden.toml"


def find_estate(start: Path) -> Path:
    """The nearest directory at or above ``start`` that holds a ``beholden.toml``; `NotFoundError` if none does."""
    start = start.absolute()
    for directory in (start, *start.parents):
        if (directory / FILE_NAME).is_file():
            return directory
    raise NotFoundError(
        f"estate at {start}",
        f"no {FILE_NAME} here or in a directory above",
        advice="make one with: beholden init",
    )


def load_config(directory: Path) -> Config:
    """Read and validate the ``beholden.toml`` in ``directory``; raises `ConfigError` or `NotFoundError`."""
    path = directory / FILE_NAME
    try:
        if path.stat().st_size > CONFIG_BYTES_MAX:
            raise ConfigError(str(path), f"larger than {CONFIG_BYTES_MAX} bytes")
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise NotFoundError(str(path), "does not exist", advice="make one with: beholden init") from None
    except OSError as error:
        raise NotFoundError(str(path), f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(str(path), "is not UTF-8 text") from None
    return parse_config(text, directory)


def parse_config(text: str, root: Path, *, file_name: str = FILE_NAME) -> Config:
    """Validate the text of a ``beholden.toml``.

    Args:
        text: TOML.
        root: the directory that relative paths belong to.
        file_name: how errors call the file.

    Raises:
        ConfigError: naming file, line, key, what was expected and what was found.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file_name, str(error)) from None
    lines = KeyLines(text)
    if "root" in data:
        raise ConfigError(f"{file_name} line {lines.of('$.root')}", "root is not a key of this file")
    try:
        config: Config = msgspec.convert({**data, "root": root}, Config, dec_hook=_decode_path)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        path = path.rstrip("`") or "$"
        unknown = re.search(r"unknown field `([^`]*)`", message)
        line = lines.of(f"{path}.{unknown[1]}" if unknown else path)
        where = f"{file_name} line {line}: {path.removeprefix('$').removeprefix('.') or 'the file'}"
        raise ConfigError(
            where, (message[0].lower() + message[1:]).replace("object contains", "the table has an")
        ) from None
    check_config(config, lines, file_name)
    return config


def _decode_path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, Path):
        return value
    raise NotImplementedError
