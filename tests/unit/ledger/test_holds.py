"""Legal holds: what they keep, whom they protect, and that nobody drops one unseen."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.ledger import NOW, SIGNER, batch_of, event, events, open_ledger

from beholden.core.errors import NotFoundError, UsageError
from beholden.core.selectors import Selector
from beholden.ledger.records import HoldRecord, ReleaseRecord
from beholden.ledger.retention import Policy
from beholden.ledger.verify import verify

DAY = 86_400_000_000
POLICY = Policy(Selector.parse("*"), 30, "accountability")
HELD, OTHER = b"h" * 16, b"o" * 16


@pytest.fixture
def days():
    return [0]


@pytest.fixture
def ledger(tmp_path, days):
    """Three segments: named persons, a read of a whole table, somebody else."""
    ledger = open_ledger(tmp_path / "ledger", clock=lambda: NOW + days[0] * DAY)
    common: dict[str, Any] = {
        "store": "crm",
        "dataset": "public.a",
        "actor": OTHER,
        "on_behalf_of": None,
        "subject_count": None,
    }
    rows: list[dict[str, Any]] = [
        {"scope": "subjects", "subjects": [OTHER]},
        {"scope": "none", "subjects": None, "dataset": "public.b", "actor": HELD},
        {"scope": "subjects", "subjects": [OTHER, HELD]},
        {"scope": "none", "subjects": None, "store": "web", "time": NOW + 5 * DAY},
    ]
    for number, row in enumerate(rows):
        days[0] = number
        ledger.append(batch_of([event(number, **(common | row))]))
        ledger.seal()
    days[0] = 50
    return ledger


def hold(on, hold_id="h1", **values):
    return HoldRecord(hold_id=hold_id, on=on, by=b"x", reason=b"y", since=NOW, **values)


def goes(ledger):
    return ledger.plan_prune([POLICY]).events


@pytest.mark.parametrize(
    ("record", "before"),
    [
        (hold("subject", value=HELD.hex()), 2),
        (hold("subject", value=OTHER.hex()), 0),
        (hold("actor", value=HELD.hex()), 1),
        (hold("actor", value=b"?".hex() * 16), 4),
        (hold("dataset", value="crm/public.b"), 1),
        (hold("dataset", value="web/*"), 3),
        (hold("dataset", value="hr/*"), 4),
        (hold("seq", first=2, end=3), 2),
        (hold("seq", first=4, end=9), 4),
        (hold("time", first=NOW, end=None), 3),
        (hold("time", first=None, end=NOW - 300 * DAY), 4),
    ],
)
def test_a_hold_keeps_what_it_may_be_about_and_all_after_it(ledger, record, before):
    assert goes(ledger) == 4
    ledger.record(record)
    plan = ledger.plan_prune([POLICY])
    assert plan.events == before
    assert (plan.reasons[:1] == (f"hold h1 ({record.on})",)) is (before < 4)
    ledger.record(ReleaseRecord(hold_id="h1", by=b"x", reason=b"z"))
    assert goes(ledger) == 4


@pytest.mark.parametrize(
    "row",
    [
        {"scope": "table", "subjects": None},
        {"scope": "predicate", "subjects": None},
        {"scope": "subjects", "subjects": [OTHER], "subject_count": 2},
    ],
)
def test_what_may_have_shown_a_held_person_stays(tmp_path, row):
    now = [NOW]
    ledger = open_ledger(tmp_path / "ledger", clock=lambda: now[0])
    ledger.append(batch_of([event(0, **({"subject_count": None} | row))]))
    ledger.record(hold("subject", value=HELD.hex()))
    now[0] += 31 * DAY
    assert goes(ledger) == 0


def test_the_held_are_named_and_a_release_stays_on_record(ledger):
    ledger.record(hold("subject", "h1", value=HELD.hex()))
    ledger.record(hold("subject", "h1", value=HELD.hex()))
    ledger.record(hold("actor", "h2", value=OTHER.hex()))
    ledger.record(hold("seq", "h3", first=0, end=1))
    holds = ledger.holds()
    assert [one.record.hold_id for one in holds.all] == ["h1", "h2", "h3"]
    assert holds.people == {HELD, OTHER}
    ledger.record(ReleaseRecord(hold_id="h1", by=b"x", reason=b"z"))
    ledger.record(ReleaseRecord(hold_id="nobody", by=b"x", reason=b"z"))
    holds = ledger.holds()
    assert holds.people == {OTHER}
    assert (holds.all[0].released, len(holds.in_force)) == (NOW + 50 * DAY, 2)
    with pytest.raises(UsageError):
        holds.named("h1")
    with pytest.raises(NotFoundError):
        holds.named("h9")
    assert holds.named("h2").value == OTHER.hex()


def test_a_hold_outlives_the_segment_it_was_written_to(ledger, days):
    ledger.record(hold("subject", value=b"n".hex() * 16))
    for later in (100, 150, 200):
        days[0] = later
        ledger.append(events(later, later + 3))
        ledger.record(hold("dataset", f"d{later}", value="nowhere/*"))
        ledger.record(ReleaseRecord(hold_id=f"d{later}", by=b"x", reason=b"z"))
    days[0] = 185
    ledger.prune([POLICY], trust_clock=True)
    days[0] = 300
    ledger.append(batch_of([event(900, scope="none", subjects=None, subject_count=None)]))
    ledger.prune([POLICY], trust_clock=True)
    assert ledger.tables().manifest.first_seq > 4
    assert "h1" in {one.hold_id for one in ledger.holds().in_force}


def test_a_hold_is_under_the_signed_tree_at_once(ledger, tmp_path):
    ledger.record(hold("subject", value=HELD.hex()))
    assert ledger.tables().recent.num_rows == 0
    segment = max((tmp_path / "ledger/segments").iterdir())
    segment.unlink()
    assert f"segments/{segment.name}" in {one.object for one in verify(tmp_path / "ledger", key=SIGNER).findings}
