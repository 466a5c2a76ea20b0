"""The parameters of work: what staff, partners and programs do in a day, what is on record of it, and what is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from beholden.retailer.parameters.bounds import (
    AtScale,
    Bounds,
    Named,
    PerDayAtScale,
    Range,
    Rate,
    Row,
    Share,
    Weights,
    Yearly,
)
from beholden.retailer.parameters.incidents import IncidentParameters

__all__ = ["WorkParameters"]

#: Of a working day; the roles are those that ask databases.
_STATEMENTS: Final = Named(("analyst", "engineer", "marketing", "fraud", "finance", "it"), Bounds(0, 500))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkParameters(IncidentParameters):
    """What staff, partners and programs do, what is on record of it, and what is left in logs, feeds and stores."""

    # Work that looks like snooping (life/support_lookalikes.py) and what is on record of it.
    contacts_of_relatives: Annotated[
        Share,
        "share of contacts where an agent serves a relative, of agents who have one; this and the next three give the rates of Boxwala et al. 2011 (table 3)",
    ] = 0.00175
    contacts_of_neighbours: Annotated[Share, "share of contacts where an agent serves a neighbour"] = 0.00525
    contacts_of_famous: Annotated[Share, "share of contacts; each famous customer calls at least every tenth day"] = (
        0.00015
    )
    staff_contacts_a_day: Annotated[Share, "contacts in a day of each of the staff who are customers; assumed"] = 0.008
    staff_with_relatives: Annotated[
        Share, "share of staff at whose home somebody of their name is a customer; assumed"
    ] = 0.65
    call_backs_next_day: Annotated[Share, "share of call-backs that are made on the next day; assumed"] = 0.35
    call_back_noted: Annotated[
        Share, "share of call-backs whose lines carry the ticket of the contact before; assumed"
    ] = 0.6
    reviews_logged_late: Annotated[Share, "share of reviews that are put on record afterwards; assumed"] = 0.15
    privacy_requests_a_day_at_full_scale: Annotated[
        PerDayAtScale, "requests of customers about their data; assumed"
    ] = 25.0
    requests_logged_late: Annotated[Share, "share of requests registered only after somebody had looked; assumed"] = (
        0.08
    )
    training_views_a_day: Annotated[Rate, "views of each trainee, beside contacts; assumed"] = 6.0
    training_on_record: Annotated[Share, "share of trainees' exercises that stand as assignments; assumed"] = 0.7
    old_rights_console: Annotated[
        Share, "share of working days on which transferred staff still open the console; assumed"
    ] = 0.3
    self_views: Annotated[Share, "share of staff's own contacts after which they open their own record; assumed"] = 0.25
    corrected_profiles_at_full_scale: Annotated[
        AtScale, "profiles corrected by one person in a day, after a postal reform; assumed"
    ] = 4000
    corrections_on_record: Annotated[Share, "share of them that stand in the work list; assumed"] = 0.97
    ordinary_assignments: Annotated[
        Share, "new pieces of work, a working day of engineers, analysts and marketing; assumed"
    ] = 0.12
    ticket_time_lost: Annotated[
        Share, "share of tickets whose opening time was lost on the way to the feed; assumed"
    ] = 0.002

    warehouse_tables_at_full_scale: Annotated[AtScale, "tables of the warehouse"] = 300
    warehouse_tables_exponent: Annotated[
        float, Bounds(0, 1), "they grow with this power of the scale: 60 at 0.01; assumed"
    ] = 0.35
    table_copies_documented: Annotated[Share, "share of teams' copies that the catalogue of data knows; assumed"] = 0.4
    table_copies_by_hand: Annotated[Share, "share of teams' copies that were made once, not by a job; assumed"] = 0.3
    statements_a_day: Annotated[tuple[tuple[str, float], ...], _STATEMENTS, "statements of one person on a working day, by role; assumed"] = (
        ("analyst", 12.0), ("engineer", 5.0), ("marketing", 4.0), ("fraud", 6.0), ("finance", 4.0), ("it", 3.0),
    )  # fmt: skip
    statements_failing: Annotated[Share, "share of people's statements that fail; assumed"] = 0.02
    queries_own_tables: Annotated[Share, "share of an analyst's queries that are of the team's own tables; assumed"] = (
        0.45
    )
    queries_other_tables: Annotated[
        Share, "share of queries that are of all teams' marts and copies; the rest are of shared tables; assumed"
    ] = 0.08
    order_changes_by_contact: Annotated[
        Share, "share of contacts about returns, refunds and shipping that change the order; assumed"
    ] = 0.5
    vault_sampled: Annotated[Share, "share of payments whose statements the vault's audit keeps; assumed"] = 0.012
    dashboards: Annotated[int, Bounds(0, 1000, whole=True), "queries an hour that dashboards run; assumed"] = 12
    direct_corrections_a_day_at_full_scale: Annotated[
        PerDayAtScale, "single customers put right by IT on the database; assumed"
    ] = 8.0
    break_glass_a_month: Annotated[
        float, Bounds(0, 30), "nights on which the one on call works on the CRM's database; assumed"
    ] = 4.0
    migrations_a_month: Annotated[Rate, "tables that an engineer rebuilds; assumed"] = 6.0
    old_rights_on_databases: Annotated[
        Share, "share of a transferred person's working days with statements of the old role; assumed"
    ] = 0.2
    data_chores: Annotated[
        Share, "share of analysts', marketing's and fraud staff's work that takes data out or in; assumed"
    ] = 0.02
    table_named: Annotated[Share, "share of people's statements whose table the query gateway names; assumed"] = 0.8

    duplicate_lines: Annotated[Share, "share of lines that stand twice"] = 0.02
    late_lines: Annotated[Share, "share of lines that come late, in a file of their own"] = 0.005
    late_minutes: Annotated[float, Bounds(0.1, 10000), "mean delay of a line that comes late; assumed"] = 240.0
    lost_lines: Annotated[Share, "share of events of which no line arrives; assumed"] = 0.0005
    clocks_off: Annotated[
        Share, "share of the weeks of each host that writes a log in which its clock is off; assumed"
    ] = 0.15
    clocks_off_median_s: Annotated[float, Bounds(1, 86_400), "by how many seconds; assumed"] = 12.0
    clocks_off_most_s: Annotated[float, Bounds(1, 86_400), "by how many seconds at most; assumed"] = 300.0
    hosts_at_full_scale: Annotated[
        AtScale, "hosts of the partner API, and as many of the shop's accounts, each with a log of its own; assumed"
    ] = 4
    ticket_noted: Annotated[Share, "share of views whose log line carries the ticket; assumed"] = 0.85

    # Sellers and the partners who act for them.
    sellers_linked: Annotated[Share, "share of sellers whose owner has several brands; assumed"] = 0.05
    clusters_reopened: Annotated[Share, "share of such owners who opened a brand after a suspension; assumed"] = 0.2
    sellers_suspended_a_year: Annotated[Yearly, "suspensions of one seller in a year; assumed"] = 0.06
    suspension_median_days: Annotated[
        float, Bounds(0.1, 300), "days from the suspension to the reinstatement; assumed"
    ] = 9.0
    never_reinstated: Annotated[Share, "share of suspensions without an end; assumed"] = 0.15
    seller_cases_a_day_at_full_scale: Annotated[PerDayAtScale, "cases of seller support; assumed"] = 500.0
    seller_cases_exponent: Annotated[
        float,
        Bounds(0.1, 20),
        "the share of cases that the first x of the sellers have is x to the power of 1 / this; assumed",
    ] = 2.0
    seller_cases_done: Annotated[
        Share, "share of cases about a bank account or a report that end with the change or the report; assumed"
    ] = 0.8
    seller_case_minutes: Annotated[float, Bounds(0.1, 1000), "median of the work on a case; assumed"] = 18.0
    seller_cases_answered: Annotated[Rate, "cases that a program closes at once, for each of staff; assumed"] = 0.5
    seller_looks_without_case: Annotated[
        float, Bounds(0, 100), "looks at sellers without a case, for each case; assumed"
    ] = 0.06
    seller_case_late: Annotated[Share, "share of cases that are logged after the work is done; assumed"] = 0.03
    seller_case_colleague: Annotated[Share, "share of cases that are logged under a colleague's id; assumed"] = 0.02
    seller_case_never: Annotated[Share, "share of cases that are never logged; assumed"] = 0.02
    viewed_as_seller: Annotated[Share, "share of cases in which the desk looks as the seller; assumed"] = 0.4
    automatic_suspensions: Annotated[Share, "share of suspensions that a program decides; assumed"] = 0.6
    apps_at_full_scale: Annotated[AtScale, "apps of third parties"] = 100
    apps_a_developer: Annotated[float, Bounds(1, 2), "apps of one developer, on average; assumed"] = 1.18
    developers_by_sellers: Annotated[
        tuple[float, float, float],
        Weights(3, Bounds(0, 1_000_000)),
        "weights of developers with 1-3, 4-50 and 50-2,000 sellers; assumed",
    ] = (0.70, 0.25, 0.05)
    connected_rank_exponent: Annotated[
        float,
        Bounds(0, 0.9),
        "which sellers let apps in falls with their rank to the minus this: popular ones use more; assumed",
    ] = 0.7
    developers_on_platforms: Annotated[Share, "share of small developers who call from a shared platform; assumed"] = (
        0.2
    )
    platform_developers_min: Annotated[
        int,
        Bounds(2, 100, whole=True),
        "small developers on each shared platform, at least; a company with fewer of them has none; assumed",
    ] = 3
    careless_developers: Annotated[Share, "share of developers who go on until the gateway refuses; assumed"] = 0.25
    careless_storms: Annotated[
        Share, "share of a careless client's looks that it repeats every second until it is refused; assumed"
    ] = 0.02
    storm_calls: Annotated[tuple[int, int], Range(Bounds(1, 1000, whole=True)), "how often it repeats one; assumed"] = (
        12,
        39,
    )
    tokens_renewed: Annotated[
        Share, "share of the hours in which a token, which lives one hour, is renewed; assumed"
    ] = 0.85
    buyers_asked_by_mistake: Annotated[
        Share, "share of orders whose buyer is asked for without a declared need, and refused; assumed"
    ] = 0.0006
    apps_moving_a_year: Annotated[Yearly, "moves of one app to another cloud in a year; assumed"] = 0.2
    apps_amended_a_year: Annotated[Yearly, "changes of one app's declared need in a year; assumed"] = 0.08
    by_old_id: Annotated[Share, "share of sellers whom a register has under their older id; assumed"] = 0.4
    list_rate: Annotated[float, Bounds(0.0001, 1000), "lists of orders a second and key (a public client's limits)"] = (
        0.0167
    )
    list_burst: Annotated[int, Bounds(2, 1000, whole=True), "lists of orders at once, of a key (as above)"] = 20
    record_rate: Annotated[
        float, Bounds(0.001, 1000), "single orders, addresses and buyers, each, a second and key (as above)"
    ] = 0.5
    record_burst: Annotated[int, Bounds(2, 1000, whole=True), "single records at once, of a key (as above)"] = 30
    api_errors: Annotated[Share, "share of calls that fail; assumed"] = 0.012

    # Identities, devices, copies.
    identities_inactive: Annotated[
        float, Bounds(0, 0.95), "share of identities with rights that use none in the window (vendor survey 2023)"
    ] = 0.6
    accounts_left_open: Annotated[Share, "share of leavers whose rights stay; assumed"] = 0.3
    rights_left_behind: Annotated[Share, "share of those who move and keep what they could do; assumed"] = 0.7
    grants_direct: Annotated[Share, "share of identities with rights of their own, outside groups; assumed"] = 0.3
    grants_bounded: Annotated[Share, "share of those rights that end by themselves; assumed"] = 0.5
    devices_at_full_scale: Annotated[AtScale, "devices in use at one time"] = 800
    devices_replaced: Annotated[Yearly, "share of staff's devices that are replaced in a year; assumed"] = 0.25
    devices_missing: Annotated[
        tuple[float, float, float],
        Row(Bounds(0, 1), ("mdm", "assets", "network")),
        "share of devices that are not in the device management, HR's list, the network's; assumed",
    ] = (0.06, 0.10, 0.04)
    devices_stale_owner: Annotated[
        tuple[float, float],
        Row(Bounds(0, 1), ("mdm", "assets")),
        "share of devices under somebody who had them before; assumed",
    ] = (0.08, 0.12)
    devices_retired_listed: Annotated[
        tuple[float, float],
        Row(Bounds(0, 1), ("mdm", "assets")),
        "share of retired devices that are still there; assumed",
    ] = (0.3, 0.5)
    devices_unregistered: Annotated[Share, "share of what the network sees that stands in nobody's list; assumed"] = (
        0.03
    )
    devices_nameless: Annotated[Share, "share of what the network sees that does not say its name; assumed"] = 0.15
    serials_mistyped: Annotated[Share, "share of serial numbers in HR's list; assumed"] = 0.02
    home_office: Annotated[Share, "share of office staff's working days at home; assumed"] = 0.3
    homes_behind_carriers: Annotated[Share, "share of homes behind one of a carrier's few addresses; assumed"] = 0.2
    travelling: Annotated[Share, "share of office staff's weeks that they are abroad; assumed"] = 0.01
    logins_again: Annotated[Rate, "log-ins after breaks and time-outs, a working day; assumed"] = 1.6
    login_failures: Annotated[Share, "share of log-ins with a wrong password first; assumed"] = 0.06
    login_failures_more: Annotated[float, Bounds(0, 50), "further wrong passwords after one, on average; assumed"] = 0.3
    evening_logins: Annotated[
        Share, "share of those at work who read their mail in the evening, on a device of their own; assumed"
    ] = 0.06
    bucket_reads_a_day: Annotated[Rate, "objects opened by one who works with buckets; assumed"] = 6.0
    bucket_sessions_named: Annotated[Share, "share of people's sessions that begin with asking who one is; assumed"] = (
        0.2
    )
    team_copies_read: Annotated[Share, "share of what people open in buckets that is a team's copy; assumed"] = 0.3
    sheet_copies: Annotated[Share, "copies into spreadsheets, a working day of analysts and marketing; assumed"] = 0.08
    wiki_views_a_day: Annotated[Rate, "pages opened by one member of staff; assumed"] = 9.0
    wiki_own_space: Annotated[Share, "share of page views in the space of one's own work; assumed"] = 0.7
    wiki_views_exponent: Annotated[
        float,
        Bounds(0.1, 20),
        "the share of views that the first x of a space's pages get is x to the power of 1 / this; assumed",
    ] = 1.6
    repository_views_a_day: Annotated[Rate, "files opened by one engineer; assumed"] = 14.0
    wiki_pages_at_full_scale: Annotated[AtScale, "pages of the wiki; assumed"] = 900
    repositories_at_full_scale: Annotated[AtScale, "repositories of source, at least 6 and at most 64; assumed"] = 60
    copies_at_full_scale: Annotated[AtScale, "files with customers that teams made; assumed"] = 160
    copies_documented: Annotated[Share, "share of these copies that stand in the register; assumed"] = 0.4
    copied_customers: Annotated[Share, "share of customers in a large copy; assumed"] = 0.08
    copied_rows_max: Annotated[int, Bounds(1, 10000000, whole=True), "rows of one copy, at most; assumed"] = 60_000

    # Customers' accounts (life/accounts.py).
    account_logins: Annotated[
        Share, "share of orders before which the customer signs in; most are still signed in; assumed"
    ] = 0.3
    account_visits: Annotated[float, Bounds(0, 20), "sign-ins of those who only look, for each order; assumed"] = 0.15
    account_resets: Annotated[Share, "share of sign-ins for which the password is set anew first; assumed"] = 0.03
    account_login_failures: Annotated[Share, "share of sign-ins with a wrong password; assumed"] = 0.06
    accounts_denied: Annotated[Share, "share of operations that the shop denies; assumed"] = 0.003
    customers_roaming: Annotated[
        Share, "share of customers who are behind a carrier's shared addresses in a week; assumed"
    ] = 0.25
    reviews_written: Annotated[float, Bounds(0, 10), "reviews of goods, for each order; assumed"] = 0.02
    reviews_withdrawn: Annotated[Share, "share of reviews that who wrote them deletes within hours; assumed"] = 0.01
    reviews_deleted: Annotated[
        float, Bounds(0, 10), "reviews from before the window deleted by who wrote them, for each one written; assumed"
    ] = 0.05
    reviews_held: Annotated[
        Share, "share of customers' room for reviews (two and a half each) that is filled before the window; assumed"
    ] = 0.22
    review_lag_median_days: Annotated[float, Bounds(0.1, 400), "from the order to the review; assumed"] = 9.0
    assisted_sign_ins: Annotated[
        Share, "share of contacts in which the agent signs in to the customer's account; assumed"
    ] = 0.03
    assisted_resets: Annotated[Share, "share of assisted sign-ins that end in a new password; assumed"] = 0.45
    assisted_deletions: Annotated[
        Share, "share of assisted sign-ins that end in a review deleted as asked; assumed"
    ] = 0.08

    # Stores.
    store_rows_max: Annotated[
        int,
        Bounds(1000, 1000000000, whole=True),
        "rows of a table, at most; the newest orders, and what belongs to them, are kept",
    ] = 3_000_000
    team_rows_max: Annotated[int, Bounds(1, 1000000000, whole=True), "rows of a mart or of a team's copy, at most"] = (
        100_000
    )
    staging_rows_max: Annotated[
        int, Bounds(1, 1000000000, whole=True), "rows of a table that nightly jobs pass through, at most"
    ] = 2_000
    customers_noted: Annotated[Share, "share of customers with a note; assumed"] = 0.1
    customers_moved: Annotated[Share, "share of customers whose address was another one before; assumed"] = 0.06
    customers_readdressed: Annotated[
        Share, "share of customers whose e-mail address was another one before; assumed"
    ] = 0.04
