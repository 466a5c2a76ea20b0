"""Our proofs before verifiers that are not ours; `script/outsiders` installs them.

Each has to accept what `ledger prove` and `ledger export` write, and to refuse it when a byte of record, proof, root or
signature is another. The scripts are those that an export brings to an auditor (src/beholden/ledger/outsiders).
"""

from __future__ import annotations

import base64
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.ledger import ORIGIN, SIGNER
from tests.support.many import ledger_of

from beholden.ledger.bundle import export_bundle
from beholden.ledger.checkpoint import Checkpoint, sign_checkpoint
from beholden.ledger.heads import given_head, kept_heads
from beholden.ledger.proof import StoredTree
from beholden.ledger.proof_texts import Submission, event_proof, submission_text

ROOT = Path(__file__).parents[3]
PROGRAMS = ROOT / "src" / "beholden" / "ledger" / "outsiders"
INSTALLED = Path(os.environ.get("BEHOLDEN_OUTSIDERS", ROOT / ".outsiders"))
#: A power of two, one past a block, no power of two, past the first tile of level 1, more than that.
SIZES = (1, 256, 257, 1000, 65536, 65537, 70000)


@dataclass(frozen=True, slots=True)
class Outsider:
    """A verifier: how it is run, and whether it knows consistency proofs."""

    command: tuple[str, ...]
    consistency: bool = True

    def run(self, key: Path, *arguments: object) -> tuple[int, list[str]]:
        done = subprocess.run(
            [*self.command, str(key), *map(str, arguments)],
            capture_output=True, text=True, timeout=120, check=False, cwd=key.parent,
        )  # fmt: skip
        return done.returncode, done.stderr.splitlines()


#: What each needs, and where it is after script/outsiders.
OUTSIDERS = {
    "rfc9162": INSTALLED / "node_modules", "sigstore": INSTALLED / "sigstore", "go": INSTALLED / "check-go", "python": PROGRAMS,
}  # fmt: skip


@pytest.fixture(params=OUTSIDERS)
def outsider(request, tmp_path) -> Outsider:
    needed = OUTSIDERS[request.param]
    if not needed.exists():
        pytest.skip(f"{request.param} is not installed: run script/outsiders")
    if request.param == "rfc9162":  # a module finds its packages beside itself
        (tmp_path / "node_modules").symlink_to(needed)
        return Outsider(("node", str(shutil.copy(PROGRAMS / "check.mjs", tmp_path))))
    if request.param == "sigstore":
        return Outsider((str(needed / "bin" / "python"), str(PROGRAMS / "check_sigstore.py")), consistency=False)
    return Outsider((str(needed),) if request.param == "go" else (sys.executable, str(PROGRAMS / "check.py")))


@dataclass(frozen=True, slots=True)
class Made:
    """A ledger of 70,000 events with the tree heads that were signed on the way."""

    tree: StoredTree
    key: Path
    heads: list[bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    directory = tmp_path_factory.mktemp("proofs")
    heads = ledger_of(directory / "ledger", *SIZES)
    return Made(StoredTree.open(directory / "ledger", SIGNER), directory / "ledger" / "key.pub", heads)


def proof_of(made: Made, seq: int, head: bytes) -> bytes:
    proof = made.tree.prove_event(seq, given_head(made.tree, head, "head").checkpoint)
    return event_proof(seq, proof.path, head, proof.record)


def test_they_accept_our_proofs(outsider, made, tmp_path):
    files = []
    for size, head in zip(SIZES, made.heads, strict=True):
        for seq in sorted({0, size // 2, size - 1, min(size - 1, 65536)}):
            files.append(tmp_path / f"{seq}-in-{size}.tlog-proof")
            files[-1].write_bytes(proof_of(made, seq, head))
    code, said = outsider.run(made.key, *files)
    assert (code, len(said)) == (0, len(files)), said
    assert all(f"under a tree head signed by {ORIGIN}" in line for line in said)


def test_they_refuse_an_altered_record_proof_root_or_signature(outsider, made, tmp_path):
    chance = random.Random(4)
    text = proof_of(made, 66_000, made.heads[-1]).decode().split("\n")
    blank = text.index("")
    lines = {"record": 1, "first hash": 3, "some hash": 9, "last hash": blank - 1, "root": blank + 3}
    lines["signature"] = len(text) - 2
    files: list[Path] = []
    for what, number in lines.items():
        for _ in range(3):
            files.append(write_altered(tmp_path / f"{what}-{len(files)}", text, number, chance))
    for what, changed in {
        "index": [*text[:2], "index 66001", *text[3:]],
        "behind": [*text[:2], "index 70000", *text[3:]],
        "short": [*text[: blank - 1], *text[blank:]],
        "long": [*text[:blank], text[blank - 1], *text[blank:]],
        "size": [*text[: blank + 2], "69999", *text[blank + 3 :]],
        "unsigned": [*text[:-2], ""],
    }.items():
        files.append(tmp_path / what)
        files[-1].write_text("\n".join(changed))
    # The root is another and signed: by the ledger's own key, and by a stranger's.
    stranger = sign_checkpoint(Checkpoint(ORIGIN, 70000, bytes(32)), SIGNER).decode()
    files.append(tmp_path / "another root")
    files[-1].write_text("\n".join([*text[: blank + 1], stranger]))
    code, said = outsider.run(made.key, *files)
    assert (code, len(said)) == (1, len(files)), said
    assert [line for line in said if ": REFUSED: " not in line] == []


def write_altered(path: Path, text: list[str], number: int, chance: random.Random) -> Path:
    """One byte of what stands in a line in base64 is another."""
    word, space, encoded = text[number].rpartition(" ")
    data = bytearray(base64.b64decode(encoded))
    data[chance.randrange(len(data))] ^= chance.randrange(1, 256)
    path.write_text("\n".join([*text[:number], f"{word}{space}{base64.b64encode(data).decode()}", *text[number + 1 :]]))
    return path


def test_they_accept_and_refuse_consistency_proofs(outsider, made, tmp_path):
    if not outsider.consistency:
        assert "none for consistency" in (PROGRAMS / "check_sigstore.py").read_text()
        return
    chance = random.Random(5)
    for i, (old_size, old) in enumerate(zip(SIZES[:-1], made.heads, strict=False)):
        (tmp_path / "old").write_bytes(old)
        right: list[Path] = []
        for head in made.heads[i + 1 :]:
            newer = given_head(made.tree, head, "head").checkpoint
            path = made.tree.prove_consistency(old_size, newer)
            right.append(tmp_path / f"{old_size}-to-{newer.size}")
            right[-1].write_bytes(submission_text(Submission(old_size, path, head)))
        code, said = outsider.run(made.key, "--since", tmp_path / "old", *right)
        assert (code, len(said)) == (0, len(right)), said
        assert all(f"continues that of {old_size}" in line for line in said)
        text = right[-1].read_text().split("\n")
        number = chance.randrange(1, text.index(""))
        wrong = [write_altered(tmp_path / f"altered-{old_size}", text, number, chance), tmp_path / f"short-{old_size}"]
        wrong[1].write_text("\n".join(text[:number] + text[number + 1 :]))
        code, said = outsider.run(made.key, "--since", tmp_path / "old", *wrong)
        assert (code, ["REFUSED" in line for line in said]) == (1, [True, True]), said
        (tmp_path / "other").write_bytes(sign_checkpoint(Checkpoint(ORIGIN, old_size, bytes(32)), SIGNER))
        code, said = outsider.run(made.key, "--since", tmp_path / "other", *right)
        assert (code, ["REFUSED" in line for line in said]) == (1, [True] * len(right)), said


def test_they_accept_the_proofs_of_an_export(outsider, made, tmp_path):
    export_bundle(made.tree, 65_530, 65_545, kept_heads(made.tree)[-1], tmp_path / "export")
    files = sorted((tmp_path / "export" / "proofs").iterdir())
    code, said = outsider.run(made.key, *files)
    assert (code, len(said)) == (0, 15), said
