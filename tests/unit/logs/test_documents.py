from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholden.core.limits import LINE_BYTES_MAX
from beholden.logs._documents import NO_RECORDS, Place, json_records
from beholden.logs._source import Source

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=3), max_size=6)


class Dribble(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def read1(self, _size: int | None = -1) -> bytes:
        return self.read(7)


def split(raw: bytes, place: Place | None = Place(), stream=io.BytesIO):  # noqa: B008 - a frozen record
    return list(json_records(Source(stream(raw)), place))


def values(raw: bytes, place: Place | None = Place(), stream=io.BytesIO):  # noqa: B008 - a frozen record
    records = split(raw, place, stream)
    assert [record.problem for record in records if record.problem] == []
    return [json.loads(record.raw) for record in records]


@given(RECORDS, st.sampled_from([None, 0, 1, 3]), st.booleans())
def test_any_array_is_split_into_its_records(records, indent, wrapped):
    place = Place(("a", "Records") if wrapped else ())
    document = {"x": [1, {"Records": [2]}], "a": {"y": "]", "Records": records, "z": {}}} if wrapped else records
    raw = json.dumps(document, indent=indent).encode()
    assert values(raw, place) == records
    assert values(raw + b"\n" + raw, place) == records * 2


@given(RECORDS, st.sampled_from([None, 2]))
def test_any_documents_are_split(records, indent):
    raw = b" ".join(json.dumps(record, indent=indent).encode() for record in records)
    assert values(raw, Place(in_array=False)) == records


def test_pieces_of_a_stream_do_not_matter(monkeypatch):
    monkeypatch.setattr("beholden.logs._source._CHUNK_BYTES", 7)
    records = [{"a": 'x"\\}]{[', "b": [[{}], "\u00e9\\"]} for _ in range(30)]
    for indent in (None, 2):
        raw = json.dumps({"meta": {"Records": 1}, "Records": records}, indent=indent).encode()
        place = Place(("Records",))
        assert values(raw, place, Dribble) == records
        numbers = [record.number for record in split(raw, place, Dribble)]
        assert numbers == [record.number for record in split(raw, place)]


def test_lines_or_an_array_are_told_by_the_first_byte():
    assert values(b' [{"a":1},\n{"a":2}]', None) == [{"a": 1}, {"a": 2}]
    assert values(b'{"a":1}\n\n {"a":2}', None) == [{"a": 1}, {"a": 2}]


def test_what_is_no_record_is_told():
    records = split(b'[1, {"a": 1}, "x, y", {"a": 2}\n, oops {\n {"a": 3} ]\n{"b": []}\n5\n[{"a": 4}]')
    assert [(record.number, record.problem) for record in records] == [
        (1, "not a JSON object"),
        (1, None),
        (1, "not a JSON object"),
        (1, None),
        (2, "not valid JSON"),
        (3, None),
        (4, NO_RECORDS),
        (5, "not valid JSON"),
        (6, None),
    ]


@pytest.mark.parametrize("cut", range(1, 40))
def test_an_array_that_is_cut_short_says_so(cut):
    raw = b'[\n {"a": "\\"x"},\n {"a": [{"b": 2}]}\n]'
    records = split(raw[:cut])
    kept = [record.raw for record in records if record.problem is None]
    assert kept == [whole for whole, end in ((b'{"a": "\\"x"}', 15), (b'{"a": [{"b": 2}]}', 35)) if cut >= end]
    assert [record.problem for record in records if record.problem] == (["truncated record"] if cut < len(raw) else [])


def test_depth_is_bounded():
    for raw in (b"[" * 100_000, b'{"a":' * 100_000, b"[" + b'{"a":[' * 100_000):
        assert all(record.problem for record in split(raw, Place(("Records",))))
        assert all(record.problem for record in split(raw))


def test_lines_that_never_close_do_not_cost_the_square_of_their_number():
    raw = b"[\n" + b'{"a":\n' * 100_000 + b'{"a": 1}\n]'
    records = split(raw)
    assert records[-2].raw == b'{"a": 1}' or records[-1].raw == b'{"a": 1}'


def test_an_overlong_record_on_one_line_is_skipped_whole():
    inner = b'{"a":[' + b'"xxxxxxxxxxxxxx",' * (3 * LINE_BYTES_MAX // 17) + b"1]}"
    records = split(b'[{"b":1},' + inner + b',{"b":2}]')
    assert [record.problem for record in records] == [None, f"longer than {LINE_BYTES_MAX} bytes", None]
    assert records[2].raw == b'{"b":2}'
