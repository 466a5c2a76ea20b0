"""Every parameter of the simulated company in one record, with where its value comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from beholden.core.errors import UsageError
from beholden.retailer.chance import DAY_US

__all__ = ["CONTACT_REASONS", "ORDER_HOURS", "PRESETS", "WEEKDAYS_SUNDAY_FIRST", "Parameters", "checked_parameters"]

PRESETS: Final = ("retailer", "grocer", "bank")
SCALE_MIN: Final = 0.001
SCALE_MAX: Final = 100.0
DAYS_MAX: Final = 400
SEED_MAX: Final = 2**63 - 1
#: The window must lie within the years the product knows, with the customers' own history before it.
_END_MIN: Final = 946_684_800_000_000  # 2000-01-01
_END_MAX: Final = 4_102_444_800_000_000  # 2100-01-01

#: Orders by hour of day (UTC) and by weekday, measured on a public retail data set.
ORDER_HOURS: Final = (
    251, 118, 66, 31, 22, 19, 36, 113, 300, 475, 628, 677, 601, 711, 625, 633, 622, 640, 573, 560, 608, 657, 578, 456,
)  # fmt: skip
WEEKDAYS_SUNDAY_FIRST: Final = (1240, 1596, 1501, 1434, 1483, 1635, 1111)
#: Contacts by reason (`beholden.retailer.contacts.REASONS`); trade figures.
CONTACT_REASONS: Final = (30, 20, 12, 12, 12, 8, 6)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the company is like. "assumed" marks values without a published source."""

    seed: int
    scale: float
    days: int
    end: int  # microseconds, the midnight after the last day

    customers_at_full_scale: int = 3_000_000
    orders_a_day_at_full_scale: int = 250_000
    sellers_at_full_scale: int = 20_000
    sharing_an_address: float = 0.12  # share of customers
    history_days: int = 14  # of orders before the window: what the window's first contacts are about
    order_hours: tuple[int, ...] = ORDER_HOURS  # weights of the hours
    weekdays_sunday_first: tuple[int, ...] = WEEKDAYS_SUNDAY_FIRST
    day_level_cv: float = 0.15  # of the Gamma that makes each day's level
    growth_a_year: float = 0.1  # assumed
    seller_rank_exponent: float = 0.74  # popularity falls with rank to the minus this (measured on the same set);
    seller_head: float = 0.0024  # flatter among the first and steeper among the last, as shares of all sellers: a pure
    seller_tail: float = 0.66  # power would give the top 1 and 10 % of sellers 25 and 52 % of items, not 19 and 57 %
    card_holders: float = 0.8  # share of customers with a card on file; assumed
    cards_shared: float = 0.006  # share of customers whose card number stands with another one too; assumed

    contacts_per_order: float = 0.05  # trade figures: 0.04 to 0.07
    # weights of `contacts.REASONS`: status, returns, refund, shipping, product, billing, other (trade figures)
    contact_reasons: tuple[int, ...] = CONTACT_REASONS  # weights
    contact_lag_median_days: float = 3.0  # trade figures
    contact_lag_sigma: float = 0.9  # assumed
    supervisors_at_full_scale: int = 15
    fraud_at_full_scale: int = 12
    seller_support_at_full_scale: int = 40  # assumed
    engineers_at_full_scale: int = 120
    analysts_at_full_scale: int = 160  # 40 data teams of four
    service_accounts_at_full_scale: int = 60
    attrition_agents: float = 0.39  # of agents a year: 0.35 to 0.43 (trade figures)
    attrition_others: float = 0.12  # assumed
    left_before_window: float = 0.1  # share of posts whose holder changed in the months before; assumed
    training_days: int = 14  # of a new agent, with a cohort; assumed
    ramp_days: int = 42  # six weeks in which new agents view more
    ramp_views: float = 1.5  # times as many records
    transferred: float = 0.06  # of staff a year; assumed
    transferred_min: int = 1  # in each window of a week or more, however small the company is; assumed
    renamed: float = 0.02  # of staff a year; assumed
    renamed_min: int = 1  # as of transfers; assumed
    absent: float = 0.08  # of working days: illness and holiday; assumed
    staff_who_buy: float = 0.15  # share of staff who are customers; assumed
    contacts_an_agent_day: int = 60  # trade figures; fewer where the smallest team would not have that many
    agents_min: int = 8
    days_remembered: int = 6  # days whose contacts are kept in memory
    handling_sigma: float = 0.8  # lognormal form: Brown et al. 2005; sigma assumed
    views_per_contact_extra: float = 2.2  # a contact has 1 + Poisson(this) views; assumed
    second_customer: float = 0.08  # share of contacts that touch another customer too; assumed

    logged_late: float = 0.011  # shares of contacts whose record does not cover what was done;
    logged_for_colleague: float = 0.008  # with second customers, reviews and call-backs this leaves 90-94 % of
    never_logged: float = 0.006  # accesses with a documented reason (Fabbri and LeFevre)
    call_backs: float = 0.035  # share of contacts; assumed
    reviews_an_agent_month: float = 7.0  # supervisors replay 4 to 10 contacts of each agent a month
    fraud_cases_a_day_at_full_scale: float = 300.0  # assumed
    fraud_without_case: float = 0.3  # share of what fraud staff look at without opening a case; assumed

    # Work that looks like snooping (life/support_lookalikes.py) and what is on record of it; assumed where not said.
    contacts_of_relatives: float = 0.00175  # share of contacts where an agent serves a relative, of agents who have one
    contacts_of_neighbours: float = 0.00525  # these four give the rates of Boxwala et al. 2011 (table 3)
    contacts_of_famous: float = 0.00015  # share of contacts; each famous customer calls at least every tenth day
    staff_contacts_a_day: float = 0.008  # of each of the staff who are customers
    staff_with_relatives: float = 0.65  # share of staff at whose home somebody of their name is a customer
    call_backs_next_day: float = 0.35  # share of call-backs
    call_back_noted: float = 0.6  # share of call-backs whose lines carry the ticket of the contact before
    reviews_logged_late: float = 0.15
    privacy_requests_a_day_at_full_scale: float = 25.0
    requests_logged_late: float = 0.08  # share registered only after somebody had looked
    training_views_a_day: float = 6.0  # of each trainee, beside contacts
    training_on_record: float = 0.7  # share of trainees' exercises that stand as assignments
    old_rights_console: float = 0.3  # share of working days on which transferred staff still open the console
    self_views: float = 0.25  # share of staff's own contacts after which they open their own record
    corrected_profiles_at_full_scale: int = 4000  # by one person in a day, after a postal reform
    corrections_on_record: float = 0.97  # share of them that stand in the work list
    ordinary_assignments: float = 0.12  # a working day of engineers and analysts: new pieces of work
    ticket_time_lost: float = 0.002  # share of tickets whose opening time was lost on the way to the feed

    warehouse_tables_at_full_scale: int = 300
    warehouse_tables_exponent: float = 0.35  # they grow with this power of the scale: 60 at 0.01; assumed
    table_copies_documented: float = 0.4  # share of teams' copies that the catalogue of data knows; assumed
    table_copies_by_hand: float = 0.3  # share of teams' copies that were made once, not by a job; assumed
    # statements of one person on a working day, by role; assumed
    statements_a_day: tuple[tuple[str, float], ...] = (
        ("analyst", 12.0), ("engineer", 5.0), ("marketing", 4.0), ("fraud", 6.0), ("finance", 4.0), ("it", 3.0),
    )  # fmt: skip
    statements_failing: float = 0.02  # of people's; assumed
    order_changes_by_contact: float = (
        0.5  # of contacts about returns, refunds and shipping that change the order; assumed
    )
    vault_sampled: float = 0.012  # share of payments whose statements the vault's audit keeps; assumed
    dashboards: int = 12  # queries an hour that dashboards run; assumed
    direct_corrections_a_day_at_full_scale: float = 8.0  # single customers put right by IT on the database; assumed
    break_glass_a_month: float = 4.0  # nights on which the one on call works on the CRM's database; assumed
    migrations_a_month: float = 6.0  # tables rebuilt; assumed
    old_rights_on_databases: float = (
        0.2  # share of a transferred person's working days with statements of the old role; assumed
    )
    data_chores: float = (
        0.02  # share of analysts', marketing's and fraud staff's work that takes data out or in; assumed
    )
    table_named: float = 0.8  # share of people's statements whose table the query gateway names; assumed

    duplicate_lines: float = 0.02
    late_lines: float = 0.005
    late_minutes: float = 240.0  # mean delay of a line that comes late; assumed
    lost_lines: float = 0.0005  # share of events of which no line arrives; assumed
    clocks_off: float = 0.15  # share of the weeks of each host that writes a log in which its clock is off; assumed
    clocks_off_median_s: float = 12.0  # by how much; assumed
    clocks_off_most_s: float = 300.0  # assumed
    hosts_at_full_scale: int = 4  # of the partner API and of the shop's accounts, each with a log of its own; assumed
    ticket_noted: float = 0.85  # share of views whose log line carries the ticket; assumed

    # Sellers and the partners who act for them.
    sellers_linked: float = 0.05  # share of sellers whose owner has several brands; assumed
    clusters_reopened: float = 0.2  # share of such owners who opened a brand after a suspension; assumed
    sellers_suspended_a_year: float = 0.06  # assumed
    suspension_median_days: float = 9.0  # assumed
    never_reinstated: float = 0.15  # share of suspensions; assumed
    seller_cases_a_day_at_full_scale: float = 500.0  # assumed
    seller_case_late: float = 0.03  # shares of cases that are logged after the work is done, under a colleague's
    seller_case_colleague: float = 0.02  # id, or never; assumed
    seller_case_never: float = 0.02
    viewed_as_seller: float = 0.4  # share of cases; assumed
    automatic_suspensions: float = 0.6  # share that a program decides; assumed
    apps_at_full_scale: int = 100
    apps_a_developer: float = 1.18  # assumed
    developers_by_sellers: tuple[float, float, float] = (0.70, 0.25, 0.05)  # with 1-3, 4-50, 50-2,000; assumed
    connected_rank_exponent: float = 0.7  # popular sellers use more apps; assumed
    developers_on_platforms: float = 0.2  # share of small developers who call from a shared platform; assumed
    careless_developers: float = 0.25  # share who go on until the gateway refuses; assumed
    apps_moving_a_year: float = 0.2  # to another cloud; assumed
    by_old_id: float = 0.4  # share of sellers whom a register has under their older id; assumed
    apps_amended_a_year: float = 0.08  # whose declared need changes; assumed
    list_rate: float = 0.0167  # of lists of orders a second and key, and how many at once: a public client's limits
    list_burst: int = 20
    record_rate: float = 0.5  # of one order, address or buyer a second and key, and how many at once: as above
    record_burst: int = 30
    api_errors: float = 0.012  # share of calls; assumed

    # Identities, devices, copies
    identities_inactive: float = 0.6  # share of identities with rights that use none in the window (vendor survey 2023)
    accounts_left_open: float = 0.3  # share of leavers whose rights stay; assumed
    rights_left_behind: float = 0.7  # share of those who move and keep what they could do; assumed
    grants_direct: float = 0.3  # share of identities with rights of their own, outside groups; assumed
    grants_bounded: float = 0.5  # share of those rights that end by themselves; assumed
    devices_at_full_scale: int = 800  # in use at one time
    devices_replaced: float = 0.25  # of staff's devices a year; assumed
    devices_missing: tuple[float, float, float] = (0.06, 0.10, 0.04)  # in MDM, HR's list, the network's; assumed
    devices_stale_owner: tuple[float, float] = (0.08, 0.12)  # in MDM and HR's list; assumed
    devices_retired_listed: tuple[float, float] = (0.3, 0.5)  # share of retired ones still there; assumed
    devices_unregistered: float = 0.03  # of what the network sees belongs to nobody's list; assumed
    home_office: float = 0.3  # of office staff's working days; assumed
    travelling: float = 0.01  # share of office staff's weeks abroad; assumed
    logins_again: float = 1.6  # after breaks and time-outs, a working day; assumed
    login_failures: float = 0.06  # share of log-ins with a wrong password first; assumed
    bucket_reads_a_day: float = 6.0  # objects opened by one who works with buckets; assumed
    wiki_views_a_day: float = 9.0  # pages opened by one member of staff; assumed
    repository_views_a_day: float = 14.0  # files opened by one engineer; assumed
    wiki_pages_at_full_scale: int = 900  # assumed
    repositories_at_full_scale: int = 60  # assumed
    copies_at_full_scale: int = 160  # files with customers that teams made; assumed
    copies_documented: float = 0.4  # share of them in the register; assumed
    copied_customers: float = 0.08  # share of customers in a large copy; assumed
    copied_rows_max: int = 60_000  # of one copy; assumed

    # Incidents about sellers, partners, copies and logs
    pooled_keys_at_full_scale: int = 92  # keys that one back end pools (press reports)
    pooled_keys_min: int = 6  # in small companies; assumed
    ring_at_full_scale: int = 7  # bribed staff (press reports)
    ring_min: int = 2  # in small companies; assumed
    pace_days: int = 30  # days of the window from which everybody's daily work is measured, at most
    pace_quantile: float = 0.95  # of it: what "paced" incidents keep within (MERIDIAN.md)
    pace_programs: float = 0.25  # share of that which incidents may add to a program's even work; assumed

    # Customers' accounts (life/accounts.py); assumed.
    account_logins: float = 0.3  # sign-ins of those who order, an order; most are still signed in
    account_visits: float = 0.15  # sign-ins of those who only look, an order
    account_resets: float = 0.03  # share of sign-ins for which the password is set anew first
    account_login_failures: float = 0.06  # share of sign-ins with a wrong password
    reviews_written: float = 0.02  # an order
    reviews_deleted: float = 0.05  # by who wrote them, a review written
    reviews_held: float = 0.22  # share of customers' room for reviews (two and a half each) filled before the window
    assisted_sign_ins: float = 0.03  # share of contacts in which the agent signs in to the customer's account

    # Incidents about customers: their sizes as the press had them (INCIDENTS.md), else assumed.
    tampered_profiles_at_full_scale: int = 36_000
    tamperers: int = 8  # eight of the staff, an engineer among them
    tampered_then_reset: float = 0.7  # share of changed profiles whose password is set anew afterwards; assumed
    misused_accounts_at_full_scale: int = 6_581
    exfiltrated_a_day: tuple[int, int] = (5, 10)  # records by the one who takes his time
    taken_over_at_full_scale: int = 20  # powerful accounts that nobody used
    curious_colleagues: float = 0.6  # share of the agents at work; assumed
    canaries_at_full_scale: int = 100  # customers who are nobody, for every look to be an alarm; assumed

    # Stores
    preset: str = "retailer"  # whose words are used (words.py)
    store_rows_max: int = 3_000_000  # rows of a table; the newest orders, and what belongs to them, are kept
    team_rows_max: int = 100_000  # rows of a mart or of a team's copy
    staging_rows_max: int = 2_000  # rows of a table that nightly jobs pass through
    customers_noted: float = 0.1  # share of customers with a note; assumed
    customers_moved: float = 0.06  # share whose address was another one before; assumed
    customers_readdressed: float = 0.04  # share whose e-mail address was another one before; assumed

    @property
    def start(self) -> int:
        """The first microsecond of the window."""
        return self.end - self.days * DAY_US

    @property
    def customers(self) -> int:
        """Active customers."""
        return round(self.customers_at_full_scale * self.scale)

    @property
    def canaries(self) -> int:
        """Customers who are nobody; never so few that finding one would be chance."""
        return max(5, round(self.canaries_at_full_scale * self.scale))

    @property
    def orders_a_day(self) -> float:
        """Orders of an average day."""
        return self.orders_a_day_at_full_scale * self.scale

    @property
    def sellers(self) -> int:
        """Sellers."""
        return max(20, round(self.sellers_at_full_scale * self.scale))

    @property
    def apps(self) -> int:
        """Apps of third parties; never so few that their developers could not be told apart."""
        return max(12, round(self.apps_at_full_scale * self.scale))

    @property
    def hosts(self) -> int:
        """Machines that serve the partner API, and as many that serve customers' accounts."""
        return math.ceil(self.hosts_at_full_scale * self.scale)

    @property
    def contacts_a_day(self) -> float:
        """Contacts of an average day."""
        return self.orders_a_day * self.contacts_per_order

    @property
    def agents(self) -> int:
        """Customer-service agents: five days in seven but for absences, each with a working day's contacts.

        Below a scale of about 0.03 the smallest team (``agents_min``) has less to do than that and each agent takes
        fewer contacts a day, so that tests still have colleagues to compare with.
        """
        at_work = 5 / 7 * (1 - self.absent)
        return max(self.agents_min, math.ceil(self.contacts_a_day / at_work / self.contacts_an_agent_day))

    @property
    def service_accounts(self) -> int:
        """Accounts of programs."""
        return max(8, round(self.service_accounts_at_full_scale * self.scale))

    @property
    def warehouse_tables(self) -> int:
        """Tables of the warehouse."""
        return round(self.warehouse_tables_at_full_scale * float(self.scale**self.warehouse_tables_exponent))

    @property
    def repositories(self) -> int:
        """Repositories of source."""
        return min(64, max(6, round(self.repositories_at_full_scale * self.scale)))

    def staff_of(self, role: str) -> int:
        """How many posts of a role there are at this scale."""
        if role == "agent":
            return self.agents
        at_full_scale, least = {
            "supervisor": (self.supervisors_at_full_scale, 1),
            "fraud": (self.fraud_at_full_scale, 2),
            "seller_support": (self.seller_support_at_full_scale, 3),
            "engineer": (self.engineers_at_full_scale, 6),
            "analyst": (self.analysts_at_full_scale, 6),
            "marketing": (40, 4),
            "privacy": (4, 1),
            "finance": (20, 2),
            "it": (30, 2),
        }[role]
        return max(least, round(at_full_scale * self.scale))


#: What presets do otherwise, beside having words of their own; all assumed.
_OF_PRESETS: Final[dict[str, dict[str, Any]]] = {
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


def checked_parameters(*, preset: str, scale: float, seed: int, days: int, end: int) -> Parameters:
    """Parameters for the last ``days`` whole days before ``end``; raises `UsageError` for what makes no company."""
    if preset not in PRESETS:
        raise UsageError("preset", f"'{preset[:40]}' is unknown", expected="one of: " + ", ".join(PRESETS))
    if not SCALE_MIN <= scale <= SCALE_MAX:  # also false for NaN
        raise UsageError("scale", f"{scale:g}", expected=f"{SCALE_MIN:g} to {SCALE_MAX:g} (1 is 3 million customers)")
    if not 1 <= days <= DAYS_MAX:
        raise UsageError("days", str(days)[:40], expected=f"1 to {DAYS_MAX}")
    if not 0 <= seed <= SEED_MAX:
        raise UsageError("seed", str(seed)[:40], expected="a whole number from 0")
    if not _END_MIN <= end <= _END_MAX:
        raise UsageError("end", "lies outside 2000 to 2100", expected="a time in that range")
    return Parameters(
        seed=seed, scale=scale, days=days, end=end - end % DAY_US, preset=preset, **_OF_PRESETS.get(preset, {})
    )
