from __future__ import annotations

import io
import json
import textwrap
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from beholden.core.errors import ConfigError, SourceError
from beholden.core.limits import CONFIG_BYTES_MAX
from beholden.logs import LogContext, load_mapping, open_reader
from beholden.logs._paths import compile_path, parse_whole_path
from beholden.logs.mapping import parse_mapping

MINIMAL = '[event]\ntime = "$.t"\nactivity = "read"\n'
HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "read-cloudtrail.md"
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "mapping.md"
T = "2026-11-22T12:00:00Z"


def read(mapping: str, *records, raw: bytes | None = None, zone=None):
    reader = open_reader("mapped", mapping=parse_mapping(mapping, name="m.toml"))
    raw = b"\n".join(json.dumps(record).encode() for record in records) + b"\n" if raw is None else raw
    batches = list(reader.read(io.BytesIO(raw), LogContext("app", zone)))
    assert len(batches) == 1
    return batches[0]


def one(mapping: str, record, **more):
    batch = read(mapping, record, **more)
    assert batch.problems == ()
    (event,) = batch.events.to_pylist()
    return event


RECORD = {
    "user": {"name": "ann", "id": 7},
    "items": [{"id": 1, "tags": ["a", "b"]}, {"id": 2}, {"tags": ["c"]}, 3],
    "odd key": {"x-y": 1},
    "@t": 5,
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.user", RECORD["user"]),
        ("$.user.name", "ann"),
        ("$.items[0].id", 1),
        ("$.items[9].id", None),
        ("$.items[3].id", None),
        ("$.items.id", None),
        ("$.user[0]", None),
        ("$.items[*].id", [1, 2]),
        ("$.items[*].tags[*]", ["a", "b", "c"]),
        ("$.items[*].tags[0]", ["a", "c"]),
        ("$.user[*]", []),
        ("$['odd key'].x-y", 1),
        ("$['odd key']['x-y']", 1),
        ("$.@t", 5),
        ("$.none.more", None),
        ("$.absent[*].x", []),
    ],
)
def test_paths(path, expected):
    assert compile_path(parse_whole_path(path))(RECORD) == expected


@pytest.mark.parametrize("path", ["", "$", "$.", "user", "$.a b", "$.a.", "$[a]", "$.a[*", "x$.a", "$.a$.b"])
def test_malformed_paths(path):
    with pytest.raises(ValueError, match="path"):
        parse_whole_path(path)


@pytest.mark.parametrize(
    ("column", "spec", "record", "expected"),
    [
        ("actor", '"$.a"', {"a": "ann"}, "ann"),
        ("actor", '"$.a"', {"a": 7}, "7"),
        ("actor", '"$.a"', {"a": True}, "true"),
        ("actor", '"$.a"', {"a": ""}, None),
        ("actor", '"$.a"', {}, None),
        ("actor", '"$.a[*]"', {"a": ["x", "x"]}, "x"),
        ("actor", '["$.a.b", "$.c"]', {"a": {"b": None}, "c": "z"}, "z"),
        ("actor", '["$.a", "nobody"]', {}, "nobody"),
        ("app", '"console"', {}, "console"),
        ("app", '"costs $5"', {}, "costs $5"),
        ("app", '"$.a/$.b"', {"a": "x", "b": 1}, "x/1"),
        ("app", '"$.a/$.b"', {"a": "x"}, None),
        ("app", '"$.x-$.y"', {"x": "a", "y": "b"}, "a-b"),
        ("subject", '"customer:$.c"', {"c": 17}, ["customer:17"]),
        ("subject", '"customer:$.c"', {}, None),
        ("subject", '["customer:$.c", "seller:$.s"]', {"s": 2}, ["seller:2"]),
        ("subjects", '"customer:$.c[*].id"', {"c": [{"id": 1}, {"id": 2}]}, ["customer:1", "customer:2"]),
        ("subjects", '"customer:$.c"', {"c": [1, 2]}, ["customer:1", "customer:2"]),
        ("subjects", '["customer:$.c", "seller:$.s"]', {"c": 1, "s": 2}, ["customer:1", "seller:2"]),
        ("subjects", '"customer:$.c[*]"', {"c": []}, None),
        ("fields", '["email", "phone"]', {}, ["email", "phone"]),
        ("fields", '"$.f"', {"f": ["email", "phone"]}, ["email", "phone"]),
        ("fields", '"$.f"', {"f": "email"}, ["email"]),
        ("rows", '"$.n"', {"n": "12"}, 12),
        ("rows", '"$.n"', {"n": 3.0}, 3),
        ("rows", "1", {}, 1),
        ("class_uid", "6003", {}, 6003),
        ("class_uid", '{ path = "$.e", values = { in = 3002 }, default = 6003 }', {"e": "in"}, 3002),
        ("status", '{ path = "$.err", default = "failure", missing = "success" }', {"err": "x"}, "failure"),
        ("status", '{ path = "$.err", default = "failure", missing = "success" }', {}, "success"),
        ("status", '{ path = "$.ok", values = { true = "success", false = "failure" } }', {"ok": False}, "failure"),
        ("detail", '"$.r"', {"r": {"b": 1}}, '{"b":1}'),
        ("on_behalf_of", '"customer:$.c"', {"c": 1}, "customer:1"),
        ("actor_kind", '"seller"', {}, "seller"),
        ("store", '"crm"', {}, "crm"),
        ("scope", '"table"', {}, "table"),
    ],
)
def test_columns(column, spec, record, expected):
    event = one(f"{MINIMAL}{column} = {spec}\n", {"t": T, **record})
    assert event["subjects" if column == "subject" else column] == expected


@pytest.mark.parametrize(
    ("column", "spec", "value", "reason"),
    [
        ("rows", '"$.x"', "SECRET", "rows: not a whole number"),
        ("rows", '"$.x"', -1, "rows: not a whole number"),
        ("bytes", '"$.x"', 2**63, "bytes: not a whole number"),
        ("actor", '"$.x"', {"SECRET": 1}, "actor: an object or list where a plain value is expected"),
        ("actor", '"$.x"', ["SECRET", "b"], "actor: several values where one is expected"),
        ("app", '"a $.x"', {"SECRET": 1}, "app: an object or list where plain values are expected"),
        ("store", '"$.x"', "SECRET", "store: not the name of a store"),
        ("subject", '"$.x"', "SECRET", "subject: not kind:identifier"),
        ("status", '"$.x"', "SECRET", "status: not one of success, failure"),
        ("class_uid", '"$.x"', 1001, "class_uid: not one of"),
        ("actor", '{ path = "$.x", values = { a = "b" } }', "SECRET", "actor: a value that is not in the table"),
    ],
)
def test_values_that_do_not_fit_are_problems(column, spec, value, reason):
    batch = read(f"{MINIMAL}{column} = {spec}\n", {"t": T, "x": value})
    assert batch.problems[0].reason.startswith(reason)
    assert "SECRET" not in batch.problems[0].reason


def test_what_is_required_and_missing_is_a_problem():
    mapping = '[event]\ntime = "$.t"\nactivity = "$.op"\n'
    batch = read(
        mapping, {"op": "read"}, {"t": T}, {"t": T, "op": "SECRET"}, {"t": None, "op": "read"}, {"t": T, "op": "read"}
    )
    assert [problem.record for problem in batch.problems] == [1, 2, 3, 4]
    reasons = [problem.reason for problem in batch.problems]
    assert (reasons[0], reasons[1], reasons[3]) == ("time: missing", "activity: missing", "time: missing")
    assert reasons[2].startswith("activity: not one of read, query")


def test_a_statement_may_decide_the_activity():
    mapping = '[event]\ntime = "$.t"\nstatement = "$.sql"\n'
    batch = read(mapping, {"t": T, "sql": "select 1"}, {"t": T})
    assert batch.events.to_pylist()[0]["activity"] is None
    assert [problem.reason for problem in batch.problems] == ["activity: missing"]


def test_a_record_of_several_datasets_gives_several_events():
    batch = read(MINIMAL + 'dataset = "s3/$.keys[*]"\n', {"t": T, "keys": ["a", "b", "a"]}, {"t": T, "keys": ["a"]})
    assert (batch.records, batch.parsed) == (2, 2)
    assert batch.events.column("object").to_pylist() == ["s3/a", "s3/b", "s3/a"]
    assert len(set(batch.events.column("identity").to_pylist())) == 3


def test_a_uid_is_the_identity_and_content_is_where_there_is_none():
    mapping = MINIMAL + 'uid = "$.id"\n'
    first = read(mapping, {"t": T, "id": "x"}, {"t": T}, {"t": T})
    second = read(mapping, {"t": T, "id": "x", "more": 1}, {"t": T}, {"t": T})
    identities = first.events.column("identity").to_pylist()
    assert identities[0] == b"3:appu:x"
    assert len(set(identities)) == 3
    assert second.events.column("identity").to_pylist() == identities


def test_skip_rules_make_noise():
    mapping = MINIMAL + '[skip]\n"$.op" = ["ping", 1]\n"$.health" = [true]\n'
    batch = read(mapping, {"op": "ping"}, {"op": 1}, {"health": True}, {"t": T, "op": ["ping"]})
    assert batch.noise == {"skipped by $.op": 2, "skipped by $.health": 1}
    assert batch.parsed == 1


@pytest.mark.parametrize(
    ("format_", "value", "expected"),
    [
        ("rfc3339", "2026-11-22T13:00:00.5+01:00", "2026-11-22T12:00:00.500000+00:00"),
        ("rfc3339", "2026-11-22 12:00:00 UTC", "2026-11-22T12:00:00+00:00"),
        ("epoch_s", 1795348800, "2026-11-22T12:00:00+00:00"),
        ("epoch_s", "1795348800.25", "2026-11-22T12:00:00.250000+00:00"),
        ("epoch_ms", 1795348800001, "2026-11-22T12:00:00.001000+00:00"),
        ("%d.%m.%Y %H:%M:%S %z", "22.11.2026 13:00:00 +0100", "2026-11-22T12:00:00+00:00"),
    ],
)
def test_time_formats(format_, value, expected):
    event = one(f'time_format = "{format_}"\n{MINIMAL}', {"t": value})
    assert event["time"].isoformat() == expected


def test_a_time_without_a_zone_needs_one():
    mapping = f'time_format = "%Y%m%d %H%M"\n{MINIMAL}'
    assert read(mapping, {"t": "20261122 1300"}).problems[0].reason == "time zone unknown: set time_zone"
    event = one(mapping, {"t": "20261122 1300"}, zone=ZoneInfo("Europe/Berlin"))
    assert event["time"].isoformat() == "2026-11-22T12:00:00+00:00"
    assert read(MINIMAL, {"t": "2026-11-22T13:00:00"}).problems[0].reason == "time zone unknown: set time_zone"


@pytest.mark.parametrize("value", ["SECRET", 1e308, 10**30, True, [1], "9" * 50, "²", -5, 0])
@pytest.mark.parametrize("format_", ["rfc3339", "epoch_s", "epoch_ms", "%Y"])
def test_times_that_are_none(format_, value):
    (problem,) = read(f'time_format = "{format_}"\n{MINIMAL}', {"t": value}).problems
    assert "SECRET" not in problem.reason


def test_csv_with_a_header():
    mapping = f'format = "csv"\n{MINIMAL}' + 'actor = "$[\'Agent name\']"\nrows = "$.n"\n'
    raw = b't,Agent name,n\r\n%b,"Ann ""A""\r\nB",1\r\nt,Agent name,n\r\n%b,,\r\n%b,x\r\n%b,Eve,2'
    batch = read(mapping, raw=raw.replace(b"%b", T.encode()))
    rows = [(event["record"], event["actor"], event["rows"]) for event in batch.events.to_pylist()]
    assert rows == [(2, 'Ann "A"\nB', 1), (5, None, None)]
    assert batch.noise == {"header": 1}
    assert [(p.record, p.reason) for p in batch.problems] == [
        (6, "the record breaks off or is damaged"),
        (7, "truncated record"),
    ]


def test_a_header_with_a_name_twice_is_refused():
    with pytest.raises(SourceError, match="two columns"):
        read(f'format = "csv"\n{MINIMAL}', raw=b"t,t\n1,2\n")


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("", "the file", "event"),
        ("[event]\n", "event.time", "is missing"),
        ('[event]\ntime = "$.t"\n', "event.activity", "is missing"),
        (MINIMAL + 'who = "$.x"\n', "event.who", "is not a column of an event; expected time, uid, actor"),
        (MINIMAL + '[skipp]\n"$.x" = []\n', "skipp", "is not a key of this file; expected format, records"),
        (MINIMAL + '[skip]\nx = ["a"]\n', "skip.x", "not a path"),
        (MINIMAL + '[skip]\n"$.x" = "a"\n', "skip", "expected `array`"),
        (MINIMAL + "rows = true\n", "event", "expected"),
        (MINIMAL + 'rows = "many"\n', "event.rows", "not a whole number"),
        (MINIMAL + "rows = []\n", "event.rows", "an empty list"),
        (MINIMAL + 'actor = "$.a b$."\n', "event.actor", "needs a key"),
        (MINIMAL + 'app = "$.a[*] $.b[*]"\n', "event.app", "only one path"),
        (MINIMAL + 'app = ["a", "b"]\n', "event.app", "several constants"),
        (MINIMAL + 'app = { values = { a = "b" } }\n', "event", "missing required field `path`"),
        (MINIMAL + 'app = { path = "$.a", otherwise = "b" }\n', "event", "unknown field `otherwise`"),
        (MINIMAL + 'subject = "$.a"\nsubjects = "$.b"\n', "event.subjects", "beside subject"),
        (MINIMAL + 'subject = "ann"\n', "event.subject", "not kind:identifier"),
        (MINIMAL + 'status = { path = "$.a", default = "bad" }\n', "event.status", "not one of success, failure"),
        (MINIMAL + 'status = { path = "$.a", missing = "bad" }\n', "event.status", "not one of success, failure"),
        (MINIMAL.replace('"read"', '"look"'), "event.activity", "not one of read, query"),
        (MINIMAL.replace('"read"', '{ path = "$.a", values = { x = "look" } }'), "event.activity", "not one of read"),
        (MINIMAL.replace('"$.t"', '"now"'), "event.time", "a constant"),
        (MINIMAL.replace('"$.t"', '{ path = "$.t" }'), "event.time", "a value table"),
        ('time_format = "iso"\n' + MINIMAL, "time_format", "expected rfc3339, epoch_s, epoch_ms"),
        ('time_format = "%Q"\n' + MINIMAL, "time_format", "strptime"),
        ('time_format = "%H %Z"\n' + MINIMAL, "time_format", "use %z"),
        ('records = "$.a"\n' + MINIMAL, "records", "not keys followed by"),
        ('records = "$.a[*].b[*]"\n' + MINIMAL, "records", "not keys followed by"),
        ('records = "a"\n' + MINIMAL, "records", "not a path"),
        ('format = "csv"\nrecords = "$[*]"\n' + MINIMAL, "records", "CSV has one record a row"),
        ('format = "xml"\n' + MINIMAL, "format", "invalid enum value"),
        ("[event\n", "", "line 1"),
    ],
)
def test_a_bad_mapping_names_file_and_key(tmp_path, text, key, says):
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_mapping(path)
    line = str(caught.value)
    assert line.startswith(f"mapping {path}: {key}")
    assert says in line
    assert "\n" not in line


def test_a_mapping_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_mapping(tmp_path / "absent.toml")
    (tmp_path / "a").write_bytes(b"\xff")
    (tmp_path / "b").write_bytes(b"#" * (CONFIG_BYTES_MAX + 1))
    for name, says in (("a", "not UTF-8"), ("b", "larger than")):
        with pytest.raises(ConfigError, match=says):
            load_mapping(tmp_path / name)


def toml_blocks(page: Path) -> list[str]:
    """The TOML examples of a page."""
    blocks = page.read_text().split("```toml\n")[1:]
    return [
        textwrap.dedent(" " * (len(block) - len(block.lstrip(" "))) + block.lstrip(" ").split("```")[0])
        for block in blocks
    ]


def test_the_examples_of_the_reference_are_mappings():
    examples = [block for block in toml_blocks(REFERENCE) if "[event]" in block]
    assert examples
    for block in examples:
        parse_mapping(block, name="example")


def test_the_cloudtrail_mapping_reads_the_real_samples(shared_data):
    mapping = toml_blocks(HOW_TO)[0]
    assert 'records = "$.Records[*]"' in mapping
    files = sorted((shared_data / "logs" / "cloudtrail_stratus").glob("*.json"))
    records = 0
    events, noise = [], 0
    for path in files:
        raw = path.read_bytes()
        batch = read(mapping.replace('"$.Records[*]"', '"$[*]"'), raw=raw)
        assert batch.problems == ()
        assert batch.records == len(json.loads(raw))
        wrapped = read(mapping, raw=b'{"Records":' + raw + b"}")
        assert wrapped.events.column("identity").equals(batch.events.column("identity"))
        records += batch.records
        noise += sum(batch.noise.values())
        events += batch.events.to_pylist()
    assert (len(files), records, noise) == (35, 310, 112)
    read_ = [event for event in events if event["activity"] == "read" and event["object"] is not None]
    assert sum(event["object"].startswith("secretsmanager/") for event in read_) == 20
    assert sum(event["status"] == "failure" for event in events) == 52
    assert all(event["actor"] for event in events)
