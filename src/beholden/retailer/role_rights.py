"""How the company is ordered, which roles its groups hold, and what each role may do.

It grew: agents once sold too, analysts once ran jobs, and nobody took anything away.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ALLOWED", "DEPARTMENTS", "DIVISIONS", "EVERYBODY", "FAVOURS", "HELD", "INCLUDED", "SERVICE_RIGHTS"]

#: department of a role -> division. The group of a team is ``grp-`` and its name.
DEPARTMENTS: Final = {
    "agent": "customer-service", "supervisor": "customer-service", "fraud": "trust", "seller_support": "seller-services",
    "engineer": "engineering", "analyst": "data", "marketing": "growth", "privacy": "legal", "finance": "finance",
    "it": "it-operations",
}  # fmt: skip
DIVISIONS: Final = {
    "customer-service": "operations", "seller-services": "operations", "trust": "operations", "engineering": "technology",
    "data": "technology", "it-operations": "technology", "growth": "business", "legal": "business", "finance": "business",
}  # fmt: skip
EVERYBODY: Final = "grp-all-staff"
#: Which roles a group holds.
HELD: Final = {
    EVERYBODY: ("role-employee",),
    "grp-div-operations": ("role-service-reports",),
    "grp-div-technology": ("role-platform-user",),
    "grp-div-business": ("role-warehouse-read",),
    "grp-customer-service": ("role-console-agent", "role-seller-desk"),  # a relic: agents once did both
    "grp-seller-services": ("role-seller-desk", "role-console-reader"),
    "grp-trust": ("role-console-lead", "role-vault-read", "role-warehouse-read"),
    "grp-data": ("role-data-engineer",),
    "grp-engineering": ("role-developer", "role-data-engineer"),
    "grp-growth": ("role-bucket-user",),
    "grp-legal": ("role-console-reader", "role-privacy"),
    "grp-finance": ("role-vault-read", "role-finance-files"),
    "grp-it-operations": ("role-administrator",),
    "grp-service-leads": ("role-console-lead",),
}
#: Which other roles a role includes.
INCLUDED: Final = {
    "role-console-agent": ("role-console-reader",),
    "role-console-lead": ("role-console-agent",),
    "role-warehouse-write": ("role-warehouse-read",),
    "role-data-engineer": ("role-warehouse-write", "role-bucket-user"),
    "role-developer": ("role-platform-user", "role-bucket-user"),
    "role-job": ("role-warehouse-write", "role-bucket-user"),
    "role-administrator": (
        "role-warehouse-write",
        "role-bucket-user",
        "role-platform-user",
        "role-console-agent",
        "role-seller-desk",
    ),
}
#: What a role may do: (rights, object).
ALLOWED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "role-employee": (("read", "wiki/*"), ("list", "buckets/meridian-public-assets"), ("read", "buckets/meridian-public-assets")),
    "role-service-reports": (("select", "warehouse/mart_*"), ("select", "warehouse/agg_*")),
    "role-platform-user": (("edit", "wiki/*"), ("read", "repositories/*")),
    "role-console-reader": (("view", "console/*"),),
    "role-console-agent": (("edit", "console/*"), ("export", "console/*")),
    "role-console-lead": (("edit", "wiki/customer-service"), ("select", "warehouse/dim_*")),
    "role-seller-desk": (("*", "seller_desk/*"),),
    "role-vault-read": (("select", "payments/*"), ("select", "crm/*"), ("select", "orders/*")),
    "role-privacy": (("select", "crm/*"), ("select", "orders/*"), ("select", "payments/*")),
    "role-finance-files": (("list", "buckets/meridian-finance"), ("read", "buckets/meridian-finance")),
    "role-warehouse-read": (("select", "warehouse/*"),),
    "role-warehouse-write": (("insert", "warehouse/*"), ("update", "warehouse/*"), ("delete", "warehouse/*")),
    "role-data-engineer": (("edit", "wiki/data-platform"),),
    "role-bucket-user": (("*", "buckets/*"),),
    "role-developer": (("write", "repositories/*"), ("select", "orders/*"), ("update", "orders/*"), ("select", "crm/*"), ("update", "crm/*")),
    "role-administrator": (("*", "payments/*"), ("manage", "wiki/*"), ("*", "repositories/*"), ("*", "crm/*"), ("*", "orders/*")),
}  # fmt: skip
#: What programs may do that are no jobs of the warehouse.
SERVICE_RIGHTS: Final = {
    "payments_api": (("select", "payments/*"), ("insert", "payments/*"), ("update", "payments/*")),
    "console_app": (("*", "console/*"), ("*", "crm/*"), ("select", "payments/card")),
    "orders_app": (("*", "orders/*"), ("select", "crm/*")),
    "seller_app": (("*", "seller_desk/*"), ("*", "orders/*")),
    "backup": (("select", "*"),),
}
#: What people are given for a while, and keep.
FAVOURS: Final = (
    ("select", "warehouse/fact_*"), ("select", "warehouse/dim_*"), ("select", "warehouse/*"), ("select", "crm/*"),
    ("read", "buckets/meridian-exports"), ("read", "buckets/team-growth"), ("*", "warehouse/mart_*"),
    ("export", "console/*"), ("act_as", "seller_desk/*"), ("select", "payments/payment"),
)  # fmt: skip
