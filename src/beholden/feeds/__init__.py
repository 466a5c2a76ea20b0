"""The company's own records (contacts, cases, staff) as point-in-time tables that can give an access its reason."""

from __future__ import annotations

from beholden.feeds.feed import INTERVALS, Feed, open_feed, subject_column

__all__ = ["INTERVALS", "Feed", "open_feed", "subject_column"]
