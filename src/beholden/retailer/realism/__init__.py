"""Whether the simulated company is like the sources say: what is measured of it, and the band each measure must keep.

``measures_of_orders(world)`` and its sisters measure; `BANDS` says what was published and how wide each band is and why.
"""

from beholden.retailer.realism.bands import BANDS, Band, Measure
from beholden.retailer.realism.company import measures_of_company
from beholden.retailer.realism.orders import measures_of_orders
from beholden.retailer.realism.service import Worked, measures_of_service, ordinary_days, worked_on
from beholden.retailer.realism.written import measures_of_written

__all__ = [
    "BANDS", "Band", "Measure", "Worked", "measures_of_company", "measures_of_orders", "measures_of_service",
    "measures_of_written", "ordinary_days", "worked_on",
]  # fmt: skip
