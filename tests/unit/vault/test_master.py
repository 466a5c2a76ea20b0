from __future__ import annotations

import base64
import pickle
import stat
from pathlib import Path

import pytest

from beholden.core.errors import NotFoundError, SourceError, UsageError
from beholden.core.ids import seeded_entropy
from beholden.vault import MasterKey

SECRET = seeded_entropy(1)(32)


def load(
    tmp_path: Path,
    text: str | None = None,
    *,
    mode: int = 0o600,
    spec: str = "file:keys/master.key",
    environ: dict[str, str] | None = None,
) -> MasterKey:
    path = tmp_path / "keys" / "master.key"
    if text is not None:
        path.parent.mkdir()
        path.write_text(text)
        path.chmod(mode)
    return MasterKey.load(spec, root=tmp_path, environ=environ or {})


def test_a_created_key_is_private_and_loads_again(tmp_path):
    made = MasterKey.create("file:keys/master.key", root=tmp_path)
    path = tmp_path / "keys" / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["master.key"]
    loaded = load(tmp_path)
    assert loaded.derive("uid") == made.derive("uid")
    assert loaded.advice == ""


def test_a_key_is_never_overwritten(tmp_path):
    MasterKey.create("file:keys/master.key", root=tmp_path)
    before = (tmp_path / "keys" / "master.key").read_bytes()
    with pytest.raises(UsageError, match="exists and is never overwritten"):
        MasterKey.create("file:keys/master.key", root=tmp_path)
    assert (tmp_path / "keys" / "master.key").read_bytes() == before
    assert len(list((tmp_path / "keys").iterdir())) == 1


@pytest.mark.parametrize(
    "text",
    [
        SECRET.hex(),
        SECRET.hex().upper() + "\n",
        base64.b64encode(SECRET).decode() + "\n",
        base64.urlsafe_b64encode(SECRET).decode().rstrip("="),
    ],
    ids=["hex", "upper", "base64", "urlsafe"],
)
def test_every_form_is_the_same_key(tmp_path, text):
    expected = MasterKey(SECRET).derive("lookup")
    assert load(tmp_path, text).derive("lookup") == expected
    assert load(tmp_path, spec="env:KEY", environ={"KEY": text}).derive("lookup") == expected


@pytest.mark.parametrize(
    "text", ["", "short", "z" * 64, "!" * 44, "a" * 63, "a" * 4096], ids=["empty", "short", "z", "bang", "odd", "long"]
)
def test_what_is_no_key_is_refused_without_being_shown(tmp_path, text):
    with pytest.raises(UsageError, match="does not hold a key") as caught:
        load(tmp_path, text)
    assert not text or text not in str(caught.value)
    with pytest.raises(UsageError, match="variable KEY: does not hold a key"):
        load(tmp_path, spec="env:KEY", environ={"KEY": text})


def test_a_lost_key_says_what_is_lost_and_what_to_do(tmp_path):
    with pytest.raises(NotFoundError, match=r"does not exist\. Bring it back from its own backup: without it nobody"):
        load(tmp_path)
    with pytest.raises(NotFoundError, match="variable KEY: is not set"):
        load(tmp_path, spec="env:KEY")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602])
def test_a_key_everybody_may_access_is_refused(tmp_path, mode):
    with pytest.raises(SourceError, match=r"every user of this machine may access it.*chmod 600"):
        load(tmp_path, SECRET.hex(), mode=mode)


def test_a_key_its_group_may_read_gives_advice(tmp_path):
    assert "chmod 600" in load(tmp_path, SECRET.hex(), mode=0o640).advice


@pytest.mark.parametrize("spec", ["", "file", "file:", "http:x", "env:"])
def test_an_unknown_place_is_refused(tmp_path, spec):
    with pytest.raises(UsageError, match="file:PATH or env:NAME"):
        load(tmp_path, spec=spec)
    with pytest.raises(UsageError, match="file:PATH or env:NAME"):
        MasterKey.create(spec, root=tmp_path)


def test_a_variable_cannot_be_created(tmp_path):
    with pytest.raises(UsageError, match="openssl rand"):
        MasterKey.create("env:KEY", root=tmp_path)


def test_a_place_that_cannot_be_written_or_read_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be written"):
        MasterKey.create("file:file/master.key", root=tmp_path)
    with pytest.raises(SourceError, match="cannot be read"):
        MasterKey.load("file:.", root=tmp_path, environ={})


def test_sub_keys_differ_by_purpose_and_never_change():
    master = MasterKey(bytes(32))
    assert master.derive("lookup") != master.derive("wrap")
    assert len(master.derive("checkpoint", 64)) == 64
    # HKDF-SHA256, no salt, info "beholden/1/lookup": pinned, since a change would lose every vault
    assert master.derive("lookup").hex() == "47649d76ddd5da2d0d17959c8c7894a1e052c870aee76b530c25f68949c9c51b"


def test_a_key_does_not_show_itself():
    master = MasterKey(SECRET)
    assert repr(master) == str(master) == "MasterKey(…)"
    with pytest.raises(TypeError):
        pickle.dumps(master)
    with pytest.raises(UsageError, match="31 bytes"):
        MasterKey(SECRET[1:])
