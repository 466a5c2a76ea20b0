"""The parameters of what goes wrong: how large incidents are, how long they last, how their people go about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from beholden.retailer.parameter_bounds import (
    GRADES,
    AtScale,
    Bounds,
    Counts,
    CountsByGrade,
    Range,
    Row,
    Share,
    SharesByGrade,
    Weights,
)

__all__ = ["IncidentParameters"]

_AtLeastOne = Annotated[int, Bounds(1, 1000, whole=True)]
_Pieces = Annotated[tuple[int, int], Range(Bounds(1, 100, whole=True))]
_BackDays = Annotated[int, Bounds(1, 90, whole=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentParameters:
    """Incidents: their sizes are as the press had them where that is said, else assumed."""

    staff_an_incident: Annotated[
        int, Bounds(1, 1_000_000, whole=True), "staff for each incident under way at once, in prevalence runs"
    ] = 300
    quiet_days: Annotated[
        float,
        Bounds(0.1, 1000),
        "mean days from the end of an incident to the next of the same slot, in prevalence runs; assumed",
    ] = 21.0
    pace_days: Annotated[
        int, Bounds(1, 400, whole=True), "days of the window from which everybody's daily work is measured, at most"
    ] = 30
    pace_quantile: Annotated[
        Share, "quantile of that work within which paced incidents keep (95th percentile by specification)"
    ] = 0.95
    pace_programs: Annotated[Share, "share of that work which incidents may add to a program's even one; assumed"] = (
        0.25
    )
    cover_logged_late: Annotated[
        Share, "share of mimicry's contacts and cases that are put on record afterwards; assumed"
    ] = 0.22
    cover_for_colleague: Annotated[
        Share, "share of mimicry's contacts that are put on record under a colleague's name; assumed"
    ] = 0.18
    cards_a_file: Annotated[
        tuple[int, int],
        Range(Bounds(1, 100_000, whole=True)),
        "range of card ids that fraud staff, and those who pass for them, take out at once; assumed",
    ] = (200, 3199)

    # card_export
    export_pieces_paced: Annotated[_Pieces, "pieces in which cards are taken out; assumed"] = (3, 6)
    export_pieces_mimicry: Annotated[_Pieces, "the same, of those with a case on record; assumed"] = (4, 8)
    export_readers: Annotated[Counts, "colleagues who read the table of cards; assumed"] = (3, 8)
    export_read: Annotated[SharesByGrade, "share of each reader's days at work with a read of that table; assumed"] = (
        0.35,
        0.2,
        0.15,
    )
    # personal_lookup
    lookup_relations: Annotated[
        tuple[float, ...],
        Weights(5, Bounds(0, 1_000_000)),
        "weights of whom they look up: the famous, a relative, a neighbour, a colleague, somebody of whom nothing tells; assumed",
    ] = (0.3, 0.2, 0.2, 0.15, 0.15)
    # celebrity_spike
    spike_days: Annotated[CountsByGrade, "days for which the news is news; assumed"] = ((2, 3), (5, 9), (4, 7))
    curious_colleagues: Annotated[Share, "share of the agents at work; assumed"] = 0.6
    curious_min: Annotated[_AtLeastOne, "colleagues who look, or it is no spike; assumed"] = 3
    curious_max: Annotated[_AtLeastOne, "colleagues who look, at most; assumed"] = 40
    curious_again: Annotated[Share, "share of these who look on a second day; assumed"] = 0.25
    # seller_impersonation
    impersonation_agents: Annotated[Share, "share of loud ones done by the contact centre; assumed"] = 0.3
    impersonation_reports: Annotated[Share, "share of looks that end with a report; assumed"] = 0.25
    impersonation_days: Annotated[Counts, "days of quiet ones; assumed"] = (4, 14)
    seller_look_minutes: Annotated[
        float, Bounds(0.1, 1000), "median from the first to the last act on a seller; assumed"
    ] = 12.0
    # pooled_keys
    pooled_keys_at_full_scale: Annotated[AtScale, "keys that one back end pools (press reports)"] = 92
    pooled_keys_min: Annotated[_AtLeastOne, "in small companies; assumed"] = 6
    pooled_days: Annotated[CountsByGrade, "days of reading; assumed"] = ((2, 4), (5, 14), (4, 11))
    pooled_back_days: Annotated[_BackDays, "days of orders that a loud one reads at once; assumed"] = 9
    pooled_ranges: Annotated[
        tuple[int, int], Range(Bounds(1, 8, whole=True)), "ranges of addresses that the back end calls from; assumed"
    ] = (2, 4)
    pooled_paused: Annotated[Share, "share of keys that quiet ones leave alone on a day; assumed"] = 0.2
    pooled_broad: Annotated[
        tuple[float, float], Range(Bounds(0, 1)), "share of the orders of a day that quiet ones read; assumed"
    ] = (0.6, 1.0)
    sweep_step_ms: Annotated[
        tuple[int, int],
        Range(Bounds(1, 600_000, whole=True)),
        "milliseconds between two orders of a sweep: slow enough to leave room for a key's ordinary calls; assumed",
    ] = (4200, 8999)
    # app_overreach
    overreach_days: Annotated[CountsByGrade, "days of reading too much; assumed"] = ((3, 7), (6, 20), (6, 20))
    overreach_back_days: Annotated[_BackDays, "days of orders that a loud one reads at once; assumed"] = 7
    # profile_tampering
    tampered_profiles_at_full_scale: Annotated[AtScale, "profiles (press reports)"] = 36_000
    tampered_profiles_min: Annotated[_AtLeastOne, "in small companies; assumed"] = 20
    tamperers: Annotated[_AtLeastOne, "eight of the staff, an engineer among them (press reports)"] = 8
    tampering_days_loud: Annotated[Counts, "days on which each one works at it; assumed"] = (1, 3)
    tampering_days_mimicry: Annotated[Counts, "the same, of those with an assignment on record; assumed"] = (3, 9)
    tampering_gap_ms_loud: Annotated[
        tuple[int, int],
        Range(Bounds(1, 3_600_000, whole=True)),
        "milliseconds between two changes made without a break; assumed",
    ] = (3000, 44_999)
    tampering_gap_ms_mimicry: Annotated[
        tuple[int, int],
        Range(Bounds(1, 3_600_000, whole=True)),
        "the same, of those with an assignment on record; assumed",
    ] = (30_000, 399_999)
    tampered_then_reset: Annotated[
        Share, "share of changed profiles whose password is set anew afterwards; assumed"
    ] = 0.7
    tampered_reset_hours: Annotated[
        float, Bounds(0.01, 1000), "median from the change to the new password; assumed"
    ] = 5.0
    # account_misuse
    misused_accounts_at_full_scale: Annotated[AtScale, "accounts (press reports)"] = 6_581
    misused_accounts_min: Annotated[_AtLeastOne, "in small companies; assumed"] = 12
    misusing_agents: Annotated[Counts, "agents who do it; assumed"] = (1, 4)
    misused_a_day_loud: Annotated[Counts, "accounts an agent gets done in a day; assumed"] = (40, 319)
    misused_a_day: Annotated[Counts, "the same, of those who hide; assumed"] = (3, 14)
    misused_reviews_more: Annotated[
        float, Bounds(0, 3), "reviews deleted in an account beyond the first, on average; assumed"
    ] = 0.7
    # bribed_ring
    ring_at_full_scale: Annotated[AtScale, "bribed staff (press reports)"] = 7
    ring_min: Annotated[_AtLeastOne, "in small companies; assumed"] = 2
    ring_deeds_a_week: Annotated[
        tuple[float, float, float], Row(Bounds(0, 500), GRADES), "deeds of each of the ring; assumed"
    ] = (6.0, 3.0, 2.5)
    ring_deeds: Annotated[
        tuple[int, ...],
        Weights(4),
        "weights of deeds: a report on a rival, a look as a rival, a suspension of a rival, help for the owner's brands; assumed",
    ] = (45, 20, 15, 20)
    ring_rivals: Annotated[tuple[int, int], Range(Bounds(1, 100, whole=True)), "rivals of the owner; assumed"] = (4, 12)
    ring_suspends_again_days: Annotated[
        float, Bounds(0, 400), "days before a rival is suspended once more; assumed"
    ] = 20.0
    # slow_exfiltration
    exfiltrated_a_day: Annotated[Counts, "records by the one who takes his time (press reports)"] = (5, 10)
    exfiltrated_loud_times: Annotated[
        tuple[int, int], Range(Bounds(1, 100, whole=True)), "who does not care takes so many times as much; assumed"
    ] = (2, 4)
    exfiltration_days: Annotated[Counts, "for how long, if the window lasts; assumed"] = (14, 62)
    exfiltration_days_off: Annotated[Share, "share of working days on which nothing is taken; assumed"] = 0.1
    exfiltrated_twice: Annotated[Share, "share of records of which another screen is opened; assumed"] = 0.35
    # dormant_takeover
    taken_over_at_full_scale: Annotated[AtScale, "powerful accounts that nobody used"] = 20
    takeover_every_days: Annotated[CountsByGrade, "days between two visits to an account; assumed"] = (
        (1, 2),
        (2, 6),
        (2, 5),
    )
    takeover_calls: Annotated[CountsByGrade, "calls of one visit; assumed"] = ((15, 119), (2, 29), (2, 13))
    takeover_queries: Annotated[
        tuple[float, float, float],
        Row(Bounds(0, 500), GRADES),
        "mean moments of a visit at which the warehouse is asked; assumed",
    ] = (6.0, 1.0, 1.0)
    takeover_minutes: Annotated[float, Bounds(1, 100), "how long a visit lasts; assumed"] = 70.0
    # dormant_takeover and rogue_device
    foreign_copies: Annotated[
        Share, "share of what foreign hands open in buckets that teams made, not programs; assumed"
    ] = 0.6
    foreign_lists: Annotated[Share, "share of their calls that list a bucket; assumed"] = 0.15
    foreign_customers: Annotated[Counts, "customers looked up in the warehouse at once; assumed"] = (1, 39)
    # wiki_secret
    secret_calls: Annotated[CountsByGrade, "objects opened with a key from the wiki; assumed"] = (
        (80, 399),
        (30, 89),
        (12, 39),
    )
    secret_minutes: Annotated[
        tuple[tuple[float, float], tuple[float, float], tuple[float, float]],
        Row(Range(Bounds(0.001, 10_000)), GRADES),
        "mean minutes between two of them; assumed",
    ] = ((0.1, 0.6), (60.0, 300.0), (8.0, 60.0))
    # copy_chain
    chains: Annotated[CountsByGrade, "copies that one person takes out of the warehouse; assumed"] = (
        (2, 4),
        (1, 2),
        (1, 3),
    )
    # rogue_device
    rogue_days: Annotated[Counts, "days on which the device calls; assumed"] = (1, 8)
    rogue_calls: Annotated[CountsByGrade, "calls of such a day; assumed"] = ((30, 199), (1, 11), (2, 14))
    rogue_minutes: Annotated[
        tuple[float, float, float], Row(Bounds(1, 200), GRADES), "how long it calls on a day; assumed"
    ] = (150.0, 90.0, 90.0)
    rogue_on_warehouse: Annotated[Share, "share of what it reads; assumed"] = 0.3
    # log_tampering
    tampered_log_days: Annotated[CountsByGrade, "days on which lines are taken away; assumed"] = (
        (1, 1),
        (2, 5),
        (1, 1),
    )
    hidden_profiles: Annotated[
        CountsByGrade, "customers looked at and edited in the hours that are then missing; assumed"
    ] = ((25, 79), (2, 11), (8, 24))
    hidden_files: Annotated[CountsByGrade, "files of cards taken out in the hours that are then missing; assumed"] = (
        (4, 11),
        (1, 2),
        (2, 4),
    )
    hidden_views: Annotated[float, Bounds(1, 2), "looks at each of these customers; assumed"] = 1.6
    hidden_edge_s: Annotated[
        tuple[tuple[int, int], tuple[int, int], tuple[int, int]],
        Row(Range(Bounds(0, 86_400, whole=True)), GRADES),
        "seconds between the acts and the edges of the gap; assumed",
    ] = ((60, 899), (5, 89), (600, 5399))
    # canary_read
    canaries_at_full_scale: Annotated[AtScale, "customers who are nobody, for every look to be an alarm; assumed"] = 100
    canary_on_databases: Annotated[Share, "share of these incidents, the others happen in the console; assumed"] = 0.4
    canary_browsed: Annotated[CountsByGrade, "records read, a canary among them; assumed"] = ((12, 49), (1, 5), (1, 3))
