from __future__ import annotations

import itertools
import shutil
import threading

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, NoCredentialsError
from tests.support.ledger import SIGNER, all_rows, events, open_ledger, uid_of
from tests.support.object_store import ENVIRONMENT, Place, Requests, make_bucket, object_server

from beholden.core.errors import IntegrityError, NotFoundError, ReadOnlyError, SourceError, UsageError
from beholden.ledger import AppendResult
from beholden.ledger.storage import connect, open_mirror
from beholden.ledger.storage import ledger as ledger_module
from beholden.ledger.verify import verify

_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as patch, object_server() as address:
        for name, value in (ENVIRONMENT | {"AWS_ENDPOINT_URL": address}).items():
            patch.setenv(name, value)
        make_bucket("records")
        yield address


@pytest.fixture
def place(server):
    return Place(f"s3://records/estate/{next(_NUMBERS)}")


def uids(ledger):
    return [row["uid"] for row in all_rows(ledger)]


def expected(stop):
    return [uid_of(number) for number in range(stop)]


def download(place, directory):
    """A copy as any other tool makes it."""
    for name in place.names():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(place.read(name))
    return directory


def filled(place, cache):
    """A ledger with sealed events in two segments, one tile, and events that wait in two frames."""
    ledger = place.open(cache)
    ledger.append(events(0, 700))
    ledger.seal()
    ledger.append(events(700, 800))
    ledger.seal()
    ledger.append(events(800, 820))
    ledger.append(events(820, 830))
    return ledger


def test_it_holds_what_a_ledger_on_a_disk_holds(place, tmp_path):
    there, here = place.open(tmp_path / "cache"), open_ledger(tmp_path / "ledger", segment_events_max=1000)
    for ledger in (there, here):
        assert ledger.append(events(0, 300)) == AppendResult(300, 0, 0, 300)
        assert ledger.append(events(200, 400)) == AppendResult(100, 100, 300, 400)
        ledger.seal()
        ledger.append(events(390, 420))
    assert all_rows(there) == all_rows(here)
    assert there.seal() == here.seal()
    assert (there.status().root_hash, there.status().segments) == (here.status().root_hash, here.status().segments)


def test_a_copy_made_with_other_tools_is_a_ledger_on_a_disk(place, tmp_path):
    filled(place, tmp_path / "cache")
    copy = download(place, tmp_path / "copy")
    report = verify(copy, key=SIGNER)
    assert (report.findings, report.events, report.tree_size) == ((), 830, 800)
    for part in ("segments", "uids"):
        (copy / part).mkdir(exist_ok=True)
    here = open_ledger(copy, create=False)
    assert uids(here) == expected(830)
    here.append(events(825, 840))
    here.seal()
    assert uids(here) == expected(840)


def test_another_machine_sees_everything_and_goes_on(place, tmp_path):
    filled(place, tmp_path / "one")
    other = place.open(tmp_path / "two", create=False)
    assert uids(other) == expected(830)
    assert other.append(events(820, 850)) == AppendResult(20, 10, 830, 850)
    other.seal()
    assert uids(place.open(tmp_path / "three")) == expected(850)
    assert place.verify(tmp_path / "check").findings == ()


def test_an_append_takes_two_requests_while_nobody_else_writes(place, tmp_path):
    requests = Requests(place.transport())
    ledger = place.open(tmp_path / "cache", requests)
    ledger.append(events(0, 10))
    before = requests.count
    for start in range(10, 60, 10):
        ledger.append(events(start, start + 10))
    assert requests.count - before == 2 * 5


def test_a_frame_that_came_too_late_is_given_new_numbers(place, tmp_path):
    slow = place.open(tmp_path / "slow")
    slow.append(events(0, 10))
    quick = place.open(tmp_path / "quick")
    quick.append(events(10, 30))
    quick.seal()
    assert place.names() == [*place.names()]
    assert slow.append(events(20, 40)) == AppendResult(10, 10, 30, 40)
    assert [name for name in place.names() if name.startswith("wal/")] == ["wal/0000000000000030.wal"]
    assert uids(quick) == expected(40)


def test_a_late_frame_that_its_writer_could_not_remove_means_nothing(place, tmp_path):
    ledger = place.open(tmp_path / "one")
    ledger.append(events(0, 10))
    late = place.read("wal/0000000000000000.wal")
    ledger.append(events(10, 30))
    ledger.seal()
    place.write("wal/0000000000000000.wal", late)
    assert place.verify(tmp_path / "check").findings == ()
    other = place.open(tmp_path / "two")
    assert uids(other) == expected(30)
    other.append(events(30, 40))
    other.seal()
    assert [name for name in place.names() if name.startswith("wal/")] == []


def test_many_small_frames_are_sealed(place, tmp_path, monkeypatch):
    monkeypatch.setattr(ledger_module, "WAL_OBJECTS_MAX", 5)
    ledger = place.open(tmp_path / "cache")
    for start in range(0, 24, 2):
        ledger.append(events(start, start + 2))
    assert (ledger.status().sealed, ledger.status().in_wal) == (20, 4)


def test_a_deleted_mirror_costs_nothing_but_fetching(place, tmp_path):
    filled(place, tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    assert uids(place.open(tmp_path / "cache", create=False)) == expected(830)


@pytest.mark.parametrize(
    "part", ["manifest.json", "checkpoint", "mirror.json", "segments/*", "tile/1/*/*", "wal/*", "uids/*"]
)
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_mirror_is_fetched_anew(place, tmp_path, part, damage):
    filled(place, tmp_path / "cache")
    root = next((tmp_path / "cache").glob("*/0"))
    found = sorted(root.glob(part))
    assert found
    for path in found:
        data = path.read_bytes()
        path.unlink()
        if damage != "remove":
            path.write_bytes(
                data[: len(data) // 2]
                + (b"" if damage == "cut" else bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])
            )
    ledger = place.open(tmp_path / "cache", create=False)
    assert uids(ledger) == expected(830)
    assert ledger.append(events(0, 840)).new == 10
    ledger.seal()
    assert place.verify(tmp_path / "cache").findings == ()


def test_openings_do_not_see_each_others_unfinished_work(place, tmp_path):
    one, two = place.open(tmp_path / "cache"), place.open(tmp_path / "cache")
    for start in range(0, 60, 10):
        (one, two)[start // 10 % 2].append(events(start, start + 10))
        assert uids(one) == uids(two) == expected(start + 10)
    assert len(list((tmp_path / "cache").glob("*/[0-9]"))) == 2
    del one, two
    place.open(tmp_path / "cache")
    assert len(list((tmp_path / "cache").glob("*/[0-9]"))) == 2


OBJECTS = [
    "ledger.json",
    "key.pub",
    "checkpoint",
    "manifest.json",
    "segment",
    "tile/1/000.p/3",
    "wal/0000000000000800.wal",
]


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("change", ["flip", "cut", "remove"])
def test_verify_names_what_was_altered_in_the_bucket(place, tmp_path, name, change):
    ledger = filled(place, tmp_path / "cache")
    assert place.verify(tmp_path / "cache").findings == ()
    name = next(found for found in place.names() if found.startswith("segments/")) if name == "segment" else name
    data = place.read(name)
    place.bucket().delete([name])
    if change != "remove":
        middle = len(data) // 2
        place.write(name, data[:middle] + (b"" if change == "cut" else bytes([data[middle] ^ 1]) + data[middle + 1 :]))
    found = {finding.object for finding in place.verify(tmp_path / "cache", acknowledged=830).findings}
    assert name in found or (name.startswith("wal/") and "wal" in {item[:3] for item in found})
    del ledger


def test_an_older_manifest_or_tree_head_put_back_is_named(place, tmp_path):
    ledger = place.open(tmp_path / "cache")
    ledger.append(events(0, 300))
    ledger.seal()
    old = {name: place.read(name) for name in ("manifest.json", "checkpoint")}
    ledger.append(events(300, 600))
    ledger.seal()
    new = {name: place.read(name) for name in old}
    for chosen, named in (
        (["manifest.json"], "manifest.json"),
        (["checkpoint"], "checkpoint"),
        (list(old), "manifest.json"),
    ):
        for name in old:
            place.write(name, (old if name in chosen else new)[name])
        report = place.verify(tmp_path / "check")
        assert named in {finding.object for finding in report.findings}, chosen
        with pytest.raises(IntegrityError):
            place.open(tmp_path / "other", create=False).append(events(600, 610))


def test_an_altered_segment_is_not_answered_from(place, tmp_path):
    ledger = filled(place, tmp_path / "cache")
    name = next(found for found in place.names() if found.startswith("segments/"))
    data = place.read(name)
    place.write(name, data[:50] + bytes([data[50] ^ 1]) + data[51:])
    with pytest.raises(IntegrityError, match="not the file that was sealed"):
        place.open(tmp_path / "other", create=False).tables()
    assert uids(ledger) == expected(830)  # from what this machine has, which is what was sealed


def test_a_cut_frame_stops_readers_and_writers_and_stays(place, tmp_path):
    filled(place, tmp_path / "cache")
    data = place.read("wal/0000000000000820.wal")
    for cut in (data[:-1], data[:40], b"", bytes(len(data))):
        place.write("wal/0000000000000820.wal", cut)
        for number, ask in enumerate(
            (lambda one: one.tables(), lambda one: one.append(events(830, 840)), lambda one: one.seal())
        ):
            with pytest.raises(IntegrityError, match=r"820\.wal: is not whole"):
                ask(place.open(tmp_path / f"{len(cut)}-{number}", create=False))
        assert place.read("wal/0000000000000820.wal") == cut
        assert "wal/0000000000000820.wal" in {one.object for one in place.verify(tmp_path / "check").findings}


def test_a_segment_nobody_lists_stops_writers_if_its_events_are_not_held(place, tmp_path):
    filled(place, tmp_path / "cache")
    name = "segments/0000000000000830-0000000000000839-00000000.parquet"
    place.write(name, b"PAR1")
    with pytest.raises(IntegrityError, match="is not listed"):
        place.open(tmp_path / "other").append(events(840, 850))
    assert name in place.names()
    assert name in {finding.object for finding in place.verify(tmp_path / "check").findings}


def stop_at(number):
    def before(count, _operation, _parameters):
        if count == number:
            raise KeyboardInterrupt

    return before


def test_what_a_stopped_seal_left_goes_once_the_manifest_is_replaced(place, tmp_path):
    place.open(tmp_path / "first").append(events(0, 50))
    requests = Requests(place.transport(), before=lambda *_: None)
    ledger = place.open(tmp_path / "cache", requests)
    checkpoint = place.read("checkpoint")

    def stop(_number, operation, parameters):
        if operation == "put_object" and parameters["Key"].endswith("/checkpoint"):
            raise KeyboardInterrupt

    requests._before = stop
    with pytest.raises(KeyboardInterrupt):
        ledger.seal()
    left = [name for name in place.names() if name.startswith("segments/")]
    assert len(left) == 1
    assert place.read("checkpoint") == checkpoint
    assert place.verify(tmp_path / "check").findings == ()
    other = place.open(tmp_path / "other")
    other.append(events(50, 60))
    assert left[0] in place.names()
    other.seal()
    assert left[0] not in place.names()
    assert uids(other) == expected(60)


def test_a_server_that_ignores_conditions_is_refused_before_anything_is_overwritten(tmp_path, monkeypatch):
    def deaf(application):
        def run(environ, start):
            if environ["REQUEST_METHOD"] == "PUT":
                environ.pop("HTTP_IF_NONE_MATCH", None)
                environ.pop("HTTP_IF_MATCH", None)
            return application(environ, start)

        return run

    with object_server(deaf) as address:
        for name, value in (ENVIRONMENT | {"AWS_ENDPOINT_URL": address}).items():
            monkeypatch.setenv(name, value)
        make_bucket("deaf")
        place = Place("s3://deaf/ledger")
        with pytest.raises(UsageError, match="does not honour conditional writes"):
            place.open(tmp_path / "cache")
        for name, data in download_of_a_local_one(tmp_path).items():
            place.write(name, data)
        before = {name: place.read(name) for name in place.names()}
        ledger = place.open(tmp_path / "other", create=False)
        assert uids(ledger) == expected(10)
        with pytest.raises(UsageError, match="does not honour conditional writes"):
            ledger.append(events(10, 20))
        assert {name: place.read(name) for name in place.names()} == before


def download_of_a_local_one(tmp_path):
    here = open_ledger(tmp_path / "local")
    here.append(events(0, 10))
    root = tmp_path / "local"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != "lock"
    }


def test_without_rights_to_write_it_can_be_read(place, tmp_path):
    filled(place, tmp_path / "cache")

    def refuse(_number, operation, _parameters):
        if operation in {"put_object", "delete_objects"}:
            error = {"Error": {"Code": "AccessDenied", "Message": "s"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
            raise ClientError(error, operation)

    reader = place.open(tmp_path / "reader", Requests(place.transport(), before=refuse), create=False)
    assert uids(reader) == expected(830)
    assert reader.status().events == 830
    for write in (lambda: reader.append(events(830, 840)), reader.seal):
        with pytest.raises(ReadOnlyError, match="cannot be written to; expected s3:PutObject and s3:DeleteObject"):
            write()


def test_a_conflict_is_tried_again_and_other_writers_are_given_way_a_bounded_number_of_times(place, tmp_path):
    def answering(code, status, times):
        def before(_number, operation, parameters):
            nonlocal times
            if operation == "put_object" and "/wal/" in parameters["Key"] and times:
                times -= 1
                raise ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, operation)

        return before

    conflict = Requests(place.transport(), before=answering("ConditionalRequestConflict", 409, 3))
    assert place.open(tmp_path / "one", conflict).append(events(0, 10)).new == 10
    never = Requests(place.transport(), before=answering("PreconditionFailed", 412, 10**6))
    with pytest.raises(SourceError, match="other writers were first 40 times"):
        place.open(tmp_path / "two", never).append(events(10, 20))


def test_a_write_whose_answer_was_lost_is_known_as_ones_own(place, tmp_path):
    """As boto repeats it: the second attempt meets the first."""
    ledger = place.open(tmp_path / "cache")
    plain = place.transport()

    def twice(operation, **parameters):
        if operation == "put_object":
            data = parameters["Body"] if isinstance(parameters["Body"], bytes) else parameters["Body"].read()
            plain(operation, **parameters | {"Body": data})
            parameters["Body"] = data
        return plain(operation, **parameters)

    ledger = place.open(tmp_path / "cache", twice)
    assert ledger.append(events(0, 10)) == AppendResult(10, 0, 0, 10)
    assert ledger.seal().events == 10
    assert ledger.append(events(10, 30)) == AppendResult(20, 0, 10, 30)
    assert ledger.seal().checkpoint.size == 30
    assert place.verify(tmp_path / "check").findings == ()


ANSWERS = [
    ("NoSuchBucket", 404, "there is no such bucket"),
    ("InvalidAccessKeyId", 403, "the access key is not known there"),
    ("SignatureDoesNotMatch", 403, "the secret key is not the access key's"),
    ("ExpiredToken", 400, "the credentials have expired"),
    ("RequestTimeTooSkewed", 403, "this machine's clock is wrong"),
    ("AuthorizationHeaderMalformed", 400, "the bucket is in another region; expected eu-north-1"),
    ("NotImplemented", 501, "the server does not have conditional writes"),
    ("SlowDown", 503, "the server is too busy"),
    ("a Secret\nAKIA", 418, r"the server refused a request \(418\)"),
]


@pytest.mark.parametrize(("code", "status", "line"), ANSWERS)
def test_each_refusal_is_one_line_without_secrets(place, tmp_path, code, status, line):
    def refuse(operation, **_parameters):
        error = {"Error": {"Code": code, "Message": "AKIA SECRET", "Region": "eu-north-1"}}
        raise ClientError(error | {"ResponseMetadata": {"HTTPStatusCode": status}}, operation)

    with pytest.raises(SourceError, match=line) as caught:
        place.open(tmp_path / "cache", refuse)
    assert "AKIA" not in caught.value.line()
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NoCredentialsError(), "there are no credentials"),
        (EndpointConnectionError(endpoint_url="https://AKIA:x@h"), "the server cannot be reached"),
        (ConnectTimeoutError(endpoint_url="https://AKIA:x@h"), "the server cannot be reached"),
    ],
)
def test_what_never_reaches_the_server_is_one_line_too(place, tmp_path, error, line):
    def fail(_operation, **_parameters):
        raise error

    with pytest.raises(SourceError, match=line) as caught:
        place.open(tmp_path / "cache", fail)
    assert "AKIA" not in caught.value.line()


def test_a_bucket_without_a_ledger_says_so(place, tmp_path):
    with pytest.raises(NotFoundError, match="there is no ledger"):
        place.open(tmp_path / "cache", create=False)


def test_the_beginnings_of_another_ledger_are_not_overwritten(place, tmp_path):
    place.write("key.pub", b"another\n")
    with pytest.raises(SourceError, match="beginnings of another ledger"):
        place.open(tmp_path / "cache")
    assert place.read("key.pub") == b"another\n"


def test_objects_of_strangers_are_left_alone_and_said(place, tmp_path):
    filled(place, tmp_path / "cache")
    strange = {"notes.txt": b"x", "../up": b"y", "uids/planted.uids": b"z", "a//b": b"w", "lock": b"v"}
    for name, data in strange.items():
        place.write(name, data)
    ledger = place.open(tmp_path / "other")
    assert uids(ledger) == expected(830)
    ledger.append(events(830, 840))
    ledger.seal()
    report = place.verify(tmp_path / "check")
    assert report.findings == ()
    assert "notes.txt" in {note.object for note in report.notes}
    assert {name: place.read(name) for name in strange} == strange
    assert not (tmp_path / "other" / "up").exists()


def test_without_the_extra_it_says_what_to_install(place, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "botocore.session", None)
    with pytest.raises(UsageError, match=r"pip install 'beholden\[s3\]'"):
        connect(place.bucket().place)


def test_a_cache_that_cannot_be_written_is_one_line(place, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be used"):
        open_mirror(tmp_path / "file", place.bucket())


def test_a_reader_is_not_disturbed_while_a_writer_seals(place, tmp_path):
    """Between any two requests of a reader another machine appends and seals."""
    writer = place.open(tmp_path / "writer")
    writer.append(events(0, 10))
    done = [10]

    turn = threading.Lock()

    def write(_number, _operation, _parameters):
        with turn:
            if done[0] < 100:
                writer.append(events(done[0], done[0] + 10))
                done[0] += 10
                if done[0] % 20:
                    writer.seal()

    reader = place.open(tmp_path / "reader", Requests(place.transport(), before=write), create=False)
    held = uids(reader)
    assert held == expected(len(held))
    assert len(held) >= 20


def test_a_segment_is_named_for_its_writer_and_its_bytes_are_those_of_the_manifest(place, tmp_path):
    ledger = filled(place, tmp_path / "cache")
    segments = ledger.tables().manifest.segments
    assert len({segment.file for segment in segments}) == 2
    for segment in segments:
        copy = tmp_path / "copy.parquet"
        _, sha256 = place.bucket().download(f"segments/{segment.file}", copy)
        assert sha256 == segment.sha256
        assert pq.read_metadata(copy).num_rows == segment.events
