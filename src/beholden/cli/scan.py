"""``beholden scan``: look at every store and classify its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._progress import progress_bar
from beholden.cli.output import output_options

if TYPE_CHECKING:
    from beholden.stores import Connector

__all__ = ["scan"]

#: Stores and datasets that the last line names.
_NAMED_MAX = 3


@click.command(short_help="Look at every store and classify its fields.")
@click.argument("stores", nargs=-1)
@click.option("--seed", type=int, default=1, show_default=True, help="Chooses the sampled rows; the same seed replays.")
@click.option("--restart", is_flag=True, help="Begin anew instead of resuming a scan that was stopped.")
@output_options
@pass_estate
def scan(estate: Estate, *, stores: tuple[str, ...], seed: int, restart: bool, output: str | None) -> None:
    """Look at every declared store (or the STORES named): list datasets, sample them, classify each field.

    Only samples are read; values are neither kept nor shown. What could not be looked at is listed, never passed
    over. Exit code 4 when a store or dataset could not be read; the others are looked at all the same. A scan that was
    stopped goes on where it was.
    """
    from beholden.atlas.scan import scan as run_scan
    from beholden.cli.map import found_classes, show_coverage
    from beholden.core.errors import SourceError, UsageError
    from beholden.state.subjects import effective_subjects

    for name in stores:
        estate.config.store_named(name)
    if not estate.config.store:
        raise UsageError("scan", "no store is declared yet", advice="add one with: beholden store add NAME URL")
    looked_at: dict[str, Connector] = {}

    def connect(name: str) -> Connector:
        looked_at[name] = estate.connector(name)
        return looked_at[name]

    with progress_bar("scanning") as progress:
        result = run_scan(
            estate.state,
            estate.config,
            connect,
            tokens=estate.vault.tokens,
            stores=stores or None,
            clock=estate.clock,
            seed=seed,
            resume=not restart,
            progress=progress,
        )
    classes = found_classes(estate, stores) if output is None else ""
    after = [f"fields with personal data: {classes or 'none found'}"]
    proposed = [
        f"{kind.kind} ({kind.key})" for kind in effective_subjects(estate.state, estate.config) if not kind.declared
    ]
    if proposed:
        after.append(f"kinds of data subject proposed, until beholden.toml declares them: {', '.join(proposed)}")
    if classes:
        top = classes.partition(" ")[0]
        after.append(f"next: {estate.command(f'map where {top}')} (or: map fields, map zones)")
    show_coverage(estate, output, stores, after)
    names = sorted({f"{found.store}/{found.path}" if found.path else found.store for found in result.failed})
    names += [f"parts of {name}" for name in sorted(looked_at) if name not in names and _has_closed(looked_at[name])]
    if names:
        more = f" and {len(names) - _NAMED_MAX:,} more" if len(names) > _NAMED_MAX else ""
        raise SourceError(
            "scan", f"could not read {', '.join(names[:_NAMED_MAX])}{more}",
            advice="the reasons are listed as unknown; mend them and scan again",
        )  # fmt: skip


def _has_closed(connector: Connector) -> bool:
    """Whether parts of a store that no dataset is known of could not be read."""
    return any(left_out.rows and not left_out.path for left_out in connector.shortfalls())
