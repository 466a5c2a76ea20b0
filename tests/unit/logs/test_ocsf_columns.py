"""Records read many at a time become what each becomes by itself, whatever they are like."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beholden.core.errors import SourceError
from beholden.core.limits import BATCH_ROWS, LINE_BYTES_MAX
from beholden.logs import LogBatch, LogContext, ocsf, open_reader

TIME = 1_795_348_800_000
NEVER = 1 << 60


def read(raw: bytes, monkeypatch: pytest.MonkeyPatch, run_min: int) -> list[LogBatch] | str:
    """The batches; or how the reading ended, with what it gave until then."""
    batches = []
    with monkeypatch.context() as patch:
        patch.setattr(ocsf, "_RUN_MIN", run_min)
        try:
            for batch in open_reader("ocsf").read(io.BytesIO(raw), LogContext("idp")):
                batches.append(batch)  # noqa: PERF402 - what came before an error is kept
        except SourceError as error:
            return f"{error} after {[(b.records, b.parsed, b.problems) for b in batches]}"
    return batches


def assert_same(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> list[LogBatch]:
    """Read both ways; returns the batches."""
    one_by_one, many = read(raw, monkeypatch, NEVER), read(raw, monkeypatch, 1)
    assert isinstance(many, str) == isinstance(one_by_one, str)
    if isinstance(many, str) or isinstance(one_by_one, str):
        assert many == one_by_one
        return []
    assert len(many) == len(one_by_one)
    for quick, slow in zip(many, one_by_one, strict=True):
        assert quick.events.equals(slow.events), (quick.events.to_pylist(), slow.events.to_pylist())
        quick.events.validate(full=True)
        assert (quick.records, quick.parsed, quick.noise) == (slow.records, slow.parsed, slow.noise)
        assert (quick.problems, quick.mended) == (slow.problems, slow.mended)
    return many


HOSTILE: Any = st.sampled_from(
    [None, "", "x", "\N{SNOWMAN}", "3", 0, 1, 3, -1, 1.0, 1.5, True, False, [], {}, [1], {"name": "n"}, {"uid": 7}, 2**63, 2**70]
)  # fmt: skip
TEXT = st.one_of(st.sampled_from(["u7", "ann", "public.customer", "customer", "c@example.com"]), HOSTILE)


def objects(**fields: Any) -> Any:
    """Objects with some of these fields, or something else in their place."""
    return st.one_of(st.fixed_dictionaries({}, optional=fields), HOSTILE)


USER = objects(uid=TEXT, name=TEXT, email_addr=TEXT, type_id=st.one_of(st.integers(0, 4), HOSTILE), credential_uid=TEXT)
SESSION = objects(uid=TEXT, credential_uid=TEXT)
NAMED = objects(name=TEXT, uid=TEXT)
FILE = objects(name=TEXT, path=TEXT)
SUBJECT = st.one_of(st.sampled_from(["customer:1", "customer:2", "customer:", "Customer:1", "c:\n", "nobody"]), HOSTILE)
RESOURCE = objects(
    type=st.one_of(st.sampled_from(["customer", "data_subject", "table"]), HOSTILE),
    name=TEXT,
    uid=st.one_of(SUBJECT, TEXT),
)
RECORDS = st.one_of(
    st.fixed_dictionaries(
        {
            "class_uid": st.one_of(st.sampled_from([6005, 6005, 6005, 6003, 6006, 3002, 3005, 4001]), HOSTILE),
            "time": st.one_of(st.integers(TIME, TIME + 5), st.sampled_from(["2026-11-22T12:00:00Z", 17, 10**17]), HOSTILE),
        },
        optional={
            "activity_id": st.one_of(st.integers(0, 9), HOSTILE),
            "type_uid": st.one_of(st.sampled_from([600501, 600301]), HOSTILE),
            "activity_name": st.one_of(st.sampled_from(["Read", "export", "Frobnicate"]), HOSTILE),
            "status_id": st.one_of(st.integers(0, 3), HOSTILE),
            "status": st.one_of(st.sampled_from(["Success", "failure"]), HOSTILE),
            "time_dt": st.sampled_from(["2026-11-22T12:00:00Z", "2026-11-22", None]),
            "metadata": objects(uid=TEXT, product=NAMED, version=TEXT),
            "actor": objects(user=USER, session=SESSION, app_name=TEXT),
            "user": USER,
            "session": SESSION,
            "src_endpoint": objects(ip=TEXT),
            "device": NAMED,
            "query_info": objects(query_string=TEXT, query_result_count=HOSTILE, count=HOSTILE, bytes=HOSTILE),
            "table": NAMED,
            "database": NAMED,
            "databucket": objects(name=TEXT, file=FILE),
            "file": FILE,
            "resources": st.one_of(st.lists(RESOURCE, max_size=3), HOSTILE),
            "web_resources": st.one_of(st.lists(RESOURCE, max_size=2), HOSTILE),
            "entity": NAMED,
            "unmapped": objects(subjects=st.one_of(st.lists(SUBJECT, max_size=3), HOSTILE)),
            "other": HOSTILE,
        },
    ),
    HOSTILE,
)  # fmt: skip
# Records of the usual types, and what spoils one or two places of them
WORD = st.sampled_from(["u7", "ann", "public.customer", "customer", ""])
G_NAMED = st.fixed_dictionaries({}, optional={"name": WORD, "uid": WORD})
G_SESSION = st.fixed_dictionaries({}, optional={"uid": WORD, "credential_uid": WORD, "is_remote": st.booleans()})
G_USER = st.fixed_dictionaries(
    {}, optional={"uid": WORD, "name": WORD, "email_addr": WORD, "type_id": st.integers(0, 4), "credential_uid": WORD}
)
G_RESOURCE = st.fixed_dictionaries(
    {"type": st.sampled_from(["customer", "data_subject", "table"])},
    optional={"name": WORD, "uid": st.sampled_from(["7", "customer:8", "t"])},
)
USUAL = st.fixed_dictionaries(
    {"class_uid": st.sampled_from([6005, 6005, 6003, 6006, 3002, 3005]), "time": st.integers(TIME, TIME + 5)},
    optional={
        "activity_id": st.integers(0, 9),
        "status_id": st.integers(0, 3),
        "status": st.sampled_from(["Success", "failure"]),
        "metadata": st.fixed_dictionaries({}, optional={"uid": WORD, "product": G_NAMED, "version": WORD}),
        "actor": st.fixed_dictionaries({}, optional={"user": G_USER, "session": G_SESSION, "app_name": WORD}),
        "user": G_USER,
        "session": G_SESSION,
        "src_endpoint": st.fixed_dictionaries({}, optional={"ip": WORD}),
        "device": G_NAMED,
        "query_info": st.fixed_dictionaries(
            {},
            optional={name: st.integers(0, 9) for name in ("query_result_count", "count", "bytes")}
            | {"query_string": st.sampled_from(["select 1", ""])},
        ),
        "table": G_NAMED,
        "database": G_NAMED,
        "databucket": st.fixed_dictionaries({}, optional={"name": WORD, "file": G_NAMED}),
        "file": G_NAMED,
        "resources": st.lists(G_RESOURCE, max_size=2),
        "web_resources": st.lists(G_RESOURCE, max_size=1),
        "entity": G_NAMED,
        "unmapped": st.fixed_dictionaries(
            {}, optional={"subjects": st.lists(st.sampled_from(["customer:1", "customer:2"]), max_size=3)}
        ),
    },
)


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    record: Any = draw(USUAL)
    for _ in range(draw(st.integers(0, 2))):
        place = record
        while True:
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if not isinstance(place[key], (dict, list)) or not place[key] or draw(st.booleans()):
                break
            place = place[key]
        place[key] = draw(HOSTILE)
    return record


PLAIN = {
    "class_uid": 6005,
    "activity_id": 1,
    "time": TIME,
    "metadata": {"uid": "e1"},
    "actor": {"user": {"uid": "ann"}},
    "table": {"name": "customer"},
    "unmapped": {"subjects": ["customer:1"]},
}
LINES = st.one_of(
    st.builds(lambda value: json.dumps(value).encode(), spoiled()),
    st.builds(lambda value: json.dumps(value).encode(), spoiled()),
    st.builds(lambda value: json.dumps(value).encode(), spoiled()),
    st.builds(lambda value: json.dumps(value).encode(), RECORDS),
    st.builds(lambda value: json.dumps(value, ensure_ascii=False).encode(), RECORDS),
    st.just(json.dumps(PLAIN).encode()),
    st.sampled_from(
        [
            b"",
            b" \r",
            b'{"class_uid":6005,"class_uid":6003,"activity_id":1,"time":1795348800000,"table":{"name":"a"},"table":{}}',
            b'{"class_uid":6005,"activity_id":1,"time":1795348800000,"other":1e999}',
            b'{"class_uid":6005,"activity_id":1,"time":1795348800000,"other":"\xff"}',
            b'{"class_uid":6005,"activity_id":1,"time":1795348800000,"\xff":1}',
            b'{"class_uid":6005,"activity_id":1,"time":1795348800000,"other":"\\ud800"}',
            b'{"class_uid":6005,"activity_id":1,"time":1e999}',
            b'{"class_uid":6005,"activity_id":1,"time":1795348800000}{"class_uid":6005}',
            b'{"class_uid":6005,"activity_id":1,"time":1795348800000,"other":' + b"[" * 1200 + b"]" * 1200 + b"}",
            b'{"class_uid":6005,"activity_id":1,',
            b'"time":1795348800000}',
            b'{"class_uid":6005,"activity_id":1,"time":1795348800000,"actor":{"user":{"name":"\\u00e9\\u0000"}}} ',
        ]
    ),
    st.binary(max_size=12),
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(LINES, max_size=12), st.booleans())
def test_many_at_a_time_is_as_one_by_one(monkeypatch, lines, ended):
    assert_same(b"\n".join(lines) + b"\n" * ended, monkeypatch)


def test_ordinary_records_are_read_many_at_a_time(monkeypatch):
    def refuse(*_):
        raise AssertionError("one by one")

    raw = b"".join(json.dumps({**PLAIN, "metadata": {"uid": f"e{i}"}}).encode() + b"\n" for i in range(600))
    with monkeypatch.context() as patch:
        patch.setattr(ocsf._Records, "one", refuse)
        (batch,) = open_reader("ocsf").read(io.BytesIO(raw), LogContext("idp"))
    assert batch.events.column("record").to_pylist() == list(range(1, 601))
    assert batch.parsed == 600


@pytest.mark.parametrize("with_uid", [True, False])
def test_batches_are_cut_in_the_same_places(monkeypatch, with_uid):
    records = [
        {**PLAIN, "time": TIME + i // 3, "metadata": {"uid": f"e{i}"} if with_uid else None} for i in range(9000)
    ]
    for place in (7, 8000, 8191, 8192, 8300):
        records[place] = {**PLAIN, "resources": [{"name": "a"}, {"name": "b"}], "table": None}
    batches = assert_same(b"".join(json.dumps(one).encode() + b"\n" for one in records), monkeypatch)
    assert [batch.records for batch in batches if batch.records] == [BATCH_ROWS, 9000 - BATCH_ROWS]


def test_overlong_lines_between_ordinary_ones(monkeypatch):
    line = json.dumps(PLAIN).encode()
    long = json.dumps({**PLAIN, "other": "x" * (LINE_BYTES_MAX + 9)}).encode()
    (batch,) = assert_same(b"\n".join([*[line] * 40, long, *[line] * 40]), monkeypatch)
    assert (batch.parsed, [problem.record for problem in batch.problems]) == (80, [41])
