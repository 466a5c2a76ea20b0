from __future__ import annotations

import hashlib

import pytest

from beholden.core.errors import IntegrityError
from beholden.ledger.format import Layout
from beholden.ledger.tree import EMPTY_ROOT, TreeBuilder, read_tile, stored_edge, tile_path


def leaf(number: int) -> bytes:
    return hashlib.sha256(b"\0%d" % number).digest()


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + mth(leaves[:split]) + mth(leaves[split:])).digest()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 255, 256, 257, 511, 513, 1000, 65535, 65536, 65537, 66000])
def test_the_root_is_that_of_rfc_6962(size):
    leaves = [leaf(i) for i in range(size)]
    builder = TreeBuilder()
    builder.extend(b"".join(leaves))
    assert builder.root() == mth(leaves)
    assert (builder.root() == EMPTY_ROOT) == (size == 0)


def test_growing_in_steps_gives_the_same_tiles_and_roots():
    leaves = [leaf(i) for i in range(70_000)]
    whole = TreeBuilder()
    expected = whole.extend(b"".join(leaves))
    grown = TreeBuilder()
    tiles = []
    for start in range(0, 70_000, 777):
        tiles += grown.extend(b"".join(leaves[start : start + 777]))
    key = [(tile.level, tile.index) for tile in expected]
    assert sorted(tiles, key=lambda tile: (tile.level, tile.index)) == sorted(
        expected, key=lambda tile: (tile.level, tile.index)
    )
    assert grown.root() == whole.root()
    # The example of the tlog-tiles specification: one full tile of level 1, partial ones of width 17 and 1.
    assert key == [(1, 0)]
    assert [(tile.level, tile.index, tile.width) for tile in whole.edge()] == [(1, 1, 17), (2, 0, 1)]
    assert expected[0].hashes[:32] == mth(leaves[:256])


def test_a_tree_can_be_taken_up_again_from_stored_tiles(tmp_path):
    layout = Layout(tmp_path)
    leaves = [leaf(i) for i in range(70_300)]
    builder = TreeBuilder()
    for tile in [*builder.extend(b"".join(leaves[:70_000])), *builder.edge()]:
        path = tmp_path / tile_path(tile.level, tile.index, tile.width)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tile.hashes)
    again = TreeBuilder(70_000, [b"".join(leaves[70_000 - 112 : 70_000]), *stored_edge(layout, 70_000)])
    assert again.root() == mth(leaves[:70_000])
    again.extend(b"".join(leaves[70_000:]))
    assert again.root() == mth(leaves)
    with pytest.raises(ValueError, match="edge"):
        TreeBuilder(70_001, [b"", *stored_edge(layout, 70_000)])


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ((0, 0), "tile/0/000"),
        ((1, 1234067), "tile/1/x001/x234/067"),
        ((2, 1000), "tile/2/x001/000"),
        ((3, 5, 17), "tile/3/005.p/17"),
    ],
)
def test_paths_are_those_of_tlog_tiles(place, path):
    assert tile_path(*place) == path


def test_a_fuller_tile_stands_in_for_a_partial_one(tmp_path):
    layout = Layout(tmp_path)
    hashes = b"".join(leaf(i) for i in range(256))
    with pytest.raises(IntegrityError, match=r"tile/1/000\.p/3: the tile is missing"):
        read_tile(layout, 1, 0, 3)
    wider = tmp_path / tile_path(1, 0, 9)
    wider.parent.mkdir(parents=True)
    wider.write_bytes(hashes[: 9 * 32])
    assert read_tile(layout, 1, 0, 3) == hashes[: 3 * 32]
    (tmp_path / tile_path(1, 0)).write_bytes(hashes)
    assert read_tile(layout, 1, 0, 12) == hashes[: 12 * 32]
    (tmp_path / tile_path(1, 0)).write_bytes(hashes[:-1])
    with pytest.raises(IntegrityError, match="tile/1/000: 8191 bytes"):
        read_tile(layout, 1, 0, 256)
