"""Names that a user types. A malformed one is refused without being repeated: it may be a person's identifier."""

from __future__ import annotations

import re

from beholden.core.classes import CLASSES, check_class
from beholden.core.errors import UsageError
from beholden.core.names import DatasetName

__all__ = ["class_name", "dataset_name"]


def dataset_name(text: str, option: str = "--dataset") -> DatasetName:
    """Read ``STORE/PATH``."""
    try:
        return DatasetName.parse(text)
    except UsageError:
        raise UsageError(option, "not the name of a dataset", expected="STORE/PATH, e.g. crm/public.customer") from None


def class_name(text: str, option: str = "--class") -> str:
    """Read the name of a class of data, or of a sub-class."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", text):
        raise UsageError(option, "not the name of a class of data", expected="one of " + ", ".join(CLASSES))
    return check_class(text)
