"""What a verification finds, and how an error becomes one."""

from __future__ import annotations

from dataclasses import dataclass

from beholden.core.errors import IntegrityError

__all__ = ["Catching", "Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """An object of the ledger (a path below its directory) and what is wrong with it."""

    object: str
    reason: str


class Catching:
    """Turns an `IntegrityError` into a finding and goes on."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, IntegrityError):
            return False
        name, _, place = error.where.partition(" ")
        reason = f"{place}: {error.found}" if place else error.found
        self._findings.append(Finding(name, f"{reason}; expected {error.expected}" if error.expected else reason))
        return True
