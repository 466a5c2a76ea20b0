"""Runs the real command in a process of its own, as a user of few rights or with little room where asked."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["Run", "beholden", "few_rights", "little_room", "start"]

_CAPABILITY_DROP = 24  # prctl(PR_CAPBSET_DROP, …)
_OVERRIDE_RIGHTS = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of ``--json``."""
        items: list[dict[str, Any]] = msgspec.json.decode(self.out)["items"]
        return items

    @property
    def unknown(self) -> list[dict[str, Any]]:
        """What ``--json`` says is not known."""
        unknown: list[dict[str, Any]] = msgspec.json.decode(self.out)["unknown"]
        return unknown

    def refused(self, code: int) -> str:
        """The one line with which the command was refused, after checking that it is one and nothing else."""
        lines = [line for line in self.err.splitlines() if line.startswith("beholden: ")]
        assert self.code == code, self.err
        assert len(lines) == 1, self.err
        assert "unexpected" not in lines[0]
        return lines[0].removeprefix("beholden: ")


def few_rights() -> None:
    """Before the program starts: an administrator's right to open every file is given up."""
    for capability in _OVERRIDE_RIGHTS:
        _LIBC.prctl(_CAPABILITY_DROP, capability, 0, 0, 0)  # fails for others than root, who lack it anyway


def little_room(size_bytes: int) -> Callable[[], None]:
    """Before the program starts: no file may grow beyond this, which looks like a full disk to it."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


def start(directory: Path, *arguments: str, before: Callable[[], None] | None = None, **environment: str) -> Any:
    """The command under way, its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "beholden", *arguments],
        cwd=directory,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=before,  # noqa: PLW1509 - the tests' process has one thread that matters here
        text=True,
    )


def beholden(
    directory: Path, *arguments: str, before: Callable[[], None] | None = None, ok: bool = False, **environment: str
) -> Run:
    """Run the command to its end in ``directory``; with ``ok`` it must succeed. A trace is never right."""
    with start(directory, *arguments, before=before, **environment) as process:
        out, err = process.communicate(timeout=120)
    assert "Traceback" not in err, err
    if ok:
        assert process.returncode == 0, err
    return Run(process.returncode, out, err)
