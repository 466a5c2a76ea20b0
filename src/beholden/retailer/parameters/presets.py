"""What the simulated companies of each preset do in their own way, beside having words of their own (`words`)."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["CONTACT_REASONS", "OF_PRESETS", "ORDER_HOURS", "PRESETS", "WEEKDAYS_SUNDAY_FIRST"]

PRESETS: Final = ("retailer", "grocer", "bank")
#: Orders by hour of day (UTC) and by weekday, measured on a public retail data set.
ORDER_HOURS: Final = (
    251, 118, 66, 31, 22, 19, 36, 113, 300, 475, 628, 677, 601, 711, 625, 633, 622, 640, 573, 560, 608, 657, 578, 456,
)  # fmt: skip
WEEKDAYS_SUNDAY_FIRST: Final = (1240, 1596, 1501, 1434, 1483, 1635, 1111)
#: Contacts by reason (`beholden.retailer.contacts.REASONS`); trade figures.
CONTACT_REASONS: Final = (30, 20, 12, 12, 12, 8, 6)

#: What is otherwise than in the retailer; all assumed.
OF_PRESETS: Final[dict[str, dict[str, Any]]] = {
    # Baskets are filled in the evening and before the weekend; what is asked is where they are and what was spoilt.
    "grocer": {
        "order_hours": (60, 30, 15, 10, 10, 20, 60, 160, 300, 420, 450, 440, 400, 360, 350, 380, 480, 640, 800, 920, 960, 780, 430, 180),
        "weekdays_sunday_first": (1200, 1150, 1100, 1250, 1500, 1900, 1700),
        "contact_reasons": (28, 4, 26, 24, 10, 4, 4),
        "contact_lag_median_days": 1.2,
        "viewed_as_seller": 0.15,
    },
    # Transfers are made in office hours; contacts are about charges, and fraud and finance ask more of the databases.
    "bank": {
        "order_hours": (90, 60, 50, 50, 60, 110, 260, 520, 820, 980, 1000, 960, 760, 800, 880, 860, 780, 560, 380, 300, 260, 220, 170, 120),
        "weekdays_sunday_first": (700, 1650, 1550, 1500, 1550, 1750, 900),
        "contact_reasons": (26, 4, 10, 6, 14, 32, 8),
        "statements_a_day": (
            ("analyst", 9.0), ("engineer", 3.0), ("marketing", 2.0), ("fraud", 14.0), ("finance", 10.0), ("it", 4.0),
        ),
        "fraud_cases_a_day_at_full_scale": 450.0,
        "warehouse_tables_at_full_scale": 220,
        "reviews_written": 0.002,
    },
}  # fmt: skip
