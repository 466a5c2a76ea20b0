"""Progress on stderr: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from beholden.cli._talk import console, printable

__all__ = ["Progress", "progress_bar"]

#: Called with (done, total, what); total 0 is not known.
Progress = Callable[[int, int, str], None]


@contextmanager
def progress_bar(title: str, *, unit: str = "") -> Iterator[Progress]:
    """Give a function to call with progress; the bar goes away at the end."""
    if not sys.stderr.isatty():
        yield lambda _done, _total, _what: None
        return
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    with RichProgress(*columns, console=console(), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def show(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total or None, description=f"{title} {escape(printable(what)[:60])}")

        yield show
