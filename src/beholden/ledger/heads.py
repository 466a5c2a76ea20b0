"""Tree heads that are kept: the newest one, and for each witness the newest that it cosigned.

``cosigned/KEYID`` is a signed note with the ledger's signature and one witness's, ``cosigned/KEYID.pub`` the key that it
was checked with when it came. A witness's word counts for whoever
has its key from somebody they trust: what lies here is for handing on. `check_heads` compares it with the tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, UsageError
from beholden.ledger.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from beholden.ledger.cosignature import cosigned_at, parse_witness_key, witness_key
from beholden.ledger.disk import Disk, is_temporary, lock_file, replace_file
from beholden.ledger.files import reading, write_error
from beholden.ledger.format import LOCK_TIMEOUT_S, Layout
from beholden.ledger.note import COSIGNATURE, ED25519, key_id, read_note, signature_line, signatures_of
from beholden.ledger.proof import StoredTree

__all__ = ["KeptHead", "check_heads", "choose_head", "given_head", "keep_cosigned", "kept_heads", "last_cosigned"]

_KEY: Final = ".pub"
_AGAIN: Final = "delete both, and ask the witness again"


@dataclass(frozen=True, slots=True)
class KeptHead:
    """A tree head, as a note with all signatures kept of it; ``witnesses`` are the names of those who cosigned."""

    checkpoint: Checkpoint
    note: bytes
    witnesses: tuple[str, ...] = ()


def kept_heads(tree: StoredTree) -> list[KeptHead]:
    """One for each size, the newest last.

    Raises:
        IntegrityError: one is not signed by the ledger's key, or two of one size have different roots.
    """
    lines: dict[Checkpoint, list[str]] = {}
    for name, data in [*_cosigned_notes(tree.layout), ("checkpoint", tree.note)]:
        head = open_checkpoint(data, tree.info.origin, tree.key, name)
        known = lines.setdefault(head, [])
        known += [line for line in data.decode().rpartition("\n\n")[2].splitlines(keepends=True) if line not in known]
    heads = sorted(lines, key=lambda head: head.size)
    if len({head.size for head in heads}) < len(heads):
        raise _two_ledgers()
    own = tree.key.name
    return [
        KeptHead(
            head,
            f"{head.text()}\n{''.join(lines[head])}".encode(),
            tuple(name for line in lines[head] if (name := line.split(" ")[1]) != own),
        )
        for head in heads
    ]


def choose_head(heads: Sequence[KeptHead], *, size: int | None = None, seq: int = 0) -> KeptHead:
    """The head of that size; else the newest that was cosigned and covers the event; else the newest.

    Raises:
        UsageError: no head of that size is kept.
    """
    if size is not None:
        found = [head for head in heads if head.checkpoint.size == size]
        if not found:
            sizes = ", ".join(str(head.checkpoint.size) for head in heads)
            raise UsageError(
                "--size", f"no signed tree head of {size} events is kept", expected=f"one of {sizes}",
                advice="an earlier one that you kept elsewhere is given with --checkpoint",
            )  # fmt: skip
        return found[0]
    cosigned = [head for head in heads if head.witnesses and head.checkpoint.size > seq]
    return (cosigned or heads)[-1]


def given_head(tree: StoredTree, data: bytes, name: str) -> KeptHead:
    """A tree head of this ledger that somebody kept.

    Raises:
        IntegrityError: it is not signed by the ledger's key, or covers more than the ledger has.
    """
    head = open_checkpoint(data, tree.info.origin, tree.key, name)
    if head.size > tree.newest.size:
        raise IntegrityError(
            "checkpoint", f"covers {tree.newest.size:,} events, but {head.size:,} were signed in {name}",
            advice="an older ledger was put in its place: restore the newest",
        )  # fmt: skip
    names = {signature.name for signature in read_note(data, name).signatures} - {tree.key.name}
    return KeptHead(head, data, tuple(sorted(names)))


def last_cosigned(layout: Layout, witness: VerifierKey) -> bytes | None:
    """The note that this witness cosigned last, as far as it was kept here."""
    path = _path(layout, witness)
    with reading():
        return path.read_bytes() if path.is_file() else None


def keep_cosigned(tree: StoredTree, data: bytes, witness: VerifierKey, name: str, disk: Disk | None = None) -> KeptHead:
    """Keep a tree head that a witness cosigned, unless a larger one of the same witness is kept.

    Durable when it returns. Checkpoint, manifest and the write-ahead log are not touched.

    Raises:
        IntegrityError: the ledger's or the witness's signature is absent or wrong, or the tree does not have this root.
        ReadOnlyError, SourceError: it cannot be written.
    """
    head = given_head(tree, data, name).checkpoint
    note = read_note(data, name)
    if cosigned_at(note, witness, name) is None:
        raise IntegrityError(name, f"is not cosigned by {witness.name}", expected="the witness's key and its answer")
    check_head(tree, head, name)
    wanted = [(tree.key, ED25519), (witness, COSIGNATURE)]
    lines = [
        signature_line(key, algorithm, found.value)
        for key, algorithm in wanted
        for found in signatures_of(note, key, algorithm)
    ]
    kept = f"{note.text}\n{''.join(lines)}".encode()
    path, disk = _path(tree.layout, witness), disk or Disk()
    try:
        with lock_file(tree.layout.lock, LOCK_TIMEOUT_S):
            disk.make_directory(path.parent)
            before = last_cosigned(tree.layout, witness)
            if before is None or open_checkpoint(before, tree.info.origin, tree.key).size <= head.size:
                replace_file(disk, path.with_suffix(_KEY), f"{witness_key(witness)}\n".encode())
                replace_file(disk, path, kept)
    except OSError as error:
        raise write_error("ledger cosigned", error, "the ledger is as it was") from None
    return KeptHead(head, kept, (witness.name,))


def check_heads(tree: StoredTree) -> Iterator[BeholdenError]:
    """What is wrong with cosigned heads: signature, size, root. A `NotFoundError` is of one that cannot be compared."""
    for name, data in _cosigned_notes(tree.layout):
        try:
            check_head(tree, given_head(tree, data, name).checkpoint, name)
            _check_cosignature(tree.layout, name, data)
        except IntegrityError as error:
            yield error
        except NotFoundError as error:
            yield NotFoundError(name, f"cannot be compared: {error.found}")


def check_head(tree: StoredTree, head: Checkpoint, name: str) -> None:
    """Compare a signed head with the tree.

    Raises:
        IntegrityError: the ledger's first events do not have the root that was signed.
        NotFoundError: events it needs were pruned.
    """
    if tree.root(head.size) != head.root:
        raise IntegrityError(
            name, f"the first {head.size:,} events of this ledger do not have the root that was signed in it",
            advice="keep both: they prove that two ledgers were signed with one key",
        )  # fmt: skip


def _check_cosignature(layout: Layout, name: str, data: bytes) -> None:
    """Is the note cosigned by the key that lies beside it, from which both have their name?"""
    path = (layout.root / name).with_suffix(_KEY)
    try:
        key = parse_witness_key(path.read_text("utf-8").removesuffix("\n"))
    except (FileNotFoundError, UnicodeDecodeError):
        key = None
    if key is None or _path(layout, key) != layout.root / name:
        raise IntegrityError(layout.name(path), "is missing, or not the key of this name", advice=_AGAIN)
    if cosigned_at(read_note(data, name), key, name) is None:
        raise IntegrityError(name, f"is not cosigned by {key.name}", advice=_AGAIN)


def _two_ledgers() -> IntegrityError:
    return IntegrityError(
        "cosigned", "a tree head of the same size as the checkpoint has another root",
        advice="keep both files: they prove that two ledgers were signed with one key",
    )  # fmt: skip


def _cosigned_notes(layout: Layout) -> Iterator[tuple[str, bytes]]:
    with reading():
        if layout.cosigned.is_dir():
            for path in sorted(layout.cosigned.iterdir()):
                if path.is_file() and path.suffix != _KEY and not is_temporary(path):
                    yield layout.name(path), path.read_bytes()


def _path(layout: Layout, witness: VerifierKey) -> Path:
    return layout.cosigned / key_id(witness, COSIGNATURE).hex()
