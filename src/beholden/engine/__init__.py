"""Runs one SQL text over Arrow tables and Parquet files."""

from __future__ import annotations

from beholden.engine.duck import Engine
from beholden.engine.sql import load_sql
from beholden.engine.tables import TableSource

__all__ = ["Engine", "TableSource", "load_sql"]
