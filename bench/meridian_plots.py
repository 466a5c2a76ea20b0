"""The plots of docs/explanation/meridian.md: what was measured of Meridian, with what was published drawn beside it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
import numpy as np

mpl.use("svg")
from matplotlib import pyplot as plt

from beholden.retailer.contacts import REASONS
from beholden.retailer.parameters.presets import ORDER_HOURS, WEEKDAYS_SUNDAY_FIRST
from beholden.retailer.realism.company import rights_used, sellers_of_developers
from beholden.retailer.realism.orders import day_levels, hour_shares, promotion_days, seller_counts
from beholden.retailer.realism.service import handling_minutes, lag_days

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from beholden.retailer.realism import Measure, Study

__all__ = ["write_plots"]

#: Colours that are told apart without red and green.
MEASURED, SOURCED, OTHER = "#4477aa", "#cc3311", "#bbbbbb"
_STYLE: Final = {
    "svg.hashsalt": "meridian", "svg.fonttype": "path", "font.size": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.titlesize": 10, "axes.titlelocation": "left", "legend.frameon": False,
    "figure.facecolor": "white", "path.simplify_threshold": 1.0,
}  # fmt: skip
_DAYS_SHOWN: Final = 90
_POINTS: Final = 60


def write_plots(study: Study, found: list[Measure], directory: Path) -> None:
    """Write the plots as SVG; the same study gives the same bytes with the same Matplotlib."""
    with mpl.rc_context(_STYLE):
        for name, (width, draw) in {
            "orders": (2, lambda axes: _orders(study, axes)),
            "days": (1, lambda axes: _days(study, axes[0])),
            "sellers": (1, lambda axes: _sellers(study, axes[0])),
            "look-alikes": (1, lambda axes: _look_alikes(found, axes[0])),
            "rights": (2, lambda axes: _rights(study, axes)),
            "contacts": (2, lambda axes: _contacts(study, axes)),
        }.items():
            figure, axes = plt.subplots(1, width, figsize=(8, 3.3), squeeze=False, layout="constrained")
            draw(list(axes[0]))
            figure.savefig(directory / f"meridian-{name}.svg", metadata={"Date": None, "Creator": None})
            plt.close(figure)


def _percent(axis: Axes, *, along: str = "y") -> None:
    getattr(axis, f"{along}axis").set_major_formatter(mpl.ticker.PercentFormatter(1.0, decimals=0))


def _orders(study: Study, axes: list[Axes]) -> None:
    by_hour, by_weekday = axes
    share, _ = hour_shares(study.year, study.year.calendar.window[0])
    by_hour.bar(range(24), share, color=MEASURED, label="measured, one day")
    by_hour.plot(
        range(24), np.array(ORDER_HOURS) / sum(ORDER_HOURS), "_", color=SOURCED, ms=9, mew=2, label="published"
    )
    by_hour.set(title="Orders by hour of the day (UTC)", xticks=range(0, 24, 3), xlabel="hour", ylim=(0, 0.085))
    by_hour.legend(loc="upper left")
    _percent(by_hour)
    days = np.array(study.year.calendar.window)
    first, after = promotion_days(study.year)
    orders = np.array([study.year.calendar.orders_on(day) for day in days.tolist()], dtype=np.float64)
    weekday, ordinary = (days + 4) % 7, ~(first | after)
    means = np.array([orders[ordinary & (weekday == at)].mean() for at in range(7)])
    errors = [
        orders[ordinary & (weekday == at)].std() / math.sqrt(np.sum(ordinary & (weekday == at))) for at in range(7)
    ]
    law = np.array(WEEKDAYS_SUNDAY_FIRST) / np.mean(WEEKDAYS_SUNDAY_FIRST)
    by_weekday.bar(range(7), means / means.mean(), color=MEASURED, yerr=np.array(errors) / means.mean(), ecolor="black",
                   capsize=2, label="measured, a year, ± one error")  # fmt: skip
    by_weekday.plot(range(7), law, "_", color=SOURCED, ms=16, mew=2, label="published")
    by_weekday.set(title="Orders by weekday, mean = 1", xticks=range(7), ylim=(0, 1.55))
    by_weekday.set_xticklabels(["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"])
    by_weekday.legend(loc="upper left")


def _days(study: Study, axis: Axes) -> None:
    level = day_levels(study.year)
    first, after = promotion_days(study.year)
    promotions = np.flatnonzero(first)
    start = int(promotions[promotions >= _DAYS_SHOWN // 3][0]) - _DAYS_SHOWN // 3
    part = slice(start, start + _DAYS_SHOWN)
    which = np.arange(len(level[part]))
    for mask, colour, label in (
        (~(first | after), OTHER, "ordinary day"),
        (first, MEASURED, "promotion"),
        (after, "#88ccee", "the two days after it"),
    ):
        axis.bar(which[mask[part]], level[part][mask[part]], color=colour, width=0.9, label=label)
    cv = study.year.parameters.day_level_cv
    axis.axhspan(1 - 2 * cv, 1 + 2 * cv, color=SOURCED, alpha=0.35, lw=0, zorder=0,
                 label="published: 1 ± twice the cv of 0.15")  # fmt: skip
    for times in (10, 4):
        axis.axhline(times, color=SOURCED, lw=1, ls="--", label="published: 10 and 4 times" if times == 10 else None)
    axis.set(
        title="Orders of 90 days, weekday and growth taken out, median = 1",
        xlabel="day",
        yticks=[1, 2, 4, 6, 8, 10, 12],
    )
    axis.set_xlim(-1, _DAYS_SHOWN)
    axis.legend(loc="upper right", bbox_to_anchor=(1, 0.78))


def _sellers(study: Study, axis: Axes) -> None:
    counts = seller_counts(study.year, study.year.calendar.window[:4])
    share, ranks = counts / counts.sum(), np.arange(1, len(counts) + 1)
    at = np.unique(np.geomspace(1, len(counts), _POINTS).astype(int)) - 1
    axis.loglog(ranks[at], share[at], "o", ms=4, color=MEASURED, label="measured, four days")
    middle = len(counts) // 30
    low, high = len(counts) // 100, len(counts) // 10
    slope = np.array([low, high])
    axis.loglog(
        slope,
        share[middle] * 1.5 * (slope / middle) ** -0.74,
        color=SOURCED,
        lw=1.5,
        label="published: rank to the -0.74",
    )
    for first, published in ((low, 0.19), (high, 0.57)):
        axis.axvline(first, color="#888888", lw=0.8, ls=":")
        percent = 100 * first // len(counts)
        axis.annotate(
            f"top {percent} %:\n{share[:first].sum():.1%} of items\n(published {published:.0%})", (first, share[-1]),
            xytext=(4, 0), textcoords="offset points", va="bottom",
        )  # fmt: skip
    axis.set(title="Popularity of sellers", xlabel="rank", ylabel="share of all items")
    axis.legend(loc="lower left")


def _look_alikes(found: list[Measure], axis: Axes) -> None:
    rates = [one for one in found if one.band.group == "look-alikes"][::-1]
    for place, one in enumerate(rates):
        low, high = one.limits
        axis.barh(place, one.value, color=MEASURED, height=0.55, label="measured" if not place else None)
        published = one.band.low or one.band.high
        reach = [[published - max(low, 1)], [min(high, 1e5) - published]]
        if one.band.low == one.band.high:
            axis.errorbar(published, place, xerr=reach, fmt="D", color=SOURCED, ms=5, capsize=3,
                          label="published, and the band" if place == len(rates) - 1 else None)  # fmt: skip
        else:
            axis.plot(
                published,
                place,
                "D",
                mfc="white",
                mec=SOURCED,
                ms=5,
                label="published, for a period not known" if not place else None,
            )
        axis.text(13000, place, f"{one.value:,.0f}", va="center", ha="right", color=MEASURED)
    axis.set_yticks(range(len(rates)), [one.name.removesuffix(", per million views") for one in rates])
    axis.set(title="Views with the shape of snooping, per million", xscale="log", xlim=(10, 14000))
    handles = dict(zip(*axis.get_legend_handles_labels()[::-1], strict=True))
    names = [
        name for name in ("measured", "published, and the band", "published, for a period not known") if name in handles
    ]
    axis.legend([handles[name] for name in names], names, loc="upper center", bbox_to_anchor=(0.4, -0.1), ncols=3)


def _rights(study: Study, axes: list[Axes]) -> None:
    by_size, by_use = axes
    day = study.month.calendar.window[-1]
    sellers = sellers_of_developers(study.month, day)
    by_size.step(
        np.arange(1, len(sellers) + 1) / len(sellers), sellers, where="mid", color=MEASURED, lw=2, label="measured"
    )
    for start, end, low, high in ((0, 0.7, 1, 3), (0.7, 0.95, 4, 50), (0.95, 1, 50, 2000)):
        by_size.fill_between(
            [start, end],
            low,
            high,
            color=SOURCED,
            alpha=0.22,
            lw=0,
            label="specified: 70, 25, 5 %" if not start else None,
        )
    by_size.set(
        title="Sellers whose keys a developer has",
        yscale="log",
        xlabel="developers, fewest sellers first",
        ylim=(0.8, 3000),
    )
    _percent(by_size, along="x")
    by_size.minorticks_off()
    by_size.legend(loc="upper left")
    held, used = rights_used(study.month, day)
    order = np.lexsort((held, used))
    where = np.unique(np.concatenate([np.arange(0, len(order), 32), np.arange(len(order) - 3, len(order))]))
    place = (where + 1) / len(order)
    by_use.plot(place, held[order][where], ".", ms=3.5, color="#999999", label="held")
    some = used[order][where] > 0
    by_use.plot(place[some], used[order][where][some], ".", ms=3.5, color=MEASURED, label="used")
    by_use.axvline(0.6, color=SOURCED, lw=1, ls="--", label="published: 60 %")
    by_use.set(
        title=f"Permissions: {used.sum() / held.sum():.1%} used (published: about 1 %)",
        yscale="log",
        xlabel="identities, those who use none first",
        ylim=(0.8, 5000),
    )
    _percent(by_use, along="x")
    by_use.minorticks_off()
    by_use.legend(loc="lower left")


def _contacts(study: Study, axes: list[Axes]) -> None:
    handling, lag = axes
    contacts = study.worked.contacts
    minutes = handling_minutes(contacts)
    edges = np.geomspace(0.5, 60, 41)
    count, _ = np.histogram(minutes, edges)
    handling.stairs(count / len(minutes), edges, fill=True, color=MEASURED, label="measured")
    p = study.worked.world.parameters
    share = np.zeros(len(edges) - 1)
    for weight, mean in zip(p.contact_reasons, REASONS.values(), strict=True):
        median = mean * math.exp(-(p.handling_sigma**2) / 2)
        share += weight / 100 * _normal_between(np.log(edges / median) / p.handling_sigma)
    handling.stairs(share, edges, color=SOURCED, lw=1.5, label="lognormal, sigma 0.8,\nmeans by reason")
    handling.set(
        title="Minutes with the customer", xscale="log", xlabel="minutes (none under 40 seconds)", ylim=(0, 0.075)
    )
    handling.set_xticks([0.5, 1, 2, 5, 10, 20, 60], ["0.5", "1", "2", "5", "10", "20", "60"])
    handling.minorticks_off()
    handling.legend(loc="upper right")
    _percent(handling)
    days, _ = lag_days(study.worked.world, contacts)
    edges = np.arange(0, 21.0)
    count, _ = np.histogram(days, edges)
    lag.stairs(
        count / len(days), edges, fill=True, color=MEASURED, label=f"measured, median {np.median(days):.1f} days"
    )
    law = _normal_between(np.log(np.maximum(edges, 1e-9) / 3.0) / p.contact_lag_sigma)
    lag.stairs(law, edges, color=SOURCED, lw=1.5, label="lognormal, median 3 days")
    lag.set(title="From the order to the contact", xlabel="days", xticks=range(0, 21, 4))
    _percent(lag)
    lag.legend(loc="upper right")


def _normal_between(edges: np.ndarray) -> np.ndarray:
    """The normal law's share between neighbouring edges."""
    return np.diff([0.5 * (1 + math.erf(edge / math.sqrt(2))) for edge in edges])
