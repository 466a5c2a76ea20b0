from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from beholden.core.times import parse_time
from beholden.logs.ocsf import Ocsf
from beholden.logs.reader import LogContext
from beholden.retailer.chance import DAY_US, stream
from beholden.retailer.devices import SOURCES, stranger, write_devices
from beholden.retailer.events import INCIDENT, Events, label
from beholden.retailer.grants import write_grants
from beholden.retailer.life.buckets import accesses_of_day, make_copy_chain
from beholden.retailer.life.cloudtrail import COPY, DELETE, GET, HEAD, LIST, PUT, Accesses, access_key, buckets_log
from beholden.retailer.life.places import COUNTRIES, address, dotted, places_on
from beholden.retailer.life.sso import Logins, logins_of_day, make_logins, sso_log
from beholden.retailer.life.wiki import PageViews, make_secret_use, views_of_day, wiki_log
from beholden.retailer.log_files import uids_of
from beholden.retailer.parameters import checked_parameters
from beholden.retailer.resources import BUCKETS, matches
from beholden.retailer.world import World
from beholden.retailer.writings import wiki_pages

END = parse_time("2026-11-22T00:00:00Z")


def world_of(scale: float, days: int = 60, seed: int = 5) -> World:
    return World(checked_parameters(preset="retailer", scale=scale, seed=seed, days=days, end=END))


@pytest.fixture(scope="module")
def world() -> World:
    return world_of(0.01)


@pytest.fixture(scope="module")
def large() -> World:
    """Only what grows with staff is made of it."""
    return world_of(1.0, days=90)


# Rights


def test_about_one_percent_of_the_permissions_held_is_used(large: World) -> None:
    grants, day = large.grants, large.calendar.window[-1]
    held = used = 0
    for who in np.flatnonzero(grants.holding).tolist():
        mask = grants.effective(who, day)
        needed = grants.used(who, day)
        assert needed <= {permission for permission, has in zip(grants.permissions, mask, strict=True) if has}
        held, used = held + int(mask.sum()), used + len(needed)
    assert 0.005 <= used / held <= 0.02


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_in_five_identities_are_inactive(seed: int) -> None:
    for world in (world_of(0.01, seed=seed), world_of(1.0, seed=seed)):
        grants = world.grants
        inactive = 1 - grants.active[grants.holding].mean()
        assert inactive == pytest.approx(0.6, abs=0.01)
        assert len(set(grants.identities)) == len(grants.identities)


def test_can_agrees_with_the_permissions_that_an_identity_has_in_effect(world: World) -> None:
    rng, day, grants = stream(1, "test"), world.calendar.window[-1], world.grants
    for who in rng.integers(0, len(grants.identities), 20).tolist():
        mask = grants.effective(who, day)
        for at in rng.integers(0, len(grants.permissions), 40).tolist():
            right, name = grants.permissions[at]
            assert world.grants.can(who, right, name, day) == bool(mask[at])


def test_groups_and_roles_are_three_to_five_deep_and_have_no_circles(large: World) -> None:
    grants = large.grants
    above: dict[str, list[str]] = {}
    for one in grants.memberships:
        above.setdefault(one.member, []).append(one.container)

    def depth(name: str, seen: tuple[str, ...] = ()) -> int:
        assert name not in seen
        return max((1 + depth(other, (*seen, name)) for other in above.get(name, ())), default=0)

    assert {depth(grants.identities[who]) for who in range(len(large.staff))} <= {3, 4, 5}
    assert max(depth(name) for name in grants.identities[len(large.staff) :]) <= 5


def test_rights_end_when_they_are_bounded_and_do_not_start_early(large: World) -> None:
    grants = large.grants
    bounded = [one for one in grants.grants if one.expires is not None]
    assert len(bounded) > 100
    place = {name: at for at, name in enumerate(grants.identities)}
    changed = 0
    for one in bounded[:60]:
        who, right, what = place[one.grantee], one.right, one.object
        right, what = ("select" if right == "*" else right), what.replace("*", "fact_order")
        first, last = one.granted // DAY_US + 1, int(one.expires or 0) // DAY_US + 1
        after = any(other is not one and other.grantee == one.grantee for other in bounded)
        if not after and not large.grants.can(who, right, what, first - 2):
            changed += large.grants.can(who, right, what, first) and not large.grants.can(who, right, what, last)
    assert changed >= 10


def test_who_moves_often_keeps_what_they_could_do_and_who_leaves_sometimes(large: World) -> None:
    year = world_of(1.0, days=365)
    kept = lost = 0
    for who, member in enumerate(year.staff.members):
        if member.moved is not None and member.left is None:
            groups = year.grants.containers(year.grants.identities[who], member.moved + 1)
            assert f"grp-{member.new_team}" in groups
            if member.team != member.new_team:
                kept, lost = kept + (f"grp-{member.team}" in groups), lost + (f"grp-{member.team}" not in groups)
    assert kept / (kept + lost) == pytest.approx(0.7, abs=0.2)
    leavers = [who for who, member in enumerate(large.staff.members) if member.left is not None]
    day = large.calendar.window[-1]
    able = [who for who in leavers if large.grants.can(who, "read", "wiki/handbook", day)]
    assert len(able) / len(leavers) == pytest.approx(0.3, abs=0.12)
    assert set(large.grants.dormant()) <= {*leavers, *range(len(large.staff), len(large.grants.identities))}


def test_the_directory_is_written_as_the_company_has_it(world: World, tmp_path: Path) -> None:
    write_grants(world.grants, tmp_path)
    table = pq.read_table(tmp_path / "grants.parquet")
    assert table.column_names == ["principal", "right", "object", "granted", "expires", "granted_by"]
    with (tmp_path / "groups.csv").open(encoding="utf-8", newline="") as file:
        groups = list(csv.DictReader(file))
    with (tmp_path / "roles.csv").open(encoding="utf-8", newline="") as file:
        roles = list(csv.DictReader(file))
    assert list(groups[0]) == ["member", "group", "since", "until"]
    assert list(roles[0]) == ["member", "role", "since", "until"]
    known = {*world.grants.identities, *(row["group"] for row in groups), *(row["role"] for row in roles)}
    assert {row["member"] for row in groups + roles} <= known
    assert set(table["principal"].to_pylist()) <= known


def test_a_pattern_covers_what_follows_its_star_and_itself() -> None:
    assert matches("warehouse/*", "warehouse/fact_order")
    assert matches("*", "read")
    assert matches("read", "read")
    assert not matches("warehouse/dim_*", "warehouse/fact_order")
    assert not matches("rea", "read")


# Devices


def test_the_three_lists_disagree_in_the_stated_shares(large: World) -> None:
    p, devices, day = large.parameters, large.devices, large.calendar.window[-1]
    used = np.array([one.is_used(day) for one in devices.all])
    assert used.sum() == pytest.approx(p.devices_at_full_scale, rel=0.1)
    staffs = np.array([one.kind in {"laptop", "terminal"} for one in devices.all]) & used
    for at, source in enumerate(SOURCES):
        assert 1 - devices.listed(source)[staffs].mean() == pytest.approx(p.devices_missing[at], abs=0.03)
    retired = np.array([one.kind in {"laptop", "terminal"} and not one.is_used(day) for one in devices.all])
    for source, share, stale in zip(SOURCES, p.devices_retired_listed, p.devices_stale_owner, strict=False):
        assert devices.listed(source)[retired].mean() == pytest.approx(share, abs=0.15)
        assert devices.stale(source)[staffs].mean() == pytest.approx(stale, abs=0.03)
        owner = np.array([one.owner for one in devices.all])
        assert ((devices.owner_listed(source) != owner) == devices.stale(source)).all()


def test_the_lists_know_devices_by_different_names(large: World, tmp_path: Path) -> None:
    rogue = stranger(stream(1, "rogue"), large.calendar.window[3])
    write_devices(large.parameters, large.staff, large.devices, tmp_path, [rogue])
    with (tmp_path / "devices_mdm.csv").open(encoding="utf-8", newline="") as file:
        mdm = list(csv.DictReader(file))
    with (tmp_path / "devices_assets.csv").open(encoding="utf-8", newline="") as file:
        assets = list(csv.DictReader(file))
    network = [json.loads(line) for line in (tmp_path / "devices_network.jsonl").read_text("utf-8").splitlines()]
    macs = {row["wifi_mac"].replace(":", "").lower() for row in mdm}
    seen = {row["mac"].replace(".", "") for row in network}
    assert 0.8 < len(macs & seen) / len(macs) < 0.95  # the network forgets what is retired, device management does not
    assert f"{rogue.mac:012x}" in seen - macs
    serials = {row["serial"] for row in mdm}
    bought = {row["serial"].removeprefix("S/N ").upper() for row in assets}
    assert 0.75 < len(serials & bought) / len(serials) < 0.99
    own = {member.device for member in large.staff.members}
    assert len(own & {row["hostname"] for row in mdm}) > 600
    assert not own & {str(row["name"]).split(".", maxsplit=1)[0] for row in network}  # in small letters there
    assert len({row["mac"] for row in network}) == len(network)


def test_a_replaced_device_is_new_from_its_day_on(large: World) -> None:
    replaced = large.devices.replaced
    who = int(np.flatnonzero(replaced < 1 << 40)[0])
    day = int(replaced[who])
    before, after = large.devices.used_by(day - 1)[who], large.devices.used_by(day)[who]
    assert large.devices.all[before].hostname == large.staff.members[who].device
    assert before != after
    assert large.devices.all[after].owner == who
    assert large.devices.all[after].is_used(day)
    assert not large.devices.all[before].is_used(day)
    logins = logins_of_day(large, day)
    assert (logins.label[logins.actor == who] == label("benign:new_device")).all()


# Logs


def equal(one: Events, other: Events) -> bool:
    return all((getattr(one, name) == getattr(other, name)).all() for name in one.__dataclass_fields__)


@pytest.mark.parametrize("make", [logins_of_day, accesses_of_day, views_of_day])
def test_a_day_is_the_same_alone_and_in_order(world: World, make) -> None:
    days = world.calendar.window[10:14]
    in_order = [make(world, day) for day in days]
    alone = make(world_of(0.01), days[-1])
    assert equal(in_order[-1], alone)
    assert not equal(in_order[0].at(np.arange(20)), alone.at(np.arange(20)))
    for day, events in zip(days, in_order, strict=True):
        assert (np.diff(events.time) >= 0).all()
        assert (events.time // DAY_US == day).all()
        assert not (events.time % 1000).any()
        assert (events.incident == -1).all()


def test_log_ins_are_read_as_ocsf_without_problems(world: World, tmp_path: Path) -> None:
    day = world.calendar.window[8]
    logins = logins_of_day(world, day)
    kind = sso_log(world, day)
    lines = kind.lines(logins, uids_of(kind, world.parameters, day, np.arange(len(logins)))).to_pylist()
    (tmp_path / "whole").write_text("".join(lines), "utf-8")
    with (tmp_path / "whole").open("rb") as file:
        batches = list(Ocsf().read(file, LogContext("sso")))
    assert not [problem for batch in batches for problem in batch.problems]
    rows = [row for batch in batches for row in batch.events.to_pylist()]
    assert len(rows) == len(logins)
    assert {row["class_uid"] for row in rows} == {3002}
    assert {row["activity"] for row in rows} == {"login"}
    names = world.staff.logins(day)
    assert [row["actor"] for row in rows] == [names[at] for at in logins.actor.tolist()]
    assert [row["device"] for row in rows] == logins.device.tolist()
    assert [row["status"] == "success" for row in rows] == (logins.result == 0).tolist()
    assert {row["actor_kind"] for row in rows} == {None, "service"}


def test_log_ins_are_as_varied_as_life(large: World) -> None:
    day = next(day for day in large.calendar.window if day % 7 == 0)  # a Thursday
    logins, places = logins_of_day(large, day), places_on(large, day)
    people = logins.actor < len(large.staff)
    assert len(set(logins.actor[people].tolist())) == sum(large.staff.works(i, day) for i in range(len(large.staff)))
    assert 0.03 < (logins.result[people] == 1).mean() < 0.12
    shared = Counter(places.address[logins.actor[people]].tolist())
    assert max(shared.values()) > 20  # a contact centre's
    office = logins.address >> 24 == 10
    assert 0.05 < 1 - office[people].mean() < 0.4
    assert office[~people].all()
    assert {COUNTRIES[at] for at in logins.country.tolist()} > {"US", "GB", "DE"}


def test_a_maker_lets_incidents_differ_only_in_what_they_do(world: World) -> None:
    day = world.calendar.window[5]
    idle = len(world.grants.identities) - 1
    time = np.array([day * DAY_US + 5_000_000, (day + 1) * DAY_US + 5_000_000])
    made = make_logins(
        stream(1, "x"), world, time, np.array([idle, 3]), what=INCIDENT, incident=7, device="DESKTOP-0A1B2C3",
        address=address("198.51.100.7"),
    )  # fmt: skip
    assert dotted(made.address).to_pylist() == ["198.51.100.7"] * 2
    assert made.incident.tolist() == [7, 7]
    assert made.label.tolist() == [INCIDENT] * 2
    lines = sso_log(world, day).lines(made, dotted(made.address))
    assert json.loads(lines[0].as_py())["user"]["name"] == world.grants.identities[idle]


def test_the_trail_has_the_form_of_cloudtrail(world: World, tmp_path: Path) -> None:
    day = world.calendar.window[8]
    accesses = accesses_of_day(world, day)
    kind = buckets_log(world, day)
    uids = uids_of(kind, world.parameters, day, np.arange(len(accesses)))
    records = [json.loads(line)["Records"] for line in kind.lines(accesses, uids).to_pylist()]
    assert {len(one) for one in records} == {1}
    whole = [one[0] for one in records]
    assert {one["eventSource"] for one in whole} == {
        "s3.amazonaws.com", "sts.amazonaws.com", "secretsmanager.amazonaws.com", "kms.amazonaws.com",
    }  # fmt: skip
    needed = {"eventVersion", "userIdentity", "eventTime", "eventName", "awsRegion", "sourceIPAddress", "userAgent",
              "requestParameters", "responseElements", "requestID", "eventID", "eventType", "recipientAccountId"}  # fmt: skip
    assert all(needed <= set(one) for one in whole)
    keys = {one["userIdentity"].get("userName"): one["userIdentity"].get("accessKeyId") for one in whole}
    assert keys["etl_nightly"] == access_key(world, world.staff.service("etl_nightly"))
    assert len({one["eventID"] for one in whole}) == len(whole)


def test_nobody_touches_a_bucket_or_a_page_that_they_may_not(world: World) -> None:
    rights = {GET: "read", PUT: "write", COPY: "write", HEAD: "read", LIST: "list", DELETE: "delete"}
    for day in world.calendar.window[12:16]:
        accesses = accesses_of_day(world, day)
        for who, kind, bucket in {
            *zip(accesses.actor.tolist(), accesses.operation.tolist(), accesses.bucket.tolist(), strict=True)
        }:
            assert kind not in rights or world.grants.can(who, rights[kind], f"buckets/{BUCKETS[bucket]}", day)
        views = views_of_day(world, day)
        for who, page in {*zip(views.actor.tolist(), views.page.tolist(), strict=True)}:
            assert world.grants.can(who, "read", "/".join(page.split("/")[:2]), day)


def test_an_undocumented_copy_chain_is_made_as_everybody_makes_theirs(world: World) -> None:
    day = world.calendar.window[5]
    who = int(world.staff.of_role("analyst", day)[0])
    chain = make_copy_chain(
        stream(3, "chain"),
        world,
        who,
        day * DAY_US + 40_000_000_000,
        table="dim_customer",
        opened=3,
        what=INCIDENT,
        incident=13,
    )
    saved = [PUT] if chain.extracts[-1].form == "spreadsheet" else []
    assert chain.accesses.operation.tolist() == [PUT, COPY, LIST, GET, *saved, GET, GET]
    assert chain.sql.text.lower().replace("\n", " ").split()[0] == "copy"
    assert "dim_customer" in chain.sql.text.lower()
    assert chain.accesses.key[1] == chain.key
    assert chain.accesses.source[1].endswith(chain.accesses.key[0])
    assert set(chain.accesses.incident.tolist()) == {13}
    benign = Accesses.joined([accesses_of_day(world_of(0.1), day) for day in world.calendar.window[20:23]])
    assert set(chain.accesses.agent.tolist()) <= set(benign.agent.tolist())


def test_a_secret_on_a_page_is_the_one_that_is_used_afterwards(world: World) -> None:
    page = next(one for one in wiki_pages(world.parameters) if one.owner)
    day, owner = world.calendar.window[5], world.staff.service(page.owner)
    use = make_secret_use(
        stream(3, "use"), world, 4, owner, page.path, day * DAY_US + 36_000_000_000, device="DESKTOP-0A1B2C3",
        address=address("198.18.7.7"), agent=0, calls=12, spacing_minutes=30.0, what=INCIDENT, incident=12,
    )  # fmt: skip
    assert isinstance(use.views, PageViews)
    assert isinstance(use.logins, Logins)
    assert (use.views.time[-1] < use.logins.time).all()
    assert (use.logins.time <= use.accesses.time[0]).all()
    record = json.loads(buckets_log(world, day).lines(use.accesses, dotted(use.accesses.address))[3].as_py())[
        "Records"
    ][0]
    assert record["userIdentity"]["accessKeyId"] == access_key(world, owner)
    assert record["sourceIPAddress"] == "198.18.7.7"


def test_page_views_are_json_lines(world: World, tmp_path: Path) -> None:
    day = world.calendar.window[8]
    views = views_of_day(world, day)
    kind = wiki_log(world, day)
    lines = kind.lines(views, uids_of(kind, world.parameters, day, np.arange(len(views)))).to_pylist()
    rows = [json.loads(line) for line in lines]
    assert {row["page"].split("/")[0] for row in rows} == {"wiki", "repositories"}
    assert set(rows[0]) == {"at", "request", "who", "ip", "action", "page", "status"}
