"""Whether the simulated company is like the sources say: what is measured of it, and the band each measure must keep.

``study_of(...).measures()`` measures; `BANDS` says what was published and how wide each band is and why.
"""

from beholden.retailer.realism.bands import BANDS, Band, Measure
from beholden.retailer.realism.study import Study, study_of
from beholden.retailer.realism.written import measures_of_written

__all__ = ["BANDS", "Band", "Measure", "Study", "measures_of_written", "study_of"]
