"""Proofs out of a ledger's files: right ones, and none where the files were altered."""

from __future__ import annotations

import itertools
import random
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.support import rfc9162
from tests.support.ledger import NOW, SIGNER, events, open_ledger
from tests.support.many import ledger_of

from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, UsageError
from beholden.core.events import EVENTS
from beholden.core.selectors import Selector
from beholden.ledger.canonical import canonical_records, leaf_hashes
from beholden.ledger.checkpoint import Checkpoint
from beholden.ledger.heads import given_head
from beholden.ledger.merkle import leaf_hash
from beholden.ledger.proof import StoredTree
from beholden.ledger.retention import Policy

SIZES = (300, 1000, 1300)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, list[bytes]]:
    directory = tmp_path_factory.mktemp("proof") / "ledger"
    return directory, ledger_of(directory, *SIZES, segment_events_max=500)


@pytest.fixture
def tree(made) -> StoredTree:
    return StoredTree.open(made[0], SIGNER)


@pytest.fixture(scope="module")
def leaves(made) -> list[bytes]:
    tables = [pq.read_table(path) for path in sorted((made[0] / "segments").iterdir())]
    hashes = b"".join(leaf_hashes(table.cast(EVENTS)) for table in tables)
    return [hashes[i : i + 32] for i in range(0, len(hashes), 32)]


def heads_of(tree: StoredTree, notes: list[bytes]) -> list[Checkpoint]:
    return [given_head(tree, note, "head").checkpoint for note in notes]


def test_every_event_under_every_head(made, tree, leaves):
    chance = random.Random(1)
    for head in heads_of(tree, made[1]):
        assert head.root == tree.root(head.size) == rfc9162.head_hash(leaves[: head.size])
        for seq in {0, 255, 256, head.size - 1, *(chance.randrange(head.size) for _ in range(6))}:
            proof = tree.prove_event(seq, head)
            assert proof.event["seq"].to_pylist() == [seq]
            assert canonical_records(proof.event) == [proof.record]
            assert list(proof.path) == rfc9162.inclusion_path(seq, leaves[: head.size])
            assert rfc9162.inclusion_holds(leaf_hash(proof.record), seq, head.size, proof.path, head.root)


def test_many_at_once_are_the_same(tree):
    one_by_one = [tree.prove_event(seq, tree.newest) for seq in range(250, 530, 40)]
    together = {proof.seq: proof for proof in tree.prove_events(range(250, 530), tree.newest)}
    assert list(together) == list(range(250, 530))
    assert all(together[proof.seq] == proof for proof in one_by_one)


def test_consistency_between_any_sizes(tree, leaves):
    for old in (1, 2, 255, 256, 257, 512, 999, 1024, 1299):
        path = tree.prove_consistency(old, tree.newest)
        assert list(path) == rfc9162.consistency_path(old, leaves)
        assert rfc9162.consistency_holds(old, tree.root(old), 1300, tree.newest.root, path)
    assert tree.prove_consistency(0, tree.newest) == tree.prove_consistency(1300, tree.newest) == ()


def test_only_two_blocks_are_read(made):
    tree = StoredTree.open(made[0], SIGNER)
    tree.prove_event(700, tree.newest)
    assert set(tree.blocks) == {700 // 256, 1299 // 256}


@pytest.mark.parametrize(
    ("seq", "line"),
    [
        (1300, "ledger: there is no event 1,300; expected a number from 0 to 1299"),
        (-1, "ledger: there is no event -1; expected a number from 0 to 1299"),
    ],
)
def test_what_is_not_there(tree, seq, line):
    with pytest.raises(UsageError) as refused:
        tree.prove_event(seq, tree.newest)
    assert refused.value.line() == line
    with pytest.raises(UsageError, match="is not among the first 300, which this tree head covers"):
        tree.prove_event(300, Checkpoint(tree.info.origin, 300, tree.root(300)))
    for size in (-1, 1301):
        with pytest.raises(UsageError, match="is not within one of 1,300"):
            tree.prove_consistency(size, tree.newest)


def test_waiting_events_have_to_be_sealed_first(tmp_path):
    ledger = open_ledger(tmp_path / "ledger")
    with pytest.raises(UsageError, match="there is no event 0; expected an event"):
        prove(tmp_path, 0)
    ledger.append(events(0, 5))
    with pytest.raises(UsageError, match=r"event 4 is not sealed yet. Seal first: beholden ledger seal"):
        prove(tmp_path, 4)
    ledger.seal()
    assert prove(tmp_path, 4).seq == 4


def prove(tmp_path, seq):
    tree = StoredTree.open(tmp_path / "ledger", SIGNER)
    return tree.prove_event(seq, tree.newest)


def test_events_that_a_stopped_seal_left_in_the_log_can_be_proven(tmp_path):
    """The tree head goes before the manifest: between them it covers events of the write-ahead log."""
    ledger = open_ledger(tmp_path / "ledger")
    ledger.append(events(0, 300))
    ledger.seal()
    ledger.append(events(300, 700))
    before = Path(shutil.copytree(tmp_path / "ledger", tmp_path / "stopped"))
    ledger.seal()
    shutil.copy(tmp_path / "ledger" / "checkpoint", before)
    shutil.copytree(tmp_path / "ledger" / "tile", before / "tile", dirs_exist_ok=True)
    tree = StoredTree.open(before, SIGNER)
    assert (tree.manifest.next_seq, tree.newest.size) == (300, 700)
    for seq in (0, 299, 300, 699):
        assert tree.prove_event(seq, tree.newest) == prove(tmp_path, seq)


def test_what_is_left_of_a_pruned_ledger_can_be_proven(tmp_path):
    """Events that are held, and the way from every tree head that was signed, also one over events that are gone."""
    day, now = 86_400_000_000, [NOW]
    ledger = open_ledger(tmp_path / "ledger", clock=lambda: now[0])
    sizes = (100, 300, 556, 856, 1200)
    heads = []
    for start, stop in itertools.pairwise((0, *sizes)):
        ledger.append(events(start, stop))
        heads.append(ledger.seal().checkpoint)
        now[0] += 10 * day
    whole = Path(shutil.copytree(tmp_path / "ledger", tmp_path / "whole"))
    first = ledger.prune([Policy(Selector.parse("*"), 30, "accountability")]).first_seq
    assert (first, first % 256) == (556, 44)
    before, pruned = StoredTree.open(whole, SIGNER), StoredTree.open(tmp_path / "ledger", SIGNER)
    for seq in (556, 557, 767, 768, 1199):
        assert pruned.prove_event(seq, heads[-1]) == before.prove_event(seq, heads[-1])
    for head in heads:
        assert pruned.root(head.size) == head.root
        assert pruned.prove_consistency(head.size, heads[-1]) == before.prove_consistency(head.size, heads[-1])
    for attempt in (
        lambda: pruned.prove_event(555, pruned.newest),
        lambda: pruned.prove_consistency(99, pruned.newest),
        lambda: pruned.prove_range(555, 600, pruned.newest),
    ):
        with pytest.raises(NotFoundError, match="pruned"):
            attempt()


def test_no_proof_out_of_altered_files(made, tmp_path):
    """Whatever byte of a tile or a segment is flipped: the proof is the right one or there is none."""
    right = StoredTree.open(made[0], SIGNER)
    seqs = (0, 1299)
    expected = {seq: right.prove_event(seq, right.newest) for seq in seqs}
    refused = 0
    for number in range(16):
        chance = random.Random(number)
        copy = Path(shutil.copytree(made[0], tmp_path / str(number)))
        file = chance.choice(
            sorted(path for part in ("tile", "segments") for path in (copy / part).rglob("*") if path.is_file())
        )
        data = bytearray(file.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        file.write_bytes(data)
        for seq in seqs:
            tree = StoredTree.open(copy, SIGNER)
            try:
                assert tree.prove_event(seq, tree.newest) == expected[seq]
            except IntegrityError:
                refused += 1
        shutil.rmtree(copy)
    assert refused > 4


def test_a_missing_segment_or_tile_is_named(made, tmp_path):
    for name in ("segments", "tile"):
        copy = Path(shutil.copytree(made[0], tmp_path / name))
        shutil.rmtree(copy / name)
        with pytest.raises(BeholdenError) as refused:
            StoredTree.open(copy, SIGNER).prove_event(0, StoredTree.open(copy, SIGNER).newest)
        assert (refused.value.exit_code, refused.value.where.startswith(name)) == (5, True)


def test_of_several_segments_the_one_that_is_missing_is_named(made, tmp_path):
    copy = Path(shutil.copytree(made[0], tmp_path / "copy"))
    tree = StoredTree.open(copy, SIGNER)
    first, second = tree.manifest.segments[:2]
    assert first.last_seq // 256 == second.first_seq // 256  # one block of hashes lies in both
    (copy / "segments" / second.file).unlink()
    with pytest.raises(IntegrityError, match=second.file) as caught:
        tree.prove_event(first.last_seq, tree.newest)
    assert first.file not in str(caught.value)
