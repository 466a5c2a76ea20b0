"""What every reader must do, whatever its format."""

from __future__ import annotations

import gzip
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beholden.core.errors import SourceError
from beholden.core.events import RAW_EVENTS
from beholden.core.limits import LINE_BYTES_MAX
from beholden.logs import LogContext, open_log

COUNT = 60


def test_every_record_gives_its_event(specimen):
    reading = specimen.read(specimen.log(specimen.many(COUNT)))
    assert (reading.records, reading.reasons) == (COUNT, [])
    assert reading.events.schema == RAW_EVENTS
    assert len(set(reading.identities)) == COUNT
    assert set(reading.events.column("object").to_pylist()) == {"public.customer"}
    assert set(reading.events.column("activity").to_pylist()) == {"read"}
    records = reading.events.column("record").to_pylist()
    assert records == sorted(set(records))


def test_records_are_numbered_by_their_first_line(specimen):
    raw = specimen.log(specimen.many(20))
    lines = raw.split(b"\n")
    for number in specimen.read(raw).events.column("record").to_pylist():
        assert lines[number - 1].lstrip(b"[ ")[:1] in (b"{", b"1", b"2")


def test_a_second_reading_gives_the_same(specimen):
    raw = specimen.log(specimen.many(COUNT))
    assert specimen.read(raw).events.equals(specimen.read(raw).events)


def test_another_server_gives_other_identities(specimen):
    raw = specimen.log(specimen.many(COUNT))
    assert not set(specimen.read(raw, "a").identities) & set(specimen.read(raw, "b").identities)


def test_gzip_is_the_same_as_plain(specimen, tmp_path):
    raw = specimen.log(specimen.many(COUNT))
    path = tmp_path / "log.txt"
    path.write_bytes(gzip.compress(raw))
    with open_log(path) as stream:
        assert specimen.read(stream.read()).identities == specimen.read(raw).identities


def test_a_file_cut_between_records_gives_the_same_identities(specimen):
    first, second = specimen.many(COUNT // 2), specimen.many(COUNT // 2, COUNT // 2 + 1)
    parts = [specimen.read(specimen.log(part)).identities for part in (first, second)]
    assert parts[0] + parts[1] == specimen.read(specimen.log(first + second)).identities


def test_half_a_record_at_the_end_is_a_problem_and_the_rest_is_kept(specimen):
    records = specimen.many(COUNT)
    whole = specimen.read(specimen.log(records)).identities
    last = specimen.make(COUNT + 3)
    for cut in (len(last) // 4, len(last) // 2, len(last) - 9):
        reading = specimen.read(specimen.log(records).removesuffix(specimen.tail) + specimen.between + last[:cut])
        assert reading.identities == whole
        assert reading.reasons[-1] == "truncated record"
        assert len(reading.reasons) == 1 or specimen.name == "mapped-csv"  # where any line may begin a record


@pytest.mark.parametrize(
    "garbage",
    [
        b"Zebedee was here",
        b'Zebedee "was here',
        b"}}}]]]{{{ Zebedee",
        b"\0\x01\xff\xfe",
        b'{"Zebedee": "x',
        b'2026-11-22 12:44:35.138 UTC,"Zebedee","shop",1,"h:1",6b02e3b3.2475,77,"SELECT",2026',
        b'2026-11-22 12:44:35.138 UTC,"Zebedee","shop",1,"h:1",6b02e3b3.2475,77,"SELECT,2026',
    ],
)
def test_garbage_in_the_middle_does_not_swallow_the_rest(specimen, garbage):
    before, after = specimen.many(10), specimen.many(10, 11)
    whole = set(specimen.read(specimen.log(before + after)).identities)
    reading = specimen.read(specimen.log([*before, garbage, *after]))
    assert reading.reasons
    lost = whole - set(reading.identities)
    assert len(lost) <= (0 if specimen.in_lines else 1), reading.reasons


def test_a_record_that_breaks_off_in_the_middle_does_not_swallow_the_next(specimen):
    before, after = specimen.many(9), specimen.many(10, 13)
    whole = set(specimen.read(specimen.log(before + after)).identities)
    broken = specimen.make(12)
    for cut in range(len(broken) // 10, len(broken), len(broken) // 10):
        reading = specimen.read(specimen.log([*before, broken[:cut], *after]))
        assert whole - set(reading.identities) == set(), (cut, reading.reasons)
        assert reading.reasons


def test_nothing_in_an_empty_file(specimen):
    assert specimen.read(b"").records == 0
    assert specimen.read(b"\n \r\n\n").records == 0


def test_crlf_and_a_byte_order_mark_change_nothing(specimen):
    raw = specimen.log(specimen.many(COUNT))
    changed = specimen.read(b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n"))
    assert changed.identities == specimen.read(raw).identities
    assert changed.reasons == []


def test_invalid_utf8_is_replaced_and_counted(specimen):
    records = specimen.many(COUNT)
    records[4] = records[4].replace(b"Zebedee", b"Z\xff\xe9bedee")
    reading = specimen.read(specimen.log(records))
    assert (reading.records, reading.reasons, reading.mended) == (COUNT, [], 1)
    assert "Z\N{REPLACEMENT CHARACTER}" in str(reading.events.slice(4, 1).column("actor").to_pylist())


def test_an_overlong_record_is_a_problem_and_the_rest_is_kept(specimen):
    before, after = specimen.many(5), specimen.many(5, 6)
    whole = set(specimen.read(specimen.log(before + after)).identities)
    long = specimen.make(12).replace(b"Zebedee", b"Zebedee" * (LINE_BYTES_MAX // 7 + 500_000))
    reading = specimen.read(specimen.log([*before, long, *after]))
    assert set(reading.identities) >= whole
    assert reading.reasons[0] == f"longer than {LINE_BYTES_MAX} bytes"
    assert len(reading.reasons) <= 1 + specimen.make(12).count(b"\n")


def test_batches_are_bounded(specimen):
    reading = specimen.read(specimen.log(specimen.many(9000)))
    assert [batch.records for batch in reading.batches] == [8192, 808]


def test_a_log_of_another_format_is_named(specimen):
    line = '10.0.0.1 - - [22/Nov/2026:10:00:00 +0000] "GET /customers/{} HTTP/1.1" 200 1\n'
    other = "".join(line.format(i) for i in range(60)).encode()
    for raw in (other, other[:200]):
        with pytest.raises(SourceError) as caught:
            specimen.read(raw)
        assert "a web server's access log" in str(caught.value)


def test_a_stream_that_fails_keeps_what_came_before(specimen, tmp_path):
    random_ = random.Random(1)
    records = specimen.many(COUNT)
    raw = specimen.log(records) + random_.randbytes(100_000).hex().encode()
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(raw)[:-20_000])
    identities: list[bytes] = []
    with open_log(path) as stream:
        batches = specimen.new_reader().read(stream, LogContext("crm"))
        identities += next(batches).events.column("identity").to_pylist()
        with pytest.raises(SourceError, match="cut short or damaged"):
            next(batches)
    assert identities == specimen.read(specimen.log(records)).identities


BITS = [b'"', b"\n", b"\r\n", b",", b"{", b"}", b"[", b"]", b":", b"\\", b" ", b"\0", b"\xff", b"null", b"1e999", b"{}"]


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(specimen, data):
    records = specimen.many(6)
    piece = st.one_of(st.binary(max_size=40), st.sampled_from(BITS), st.sampled_from(records))
    raw = b"".join(data.draw(st.lists(piece, max_size=30)))
    cut = data.draw(st.integers(0, len(raw)))
    log = data.draw(st.sampled_from([raw, specimen.log([*records, raw]), raw[:cut] + specimen.head + raw[cut:]]))
    refused = ""
    try:
        specimen.read(log)  # which checks the account of every batch
    except SourceError as error:
        refused = str(error)
    assert "Zebedee" not in refused
