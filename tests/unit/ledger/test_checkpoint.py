from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.support.ledger import ORIGIN, SIGNER

from beholden.core.errors import IntegrityError
from beholden.ledger import Checkpoint, Ed25519Signer, verifier_key
from beholden.ledger.checkpoint import open_checkpoint, sign_checkpoint

HEAD = Checkpoint(ORIGIN, 20852163, hashlib.sha256(b"root").digest())
NOTE = sign_checkpoint(HEAD, SIGNER)


def test_the_note_has_the_form_of_the_specification():
    text, _, signature_line = NOTE.decode().rpartition("\n\n")
    assert text == f"{ORIGIN}\n20852163\n{base64.b64encode(HEAD.root).decode()}"
    dash, name, encoded = signature_line.rstrip("\n").split(" ")
    raw = base64.b64decode(encoded)
    assert (dash, name) == ("\u2014", ORIGIN)
    assert raw[:4] == hashlib.sha256(ORIGIN.encode() + b"\n\x01" + SIGNER.public_key).digest()[:4]
    Ed25519PublicKey.from_public_bytes(SIGNER.public_key).verify(raw[4:], (text + "\n").encode())


def test_the_verifier_key_has_the_form_others_read():
    name, key_id, encoded = verifier_key(SIGNER).split("+", 2)
    assert name == ORIGIN
    assert base64.b64decode(encoded) == b"\x01" + SIGNER.public_key
    assert bytes.fromhex(key_id) == hashlib.sha256(ORIGIN.encode() + b"\n\x01" + SIGNER.public_key).digest()[:4]


def test_it_opens_again():
    assert open_checkpoint(NOTE, ORIGIN, SIGNER) == HEAD
    empty = Checkpoint(ORIGIN, 0, hashlib.sha256(b"").digest())
    assert open_checkpoint(sign_checkpoint(empty, SIGNER), ORIGIN, SIGNER) == empty


def test_signatures_of_witnesses_are_ignored():
    witness = Ed25519Signer("witness.example/w1", bytes(32))
    line = sign_checkpoint(HEAD, witness).decode().split("\n\n")[1]
    assert open_checkpoint(NOTE + line.encode(), ORIGIN, SIGNER) == HEAD


def test_every_flipped_bit_is_noticed():
    for position in range(len(NOTE)):
        for bit in range(8):
            changed = bytearray(NOTE)
            changed[position] ^= 1 << bit
            with pytest.raises(IntegrityError):
                open_checkpoint(bytes(changed), ORIGIN, SIGNER)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "not a signed note"),
        (NOTE[:-1], "not a signed note"),
        (NOTE.replace(b"\n\n", b"\n"), "not a signed note"),
        (b"\xff" + NOTE, "not a signed note"),
        (NOTE + b"\x07", "not a signed note"),
        (NOTE * 1000, "not a signed note"),
        (NOTE + b"- name AAAA\n", "a signature line is malformed"),
        (sign_checkpoint(HEAD, Ed25519Signer(ORIGIN, bytes(32))), "not signed by this estate's key"),
        (sign_checkpoint(Checkpoint("other.example", 1, HEAD.root), SIGNER), "not a tree head of this ledger"),
        (sign_checkpoint(Checkpoint(ORIGIN, 1, b"short"), SIGNER), "its size or root is malformed"),
        (sign_checkpoint(Checkpoint(ORIGIN, -1, HEAD.root), SIGNER), "its size or root is malformed"),
    ],
)
def test_what_is_no_checkpoint_of_ours_is_refused(data, found):
    with pytest.raises(IntegrityError, match=found):
        open_checkpoint(data, ORIGIN, SIGNER)
