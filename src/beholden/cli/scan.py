"""``beholden scan``: look at every store and classify its fields."""

from __future__ import annotations

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._progress import progress_bar
from beholden.cli.output import note, output_options

__all__ = ["scan"]


@click.command(short_help="Look at every store and classify its fields.")
@click.argument("stores", nargs=-1)
@click.option("--seed", type=int, default=1, show_default=True, help="Chooses the sampled rows; the same seed replays.")
@click.option("--restart", is_flag=True, help="Begin anew instead of resuming a scan that was stopped.")
@output_options
@pass_estate
def scan(estate: Estate, *, stores: tuple[str, ...], seed: int, restart: bool, output: str | None) -> None:
    """Look at every declared store (or the STORES named): list datasets, sample them, classify each field.

    Only samples are read; values are neither kept nor shown. What could not be looked at is listed, never passed
    over. Exit code 4 when a store could not be read.
    """
    from beholden.atlas.scan import scan as run_scan
    from beholden.cli.map import show_coverage
    from beholden.core.errors import UsageError

    for name in stores:
        estate.config.store_named(name)
    if not estate.config.store:
        raise UsageError("scan", "no store is declared yet", advice="add one with: beholden store add NAME URL")
    with progress_bar("scanning") as progress:
        result = run_scan(
            estate.state,
            estate.config,
            estate.connector,
            stores=stores or None,
            clock=estate.clock,
            seed=seed,
            resume=not restart,
            progress=progress,
        )
    show_coverage(estate, output, stores)
    if output is None:
        note("next: beholden map where payment_card, beholden map zones, beholden map fields")
    if result.failed:
        raise click.exceptions.Exit(4)
