"""The parameters of what goes wrong: how large incidents are, how long they last, how their people go about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from beholden.retailer.parameters.bounds import (
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

    export_pieces_paced: Annotated[_Pieces, "card_export: pieces in which cards are taken out; assumed"] = (3, 6)
    export_pieces_mimicry: Annotated[_Pieces, "card_export: the same, of those with a case on record; assumed"] = (4, 8)
    export_readers: Annotated[Counts, "card_export: colleagues who read the table of cards; assumed"] = (3, 8)
    export_read: Annotated[
        SharesByGrade, "card_export: share of each reader's days at work with a read of that table; assumed"
    ] = (
        0.35,
        0.2,
        0.15,
    )
    lookup_relations: Annotated[
        tuple[float, ...],
        Weights(5, Bounds(0, 1_000_000)),
        "personal_lookup: weights of whom they look up: the famous, a relative, a neighbour, a colleague, somebody of whom nothing tells; assumed",
    ] = (0.3, 0.2, 0.2, 0.15, 0.15)
    spike_days: Annotated[CountsByGrade, "celebrity_spike: days for which the news is news; assumed"] = (
        (2, 3),
        (5, 9),
        (4, 7),
    )
    curious_colleagues: Annotated[Share, "celebrity_spike: share of those at work who look; assumed"] = 0.6
    curious_min: Annotated[_AtLeastOne, "celebrity_spike: colleagues who look, or it is no spike; assumed"] = 3
    curious_max: Annotated[_AtLeastOne, "celebrity_spike: colleagues who look, at most; assumed"] = 40
    curious_again: Annotated[Share, "celebrity_spike: share of these who look on a second day; assumed"] = 0.25
    impersonation_agents: Annotated[
        Share, "seller_impersonation: share of loud ones done by the contact centre; assumed"
    ] = 0.3
    impersonation_reports: Annotated[Share, "seller_impersonation: share of looks that end with a report; assumed"] = (
        0.25
    )
    impersonation_days: Annotated[Counts, "seller_impersonation: days of quiet ones; assumed"] = (4, 14)
    seller_look_minutes: Annotated[
        float,
        Bounds(0.1, 1000),
        "seller_impersonation, bribed_ring: median from the first to the last act on a seller; assumed",
    ] = 12.0
    pooled_keys_at_full_scale: Annotated[
        AtScale, "pooled_keys: keys that one back end pools, at most so many at any scale (press reports)"
    ] = 92
    pooled_keys_min: Annotated[_AtLeastOne, "pooled_keys: in small companies; assumed"] = 6
    pooled_days: Annotated[CountsByGrade, "pooled_keys: days of reading; assumed"] = ((2, 4), (5, 14), (4, 11))
    pooled_back_days: Annotated[_BackDays, "pooled_keys: days of orders that a loud one reads at once; assumed"] = 9
    pooled_ranges: Annotated[
        tuple[int, int],
        Range(Bounds(1, 8, whole=True)),
        "pooled_keys: ranges of addresses that the back end calls from; assumed",
    ] = (2, 4)
    pooled_paused: Annotated[Share, "pooled_keys: share of keys that quiet ones leave alone on a day; assumed"] = 0.2
    pooled_broad: Annotated[
        tuple[float, float],
        Range(Bounds(0, 1)),
        "pooled_keys: share of the orders of a day that quiet ones read; assumed",
    ] = (0.6, 1.0)
    sweep_step_ms: Annotated[
        tuple[int, int],
        Range(Bounds(1, 600_000, whole=True)),
        "pooled_keys: milliseconds between two orders of a sweep: slow enough to leave room for a key's ordinary calls; assumed",
    ] = (4200, 8999)
    overreach_days: Annotated[CountsByGrade, "app_overreach: days of reading too much; assumed"] = (
        (3, 7),
        (6, 20),
        (6, 20),
    )
    overreach_back_days: Annotated[
        _BackDays, "app_overreach: days of orders that a loud one reads at once; assumed"
    ] = 7
    tampered_profiles_at_full_scale: Annotated[
        AtScale, "profile_tampering: profiles that are changed (press reports)"
    ] = 36_000
    tampered_profiles_min: Annotated[_AtLeastOne, "profile_tampering: in small companies; assumed"] = 20
    tamperers: Annotated[
        _AtLeastOne, "profile_tampering: staff who do it, at most, an engineer among them (press reports)"
    ] = 8
    tampering_days_loud: Annotated[
        Counts, "profile_tampering: days on which each one works at it, of loud ones; assumed"
    ] = (1, 3)
    tampering_days_mimicry: Annotated[
        Counts, "profile_tampering: the same, of those with an assignment on record; assumed"
    ] = (3, 9)
    tampering_gap_ms_loud: Annotated[
        tuple[int, int],
        Range(Bounds(1, 3_600_000, whole=True)),
        "profile_tampering: milliseconds between two changes made without a break; assumed",
    ] = (3000, 44_999)
    tampering_gap_ms_mimicry: Annotated[
        tuple[int, int],
        Range(Bounds(1, 3_600_000, whole=True)),
        "profile_tampering: the same, of those with an assignment on record; assumed",
    ] = (30_000, 399_999)
    tampered_then_reset: Annotated[
        Share, "profile_tampering: share of changed profiles whose password is set anew afterwards; assumed"
    ] = 0.7
    tampered_reset_hours: Annotated[
        float, Bounds(0.01, 1000), "profile_tampering: median from the change to the new password; assumed"
    ] = 5.0
    misused_accounts_at_full_scale: Annotated[AtScale, "account_misuse: accounts of customers (press reports)"] = 6_581
    misused_accounts_min: Annotated[_AtLeastOne, "account_misuse: in small companies; assumed"] = 12
    misusing_agents: Annotated[Counts, "account_misuse: agents who do it; assumed"] = (1, 4)
    misused_a_day_loud: Annotated[Counts, "account_misuse: accounts an agent gets done in a day; assumed"] = (40, 319)
    misused_a_day: Annotated[Counts, "account_misuse: the same, of those who hide; assumed"] = (3, 14)
    misused_reviews_more: Annotated[
        float, Bounds(0, 3), "account_misuse: reviews deleted in an account beyond the first, on average; assumed"
    ] = 0.7
    ring_at_full_scale: Annotated[
        AtScale, "bribed_ring: bribed staff, at most so many at any scale (press reports)"
    ] = 7
    ring_min: Annotated[_AtLeastOne, "bribed_ring: in small companies; assumed"] = 2
    ring_deeds_a_week: Annotated[
        tuple[float, float, float], Row(Bounds(0, 500), GRADES), "bribed_ring: deeds of each of the ring; assumed"
    ] = (6.0, 3.0, 2.5)
    ring_deeds: Annotated[
        tuple[int, ...],
        Weights(4),
        "bribed_ring: weights of deeds: a report on a rival, a look as a rival, a suspension of a rival, help for the owner's brands; assumed",
    ] = (45, 20, 15, 20)
    ring_rivals: Annotated[
        tuple[int, int], Range(Bounds(1, 100, whole=True)), "bribed_ring: rivals of the owner; assumed"
    ] = (4, 12)
    exfiltrated_a_day: Annotated[Counts, "slow_exfiltration: records by the one who takes his time (press reports)"] = (
        5,
        10,
    )
    exfiltrated_loud_times: Annotated[
        tuple[int, int],
        Range(Bounds(1, 100, whole=True)),
        "slow_exfiltration: who does not care takes so many times as much; assumed",
    ] = (2, 4)
    exfiltration_days: Annotated[Counts, "slow_exfiltration: for how long, if the window lasts; assumed"] = (14, 62)
    exfiltration_days_off: Annotated[
        Share, "slow_exfiltration: share of working days on which nothing is taken; assumed"
    ] = 0.1
    exfiltrated_twice: Annotated[
        Share, "slow_exfiltration: share of records of which another screen is opened; assumed"
    ] = 0.35
    taken_over_at_full_scale: Annotated[AtScale, "dormant_takeover: powerful accounts that nobody used"] = 20
    takeover_every_days: Annotated[
        CountsByGrade, "dormant_takeover: days between two visits to an account; assumed"
    ] = (
        (1, 2),
        (2, 6),
        (2, 5),
    )
    takeover_calls: Annotated[CountsByGrade, "dormant_takeover: calls of one visit; assumed"] = (
        (15, 119),
        (2, 29),
        (2, 13),
    )
    takeover_queries: Annotated[
        tuple[float, float, float],
        Row(Bounds(0, 500), GRADES),
        "dormant_takeover: mean moments of a visit at which the warehouse is asked; assumed",
    ] = (6.0, 1.0, 1.0)
    takeover_minutes: Annotated[float, Bounds(1, 100), "dormant_takeover: how long a visit lasts; assumed"] = 70.0
    foreign_copies: Annotated[
        Share,
        "dormant_takeover, rogue_device: share of what foreign hands open in buckets that teams made, not programs; assumed",
    ] = 0.6
    foreign_lists: Annotated[
        Share, "dormant_takeover, rogue_device: share of their calls that list a bucket; assumed"
    ] = 0.15
    foreign_customers: Annotated[
        Counts, "dormant_takeover, rogue_device: customers looked up in the warehouse at once; assumed"
    ] = (1, 39)
    secret_calls: Annotated[CountsByGrade, "wiki_secret: objects opened with a key from the wiki; assumed"] = (
        (80, 399),
        (30, 89),
        (12, 39),
    )
    secret_minutes: Annotated[
        tuple[tuple[float, float], tuple[float, float], tuple[float, float]],
        Row(Range(Bounds(0.001, 10_000)), GRADES),
        "wiki_secret: mean minutes between two of them; assumed",
    ] = ((0.1, 0.6), (60.0, 300.0), (8.0, 60.0))
    chains: Annotated[CountsByGrade, "copy_chain: copies that one person takes out of the warehouse; assumed"] = (
        (2, 4),
        (1, 2),
        (1, 3),
    )
    rogue_days: Annotated[Counts, "rogue_device: days on which the device calls; assumed"] = (1, 8)
    rogue_calls: Annotated[CountsByGrade, "rogue_device: calls of such a day; assumed"] = ((30, 199), (1, 11), (2, 14))
    rogue_minutes: Annotated[
        tuple[float, float, float], Row(Bounds(1, 200), GRADES), "rogue_device: how long it calls on a day; assumed"
    ] = (150.0, 90.0, 90.0)
    rogue_on_warehouse: Annotated[
        Share, "rogue_device: share of what the device reads that is in the warehouse; assumed"
    ] = 0.3
    tampered_log_days: Annotated[CountsByGrade, "log_tampering: days on which lines are taken away; assumed"] = (
        (1, 1),
        (2, 5),
        (1, 1),
    )
    hidden_profiles: Annotated[
        CountsByGrade, "log_tampering: customers looked at and edited in the hours that are then missing; assumed"
    ] = ((25, 79), (2, 11), (8, 24))
    hidden_files: Annotated[
        CountsByGrade, "log_tampering: files of cards taken out in the hours that are then missing; assumed"
    ] = (
        (4, 11),
        (1, 2),
        (2, 4),
    )
    hidden_views: Annotated[float, Bounds(1, 2), "log_tampering: looks at each of these customers; assumed"] = 1.6
    hidden_edge_s: Annotated[
        tuple[tuple[int, int], tuple[int, int], tuple[int, int]],
        Row(Range(Bounds(0, 86_400, whole=True)), GRADES),
        "log_tampering: seconds between the acts and the edges of the gap; assumed",
    ] = ((60, 899), (5, 89), (600, 5399))
    canaries_at_full_scale: Annotated[
        AtScale, "canary_read: customers who are nobody, for every look to be an alarm; assumed"
    ] = 100
    canary_on_databases: Annotated[
        Share, "canary_read: share of these incidents, the others happen in the console; assumed"
    ] = 0.4
    canary_browsed: Annotated[CountsByGrade, "canary_read: records read, a canary among them; assumed"] = (
        (12, 49),
        (1, 5),
        (1, 3),
    )
