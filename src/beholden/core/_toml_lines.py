"""On which line of a TOML text each key stands; the standard parser does not say."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["KeyLines"]


class KeyLines:
    """The line of each key of a TOML text, found by reading its headers and keys in order."""

    _HEADER: Final = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\"'-]+)\s*\]\]?\s*(#.*)?$")
    _KEY: Final = re.compile(r"\s*([A-Za-z0-9_\"'-]+)\s*=")

    def __init__(self, text: str) -> None:
        self._lines: dict[str, int] = {"$": 1}
        counts: dict[str, int] = {}
        prefix = "$"
        for number, line in enumerate(text.splitlines(), 1):
            header = self._HEADER.match(line)
            if header:
                prefix = self._enter(header[2], array=header[1] == "[[", counts=counts)
                self._lines.setdefault(prefix, number)
                continue
            key = self._KEY.match(line)
            if key:
                self._lines.setdefault(f"{prefix}.{key[1].strip(chr(34) + chr(39))}", number)

    @staticmethod
    def _enter(name: str, *, array: bool, counts: dict[str, int]) -> str:
        parts = name.split(".")
        path = "$"
        for depth, part in enumerate(parts):
            path += "." + part.strip("\"'")
            last = depth == len(parts) - 1
            if last and array:
                counts[path] = counts.get(path, -1) + 1
            if path in counts:
                path += f"[{counts[path]}]"
        return path

    def of(self, path: str) -> int:
        """The line of the longest known prefix of ``path``."""
        while path and path not in self._lines:
            cut = max(path.rfind("."), path.rfind("["))
            path = path[:cut] if cut > 0 else "$"
        return self._lines.get(path, 1)
