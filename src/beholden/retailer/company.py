"""Build a whole company: draw it, let things happen, write what a company would have, and the truth apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from beholden.core.times import Window
from beholden.retailer.balance import check_balance
from beholden.retailer.console_log import write_console_log
from beholden.retailer.crm import write_crm
from beholden.retailer.exports import write_exports
from beholden.retailer.feed_files import write_feeds
from beholden.retailer.incidents import Incident, plan_incidents
from beholden.retailer.lookalikes import Cases, call_backs, fraud_reviews, quality_reviews, training
from beholden.retailer.order_system import write_orders
from beholden.retailer.output import fresh_directory
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.payments import write_payments
from beholden.retailer.sql_log import write_sql_log
from beholden.retailer.statements import PAYMENTS, WAREHOUSE, Statement, ordinary_statements
from beholden.retailer.toml import write_toml
from beholden.retailer.truth import LabelledLog, write_truth
from beholden.retailer.views import Views, contact_views, joined
from beholden.retailer.warehouse import write_warehouse
from beholden.retailer.world import World, make_world

__all__ = ["Company", "Progress", "build_company"]

#: Called with what is being done and the share of the work done before it (0 to 1).
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Company:
    """A company that was built: where it lies, how large it is, and what is worth asking about it.

    Counts of events are of what happened; the logs hold some twice and some not at all. ``demo_*`` are names as the
    contract writes them.
    """

    directory: Path
    window: Window
    customers: int
    staff: int
    agents: int
    orders: int  # history before the window included
    contacts: int
    cases: int
    console_events: int
    sql_events: int
    incidents: int
    gap: Window  # hours of the console's log that were lost
    demo_dataset: str  # the table of names and card numbers outside its zone
    demo_subject: str  # the famous customer whom several agents looked up
    demo_actor: str  # an agent who looked up somebody of the same surname
    demo_related_subject: str  # whom that agent looked up


def build_company(
    directory: Path,
    *,
    preset: str = "retailer",
    scale: float = 0.01,
    seed: int = 1,
    days: int = 14,
    end: int,
    progress: Progress | None = None,
) -> Company:
    """Write a simulated company into an empty, new or unfinished directory.

    Args:
        directory: where; made if it does not exist.
        preset: the kind of company.
        scale: 1 is 3 million customers and 250,000 orders a day.
        seed: the same seed gives the same bytes (with the same versions of SQLite, NumPy and Arrow).
        days: length of the window whose events are simulated.
        end: microseconds; the window is the last ``days`` whole days (UTC) before it.
        progress: told what is being done.

    Raises:
        UsageError: a parameter makes no company, or the directory holds something else.
        BeholdenError: the directory cannot be written, or the flows of the simulation do not balance.
    """
    parameters = checked_parameters(preset=preset, scale=scale, seed=seed, days=days, end=end)
    tell = progress or (lambda _what, _share: None)
    with fresh_directory(directory):
        tell("people, orders and contacts", 0.0)
        world = make_world(parameters)
        incidents = plan_incidents(world)
        views, cases = _views(world, incidents)
        check_balance(world, views, cases)
        _write_stores(world, directory, tell)
        tell("logs", 0.7)
        statements = _statements(world, incidents)
        logs = [_console(world, views, directory / "logs")]
        for database in (WAREHOUSE, PAYMENTS):
            mine = [row for row in statements if row.database == database]
            logs.append(_sql(world, database, mine, directory / "logs"))
        tell("feeds and truth", 0.95)
        write_feeds(world, cases, directory / "feeds")
        write_truth(incidents, logs, directory / "truth")
        write_toml(directory)
    tell("done", 1.0)
    return _company(world, directory, incidents, views=len(views), cases=len(cases.opened), statements=len(statements))


def _views(world: World, incidents: list[Incident]) -> tuple[Views, Cases]:
    p = world.parameters
    fraud, cases = fraud_reviews(p, world.staff, world.cards)
    parts = [
        contact_views(p, world.people, world.staff, world.contacts),
        call_backs(p, world.contacts),
        quality_reviews(p, world.staff, world.contacts),
        fraud,
        training(p, world.staff),
        *(incident.views for incident in incidents),
    ]
    return joined(parts), cases


def _statements(world: World, incidents: list[Incident]) -> list[Statement]:
    planned = [row for incident in incidents for row in incident.statements]
    return sorted([*ordinary_statements(world), *planned], key=lambda row: (row.time, row.actor, row.sql))


def _write_stores(world: World, directory: Path, tell: Progress) -> None:
    stores = directory / "stores"
    tell("customers", 0.2)
    write_crm(world, stores / "crm.db")
    tell("orders", 0.3)
    write_orders(world, stores / "orders.db")
    tell("payments", 0.45)
    write_payments(world, stores / "payments.db")
    tell("warehouse", 0.55)
    write_warehouse(world, stores / "warehouse.db")
    tell("exports", 0.65)
    write_exports(world, directory / "exports")


def _console(world: World, views: Views, directory: Path) -> LabelledLog:
    return LabelledLog("console", write_console_log(world, views, directory), views.time, views.label, views.incident)


def _sql(world: World, database: str, statements: list[Statement], directory: Path) -> LabelledLog:
    time, label, incident = (
        np.array([getattr(row, name) for row in statements], dtype=np.int64) for name in ("time", "label", "incident")
    )
    return LabelledLog(f"{database}-sql", write_sql_log(world, database, statements, directory), time, label, incident)


def _company(
    world: World, directory: Path, incidents: list[Incident], *, views: int, cases: int, statements: int
) -> Company:
    p = world.parameters
    lookup = next(incident for incident in incidents if incident.kind == "personal_lookup")
    spike = next(incident for incident in incidents if incident.kind == "celebrity_spike")
    return Company(
        directory=directory,
        window=Window(p.start, p.end),
        customers=len(world.people),
        staff=len(world.staff.members),
        agents=p.agents,
        orders=len(world.orders),
        contacts=len(world.contacts),
        cases=cases,
        console_events=views,
        sql_events=statements,
        incidents=len(incidents),
        gap=Window(*world.gap),
        demo_dataset=f"{WAREHOUSE}/main.{world.copied_table}",
        demo_subject=f"customer:{spike.subjects[0] + 1}",
        demo_actor=lookup.actors[0],
        demo_related_subject=f"customer:{lookup.subjects[0] + 1}",
    )
