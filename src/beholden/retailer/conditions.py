"""What else an event met that looks odd and is not: its clock, its way to the log, its day, whose name and number it has.

A look-alike that is a piece of work (`events.LABELS`) is known to whoever makes the event. These come upon any event,
whatever it is: they are found once a day's log is written, and hold for incidents' events too.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beholden.retailer.calendar import PROMOTION_DAYS
from beholden.retailer.chance import SECOND_US, Chance, Ints, uniform
from beholden.retailer.events import Events
from beholden.retailer.feeds.partners import by_old_id
from beholden.retailer.life.gateway import Calls
from beholden.retailer.life.places import are_shared
from beholden.retailer.log_files import LogKind, WrittenDay
from beholden.retailer.parameters import Parameters
from beholden.retailer.world import World

__all__ = ["CONDITIONS", "Bits", "clock_ahead_us", "conditions_of", "first_of", "texts_of"]

#: For each event what holds for it, a bit each.
Bits = npt.NDArray[np.uint8]

#: By bit, the most telling first.
CONDITIONS: Final = (
    "benign:missing_event",  # no line of it is left
    "benign:duplicate_event",  # it has two lines
    "benign:late_event",  # its line came hours late
    "benign:clock_skew",  # the clock of the host that wrote the line was off by a second or more
    "benign:renamed_user",  # whoever did it had another log-in earlier in the window
    "benign:shared_address",  # its address is one of those behind which many customers, homes or partners are
    "benign:second_id",  # the seller in the line goes by the older id in the register of consents
    "benign:promotion_load",  # it is of a promotion or of the days after one
)
_BITS: Final = {name.removeprefix("benign:"): 1 << at for at, name in enumerate(CONDITIONS)}
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


def conditions_of(world: World, kind: LogKind[Any], day: int, events: Events, written: WrittenDay) -> Bits:
    """For each event of a day's log the bits of what holds for it."""
    off = abs(clock_ahead_us(world.parameters, kind.name, kind.host, day)) >= SECOND_US
    promoted = any(0 <= day - first < PROMOTION_DAYS for first in world.calendar.promotions)
    found: Bits = _of_actors(world, day, events)
    found |= np.uint8(_BITS["clock_skew"] * off + _BITS["promotion_load"] * promoted)
    missing = written.event[written.file < 0]
    twice = np.bincount(written.event[written.file >= 0], minlength=len(events)) > 1
    for name, which in (("missing", missing), ("duplicate", twice), ("late", written.event[written.file > 0])):
        found[which] |= np.uint8(_BITS[f"{name}_event"])
    return found


def _of_actors(world: World, day: int, events: Events) -> Bits:
    """What holds because of who did it, from where and for whom."""
    if isinstance(events, Calls):
        of_keys: Bits = world.once("conditions of keys", 0, lambda: _of_keys(world))[events.key]
        return of_keys
    renamed = [at for at, one in enumerate(world.staff.members) if one.renamed is not None and one.renamed <= day]
    found = np.isin(events.actor, renamed) * np.uint8(_BITS["renamed_user"])
    address = getattr(events, "address", None)
    if address is not None and address.dtype != np.object_:  # statements come from the company's own addresses
        found |= are_shared(address) * np.uint8(_BITS["shared_address"])
    return found


def _of_keys(world: World) -> Bits:
    """The same of calls of the partner API, by key."""
    partners = world.partners
    on_platform = np.array([partners.developers[app.developer].platform for app in partners.apps], dtype=np.bool_)
    old = by_old_id(world, partners.keys.seller, "consents")
    found: Bits = on_platform[partners.keys.app] * np.uint8(_BITS["shared_address"])
    return found | old * np.uint8(_BITS["second_id"])


def texts_of(bits: Bits) -> pa.Array:
    """The names of what holds, in the order of `CONDITIONS` with spaces between; null where nothing does."""
    which = np.flatnonzero(np.bincount(bits, minlength=1 << len(CONDITIONS)))
    place = np.zeros(1 << len(CONDITIONS), dtype=np.int32)
    place[which] = np.arange(len(which))
    names = [" ".join(name for i, name in enumerate(CONDITIONS) if one >> i & 1) for one in which.tolist()]
    return pa.DictionaryArray.from_arrays(pa.array(place[bits], mask=bits == 0), pa.array(names, pa.string()))


def first_of(bits: Bits) -> Ints:
    """The position in `CONDITIONS` of the most telling, or -1."""
    return _FIRST[bits]


_FIRST: Final[Ints] = np.array([(bits & -bits).bit_length() - 1 for bits in range(1 << len(CONDITIONS))])
