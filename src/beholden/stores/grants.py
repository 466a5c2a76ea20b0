"""The script that gives Beholden the right to read a store, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from beholden.core.errors import UsageError

__all__ = ["grants_script"]

_SCRIPTS: Final = ("postgresql",)


def grants_script(kind: str) -> str:
    """SQL for an administrator to read and run; it holds no password.

    Raises:
        UsageError: there is no script for this kind of store; SQLite and files know rights of the file system only.
    """
    if kind not in _SCRIPTS:
        raise UsageError("store grants", f"no script for '{kind[:40]}'", expected="one of " + ", ".join(_SCRIPTS))
    return (Path(__file__).parent / "sql" / f"grants_{kind}.sql").read_text("utf-8")
