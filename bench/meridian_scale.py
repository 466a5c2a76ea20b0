"""How fast Meridian's days are made, and in how much memory.

Every day of the window is made as a build makes it, logs and truth written, and its files removed again, so that the
largest company needs no more disk than its largest day. Prints events, bytes and CPU seconds of each day and the peak
of memory so far; the last line has the totals.

    python bench/meridian_scale.py --scale 1 --days 28
    python bench/meridian_scale.py --scale 10 --days 90        # about 15 minutes
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from beholden.core.times import format_time, parse_time
from beholden.retailer.chance import DAY_US
from beholden.retailer.day import write_day_of
from beholden.retailer.output import CHANGES
from beholden.retailer.parameters import PRESETS, checked_parameters
from beholden.retailer.schedule import RUNS, scheduled
from beholden.retailer.world import World


def main() -> None:
    """Make the days and print what they took."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--scale", type=float, default=1.0)
    arguments.add_argument("--days", type=int, default=28)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--preset", choices=PRESETS, default="retailer")
    arguments.add_argument("--run", choices=RUNS, default="prevalence")
    given = arguments.parse_args()
    begun = time.process_time()
    end = parse_time("2026-11-22T00:00:00Z")
    world = World(checked_parameters(preset=given.preset, scale=given.scale, seed=given.seed, days=given.days, end=end))
    incidents = scheduled(world, given.run)
    print(f"company and {len(incidents)} incidents: {time.process_time() - begun:.1f} CPU s", flush=True)
    events = size = 0
    spent = 0.0
    for day in world.calendar.window:
        with tempfile.TemporaryDirectory(prefix="meridian-") as directory:
            for name in ("logs", "truth/events", CHANGES):
                (Path(directory) / name).mkdir(parents=True)
            begun = time.process_time()
            _, count = write_day_of(world, incidents, day, Path(directory))
            took = time.process_time() - begun
            written = sum(path.stat().st_size for path in Path(directory).rglob("*") if path.is_file())
        events, size, spent = events + count, size + written, spent + took
        stamp = format_time(day * DAY_US)[:10]
        print(
            f"{stamp} {count:>12,} events {written / 1e9:6.2f} GB {took:7.2f} CPU s {peak_gb():5.2f} GB peak",
            flush=True,
        )
    print(
        f"{given.preset} at scale {given.scale:g}, {given.days} days: {events:,} events, {size / 1e9:.1f} GB, "
        f"{spent:.1f} CPU s, {events / spent / 1e6:.2f} M events a CPU second, {peak_gb():.2f} GB peak"
    )


def peak_gb() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
