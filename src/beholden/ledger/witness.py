"""A witness: remembers the newest tree head of each log it was shown, and signs only what continues it.

It is run by somebody else, elsewhere, with a key and a memory of its own. Who holds a ledger's key can sign a ledger that
was built anew or rolled back; a witness that saw the former one does not cosign it and keeps both signed notes.
Nothing of an estate is needed, and nothing but Python and ``cryptography``::

    python -m beholden.ledger.witness new-key HOME --name witness.example/w1
    python -m beholden.ledger.witness check HOME SUBMISSION --log KEY.pub --out COSIGNED
    python -m beholden.ledger.witness serve HOME --log KEY.pub --address 127.0.0.1:8620

https://c2sp.org/tlog-witness (``add-checkpoint``) and https://c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, SourceError, UsageError
from beholden.ledger.checkpoint import Checkpoint, check_signature, parse_checkpoint, parse_verifier_key
from beholden.ledger.cosignature import cosign, witness_key
from beholden.ledger.disk import Disk, lock_file, replace_file
from beholden.ledger.merkle import EMPTY_ROOT, is_consistent
from beholden.ledger.note import (
    COSIGNATURE,
    Ed25519Signer,
    Note,
    PublicKey,
    from_base64,
    is_key_name,
    key_id,
    read_note,
    to_base64,
)
from beholden.ledger.proof_texts import Submission, read_submission

__all__ = ["RefusedError", "Witness", "log_keys", "main", "new_witness"]

_SECRET: Final = "PRIVATE+KEY"  # noqa: S105 - how Go writes the begin of one
_SEED_BYTES: Final = 32
_LOCK_TIMEOUT_S: Final = 30.0
#: Refusals of which both notes are kept; a key that signs more forgeries than this needs no more proof.
_EVIDENCE_MAX: Final = 1000
_STATE: Final = "state.json"

#: Seconds since 1970-01-01 UTC.
Clock = Callable[[], int]


class RefusedError(BeholdenError):
    """A submission that is not cosigned.

    Attributes:
        status: the answer of C2SP tlog-witness, 400 to 422.
        known_size: with 409, how many events the newest tree head has that was cosigned.
    """

    def __init__(
        self, status: int, found: str, *, advice: str = "", known_size: int | None = None, code: int = 5
    ) -> None:
        super().__init__("submission", found, advice=advice)
        self.status = status
        self.known_size = known_size
        self.exit_code = code


@dataclass(frozen=True, slots=True)
class _Seen:
    """The newest tree head of a log, and the note as it was cosigned."""

    head: Checkpoint
    note: bytes


class Witness:
    """A witness's key and memory. Make one with `Witness.open`; any number of processes and threads may.

    Args:
        home: its directory.
        signer: its key.
        logs: by origin, the key that log's tree heads are signed with.
        clock: the present in seconds.
        disk: how the memory is written.
    """

    def __init__(self, home: Path, signer: Ed25519Signer, logs: dict[str, PublicKey], clock: Clock, disk: Disk) -> None:
        self._home = home
        self._signer = signer
        self._logs = logs
        self._clock = clock
        self._disk = disk
        self._turn = threading.Lock()

    @classmethod
    def open(cls, home: Path, logs: Sequence[PublicKey], *, clock: Clock, disk: Disk | None = None) -> Self:
        """Open what `new_witness` made.

        Raises:
            NotFoundError: there is no witness. IntegrityError: its key or its memory was altered or lost.
        """
        try:
            secret = (home / "key").read_text("utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            raise NotFoundError(
                f"witness {home}", "there is none here", advice="make one with: beholden ledger witness new-key"
            ) from None
        except (OSError, UnicodeDecodeError):
            raise SourceError(f"witness {home}", "its key cannot be read") from None
        signer = _parse_secret(secret)
        if signer is None:
            raise IntegrityError(f"witness {home}", "its key was altered", advice="restore it from a backup")
        witness = cls(home, signer, {key.name: key for key in logs}, clock, disk or Disk())
        witness._read()
        return witness

    @property
    def key(self) -> str:
        """Its public key as one line."""
        return witness_key(self._signer)

    def cosign(self, data: bytes) -> bytes:
        """Check a submission and cosign its tree head: the signature line to add to it.

        Durable when it returns: that this tree head was seen. Two at once take turns, so that no two heads are
        cosigned of which one does not continue the other.

        Raises:
            RefusedError: it is not cosigned. If its tree head does not continue the one that was seen, though it is
                signed with the log's key, both notes are kept in ``evidence``.
            SourceError: the memory cannot be written; nothing was cosigned.
        """
        try:
            submission = read_submission(data, "submission")
            note = read_note(submission.checkpoint, "submission")
            head = parse_checkpoint(note, "submission")
        except (UsageError, IntegrityError) as error:
            raise RefusedError(400, error.found, code=2) from None
        key = self._logs.get(head.origin)
        if key is None:
            raise RefusedError(404, "this witness does not know the log", advice="give its key with --log", code=2)
        try:
            check_signature(note, key, "submission")
        except IntegrityError as error:
            raise RefusedError(403, error.found) from None
        try:
            with self._turn, lock_file(self._home / "lock", _LOCK_TIMEOUT_S):
                return self._cosign(submission, note, head)
        except OSError as error:
            raise SourceError(
                "witness", f"its memory cannot be written ({error.strerror})", advice="nothing was cosigned"
            ) from None

    def cosigned_note(self, data: bytes) -> bytes:
        """As `cosign`; the whole tree head with the cosignature added, for those who bring files."""
        line = self.cosign(data)
        return read_submission(data, "submission").checkpoint + line

    def newest(self, origin_hash: str) -> bytes | None:
        """The note that was cosigned last for the log of which the origin has this SHA-256, in hex; None for none."""
        found = [seen.note for origin, seen in self._read().items() if _hash(origin) == origin_hash]
        return found[0] if found else None

    def _cosign(self, submission: Submission, note: Note, head: Checkpoint) -> bytes:
        memory = self._read()
        seen = memory.get(head.origin)
        last = seen.head if seen else Checkpoint(head.origin, 0, EMPTY_ROOT)
        if seen and (head.size < last.size or (head.size == last.size and head.root != last.root)):
            what = "smaller than" if head.size < last.size else "another of the size of"
            self._keep_evidence(seen, submission, f"a tree head that is {what} the one cosigned before")
        if submission.old_size > head.size:
            raise RefusedError(400, f"goes back from {submission.old_size} events to {head.size}")
        if submission.old_size != last.size:
            shrunk = head.size < last.size
            found = f"continues a tree head of {submission.old_size} events, but one of {last.size} was cosigned"
            advice = "" if shrunk else f"ask for: beholden ledger prove --from-size {last.size}"
            raise RefusedError(409, found, advice=advice, known_size=last.size, code=5 if shrunk else 1)
        if not is_consistent(last.size, last.root, head.size, head.root, submission.path) or (
            not head.size and head.root != EMPTY_ROOT
        ):
            if seen:
                self._keep_evidence(seen, submission, "a tree head that does not continue the one cosigned before")
            raise RefusedError(
                422, f"its tree head of {head.size} events is not shown to continue that of {last.size}",
                advice="both signed notes are kept" if seen else "",
            )  # fmt: skip
        line = cosign(note, self._signer, self._clock()).encode()
        memory[head.origin] = _Seen(head, submission.checkpoint + line)
        replace_file(self._disk, self._home / _STATE, _encode(memory))
        return line

    def _read(self) -> dict[str, _Seen]:
        try:
            data = (self._home / _STATE).read_bytes()  # once: another may replace it meanwhile
            memory = json.loads(data)
            notes = {origin: note.encode() for origin, note in memory["cosigned"].items()}
            seen = {
                origin: _Seen(parse_checkpoint(read_note(note, _STATE), _STATE), note) for origin, note in notes.items()
            }
            if _encode(seen) == data:
                return seen
        except FileNotFoundError:
            raise IntegrityError(
                f"witness {self._home}", f"its memory, {_STATE}, is missing",
                advice="restore it: without it a ledger that was rolled back would be cosigned",
            ) from None  # fmt: skip
        except OSError:
            raise SourceError(f"witness {self._home}", "its memory cannot be read") from None
        except (ValueError, LookupError, AttributeError, TypeError, IntegrityError):
            pass
        raise IntegrityError(
            f"witness {self._home}", f"its memory, {_STATE}, was altered", advice="restore it from a backup"
        )

    def _keep_evidence(self, seen: _Seen, submission: Submission, reason: str) -> None:
        """Both notes, once for each; durable when it returns."""
        directory = self._home / "evidence"
        place = directory / hashlib.sha256(seen.note + submission.checkpoint).hexdigest()[:32]
        self._disk.make_directory(directory)
        if not place.exists() and sum(1 for _ in directory.iterdir()) < _EVIDENCE_MAX:
            self._disk.make_directory(place)
            replace_file(self._disk, place / "cosigned-before", seen.note)
            replace_file(self._disk, place / "shown-later", submission.checkpoint)
            replace_file(self._disk, place / "reason", f"{reason}; shown at {self._clock()}\n".encode())


def new_witness(home: Path, name: str, *, seed: bytes, disk: Disk | None = None) -> str:
    """Make a witness in a directory that is not there yet; returns its public key, which is also in ``key.pub``.

    Args:
        home: its directory: key, memory, evidence.
        name: the key's name, as a URL without scheme.
        seed: 32 random bytes.
        disk: how it is written.

    Raises:
        UsageError: the directory is there, or the name cannot be one. SourceError: it cannot be written.
    """
    disk = disk or Disk()
    if not is_key_name(name):
        raise UsageError("--name", "cannot be a key's name", expected="such as witness.example/w1, without spaces or +")
    signer = Ed25519Signer(name, seed)
    try:
        home.mkdir(mode=0o700, parents=True)
        with os.fdopen(os.open(home / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0) as file:
            disk.write(file, f"{_secret(signer, seed)}\n".encode())
            disk.sync(file)
        replace_file(disk, home / "key.pub", f"{witness_key(signer)}\n".encode())
        replace_file(disk, home / _STATE, _encode({}))
        disk.sync_directory(home.parent)
    except FileExistsError:
        raise UsageError(f"witness {home}", "is there already", expected="a new directory") from None
    except OSError as error:
        raise SourceError(f"witness {home}", f"cannot be written ({error.strerror})") from None
    return witness_key(signer)


def log_keys(files: Sequence[Path]) -> list[PublicKey]:
    """The keys of the logs to watch, one file each, as ``key.pub`` of a ledger."""
    keys = []
    for path in files:
        try:
            key = parse_verifier_key(path.read_text("utf-8").strip())
        except (OSError, UnicodeDecodeError):
            key = None
        if key is None:
            raise UsageError(f"--log {path}", "cannot be read as a verifier key", expected="one line, as in key.pub")
        keys.append(key)
    return keys


def _secret(signer: Ed25519Signer, seed: bytes) -> str:
    return f"{_SECRET}+{signer.name}+{key_id(signer, COSIGNATURE).hex()}+{to_base64(bytes([COSIGNATURE]) + seed)}"


def _parse_secret(text: str) -> Ed25519Signer | None:
    name, _, rest = text.removeprefix(f"{_SECRET}+").partition("+")
    seed = from_base64(rest.partition("+")[2])[1:]
    if len(seed) != _SEED_BYTES:
        return None
    signer = Ed25519Signer(name, seed)
    return signer if _secret(signer, seed) == text else None


def _encode(memory: dict[str, _Seen]) -> bytes:
    """The memory as JSON; what differs from this by a byte is not believed."""
    notes = {origin: seen.note.decode() for origin, seen in sorted(memory.items())}
    digest = hashlib.sha256(json.dumps(notes).encode()).hexdigest()
    return json.dumps({"cosigned": notes, "sha256": digest}, indent=1).encode() + b"\n"


def _hash(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """The witness as a program of its own; exit codes as the command line's."""
    from beholden.ledger._witness_program import run  # noqa: PLC0415 - it imports this module

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
