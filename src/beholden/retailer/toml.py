"""``beholden.toml`` and ``mappings/console.toml``: how the company would describe itself to the product."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["write_toml"]

_ESTATE: Final = """\
# Meridian, a simulated retailer. Nothing here is anybody's.
[estate]
name = "meridian"

[ledger]
origin = "meridian.example/ledger"

[[ledger.retention]]
events = "*"
keep_days = 2555
purpose = "accountability for access to customer data"

[watch]
false_cases_per_day = 2.0

[[subject]]
kind = "customer"
key = "crm/main.customer#customer_id"
names = ["crm/main.customer#first_name", "crm/main.customer#last_name"]
emails = ["crm/main.customer#email"]
aliases = [
  "crm/main.notes#customer_id",
  "orders/main.orders#customer_id",
  "payments/main.card#customer_id",
  "warehouse/main.dim_customer#customer_id",
  "warehouse/main.fact_order#customer_id",
]

[[zone]]
name = "cardholder"
only_here = ["payment_card"]

[[zone]]
name = "support"

[[zone]]
name = "analytics"

[[store]]
name = "crm"
url = "sqlite:///stores/crm.db"
zone = "support"
owner = "customer-service"

[[store]]
name = "orders"
url = "sqlite:///stores/orders.db"
zone = "support"
owner = "order-platform"

[[store]]
name = "payments"
url = "sqlite:///stores/payments.db"
zone = "cardholder"
owner = "payments"

[[store]]
name = "warehouse"
url = "sqlite:///stores/warehouse.db"
zone = "analytics"
owner = "data-platform"

[[store]]
name = "exports"
url = "file:exports"
zone = "analytics"

[[log]]
name = "console"
format = "mapped"
path = "logs/console-*.jsonl.gz"
mapping = "mappings/console.toml"
time_zone = "UTC"

[[log]]
name = "warehouse-sql"
format = "ocsf"
path = "logs/warehouse-*.ocsf.jsonl"
store = "warehouse"

[[log]]
name = "payments-sql"
format = "ocsf"
path = "logs/payments-*.ocsf.jsonl"
store = "payments"

[[feed]]
name = "tickets"
source = "feeds/contacts.parquet"
kind = "contact"
key = "ticket_id"
actor = "agent_id"
subject = "customer:customer_id"
opened = "opened_at"
closed = "closed_at"

[[feed]]
name = "fraud-cases"
source = "feeds/cases.parquet"
kind = "case"
key = "case_id"
actor = "investigator"
subject = "customer:customer_id"
opened = "opened_at"
closed = "closed_at"

[[feed]]
name = "staff"
source = "feeds/staff.csv"
kind = "staff"
key = "employee_id"
actor = "login"
opened = "hired"
closed = "left"
"""

_CONSOLE: Final = """\
# How the customer-service console's own log becomes access events.
[event]
time = "$.ts"
uid = "$.id"
actor = "$.user.login"
actor_kind = "staff"
activity = { path = "$.op", values = { view = "read", edit = "update", export = "export" } }
store = { path = "$.screen", values = { profile = "crm", address = "crm", orders = "orders", payment = "payments" } }
subject = "customer:$.cust_id"
session = "$.session"
ip = "$.src"
app = "console"
assignment = "$.ticket"
status = { path = "$.result", values = { ok = "success", denied = "failure", error = "failure" } }

[event.dataset]
path = "$.screen"
values = { profile = "main.customer", address = "main.customer", orders = "main.orders", payment = "main.card" }
"""


def write_toml(directory: Path) -> None:
    """Write both files."""
    (directory / "beholden.toml").write_text(_ESTATE, encoding="utf-8", newline="\n")
    (directory / "mappings" / "console.toml").write_text(_CONSOLE, encoding="utf-8", newline="\n")
