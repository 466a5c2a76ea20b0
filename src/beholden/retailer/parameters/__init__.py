"""What the company is like: one record of every parameter, each with its bounds and its source."""

from __future__ import annotations

from beholden.retailer.parameters.presets import PRESETS
from beholden.retailer.parameters.record import (
    ARGUMENTS,
    NO_CHANGES,
    SHARED_OUT,
    Parameters,
    checked_parameters,
    read_parameter,
)

__all__ = ["ARGUMENTS", "NO_CHANGES", "PRESETS", "SHARED_OUT", "Parameters", "checked_parameters", "read_parameter"]
