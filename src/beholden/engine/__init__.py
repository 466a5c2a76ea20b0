"""Runs one SQL text over Arrow tables and Parquet files, on DuckDB here or on Spark (`beholden.engine.spark`)."""

from __future__ import annotations

from beholden.engine.duck import DuckEngine
from beholden.engine.engine import Engine
from beholden.engine.sql import load_sql
from beholden.engine.tables import TableSource

__all__ = ["DuckEngine", "Engine", "TableSource", "load_sql"]
