"""How much happens on each day: the week, the day's own level, growth, and days of promotion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, Chance, Floats, Ints, cumulated, stream, uniform
from beholden.retailer.parameters import Parameters

__all__ = ["PROMOTION_DAYS", "Calendar"]

#: The day of a promotion and the days after it, as multiples of an ordinary day (measured on a public retail set).
_PROMOTION: Final = (10.0, 4.0, 4.0)
PROMOTION_DAYS: Final = len(_PROMOTION)
#: Windows shorter than this have none: nothing of them would be ordinary.
_PROMOTION_DAYS_MIN: Final = 28
_DAYS_A_PROMOTION: Final = 60
_DAYS_A_YEAR: Final = 365


@dataclass(frozen=True)
class Calendar:
    """Days are whole days since 1970. It covers the history before the window and the window itself."""

    parameters: Parameters

    @cached_property
    def first_day(self) -> int:
        """The first day of the history."""
        return self.parameters.start // DAY_US - self.parameters.history_days

    @cached_property
    def days(self) -> Ints:
        """All days, history included."""
        return np.arange(self.first_day, self.parameters.end // DAY_US)

    @cached_property
    def window(self) -> range:
        """The days whose accesses are simulated."""
        return range(self.parameters.start // DAY_US, self.parameters.end // DAY_US)

    @cached_property
    def promotions(self) -> tuple[int, ...]:
        """Days of promotion within the window."""
        p = self.parameters
        if p.days < _PROMOTION_DAYS_MIN:
            return ()
        count = max(1, p.days // _DAYS_A_PROMOTION)
        each = p.days // count
        places = uniform(Chance(p.seed, "promotions")(np.arange(count)))
        return tuple(
            self.window[0] + i * each + int(place * (each - len(_PROMOTION))) for i, place in enumerate(places)
        )

    @cached_property
    def level(self) -> Floats:
        """The mean of each day relative to an ordinary one, the day's own chance level included."""
        p = self.parameters
        shape = p.day_level_cv**-2
        own = stream(p.seed, "day levels").gamma(shape, 1 / shape, len(self.days))
        # 1970-01-01 was a Thursday, the fifth day of a week that begins on Sunday.
        weights = np.asarray(p.weekdays_sunday_first, dtype=np.float64)
        level: Floats = own * weights[(self.days + 4) % 7] / weights.mean()
        level *= 1 + p.growth_a_year * (self.days - self.window[0]) / _DAYS_A_YEAR
        for promotion in self.promotions:
            at = promotion - self.first_day
            level[at : at + len(_PROMOTION)] *= _PROMOTION[: len(level) - at]
        return level

    @cached_property
    def orders(self) -> Ints:
        """Orders of each day of `days`."""
        p = self.parameters
        return stream(p.seed, "orders a day").poisson(p.orders_a_day * self.level).astype(np.int64)

    @cached_property
    def orders_before(self) -> Ints:
        """Orders before each day of `days`, and in all."""
        return np.concatenate([[0], np.cumsum(self.orders)])

    def orders_on(self, day: int) -> int:
        """Orders of one day; 0 outside the calendar."""
        at = day - self.first_day
        return int(self.orders[at]) if 0 <= at < len(self.orders) else 0

    @cached_property
    def hours(self) -> Floats:
        """Edges of the hours of the day, in proportion to their orders."""
        return np.concatenate([[0.0], cumulated(self.parameters.order_hours)])

    def time_of_day(self, share: Floats) -> Ints:
        """The moment (microseconds after midnight, whole milliseconds) by which a share of a day's orders is placed."""
        hour = np.interp(share, self.hours, np.arange(25))
        return np.minimum((hour * 3_600_000).astype(np.int64), 86_399_999) * 1000
