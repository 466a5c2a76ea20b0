"""``beholden ledger prove`` and ``export``: what an outsider checks without Beholden."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli.output import emit, note, output_options
from beholden.core.errors import UsageError

if TYPE_CHECKING:
    from beholden.ledger.heads import KeptHead
    from beholden.ledger.proof import EventProof, StoredTree

__all__ = ["EventProofRow", "export", "prove"]

#: What two ways of asking share.
_CHECKPOINT = click.option(
    "--checkpoint", "kept", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Prove against this tree head, which somebody kept.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EventProofRow:
    """That an event is under a signed tree head. ``record`` is the canonical record, ``hashes`` the inclusion proof
    from the leaf's sibling up; these, ``leaf_hash`` and ``root_hash`` are in hex. ``event`` is what the record says.
    """  # noqa: D205 - the description of a schema is one paragraph

    seq: int
    leaf_hash: str
    tree_size: int
    root_hash: str
    hashes: list[str]
    record: str
    checkpoint: str
    cosigned_by: list[str]
    event: dict[str, Any]


@click.command()
@click.argument("seq", required=False, type=int)
@click.option("--from-size", metavar="N", type=int, help="Prove that the ledger of N events was only added to since.")
@click.option("--size", metavar="N", type=int, help="Prove against the kept tree head of N events.")
@_CHECKPOINT
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write to FILE.")
@output_options
@pass_estate
def prove(
    estate: Estate, *, seq: int | None, from_size: int | None, size: int | None, kept: Path | None, out: Path | None,
    output: str | None,
) -> None:  # fmt: skip
    """Prove that event SEQ is on record unaltered, or that nothing was removed since the ledger had N events.

    For SEQ (see who --events) it writes a .tlog-proof: the event's record, the hashes up to the root, and the signed
    tree head; --json has it with what the record says. With --from-size it writes a consistency proof and the tree head, as a witness takes them. Both are for
    programs that are not ours; the how-to "prove an access to an auditor" shows them. The tree head is the newest that a
    witness cosigned, if one covers the event, else the newest.
    """
    from beholden.ledger.proof_texts import Submission, event_proof, submission_text

    if (seq is None) == (from_size is None):
        raise UsageError("ledger prove", "one thing is proven at a time", expected="SEQ or --from-size N")
    if output and (seq is None or out is not None):
        raise UsageError(f"--{output}", "is for one event on stdout", expected="SEQ, and no --out")
    tree = open_tree(estate)
    if seq is not None:
        head = chosen_head(tree, size, kept, seq)
        proof = tree.prove_event(seq, head.checkpoint)
        if output:
            emit(output, "ledger-proof", [_row(proof, head)], [], empty="")
            return
        data = event_proof(seq, proof.path, head.note, proof.record)
        what = f"event {seq:,} is one of the"
    else:
        head = chosen_head(tree, size, kept, None)
        path = tree.prove_consistency(from_size or 0, head.checkpoint)
        data = submission_text(Submission(from_size or 0, path, head.note))
        what = f"the first {from_size or 0:,} events begin the"
    if out is not None:
        write_file(out, data)
    else:
        sys.stdout.write(data.decode())
    by = f", cosigned by {', '.join(head.witnesses)}" if head.witnesses else ""
    note(f"proven: {what} {head.checkpoint.size:,} under root {head.checkpoint.root.hex()[:16]}{by}")


@click.command()
@click.option("--from", "start", metavar="SEQ|TIME", required=True, help="First event: its number, a time or an age.")
@click.option("--to", "end", metavar="SEQ|TIME", help="The first event after the last one; without it the end.")
@click.option("--size", metavar="N", type=int, help="Export under the kept tree head of N events.")
@_CHECKPOINT
@click.option(
    "--out", metavar="DIR", required=True, type=click.Path(path_type=Path), help="A directory that is not there yet."
)
@pass_estate
def export(estate: Estate, *, start: str, end: str | None, size: int | None, kept: Path | None, out: Path) -> None:
    """Write events [from, to) to DIR with what proves them, for somebody who has no Beholden.

    DIR/README.md says how it is checked, with tools that are not ours. For times the range is from the first to the last
    event of that window; late events of other times between them are in it too.
    """
    from beholden.ledger.bundle import export_bundle, range_of

    tree = open_tree(estate)
    first, stop = range_of(tree, start, end, estate.clock)
    head = chosen_head(tree, size, kept, stop - 1)
    bundle = export_bundle(tree, first, min(stop, head.checkpoint.size) if end is None else stop, head, out)
    note(f"exported: events {bundle.first:,} to {bundle.last:,}, {bundle.size_bytes:,} bytes, to {out}")


def open_tree(estate: Estate) -> StoredTree:
    """The estate's tree; the key is what the master key gives, or the public one that lies in the ledger."""
    from beholden.ledger.proof import StoredTree

    estate.refuse_lost_ledger()
    key, unknown = estate.verifier()
    for gap in unknown:
        note(f"unknown: {gap.line()}")
    return StoredTree.open(estate.ledger_directory, key)


def chosen_head(tree: StoredTree, size: int | None, kept: Path | None, seq: int | None) -> KeptHead:
    """The tree head that was asked for."""
    from beholden.ledger.heads import choose_head, given_head, kept_heads

    if kept is not None:
        if size is not None:
            raise UsageError("--size", "names another tree head than --checkpoint", expected="one of them")
        return given_head(tree, read_file("--checkpoint", kept), kept.name)
    heads = kept_heads(tree)
    return heads[-1] if seq is None and size is None else choose_head(heads, size=size, seq=seq or 0)


def read_file(option: str, path: Path) -> bytes:
    """A small file that was named on the command line."""
    limit = 1 << 20
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError:
        raise UsageError(option, f"{path} cannot be read", expected="a file") from None
    if len(data) > limit:
        raise UsageError(option, f"{path} is too large to be one", expected="less than a mebibyte")
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write a file in one step; one of that name is replaced."""
    from beholden.cli._toml import write_whole
    from beholden.core.errors import SourceError

    try:
        write_whole(path, data.decode())
    except OSError as error:
        raise SourceError(str(path), f"cannot be written ({error.strerror})", expected="a place for a file") from None


def _row(proof: EventProof, head: KeptHead) -> EventProofRow:
    from beholden.ledger.merkle import leaf_hash
    from beholden.ledger.readable import readable_event

    return EventProofRow(
        seq=proof.seq,
        leaf_hash=leaf_hash(proof.record).hex(),
        tree_size=proof.head.size,
        root_hash=proof.head.root.hex(),
        hashes=[part.hex() for part in proof.path],
        record=proof.record.hex(),
        checkpoint=head.note.decode(),
        cosigned_by=list(head.witnesses),
        event=readable_event(proof.event),
    )
