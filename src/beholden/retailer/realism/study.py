"""One study of the company: the few worlds that its measures are taken from, each as large as its measures need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from beholden.retailer.parameters import checked_parameters
from beholden.retailer.realism.bands import Measure
from beholden.retailer.realism.company import measures_of_company
from beholden.retailer.realism.orders import measures_of_orders
from beholden.retailer.realism.service import (
    Worked,
    measure_of_new_agents,
    measures_of_service,
    ordinary_days,
    worked_on,
)
from beholden.retailer.world import World

__all__ = ["Study", "study_of"]

_YEAR_DAYS: Final = 364
_MONTH_DAYS: Final = 30
#: Two promotions, and in each half more than four weeks that none is felt on.
_SERVICE_DAYS: Final = 180
_CALLS_SCALE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Study:
    """A year and a month at full scale, of which only what is cheap is made, and the contact centre's work."""

    year: World
    month: World
    calls: World  # small, with one promotion
    worked: Worked

    def measures(self) -> list[Measure]:
        """Everything that `BANDS` names, but what is read from files."""
        days = [self.calls.calendar.promotions[0], self.calls.calendar.window[-1]]
        return [
            *measures_of_orders(self.year),
            *self.service_measures(),
            measure_of_new_agents(self.month, self.month.calendar.window[-1]),
            *measures_of_company(self.month, self.calls, days),
        ]

    def service_measures(self) -> list[Measure]:
        """What `BANDS` has of contacts, views and look-alikes."""
        return measures_of_service(self.worked)


def study_of(*, seed: int, end: int, scale: float, days: int) -> Study:
    """A study of the company of that seed; the contact centre is looked at for so many days at that scale.

    Raises `UsageError` for what makes no company.
    """

    def world(size: float, length: int) -> World:
        return World(checked_parameters(preset="retailer", scale=size, seed=seed, days=length, end=end))

    service = world(scale, _SERVICE_DAYS)
    return Study(
        year=world(1.0, _YEAR_DAYS),
        month=world(1.0, _MONTH_DAYS),
        calls=world(_CALLS_SCALE, _MONTH_DAYS),
        worked=worked_on(service, ordinary_days(service, days)),
    )
