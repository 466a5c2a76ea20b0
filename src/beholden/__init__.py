"""Beholden: where customers' data is, who touched it and why, and whether it is gone when it should be."""

__version__ = "0.1.0"

__all__ = ["__version__"]
