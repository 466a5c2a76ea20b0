"""Orders, days and sellers of a long window, against the laws that were measured on real ones."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, Bools, Floats, Ints
from beholden.retailer.parameters.presets import ORDER_HOURS, WEEKDAYS_SUNDAY_FIRST
from beholden.retailer.realism.bands import Measure, Ratio, ratio
from beholden.retailer.world import World

__all__ = ["day_levels", "hour_shares", "measures_of_orders", "promotion_days", "seller_counts", "slope_of"]

_WEEK: Final = 7
_DAYS_A_YEAR: Final = 365
_AFTER: Final = 2  # days after a promotion that are above the ordinary
_SAMPLED_DAYS: Final = 4  # whose single orders are looked at
_ADDRESSES: Final = 200_000
#: Between these shares of all ranks the slope is taken: the very first are few, the last sell next to nothing.
_SLOPE_BETWEEN: Final = (0.01, 0.1)
_SLOPE_BINS: Final = 12


def measures_of_orders(world: World) -> list[Measure]:
    """What `BANDS` has of orders, sellers, addresses and the year's attrition; a window of a year is best."""
    counts = seller_counts(world, world.calendar.window[:_SAMPLED_DAYS])
    ordered, ranks = int(counts.sum()), len(counts)
    found = [*_hours(world), *_days(world)]
    slope = slope_of(counts)
    found.append(slope.measure("sellers: slope of log popularity by log rank"))
    for percent in (1, 10):
        share = float(counts[: ranks * percent // 100].sum()) / ordered
        found.append(Measure(f"sellers: items of the top {percent} %", share, math.sqrt(share * (1 - share) / ordered)))
    sample = np.arange(0, len(world.people), max(1, len(world.people) // _ADDRESSES))
    shared = world.people.housemate(sample) >= 0
    # Both of a pair may be among them.
    error = math.sqrt(2 * shared.mean() * (1 - shared.mean()) / len(sample))
    found.append(Measure("customers who share an address", float(shared.mean()), error))
    return [*found, attrition(world).measure("attrition of agents a year")]


def hour_shares(world: World, day: int) -> tuple[Floats, int]:
    """The share of a day's orders in each hour, and how many orders there are."""
    time = world.orders.on(day).time
    share: Floats = np.bincount(time % DAY_US // HOUR_US, minlength=24) / max(1, len(time))
    return share, len(time)


def _hours(world: World) -> list[Measure]:
    law = np.array(ORDER_HOURS) / sum(ORDER_HOURS)
    share, count = hour_shares(world, world.calendar.window[0])
    error = math.sqrt(float(np.max(law * (1 - law))) / max(1, count))
    return [Measure("orders by hour: largest deviation of a share", float(np.max(np.abs(share - law))), error)]


def promotion_days(world: World) -> tuple[Bools, Bools]:
    """Of the days of the window: which are promotions, and which follow one."""
    days = np.array(world.calendar.window)
    first = np.isin(days, world.calendar.promotions)
    after = np.isin(days, [day + i for day in world.calendar.promotions for i in range(1, _AFTER + 1)])
    return first, after & ~first


def _weekday(days: Ints) -> Ints:
    return (days + 4) % _WEEK  # 1970-01-01 was a Thursday, the fifth day of a week that begins on Sunday


def day_levels(world: World) -> Floats:
    """Orders of each day of the window relative to its weekday, the year's growth and the median day."""
    days = np.array(world.calendar.window)
    orders = np.array([world.calendar.orders_on(day) for day in days.tolist()], dtype=np.float64)
    orders /= 1 + world.parameters.growth_a_year * (days - days[0]) / _DAYS_A_YEAR
    law = np.array(WEEKDAYS_SUNDAY_FIRST) / np.mean(WEEKDAYS_SUNDAY_FIRST)
    of_week = orders / law[_weekday(days)]
    level: Floats = of_week / np.median(of_week)
    return level


def _days(world: World) -> list[Measure]:
    days = np.array(world.calendar.window)
    level, (first, after) = day_levels(world), promotion_days(world)
    ordinary = ~(first | after)
    cv = float(np.std(level[ordinary], ddof=1) / level[ordinary].mean())
    count = int(ordinary.sum())
    of_week = [level[ordinary & (_weekday(days) == at)] for at in range(_WEEK)]
    deviation = [abs(float(part.mean()) / float(level[ordinary].mean()) - 1) for part in of_week if len(part)]
    found = [
        Measure(
            "orders by weekday: largest deviation from the law", max(deviation), cv / math.sqrt(max(1, count // _WEEK))
        ),
        Measure("level of days: coefficient of variation", cv, cv / math.sqrt(2 * count)),
    ]
    for name, which in (("promotion day", first), ("days after a promotion", after)):
        times = level[which]
        value = float(times.mean()) if len(times) else math.nan
        found.append(Measure(f"{name}, times the median day", value, value * cv / math.sqrt(max(1, len(times)))))
    return found


def seller_counts(world: World, days: range) -> Ints:
    """Orders of each seller over some days, the most popular first."""
    counts = sum(np.bincount(world.orders.on(day).seller, minlength=len(world.sellers)) for day in days)
    return np.sort(np.asarray(counts, dtype=np.int64))[::-1]


def slope_of(counts: Ints) -> Ratio:
    """The slope of log popularity by log rank, in the middle of the ranks, by bins that are even in log rank."""
    low, high = (max(1, round(len(counts) * share)) for share in _SLOPE_BETWEEN)
    edges = np.unique(np.geomspace(low, high, _SLOPE_BINS + 1).round().astype(np.int64))
    sums = np.add.reduceat(counts[: edges[-1]], edges[:-1])
    width = np.diff(edges)
    place = np.array([np.log(np.arange(a, b) + 1).mean() for a, b in pairwise(edges.tolist())])
    apart = place - place.mean()
    slope = float(np.sum(apart * np.log(np.maximum(sums, 1) / width)) / np.sum(apart**2))
    # Each bin's logarithm errs by one over the root of its count.
    error = math.sqrt(float(np.sum(apart**2 / np.maximum(sums, 1)))) / float(np.sum(apart**2))
    return Ratio(slope, error)


def attrition(world: World) -> Ratio:
    """Agents who left, for each year that one was employed."""
    first, end = world.calendar.window[0], world.calendar.window[-1] + 1
    agents = [one for one in world.staff.members if one.role == "agent" and one.hired < end]
    left = np.array([one.left is not None and first <= one.left < end for one in agents], dtype=np.float64)
    stop = np.array([end if one.left is None else one.left for one in agents])
    years = np.maximum(0, np.minimum(stop, end) - np.maximum([one.hired for one in agents], first)) / _DAYS_A_YEAR
    return ratio(left, years)
