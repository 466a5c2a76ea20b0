"""Checks Beholden's proofs of events with sigstore-python's Merkle tree; the signature with its cryptography.

pip install sigstore==4.5.1
python check_sigstore.py KEY.pub FILE.tlog-proof ...

The functions are internal to that package: other versions may have them elsewhere. It has none for consistency proofs.
"""

import base64
import hashlib
import pathlib
import sys
from types import SimpleNamespace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore.errors import VerificationError


def open_checkpoint(note, key):
    name, key_id, encoded = key.strip().split("+", 2)
    kind = base64.b64decode(encoded)
    text, _, signatures = note.rpartition("\n\n")
    origin, size, root = (text + "\n").split("\n")[:3]
    raw = [
        base64.b64decode(line.split(" ")[2])
        for line in signatures.rstrip("\n").split("\n")
        if line.split(" ")[1] == name
    ]
    own = [value[4:] for value in raw if value[:4].hex() == key_id]
    if (
        hashlib.sha256(name.encode() + b"\n" + kind).hexdigest()[:8] != key_id
        or kind[0] != 1
        or not own
        or origin != name
    ):
        raise ValueError("no signature of this key")
    for signature in own:
        Ed25519PublicKey.from_public_bytes(kind[1:]).verify(signature, f"{text}\n".encode())
    return int(size), base64.b64decode(root), name


def check(file, key):
    head, _, note = pathlib.Path(file).read_text().partition("\n\n")
    header, extra, index, *path = head.split("\n")
    if (header, extra[:6], index[:6]) != ("c2sp.org/tlog-proof@v1", "extra ", "index "):
        raise ValueError("not a tlog-proof")
    size, root, name = open_checkpoint(note, key)
    seq = int(index[6:])
    if not 0 <= seq < size:
        raise ValueError("an event behind the end")
    proof = SimpleNamespace(
        log_index=seq, tree_size=size, root_hash=root, hashes=[base64.b64decode(line, validate=True) for line in path]
    )
    inner = SimpleNamespace(inclusion_proof=proof, canonicalized_body=base64.b64decode(extra[6:], validate=True))
    verify_merkle_inclusion(SimpleNamespace(_inner=inner))
    return f"event {seq} is among the {size} under a tree head signed by {name}"


def main(key_file, *files):
    bad = 0
    for file in files:
        try:
            print(f"{file}: {check(file, pathlib.Path(key_file).read_text())}", file=sys.stderr)
        except (VerificationError, InvalidSignature, ValueError, LookupError, OSError) as error:
            print(f"{file}: REFUSED: {type(error).__name__}", file=sys.stderr)
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 2 else __doc__)
