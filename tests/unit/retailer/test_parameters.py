"""Parameters: each states its bounds and its meaning, whatever breaks them is one line, whatever does not makes a company."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import pytest

from beholden.core.errors import BeholdenError, UsageError
from beholden.core.times import parse_time
from beholden.retailer import build_company, read_parameter
from beholden.retailer.parameters import ARGUMENTS, NO_CHANGES, PRESETS, SHARED_OUT, Parameters, checked_parameters
from beholden.retailer.parameters.bounds import GRADES, Bounds, Named, OneOf, Range, Row, Weights, laws_of, meanings_of

END = parse_time("2026-11-20T00:00:00Z")
LAWS = laws_of(Parameters)
SETTABLE = sorted(set(LAWS) - set(ARGUMENTS))
AT_SCALE = [name for name in SETTABLE if name.endswith("_at_full_scale")]
#: These have limits of their own beside that of their growth.
LIMITED = ("canaries_at_full_scale", "warehouse_tables_at_full_scale")


def made(changes: Mapping[str, Any] = NO_CHANGES, *, scale: float = 0.001, preset: str = "retailer") -> Parameters:
    return checked_parameters(preset=preset, scale=scale, seed=3, days=2, end=END, changes=changes)


def refused(changes: Mapping[str, Any], *, scale: float = 0.001) -> str:
    with pytest.raises(UsageError) as caught:
        made(changes, scale=scale)
    line = caught.value.line()
    assert len(line) < 400
    assert "\n" not in line
    return line


@pytest.mark.parametrize("preset", PRESETS)
def test_every_value_of_every_preset_is_what_its_own_law_makes_of_it(preset: str) -> None:
    parameters = made(preset=preset)
    for name, law in LAWS.items():
        value = getattr(parameters, name)
        assert law.checked(value) == value, name
        assert type(law.checked(value)) is type(value), name


def test_every_parameter_says_what_it_means() -> None:
    meanings = meanings_of(Parameters)
    assert set(meanings) == {one.name for one in fields(Parameters)}
    assert all(text and text == text.strip() and "|" not in text for text in meanings.values())
    assert all(law.expected for law in LAWS.values())


def test_what_is_no_value_is_told_with_its_name_and_what_is_expected() -> None:
    nonsense: tuple[object, ...] = (
        math.nan,
        math.inf,
        -math.inf,
        "a",
        "x" * 10**5,
        None,
        True,
        object(),
        [[]],
        {},
        b"1",
        10**400,
        (1,) * 99,
    )
    for name in SETTABLE:
        for value in nonsense:
            line = refused({name: value})
            assert line.startswith(f"parameter {name}: ")
            assert LAWS[name].expected in line


def test_both_ends_belong_to_the_bounds_and_nothing_beyond() -> None:
    for name in SETTABLE:
        law = LAWS[name]
        if isinstance(law, Bounds):
            step = 1 if law.whole else 1e-6
            assert law.checked(law.least) == law.least
            assert law.checked(law.most) == law.most
            refused({name: law.least - step})
            refused({name: law.most + step * max(1, law.most)})
            if law.whole:
                refused({name: law.least + 0.5})


@pytest.mark.parametrize("name", [name for name in SETTABLE if isinstance(LAWS[name], Weights)])
def test_weights_are_as_many_as_there_are_things_none_negative_not_all_zero(name: str) -> None:
    law = LAWS[name]
    assert isinstance(law, Weights)
    assert getattr(made({name: [1] * law.count}), name) == (1,) * law.count
    for wrong in ([1] * (law.count - 1), [1] * (law.count + 1), [0] * law.count, [1] * (law.count - 1) + [-1], ()):
        refused({name: wrong})


@pytest.mark.parametrize("name", [name for name in SETTABLE if isinstance(LAWS[name], Range)])
def test_ranges_begin_with_the_lower_end(name: str) -> None:
    law = LAWS[name]
    assert isinstance(law, Range)
    least, most = law.each.least, law.each.most
    assert getattr(made({name: [most, most]}), name) == (most, most)
    refused({name: (most, least)})


def test_values_by_grade_are_three_in_the_order_of_grades() -> None:
    law = LAWS["spike_days"]
    assert isinstance(law, Row)
    assert law.of == GRADES
    assert made({"spike_days": [[1, 1], (2, 3), (4, 4)]}).spike_days == ((1, 1), (2, 3), (4, 4))
    for wrong in (((1, 1), (2, 3)), ((1, 1), (3, 2), (4, 4)), (1, 2, 3), ((1, 1), (2, 3), (4, math.nan))):
        refused({"spike_days": wrong})


def test_named_rates_know_their_names() -> None:
    assert made({"statements_a_day": [["it", 3]]}).statements_a_day == (("it", 3.0),)
    assert made({"statements_a_day": ()}).statements_a_day == ()
    for wrong in ((("boss", 3.0),), (("it", 3.0), ("it", 4.0)), (("it", -1.0),), (("it",),), ("it",), "it", (3,)):
        assert "analyst, engineer" in refused({"statements_a_day": wrong})


@pytest.mark.parametrize("names", SHARED_OUT, ids=", ".join)
def test_shares_of_one_thing_are_at_most_all_of_it(names: tuple[str, ...]) -> None:
    assert refused(dict.fromkeys(names, 0.6)) == (
        f"parameters {', '.join(names)}: {0.6 * len(names):g} together; expected 1 at most"
    )


def test_what_grows_with_the_scale_has_limits_that_machines_can_hold() -> None:
    for one in fields(Parameters):
        usual: Any = one.default
        if one.name in AT_SCALE:
            for scale, times in ((100.0, 1), (1.0, 100), (0.1, 1000), (0.001, 1000)):
                if one.name not in LIMITED:
                    assert getattr(made({one.name: times * usual}, scale=scale), one.name) == times * usual
                assert refused({one.name: times * usual + usual}, scale=scale).startswith(f"parameter {one.name}: ")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"agents_min": 0}, "parameter agents_min: 0; expected a whole number from 2 to 2000"),
        ({"contacts_an_agent_day": 0}, "parameter contacts_an_agent_day: 0; expected a whole number from "),
        ({"days_remembered": 0}, "parameter days_remembered: 0; expected a whole number from 1 to "),
        ({"hosts_at_full_scale": 0}, "parameter hosts_at_full_scale: makes 0 hosts at scale 0.001; expected 1 or more"),
        ({"warehouse_tables_at_full_scale": 0}, "parameter warehouse_tables_at_full_scale: makes 0 tables"),
        ({"customers_at_full_scale": 1000}, "parameter customers_at_full_scale: makes 1 customers at scale 0.001"),
        ({"orders_a_day_at_full_scale": 0}, "parameter orders_a_day_at_full_scale: makes 0.0 orders a day"),
        ({"canaries_at_full_scale": 2_000_000}, "parameter canaries_at_full_scale: "),
        ({"order_hours": [1] + [0] * 23}, "parameter order_hours: nobody orders from 7 to 22 o'clock"),
        ({"agents_mim": 9}, "parameter agents_mim: is unknown; expected a name such as agents_min"),
        ({"zzz": 9}, "parameter zzz: is unknown; expected a name in docs/reference/meridian-parameters.md"),
        ({"customer:71830455": 9}, "parameter: is unknown; expected "),
        ({"seed": 9}, "parameter seed: cannot be changed like others; expected --seed, or the argument seed"),
        ({"preset": "bank"}, "parameter preset: cannot be changed like others; expected --preset"),
    ],
)
def test_what_makes_no_company_is_one_line(changes: dict[str, Any], says: str) -> None:
    assert refused(changes).startswith(says)


def test_a_team_that_no_machine_could_hold_is_refused() -> None:
    assert "agents at scale 100; expected 100,000 at most" in refused({"contacts_an_agent_day": 1}, scale=100.0)


def test_a_record_made_by_hand_is_checked_too() -> None:
    usual = made()
    with pytest.raises(UsageError, match=r"parameter absent: 2; expected a number from 0 to 0\.9"):
        replace(usual, absent=2)
    with pytest.raises(FrozenInstanceError):
        usual.absent = 0.2  # type: ignore[misc]


def test_the_same_values_are_the_same_record_however_they_are_written() -> None:
    """A half-built company is gone on with by whoever asks for the same."""
    one = made({"absent": 0, "contact_reasons": [1] * 7, "spike_days": [[1, 2]] * 3})
    two = made({"absent": 0.0, "contact_reasons": (1,) * 7, "spike_days": ((1, 2),) * 3})
    assert one == two
    assert hash(one) == hash(two)
    assert repr(one) == repr(two)


def typed(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{value[0]}:{value[1]}" if isinstance(value[0], str) else ",".join(map(typed, value))
    return str(value)


def test_every_value_can_be_written_as_text() -> None:
    usual = made()
    for name in SETTABLE:
        value = getattr(usual, name)
        assert LAWS[name].checked(read_parameter(name, typed(value))) == value, name


def test_any_other_text_is_read_as_something_that_is_refused() -> None:
    texts = ("", "a", "1,", ",", "nan", "1e999", "1;2", "0x10", "9" * 5000, "1," * 500, ":", "it:", "a:b:c")
    for name in SETTABLE:
        for text in texts:
            assert refused({name: read_parameter(name, text)}).startswith(f"parameter {name}: ")


def test_texts_are_one_of_those_that_are_known() -> None:
    law = LAWS["preset"]
    assert isinstance(law, OneOf)
    assert [law.checked(text) for text in ("bank", "farm", None, ["bank"])] == ["bank", None, None, None]


def test_laws_of_all_forms_are_in_use() -> None:
    assert {type(law) for law in LAWS.values()} == {Bounds, Named, OneOf, Range, Row, Weights}


def build(directory: Path, run: str = "quiet", **changes: Any) -> None:
    build_company(directory, scale=0.001, seed=3, days=2, end=END, run=run, changes=changes)


#: One after another: both ends of what decides how large things are, or what is divided by.
_EDGES: list[dict[str, Any]] = [
    {"agents_min": 2, "supervisors_at_full_scale": 0, "service_accounts_at_full_scale": 0},
    {"views_per_contact_extra": 0, "handling_sigma": 0, "second_customer": 0},
    {"logged_late": 0, "reviews_an_agent_month": 0},
    {"duplicate_lines": 1, "late_lines": 0},
    {"duplicate_lines": 0, "late_lines": 1},
    {"statements_a_day": (), "dashboards": 0, "api_errors": 0},
    {"card_holders": 0, "cards_shared": 0, "copied_customers": 0},
    {"identities_inactive": 0, "accounts_left_open": 0, "devices_missing": (1, 1, 1)},
    {"day_level_cv": 0.001, "history_days": 1, "contact_lag_sigma": 0.05},
]


@pytest.mark.parametrize("changes", _EDGES, ids=" ".join)
def test_values_at_their_bounds_make_a_company_or_one_line(tmp_path: Path, changes: dict[str, Any]) -> None:
    build(tmp_path / "company", run="recall", **changes)
    assert (tmp_path / "company/truth/incidents.jsonl").is_file()


def test_flows_that_do_not_balance_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(BeholdenError, match=r"views: .* the flows do not balance") as caught:
        build(tmp_path, fraud_cases_a_day_at_full_scale=300_000)
    assert "\n" not in caught.value.line()


@pytest.mark.parametrize(
    ("what", "days", "changes"),
    [
        ("share of views with a documented reason", 3, {"logged_late": 0.5}),
        ("an agent's time for a view", 3, {"views_per_contact_extra": 50}),
    ],
)
def test_small_companies_must_balance_too(tmp_path: Path, what: str, days: int, changes: dict[str, Any]) -> None:
    with pytest.raises(BeholdenError, match=f"{what}: .* the flows do not balance"):
        build_company(tmp_path / "company", scale=0.01, days=days, end=END, changes=changes)


def test_a_file_of_as_many_cards_as_there_are_can_be_taken(tmp_path: Path) -> None:
    build(tmp_path, run="recall", cards_a_file=(100_000, 100_000), export_pieces_mimicry=(1, 1))


def test_what_is_set_decides_what_is_built(tmp_path: Path) -> None:
    company = build_company(
        tmp_path / "few", scale=0.001, seed=3, days=2, end=END, run="quiet", changes={"agents_min": 4}
    )
    assert company.agents == 4
    build(tmp_path / "unnoted", ticket_noted=0.0)
    lines = [line for path in (tmp_path / "unnoted/logs").glob("console-*") for line in path.read_text().splitlines()]
    assert len(lines) > 20
    assert not any('"ticket":"' in line for line in lines)


def test_a_refused_value_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="parameter absent: -1"):
        build(tmp_path / "new", absent=-1)
    assert not (tmp_path / "new").exists()


def test_an_unfinished_company_is_gone_on_with_by_the_same_parameters_only(tmp_path: Path) -> None:
    def stop(what: str, _: float) -> None:
        if what == "stores":
            raise KeyboardInterrupt

    def start(**other: Any) -> None:
        build_company(tmp_path, **{"scale": 0.001, "seed": 3, "days": 2, "end": END, "run": "quiet", **other})

    with pytest.raises(KeyboardInterrupt):
        start(changes={"agents_min": 5}, progress=stop)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for other, there in (
        ({}, "agents_min 5 there"),
        ({"changes": {"agents_min": 6}}, "agents_min 5 there"),
        ({"changes": {"agents_min": 5}, "seed": 4}, "seed 3 there"),
        ({"changes": {"agents_min": 5}, "run": "demo"}, "run 'quiet' there"),
        ({"changes": {"agents_min": 5}, "end": END + 86_400_000_000}, "end 2026-11-20 there"),
    ):
        with pytest.raises(UsageError, match="holds another company that is not finished") as caught:
            start(**other)
        assert there in caught.value.line()
        assert "\n" not in caught.value.line()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    start(changes={"agents_min": 5})
    assert not (tmp_path / "INCOMPLETE").exists()


def test_a_mark_cut_off_in_the_middle_of_a_part_loses_no_more_than_that_part(tmp_path: Path) -> None:
    def stop(what: str, _: float) -> None:
        if what == "truth":
            raise KeyboardInterrupt

    def start(**more: Any) -> None:
        build_company(tmp_path, scale=0.001, seed=3, days=2, end=END, run="quiet", **more)

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            start(progress=stop)
        marker = tmp_path / "INCOMPLETE"
        text = marker.read_text()
        assert '{"part": "stores"' in text.splitlines()[-1]
        marker.write_text(text[:-9])
    start()
    assert not (tmp_path / "INCOMPLETE").exists()
