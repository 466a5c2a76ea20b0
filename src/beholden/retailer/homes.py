"""Where staff live, who of the customers is their family, and who lives near: relations that a look-up can have.

Everybody on the staff lives where some customer lives: their own record's address where they are customers themselves,
else that of somebody at home, most often of the same surname.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np

from beholden.retailer.chance import Chance, Ints, below, stream
from beholden.retailer.name_lists import CITIES, STREETS
from beholden.retailer.parameters import Parameters
from beholden.retailer.people import People
from beholden.retailer.staff import Staff

__all__ = ["Homes", "places"]

#: Customers among whom relatives and neighbours are found; enough for some in every street.
_KNOWN: Final = 40_000
_NEIGHBOURS_MAX: Final = 8
_CITY: Final = {city[0]: at for at, city in enumerate(CITIES)}
_STREET: Final = {street: at for at, street in enumerate(STREETS)}


class Homes:
    """The homes of the staff, by position; arrays as long as the staff."""

    def __init__(self, parameters: Parameters, people: People, staff: Staff) -> None:
        self._p = parameters
        self._people = people
        self._staff = staff

    @cached_property
    def _known(self) -> Ints:
        return np.unique(below(Chance(self._p.seed, "known customers")(np.arange(_KNOWN)), len(self._people)))

    @cached_property
    def home(self) -> Ints:
        """For each member a customer's position at whose address they live; their own where they are customers."""
        rng = stream(self._p.seed, "homes")
        surname = self._people.names(self._known)[1]
        order = np.argsort(surname, kind="stable")
        found = []
        for member in self._staff.members:
            first, last = np.searchsorted(surname[order], [member.surname, member.surname + 1]).tolist()
            related = rng.random() < self._p.staff_with_relatives and last > first
            at = int(order[rng.integers(first, last)]) if related else int(rng.integers(len(self._known)))
            found.append(member.customer if member.customer >= 0 else int(self._known[at]))
        return np.array(found, dtype=np.int64)

    @cached_property
    def relatives(self) -> Ints:
        """Two columns: customers of the same surname at the member's home, other than the member; -1 where none."""
        mine = np.array([[one.customer, one.surname] for one in self._staff.members], dtype=np.int64)
        at_home = np.stack([self.home, self._people.housemate(self.home)], axis=1)
        surname = self._people.names(np.maximum(at_home, 0).ravel())[1].reshape(at_home.shape)
        return np.where((surname == mine[:, 1:]) & (at_home != mine[:, :1]), at_home, -1)

    @cached_property
    def neighbours(self) -> Ints:
        """Columns of customers in the member's street who do not live with them; -1 where there are fewer."""
        here = places(self._people, self._known)
        order = np.argsort(here, kind="stable")
        streets = places(self._people, self.home)
        first = np.searchsorted(here[order], streets)
        last = np.searchsorted(here[order], streets, "right")
        at = first[:, None] + np.arange(_NEIGHBOURS_MAX)
        found = np.where(at < last[:, None], self._known[order[np.minimum(at, len(order) - 1)]], -1)
        return np.where(self.household(found) == self.household(self.home)[:, None], -1, found)

    def household(self, customer: Ints) -> Ints:
        """The same number for those who live at one address: the lowest of their positions."""
        mate = self._people.housemate(customer.ravel()).reshape(customer.shape)
        return np.where((mate >= 0) & (mate < customer), mate, customer)


def places(people: People, customer: Ints) -> Ints:
    """A number for city and street of each of some thousands of customers."""
    text = people.text(customer)
    return np.array(
        [
            _CITY[city] * len(STREETS) + _STREET[street.partition(" ")[2]]
            for city, street in zip(text.city, text.street, strict=True)
        ],
        dtype=np.int64,
    )
