"""Meridian's parts as its own builder uses them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from beholden.retailer.day import logs_of_day
from beholden.retailer.events import Events
from beholden.retailer.incidents import Incident
from beholden.retailer.stores import Changes, DayOfChanges, read_changes
from beholden.retailer.world import World


def logs_and_changes(world: World, incidents: Sequence[Incident], directory: Path) -> tuple[list[Events], Changes]:
    """The events of all logs and days, and what they did to the stores; ``directory`` is to write to."""
    logs: list[Events] = []
    for day in world.calendar.window:
        changes = DayOfChanges()
        for _, events in logs_of_day(world, incidents, day):
            changes.add(world, events)
            logs.append(events)
        changes.write(directory, day)
    return logs, read_changes(directory, world.calendar.window)
