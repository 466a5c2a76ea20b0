"""What else an event met that looks odd and is not: its clock, its way to the log, its day, whose name and number it has.

A look-alike that is a piece of work (`events.LABELS`) is known to whoever makes the event. These come upon any event,
whatever it is: they are found once a day's log is written, and hold for incidents' events too.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from beholden.retailer.calendar import PROMOTION_DAYS
from beholden.retailer.chance import SECOND_US, Bools, Chance, Ints, uniform
from beholden.retailer.events import Events
from beholden.retailer.feeds_partners import by_old_id
from beholden.retailer.life.gateway import Calls
from beholden.retailer.life.places import are_shared
from beholden.retailer.log_files import LogKind, WrittenDay
from beholden.retailer.parameters import Parameters
from beholden.retailer.world import World

__all__ = ["CONDITIONS", "clock_ahead_us", "conditions_of", "first_of", "texts_of"]

#: By bit, the most telling first.
CONDITIONS: Final = (
    "benign:missing_event",  # no line of it arrived
    "benign:duplicate_event",  # it has two lines
    "benign:late_event",  # its line came hours late
    "benign:clock_skew",  # the clock of the host that wrote the line was off by a second or more
    "benign:renamed_user",  # whoever did it had another log-in earlier in the window
    "benign:shared_address",  # its address is one of those behind which many customers, homes or partners are
    "benign:second_id",  # the seller in the line goes by the older id in the register of consents
    "benign:promotion_load",  # it is of a promotion or of the days after one
)
_BITS: Final = {name.removeprefix("benign:"): 1 << at for at, name in enumerate(CONDITIONS)}
#: Of each set of them the position of the first, -1 of the empty one.
_FIRST: Final = np.array([(bits & -bits).bit_length() - 1 for bits in range(1 << len(CONDITIONS))], dtype=np.int64)
#: Logs whose hosts others run, who keep time.
_OUTSIDE: Final = frozenset({"sso", "buckets"})
_WEEK: Final = 7


def clock_ahead_us(parameters: Parameters, log: str, host: str, day: int) -> int:
    """How far the clock of what writes a log is ahead on a day (microseconds, whole milliseconds; negative: behind).

    Most keep time. Some are found to be off, by seconds or minutes, and stay so until the week is over.
    """
    if log in _OUTSIDE:
        return 0
    hashes = Chance(parameters.seed, f"clock {log} {host}")(day // _WEEK, np.arange(3))
    off, by, sign = uniform(hashes).tolist()
    if off >= parameters.clocks_off:
        return 0
    # The logistic law stands in for the normal one: it can be had from one hash.
    spread = np.log(1 / max(by, 1e-9) - 1) * 0.55
    seconds = float(np.clip(parameters.clocks_off_median_s * np.exp(spread), 1.0, parameters.clocks_off_most_s))
    return int(seconds * 1000) * 1000 * (1 if sign < 0.5 else -1)


def conditions_of(
    world: World, kind: LogKind[Any], day: int, events: Events, written: WrittenDay, taken: list[tuple[int, int]]
) -> Ints:
    """For each event of a day's log the bits of what holds for it; ``taken``: spans whose lines somebody took away."""
    missing = np.bincount(written.event[written.file < 0], minlength=len(events)) > 0
    for start, end in taken:
        missing &= (events.time < start) | (events.time >= end)
    came = written.event[written.file >= 0]
    late = np.bincount(written.event[written.file > 0], minlength=len(events)) > 0
    # A condition of the whole day, or one of each event.
    holds: dict[str, Bools | bool] = {
        "missing_event": missing,
        "duplicate_event": np.bincount(came, minlength=len(events)) > 1,
        "late_event": late,
        "clock_skew": abs(clock_ahead_us(world.parameters, kind.name, kind.host, day)) >= SECOND_US,
        "renamed_user": _renamed(world, day, events),
        "shared_address": _shared(world, events),
        "second_id": _old_ids(world)[events.seller] if isinstance(events, Calls) else False,
        "promotion_load": any(0 <= day - first < PROMOTION_DAYS for first in world.calendar.promotions),
    }
    found = np.full(len(events), sum(_BITS[name] for name, which in holds.items() if which is True), dtype=np.uint8)
    for name, which in holds.items():
        if not isinstance(which, bool):
            found |= which.view(np.uint8) * np.uint8(_BITS[name])
    return found.astype(np.int64)


def _old_ids(world: World) -> Bools:
    every = np.arange(len(world.sellers))
    return world.once("sellers by their older ids", 0, lambda: by_old_id(world, every, "consents"))


def _renamed(world: World, day: int, events: Events) -> Bools | bool:
    if isinstance(events, Calls):  # apps made these
        return False
    renamed = [at for at, one in enumerate(world.staff.members) if one.renamed is not None and one.renamed <= day]
    return np.isin(events.actor, renamed) if renamed else False


def _shared(world: World, events: Events) -> Bools | bool:
    if isinstance(events, Calls):
        partners = world.partners
        shared = np.array([partners.developers[app.developer].platform for app in partners.apps], dtype=np.bool_)
        found: Bools = shared[events.actor]
        return found
    address = getattr(events, "address", None)
    if address is None or address.dtype == np.object_:  # statements come from the company's own addresses
        return False
    return are_shared(address)


def texts_of(bits: Ints) -> pa.Array:
    """The names of what holds, in the order of `CONDITIONS` with spaces between; null where nothing does."""
    occurs = np.bincount(bits, minlength=1) > 0
    which = np.flatnonzero(occurs)
    names = [" ".join(name for i, name in enumerate(CONDITIONS) if one >> i & 1) for one in which.tolist()]
    at = (np.cumsum(occurs) - 1).astype(np.int32)[bits]
    return pa.DictionaryArray.from_arrays(pa.array(at, mask=bits == 0), pa.array(names, pa.string()))


def first_of(bits: Ints) -> Ints:
    """The position in `CONDITIONS` of the most telling, or -1."""
    return _FIRST[bits]
