"""What is known and decided: datasets, classes, scans, log readings, templates. SQLite by default, PostgreSQL for teams."""

from beholden.state.database import State, open_state

__all__ = ["State", "open_state"]
