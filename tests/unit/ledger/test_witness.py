"""A witness: what it cosigns, what it refuses, what it remembers."""

from __future__ import annotations

import base64
import errno
import hashlib
import http.client
import itertools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.support.ledger import ORIGIN, SIGNER, batch_of, event, events, open_ledger

from beholden.core.errors import IntegrityError, NotFoundError, SourceError, UsageError
from beholden.ledger import Checkpoint, Ed25519Signer, PublicKey, parse_verifier_key, verifier_key
from beholden.ledger.checkpoint import sign_checkpoint
from beholden.ledger.cosignature import cosign, cosigned_at, parse_witness_key, witness_key
from beholden.ledger.disk import Disk
from beholden.ledger.heads import check_heads, choose_head, keep_cosigned, kept_heads, last_cosigned
from beholden.ledger.merkle import EMPTY_ROOT
from beholden.ledger.note import read_note
from beholden.ledger.proof import StoredTree
from beholden.ledger.proof_texts import Submission, read_submission, submission_text
from beholden.ledger.submit import submit
from beholden.ledger.verify import verify
from beholden.ledger.witness import RefusedError, Witness, new_witness
from beholden.ledger.witness_http import WitnessServer

NAME = "witness.example/w1"
NOW_S = 1_679_315_147
LOG = PublicKey(ORIGIN, SIGNER.public_key)


@pytest.fixture
def home(tmp_path) -> Path:
    new_witness(tmp_path / "home", NAME, seed=bytes(range(32, 64)))
    return Path(tmp_path, "home")


@pytest.fixture
def witness(home) -> Witness:
    return open_witness(home)


def open_witness(home: Path, disk: Disk | None = None) -> Witness:
    return Witness.open(home, [LOG], clock=lambda: NOW_S, disk=disk)


def key_of(home: Path) -> PublicKey:
    key = parse_witness_key((home / "key.pub").read_text().strip())
    assert key is not None
    return key


def grow(directory: Path, *counts: int, source: str = "crm") -> Path:
    """A ledger that was sealed after each of these counts of events."""
    ledger = open_ledger(directory)
    for start, stop in itertools.pairwise((ledger.tables().next_seq, *counts)):
        ledger.append(
            events(start, stop) if source == "crm" else batch_of(event(i, source) for i in range(start, stop))
        )
        ledger.seal()
    return directory


def submission(directory: Path, old_size: int) -> bytes:
    tree = StoredTree.open(directory, SIGNER)
    return submission_text(Submission(old_size, tree.prove_consistency(old_size, tree.newest), tree.note))


def refused(witness: Witness, data: bytes) -> tuple[int, int | None, int]:
    with pytest.raises(RefusedError) as error:
        witness.cosign(data)
    return error.value.status, error.value.known_size, error.value.exit_code


def evidence(home: Path) -> list[list[str]]:
    places = sorted((home / "evidence").iterdir()) if (home / "evidence").exists() else []
    return [[(place / name).read_text() for name in ("cosigned-before", "shown-later", "reason")] for place in places]


def test_the_cosignature_has_the_form_of_the_specification(witness, home, tmp_path):
    directory = grow(tmp_path / "ledger", 5)
    line = witness.cosign(submission(directory, 0)).decode()
    dash, name, encoded = line.rstrip("\n").split(" ")
    raw = base64.b64decode(encoded)
    public = base64.b64decode((home / "key.pub").read_text().strip().split("+", 2)[2])
    assert (dash, name, public[0], len(raw)) == ("\u2014", NAME, 4, 4 + 8 + 64)
    assert raw[:4] == hashlib.sha256(NAME.encode() + b"\n" + public).digest()[:4]
    assert int.from_bytes(raw[4:12], "big") == NOW_S
    text = (directory / "checkpoint").read_text().partition("\n\n")[0] + "\n"
    message = f"cosignature/v1\ntime {NOW_S}\n{text}".encode()
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(raw[12:], message)


def test_it_follows_a_ledger_that_only_grows(witness, home, tmp_path):
    seen = 0
    for count in (1, 5, 300, 301):
        directory = grow(tmp_path / "ledger", count)
        note = witness.cosigned_note(submission(directory, seen))
        assert cosigned_at(read_note(note, "note"), key_of(home), "note") == NOW_S
        assert witness.cosign(submission(directory, count))  # the same once more
        seen = count
    assert witness.newest(hashlib.sha256(ORIGIN.encode()).hexdigest()) is not None
    assert evidence(home) == []


@pytest.mark.parametrize(
    ("counts", "old", "status", "reason"),
    [
        ((200,), 200, 409, "smaller"),  # rolled back
        ((300,), 300, 422, "another of the size"),  # as many other events
        ((400,), 300, 422, "does not continue"),  # built anew, and on
        ((300, 400), 300, 422, "does not continue"),
    ],
)
def test_a_ledger_built_anew_with_the_genuine_key_is_refused(witness, home, tmp_path, counts, old, status, reason):
    first = grow(tmp_path / "ledger", 300)
    witness.cosign(submission(first, 0))
    forged = grow(tmp_path / "forged", *counts, source="other")
    data = submission(forged, old)
    assert refused(witness, data) == (status, 300 if status == 409 else None, 5)
    ((before, later, why),) = evidence(home)
    assert before.startswith((first / "checkpoint").read_text())
    assert (later, reason in why) == ((forged / "checkpoint").read_text(), True)
    refused(witness, data)
    assert len(evidence(home)) == 1
    assert witness.cosign(submission(grow(first, 301), 300))  # the genuine one goes on


def test_going_back_with_the_size_it_saw_is_a_bad_request_and_kept(witness, home, tmp_path):
    first = grow(tmp_path / "ledger", 300)
    witness.cosign(submission(first, 0))
    smaller = read_submission(submission(grow(tmp_path / "older", 200), 0), "s")
    assert refused(witness, submission_text(Submission(300, (), smaller.checkpoint)))[0] == 400
    assert len(evidence(home)) == 1


def test_each_status_of_the_specification(witness, home, tmp_path):
    directory = grow(tmp_path / "ledger", 300)
    right = submission(directory, 0)
    note = read_submission(right, "s").checkpoint
    stranger = Ed25519Signer(ORIGIN, bytes(32))
    unknown = Ed25519Signer("other.example/log", bytes(32))
    head = Checkpoint(ORIGIN, 300, bytes(32))
    extra = submission_text(Submission(0, (bytes(32),), note))
    empty = sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), SIGNER)
    cases = {
        400: [b"", b"old 0\n", right[4:], b"old 00\n\n" + note, b"old -1\n\n" + note, b"old 1_0\n\n" + note, b"old 0\nAAAA\n\n" + note,
              b"old 301\n\n" + note, b"old 0\n\nno note\n", b"old 0\n" + b"A" * 43 + b"=\n" * 64 + b"\n" + note,
              b"old 0\n\n" + sign_checkpoint(Checkpoint(ORIGIN, 3, b"short"), SIGNER), b"\xff" + right],
        403: [b"old 0\n\n" + sign_checkpoint(head, stranger),
              b"old 0\n\n" + note.replace(b"300\n", b"301\n")],
        404: [b"old 0\n\n" + sign_checkpoint(Checkpoint("other.example/log", 1, bytes(32)), unknown)],
        409: [submission(directory, 1)],
        422: [extra, b"old 0\n\n" + empty],
    }  # fmt: skip
    for status, bodies in cases.items():
        for body in bodies:
            assert refused(witness, body)[0] == status, body[:60]
    assert refused(witness, submission(directory, 1)) == (409, 0, 1)
    assert evidence(home) == []
    good_empty = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), SIGNER)
    assert witness.cosign(b"old 0\n\n" + good_empty)
    assert witness.cosign(right)


def test_every_flipped_bit_of_a_submission_is_refused(witness, tmp_path):
    directory = grow(tmp_path / "ledger", 3)
    witness.cosign(submission(directory, 0))
    data = submission(grow(directory, 9), 3)
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 8
        assert refused(witness, bytes(changed))[0] in {400, 403, 404, 409, 422}
    assert witness.cosign(data)


def test_its_memory_is_durable_before_a_cosignature_leaves(home, tmp_path):
    """Whichever step fails: no cosignature, and afterwards the one or the other memory, whole."""
    directory = grow(tmp_path / "ledger", 3)
    data = submission(directory, 0)
    steps: list[str] = []
    for failing in range(20):
        disk = FailingDisk(failing, steps)
        copy = Path(shutil.copytree(home, tmp_path / f"home{failing}"))
        line = ""
        try:
            open_witness(copy, disk).cosign(data)
        except SourceError as error:
            line = error.line()
        if not line:
            break
        assert line == "witness: its memory cannot be written (No space left on device). Nothing was cosigned"
        before = (copy / "state.json").read_bytes()
        assert refused(open_witness(copy), submission(directory, 1))[1] in {0, 3}
        assert (copy / "state.json").read_bytes() == before
    assert steps == ["create", "write", "sync", "replace", "sync_directory"]


class FailingDisk(Disk):
    """Runs out of room at one of its steps."""

    def __init__(self, failing: int, steps: list[str]) -> None:
        self._left = failing
        steps.clear()
        self._steps = steps

    def _step(self, name: str) -> None:
        if not self._left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._left -= 1
        self._steps.append(name)

    def create(self, path):
        self._step("create")
        return super().create(path)

    def write(self, file, data):
        self._step("write")
        super().write(file, data)

    def sync(self, file):
        self._step("sync")
        super().sync(file)

    def replace(self, source, target):
        self._step("replace")
        super().replace(source, target)

    def sync_directory(self, path):
        self._step("sync_directory")
        super().sync_directory(path)


def test_a_lost_or_altered_memory_stops_it(home, witness, tmp_path):
    witness.cosign(submission(grow(tmp_path / "ledger", 3), 0))
    right = (home / "state.json").read_bytes()
    for position in range(0, len(right), 7):
        changed = bytearray(right)
        changed[position] ^= 1
        (home / "state.json").write_bytes(changed)
        with pytest.raises(IntegrityError, match=r"state\.json, was altered"):
            open_witness(home)
    (home / "state.json").unlink()
    with pytest.raises(IntegrityError, match=r"is missing\. Restore it: without it"):
        open_witness(home)
    (home / "key").write_text("PRIVATE+KEY+x+00000000+AAAA\n")
    with pytest.raises(IntegrityError, match="its key was altered"):
        open_witness(home)
    with pytest.raises(NotFoundError, match="there is none here"):
        open_witness(tmp_path / "nowhere")


def test_a_new_witness_needs_a_new_place_and_a_name(home, tmp_path):
    assert (home / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="is there already"):
        new_witness(home, NAME, seed=bytes(32))
    for name in ("", "a b", "a+b", "a\nb", "a\u2003b"):
        with pytest.raises(UsageError, match="cannot be a key's name"):
            new_witness(tmp_path / "other", name, seed=bytes(32))
    assert parse_verifier_key((home / "key.pub").read_text().strip()) is None


def test_two_at_once_never_get_cosignatures_of_inconsistent_heads(home, tmp_path):
    """Genuine and forged heads race, from several objects on one memory: all that are cosigned are of one history."""
    first = grow(tmp_path / "first", 10)
    forged = grow(tmp_path / "forged", 10, source="other")
    racing = [submission(grow(place, 10 + i), 0) for i, place in enumerate((first, forged) * 4, 1)]
    got: list[bytes] = []

    def race(data: bytes) -> None:
        with suppress(RefusedError):
            got.append(open_witness(home).cosigned_note(data))

    threads = [threading.Thread(target=race, args=(data,)) for data in racing]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


@contextmanager
def serving(witness: Witness) -> Iterator[tuple[str, list[str]]]:
    said: list[str] = []
    with WitnessServer(("127.0.0.1", 0), witness, said.append) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", said
        finally:
            server.shutdown()
            thread.join()


def ask(
    address: str, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, str | None, bytes]:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()
    finally:
        connection.close()


def test_over_http(witness, home, tmp_path):
    directory = grow(tmp_path / "ledger", 300)
    own = hashlib.sha256(ORIGIN.encode()).hexdigest()
    with serving(witness) as (address, said):
        assert ask(address, "GET", f"/{own}/checkpoint")[0] == 404
        status, kind, line = ask(address, "POST", "/add-checkpoint", submission(directory, 0))
        assert (status, kind) == (200, "text/plain; charset=utf-8")
        note = (directory / "checkpoint").read_bytes() + line
        assert cosigned_at(read_note(note, "note"), key_of(home), "note") == NOW_S
        assert ask(address, "GET", f"/{own}/checkpoint") == (200, "text/plain; charset=utf-8", note)
        assert ask(address, "POST", "/add-checkpoint", submission(directory, 0)) == (409, "text/x.tlog.size", b"300\n")
        assert ask(address, "POST", "/add-checkpoint", b"nonsense")[0] == 400
        assert ask(address, "POST", "/sign-subtree", b"")[0] == 404
        assert ask(address, "POST", "/add-checkpoint", b"x" * 80_001)[0] == 413
        assert ask(address, "POST", "/add-checkpoint", Content_Length="-5")[0] == 411
        assert ask(address, "GET", "/")[0] == 404
        assert ask(address, "PUT", "/add-checkpoint", b"")[0] == 501
    assert said[0] == "cosigned"
    assert said[1] == "refused with 409: continues a tree head of 0 events, but one of 300 was cosigned"


def test_a_ledger_hands_itself_over_and_keeps_the_answer(witness, home, tmp_path):
    directory, key = grow(tmp_path / "ledger", 300), key_of(home)
    with serving(witness) as (address, _):
        url = f"http://{address}"
        assert submit(StoredTree.open(directory, SIGNER), url, key).witnesses == (NAME,)
        grow(directory, 400)
        tree = StoredTree.open(directory, SIGNER)
        assert [(head.checkpoint.size, head.witnesses) for head in kept_heads(tree)] == [(300, (NAME,)), (400, ())]
        assert choose_head(kept_heads(tree), seq=299).checkpoint.size == 300
        assert choose_head(kept_heads(tree), seq=300).checkpoint.size == 400
        submit(tree, url, key)
        assert [(head.checkpoint.size, head.witnesses) for head in kept_heads(tree)] == [(400, (NAME,))]
        shutil.rmtree(directory / "cosigned")  # what it was told is asked for again
        submit(tree, url, key)
        report = verify(directory, key=SIGNER)
        assert (report.findings, report.notes) == ((), ())
        older = StoredTree.open(grow(tmp_path / "older", 200), SIGNER)
        with pytest.raises(IntegrityError, match=r"covers 200 events, but witness\.example/w1 cosigned 400"):
            submit(older, url, key)
        other = StoredTree.open(grow(tmp_path / "other", 500, source="other"), SIGNER)
        with pytest.raises(IntegrityError, match="does not cosign this tree head"):
            submit(other, url, key)
    with pytest.raises(SourceError, match="cannot be reached"):
        submit(tree, url, key)
    with pytest.raises(UsageError, match="witness URL: is none"):
        submit(tree, "file:///etc", key)
    ledger = open_ledger(directory)
    ledger.append(events(400, 410))
    ledger.seal()
    assert ledger.tables().checkpoint.size == 410


def test_only_what_the_witness_signed_is_kept(home, witness, tmp_path):
    directory, key = grow(tmp_path / "ledger", 300), key_of(home)
    tree = StoredTree.open(directory, SIGNER)
    note = witness.cosigned_note(submission(directory, 0))
    stranger = Ed25519Signer(NAME, bytes(32))
    wrong = cosign(read_note(tree.note, "n"), stranger, NOW_S).encode()
    for data, found in {
        tree.note: "is not cosigned by witness.example/w1",
        tree.note + wrong: "is not cosigned by witness.example/w1",
        note.replace(b"300\n", b"299\n"): "the signature does not match its text",
        note[:-6] + b"AA==\n": "signature",
    }.items():
        with pytest.raises(IntegrityError, match=found):
            keep_cosigned(tree, data, key, "answer")
    keep_cosigned(tree, note + wrong, key, "answer")
    assert last_cosigned(tree.layout, key) == note
    assert keep_cosigned(StoredTree.open(grow(directory, 400), SIGNER), note, key, "answer").checkpoint.size == 300


def test_verify_compares_cosigned_heads_with_the_ledger(home, witness, tmp_path):
    """A ledger that was built anew with the genuine key is found as long as a cosigned head lies beside it."""
    directory, key = grow(tmp_path / "ledger", 300), key_of(home)
    keep_cosigned(StoredTree.open(directory, SIGNER), witness.cosigned_note(submission(directory, 0)), key, "answer")
    name = min(path.name for path in (directory / "cosigned").iterdir())
    for counts, object_ in {(300,): f"cosigned/{name}", (310,): f"cosigned/{name}", (200,): "checkpoint"}.items():
        forged = grow(tmp_path / f"forged{counts[0]}", *counts, source="other")
        shutil.copytree(directory / "cosigned", forged / "cosigned")
        assert [finding.object for finding in verify(forged, key=SIGNER).findings] == [object_]


def test_every_flipped_byte_of_a_cosigned_head_is_found_and_named(home, witness, tmp_path):
    directory, key = grow(tmp_path / "ledger", 3), key_of(home)
    tree = StoredTree.open(directory, SIGNER)
    keep_cosigned(tree, witness.cosigned_note(submission(directory, 0)), key, "answer")
    for path in (directory / "cosigned").iterdir():
        data = path.read_bytes()
        for position in range(len(data)):
            changed = bytearray(data)
            changed[position] ^= 1 << position % 8
            path.write_bytes(changed)
            (error,) = check_heads(tree)
            assert (error.exit_code, error.where) == (5, f"cosigned/{path.name}")
        path.write_bytes(data)
    assert list(check_heads(tree)) == []
    min((directory / "cosigned").iterdir()).with_suffix(".pub").unlink()
    assert [error.exit_code for error in check_heads(tree)] == [5]


def test_it_runs_where_little_is_installed(tmp_path):
    """Of what is not in Python: only cryptography and what that needs."""
    (tmp_path / "key.pub").write_text(verifier_key(SIGNER) + "\n")
    directory = grow(tmp_path / "ledger", 9)
    (tmp_path / "request").write_bytes(submission(directory, 0))
    program = (
        "import sys\n"
        "from beholden.ledger.witness import main\n"
        "code = main(sys.argv[1:])\n"
        "known = {'beholden', 'cryptography', 'cffi', '_cffi_backend', '__main__'} | sys.stdlib_module_names\n"
        "strange = {name.partition('.')[0] for name in sys.modules} - known\n"
        "sys.exit(f'{strange}' if any(not name.startswith('_') for name in strange) else code)\n"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60, env=os.environ,
        )  # fmt: skip

    assert run("new-key", "home", "--name", NAME).returncode == 0
    done = run("check", "home", "request", "--log", "key.pub", "--out", "cosigned")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "cosigned").read_bytes().startswith((directory / "checkpoint").read_bytes())
    done = run("check", "home", "request", "--log", "key.pub")
    assert done.returncode == 1
    assert "ask for: beholden ledger prove --from-size 9" in done.stderr.replace("Ask", "ask")
    assert run("check", "home", "absent", "--log", "key.pub").returncode == 2
    assert witness_key(Ed25519Signer(NAME, bytes(32))).startswith(f"{NAME}+")
