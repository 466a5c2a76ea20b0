"""Meridian, a simulated retailer: databases, files, logs and feeds such as a real company has, and the truth apart.

Knows only the vocabulary (`beholden.core`), nothing of the product that is tried on it.
"""

from __future__ import annotations

from beholden.retailer.company import Company, DayMaker, MapDays, Progress, build_company
from beholden.retailer.parameters import PRESETS, Parameters, read_parameter
from beholden.retailer.schedule import RUNS

__all__ = [
    "PRESETS",
    "RUNS",
    "Company",
    "DayMaker",
    "MapDays",
    "Parameters",
    "Progress",
    "build_company",
    "read_parameter",
]
