"""``feeds/``: what the company's ticket, case, quality, privacy, work and personnel systems hold."""

from __future__ import annotations

from beholden.retailer.feeds.personnel import write_personnel
from beholden.retailer.feeds.work import WorkFeeds

__all__ = ["WorkFeeds", "write_personnel"]
