"""What the sources say of each thing that is measured, as an interval, and why the interval is as wide as it is.

A measure holds if it lies within `ERRORS` standard errors of that interval. So a band is as wide as the source's own
spread and the size of the sample make it, and no wider; the standard error is worked out from the sample itself, by
groups that stand or fall together (the views of one contact, the contacts of one customer).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from beholden.retailer.chance import Floats, Ints

__all__ = ["BANDS", "ERRORS", "Band", "Measure", "Ratio", "ratio"]

#: Four standard errors are left by chance once in sixteen thousand times.
ERRORS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Band:
    """The sourced interval ``[low, high]``; one value where both are the same. ``form`` is how values are written."""

    group: str
    low: float
    high: float
    form: str
    source: str
    why: str  # it is as wide as it is; "" where it is a single value


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that was measured, by its name in `BANDS`. ``error`` is the standard error at the sample's size."""

    name: str
    value: float
    error: float = 0.0

    @property
    def band(self) -> Band:
        """What the source says of it."""
        return BANDS[self.name]

    @property
    def limits(self) -> tuple[float, float]:
        """Between which values it may lie."""
        return self.band.low - ERRORS * self.error, self.band.high + ERRORS * self.error

    @property
    def holds(self) -> bool:
        """Whether it does; what could not be measured (NaN) does not."""
        low, high = self.limits
        return low <= self.value <= high


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of sums over a sample, with its standard error."""

    value: float
    error: float

    def measure(self, name: str) -> Measure:
        """It as the measure of that name."""
        return Measure(name, self.value, self.error)


def ratio(over: Floats | Ints, under: Floats | Ints, group: Ints | None = None) -> Ratio:
    """The ratio of the sums of two columns; rows of one ``group`` are one draw, not several. One draw tells no error."""
    if group is not None:
        at = np.unique(group, return_inverse=True)[1]
        over, under = np.bincount(at, over), np.bincount(at, under)
    total = float(np.sum(under))
    draws = int(np.count_nonzero(under))
    if draws < 2:
        return Ratio(math.nan, math.nan)
    value = float(np.sum(over)) / total
    variance = float(np.sum((over - value * under) ** 2)) * draws / (draws - 1)
    return Ratio(value, math.sqrt(variance) / total)


_SET: Final = "a public retail data set"
_TRADE: Final = "trade figures"
_BOXWALA: Final = "Boxwala et al. 2011, table 3"
_SPEC: Final = "the simulation's specification"
_OWN: Final = "assumed"
_TWO: Final = "given in two digits"
_ONE: Final = "given in one digit"
_SPREAD: Final = "the source's spread"
_POSTS: Final = "some posts are vacant and some people move"


def _one(group: str, value: float, form: str, source: str) -> Band:
    return Band(group, value, value, form, source, "")


_MINUTES: Final = {"status": (2, 4), "returns": (4, 7), "refund": (3, 5), "shipping": (4, 8), "product": (3, 5), "billing": (3, 5)}  # fmt: skip

BANDS: Final[dict[str, Band]] = {
    "orders by hour: largest deviation of a share": _one("orders", 0.0, ".3%", _SET),
    "orders by weekday: largest deviation from the law": _one("orders", 0.0, ".1%", _SET),
    "level of days: coefficient of variation": Band("orders", 0.145, 0.155, ".3f", _SET, _TWO),
    "promotion day, times the median day": _one("orders", 10.0, ".1f", _SET),
    "days after a promotion, times the median day": _one("orders", 4.0, ".2f", _SET),
    "sellers: slope of log popularity by log rank": Band("orders", -0.745, -0.735, ".3f", _SET, _TWO),
    "sellers: items of the top 1 %": Band("orders", 0.185, 0.195, ".1%", _SET, _TWO),
    "sellers: items of the top 10 %": Band("orders", 0.565, 0.575, ".1%", _SET, _TWO),
    "customers who share an address": Band("orders", 0.115, 0.125, ".2%", _SPEC, _TWO),
    "contacts per 100 orders": Band("contacts", 4.0, 7.0, ".2f", _TRADE, _SPREAD),
    "contacts a day, at scale 1": _one("contacts", 12_500, ",.0f", _SPEC),
    "lag after the order: median days": _one("contacts", 3.0, ".2f", _TRADE),
    "contact mix: largest deviation of a share": _one("contacts", 0.0, ".2%", _TRADE),
    **{
        f"minutes of a contact: {reason}": Band("contacts", low, high, ".2f", _TRADE, _SPREAD)
        for reason, (low, high) in _MINUTES.items()
    },
    "handling time: sigma of its logarithm": _one("contacts", 0.8, ".3f", "form: Brown et al. 2005; value assumed"),
    "contacts an hour on contacts": Band("contacts", 10.0, 12.0, ".2f", _TRADE, _SPREAD),
    "contacts an agent and working day": Band(
        "contacts", 51.0, 61.0, ".1f", _TRADE, "10 to 12 an hour for 64 % of eight hours"
    ),
    "occupancy of agents": Band("contacts", 0.635, 0.645, ".1%", _TRADE, _TWO),
    "attrition of agents a year": Band("contacts", 0.35, 0.43, ".1%", _TRADE, _SPREAD),
    "reviews of an agent a month": Band("contacts", 4.0, 10.0, ".1f", _SPEC, _SPREAD),
    "views a contact": _one("views", 3.2, ".2f", _OWN),
    "views of new agents, times the others'": _one("views", 1.5, ".2f", _OWN),
    "contacts that touch a second customer": _one("views", 0.08, ".2%", _OWN),
    "record views a day, at scale 1": Band("views", 45_000, 55_000, ",.0f", _SPEC, _ONE),
    "views with a documented reason": Band("views", 0.90, 0.94, ".1%", "Fabbri and LeFevre", _SPREAD),
    "chance level: documented if customers are shuffled": Band(
        "views", 0.0, 0.01, ".3%", "none", "a reason that one random pair in a hundred has would say little"
    ),
    "chance level, times contacts a day": Band(
        "views", 0.5, 3.0, ".2f", "none", "by chance a view falls to the one being served, or to a case under way"
    ),
    "famous, per million views": _one("look-alikes", 142.0, ",.0f", _BOXWALA),
    "co-worker, per million views": _one("look-alikes", 93.0, ",.0f", _BOXWALA),
    "family, per million views": _one("look-alikes", 876.0, ",.0f", _BOXWALA),
    "neighbour, per million views": _one("look-alikes", 5538.0, ",.0f", _BOXWALA),
    "no encounter for 60 days, per million views": Band(
        "look-alikes", 166.0, math.inf, ",.0f", _BOXWALA, "166 for a period that we do not know"
    ),
    "no encounter for 90 days, per million views": Band(
        "look-alikes", 0.0, 166.0, ",.0f", _BOXWALA, "166 for a period that we do not know"
    ),
    "permissions that are used, of those held": Band("rights", 0.005, 0.015, ".2%", "a vendor's survey of 2023", _ONE),
    "identities with rights that sign in nowhere": Band(
        "rights", 0.595, 0.605, ".1%", "a vendor's survey of 2023", _TWO
    ),
    "partner API: most lists of a key above the rate": Band("rights", 1.0, 20.0, ".1f", "a public client's limits", "burst 20"),
    "partner API: most records of a key above the rate": Band("rights", 1.0, 30.0, ".1f", "a public client's limits", "burst 30"),
    **{
        f"developers with {name} sellers": Band("rights", share, share, ".1%", _OWN, "")
        for name, share in (("1-3", 0.70), ("4-50", 0.25), ("more than 50", 0.05))
    },
    "customers": _one("sizes at scale 1", 3_000_000, ",.0f", _SPEC),
    "orders a day": _one("sizes at scale 1", 250_000, ",.0f", _SPEC),
    "agents": Band("sizes at scale 1", 250, 350, ",.0f", _SPEC, f"{_ONE}; {_POSTS}"),
    "teams of agents": _one("sizes at scale 1", 20, ",.0f", _SPEC),
    **{
        name: Band("sizes at scale 1", count, count, ",.0f", _SPEC, _POSTS)
        for name, count in (("supervisors", 15), ("fraud and trust staff", 12), ("engineers", 120))
    },
    **{
        name: _one("sizes at scale 1", count, ",.0f", _SPEC)
        for name, count in (
            ("data teams", 40), ("sellers", 20_000), ("apps of developers", 100), ("tables of the warehouse", 300),
            ("service accounts", 60),
        )
    },
    "devices in use": Band("sizes at scale 1", 750, 850, ",.0f", _SPEC, _ONE),
    "files: views with a documented reason": Band("files", 0.90, 0.94, ".1%", "Fabbri and LeFevre", _SPREAD),
    "files: the same if customers are shuffled": Band(
        "files", 0.0, 0.01, ".3%", "none", "a reason that one random pair in a hundred has would say little"
    ),
    "files: lines that stand twice": _one("files", 0.02, ".2%", _OWN),
    "files: lines that came late": _one("files", 0.005, ".2%", _OWN),
    "files: customers at one address with another": Band("files", 0.115, 0.125, ".1%", _SPEC, _TWO),
}  # fmt: skip
