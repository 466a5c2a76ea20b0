from __future__ import annotations

import io
import json

import pytest

from beholden.logs import LogContext, open_reader

BASE = {"class_uid": 6005, "activity_id": 1, "time": 1795348800000}


def read(*records):
    raw = b"\n".join(json.dumps(record).encode() for record in records) + b"\n"
    (batch,) = open_reader("ocsf").read(io.BytesIO(raw), LogContext("idp"))
    return batch


def one(**more):
    batch = read({**BASE, **more})
    assert batch.problems == ()
    (event,) = batch.events.to_pylist()
    return event


def test_a_record_becomes_an_event():
    event = one(
        metadata={"uid": "e1", "product": {"name": "Console"}},
        actor={"user": {"name": "ann", "uid": "u7", "type_id": 1, "credential_uid": "k"}, "session": {"uid": "s"}},
        src_endpoint={"ip": "10.0.0.1"},
        device={"uid": "d"},
        table={"name": "customer", "uid": "public.customer"},
        database={"name": "shop"},
        query_info={"query_string": "select 1", "query_result_count": 4, "bytes": 99},
        status_id=1,
        unmapped={"subjects": ["customer:1"]},
        resources=[{"type": "customer", "uid": "2"}, {"type": "data_subject", "name": "seller:3"}],
    )
    assert event.pop("time").isoformat() == "2026-11-22T12:00:00+00:00"
    assert {key: value for key, value in event.items() if value is not None} == {
        "record": 1, "identity": b"3:idpu:e1", "actor": "u7", "credential": "k", "session": "s", "device": "d",
        "ip": "10.0.0.1", "app": "Console", "class_uid": 6005, "activity": "read", "object": "public.customer",
        "subjects": ["customer:1", "customer:2", "seller:3"], "rows": 4, "bytes": 99, "status": "success",
        "statement": "select 1", "database": "shop",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("class_uid", "activities"),
    [
        (
            6005,
            {
                1: "read",
                2: "update",
                3: "login",
                4: "query",
                5: "update",
                6: "create",
                7: "delete",
                8: "query",
                9: "other",
            },
        ),
        (6003, {1: "create", 2: "read", 3: "update", 4: "delete", 99: "other"}),
        (6001, {5: "query", 7: "export", 8: "grant"}),
        (6006, {1: "create", 2: "export", 9: "read", 10: "other", 12: "grant", 13: "revoke"}),
        (3002, {1: "login", 2: "other", 7: "switch"}),
        (3004, {1: "create", 2: "read", 4: "delete", 13: "update"}),
        (3005, {1: "grant", 2: "revoke", 3: "grant", 4: "revoke"}),
        (3007, {1: "create", 3: "delete", 9: "update", 10: "grant", 17: "revoke"}),
    ],
)
def test_activities(class_uid, activities):
    for activity_id, activity in activities.items():
        event = one(class_uid=class_uid, activity_id=activity_id)
        assert (event["activity"], event["class_uid"]) == (activity, class_uid)


def test_an_activity_stated_otherwise():
    record = {"time": BASE["time"], "type_uid": 600507}
    assert read(record).events.to_pylist()[0]["activity"] == "delete"
    assert one(activity_id=99, activity_name="Export")["activity"] == "export"
    assert one(activity_id=0, activity_name="Frobnicate")["activity"] == "other"
    assert one(activity_id=None, query_info={"query_string": "select 1"})["activity"] is None


@pytest.mark.parametrize(
    ("record", "objects"),
    [
        ({"table": {"name": "t"}}, ["t"]),
        ({"table": {"name": "t", "uid": "s.t"}}, ["s.t"]),
        ({"table": {"name": "t", "uid": "arn:x/y.t"}}, ["t"]),
        ({"table": {"name": "t", "uid": 17}}, ["t"]),
        ({"databucket": {"name": "b"}}, ["b"]),
        ({"databucket": {"name": "b", "file": {"path": "/k/x.csv", "name": "x.csv"}}}, ["b/k/x.csv"]),
        ({"class_uid": 6006, "file": {"name": "x.csv"}}, ["x.csv"]),
        ({"class_uid": 6003, "resources": [{"name": "a"}, {"uid": "b"}, {"name": "a"}, {}, 3]}, ["a", "b"]),
        ({"class_uid": 6001, "web_resources": [{"name": "page"}]}, ["page"]),
        ({"class_uid": 3004, "entity": {"name": "policy"}}, ["policy"]),
        ({"database": {"name": "d"}}, [None]),
        ({}, [None]),
    ],
)
def test_objects(record, objects):
    batch = read({**BASE, **record})
    assert (batch.records, batch.parsed) == (1, 1)
    assert batch.events.column("object").to_pylist() == objects
    assert len(set(batch.events.column("identity").to_pylist())) == len(objects)


def test_who_logs_in_and_who_becomes_whom():
    login = one(class_uid=3002, user={"name": "ann"})
    assert (login["actor"], login["on_behalf_of"]) == ("ann", None)
    switch = {"actor": {"user": {"uid": "ann"}}, "user": {"uid": "17", "type": "Customer"}}
    event = one(class_uid=3002, activity_id=7, **switch)
    assert (event["actor"], event["on_behalf_of"]) == ("ann", "customer:17")
    unknown = {**switch, "user": {"uid": "17"}}
    assert one(class_uid=3002, activity_id=7, **unknown)["on_behalf_of"] == "user:17"
    assert one(class_uid=3002, actor={"user": {"uid": "a"}}, user={"uid": "a"})["on_behalf_of"] is None


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"email_addr": "a@example.com"}, ("a@example.com", None)),
        ({"name": "job", "type_id": 4}, ("job", "service")),
        ({"name": "x", "type_id": []}, ("x", None)),
        ({"name": ["x"]}, (None, None)),
        ("ann", (None, None)),
    ],
)
def test_actors(user, expected):
    event = one(actor={"user": user})
    assert (event["actor"], event["actor_kind"]) == expected


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"status_id": 1}, "success"),
        ({"status_id": 2}, "failure"),
        ({"status": "Failure"}, "failure"),
        ({"status_id": 99}, None),
        ({"status_id": True, "status": ["x"]}, None),
    ],
)
def test_status(more, status):
    assert one(**more)["status"] == status


def test_times():
    for more in (
        {"time": "2026-11-22T12:00:00Z"},
        {"time": "1795348800000"},
        {"time": None, "time_dt": "2026-11-22T13:00:00+01:00"},
    ):
        assert one(**more)["time"].isoformat() == "2026-11-22T12:00:00+00:00"


def test_other_classes_are_counted_as_noise():
    batch = read({"class_uid": 4001}, {"type_uid": 200101}, BASE)
    assert (batch.records, batch.parsed, batch.noise) == (3, 1, {"other class": 2})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"activity_id": 1}, "class_uid: missing"),
        ({**BASE, "time": None}, "time: missing"),
        ({**BASE, "time": "SECRET"}, "time: not an ISO 8601 time"),
        ({**BASE, "time": 17}, "time: the year is out of range"),
        ({**BASE, "activity_id": None}, "activity_id: missing"),
        ({**BASE, "unmapped": {"subjects": ["SECRET"]}}, "subjects: not kind:identifier"),
        ({**BASE, "unmapped": {"subjects": [["SECRET"]]}}, "subjects: not kind:identifier"),
        ({**BASE, "resources": [{"type": "customer"}]}, "subjects: not kind:identifier"),
    ],
)
def test_problems(record, reason):
    (problem,) = read(record).problems
    assert problem.reason.startswith(reason)
    assert "SECRET" not in problem.reason


def test_without_a_uid_content_is_the_identity():
    first, second = (read(BASE, BASE, {**BASE, "time": 1795348800001}) for _ in range(2))
    assert len(set(first.events.column("identity").to_pylist())) == 3
    assert first.events.equals(second.events)
