from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.unit.state.checks import OF_A_STATE, OF_A_URL, ROOT

from beholden.core import database
from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, ReadOnlyError, SourceError, UsageError
from beholden.core.ids import seeded_entropy
from beholden.state import open_state, tables
from beholden.state.identity import create_estate, estate_id


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'state.db'}"


@pytest.mark.parametrize("check", OF_A_URL, ids=lambda check: check.__name__)
def test_of_a_url(url, check):
    check(url)


@pytest.mark.parametrize("check", OF_A_STATE, ids=lambda check: check.__name__)
def test_of_a_state(url, check):
    with open_state(url, create=True) as state:
        check(state)


# Files


def test_a_missing_file_is_not_made_by_chance(url, tmp_path):
    with pytest.raises(NotFoundError, match=r"does not exist\. Make the estate with: beholden init$"):
        open_state(url)
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_lies_in_directories_that_are_made(tmp_path):
    open_state(f"sqlite:///{tmp_path / 'a' / 'b c' / 'state.db'}", create=True).close()
    assert (tmp_path / "a" / "b c" / "state.db").stat().st_size > 0


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="cannot be reached or made"):
        open_state(f"sqlite:///{tmp_path / 'file' / 'state.db'}", create=True)


def test_a_directory_in_its_place(tmp_path):
    with pytest.raises(SourceError, match="cannot be opened"):
        open_state(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize(
    "content", [b"no database, but a text of some length" * 99, b"SQLite format 3\0" + bytes(9000)]
)
def test_a_file_that_is_no_database(tmp_path, content):
    (tmp_path / "state.db").write_bytes(content)
    with pytest.raises(IntegrityError, match="the file is damaged or no SQLite database"):
        open_state(f"sqlite:///{tmp_path / 'state.db'}")


@pytest.mark.parametrize(
    "url", ["", "nothing", "mysql://a/b", "sqlite://", "sqlite:///:memory:", "postgresql://host", "nosuch+driver://a/b"]
)
def test_a_url_of_no_known_form_is_a_mistake_of_the_user(url):
    with pytest.raises(UsageError, match="of no known form") as caught:
        open_state(url, create=True)
    assert caught.value.exit_code == 2


def test_a_password_is_never_shown():
    with pytest.raises(SourceError) as caught:
        open_state("postgresql://who:planted@localhost:1/state")
    assert "planted" not in caught.value.line()
    assert "the database cannot be reached" in caught.value.line()


@pytest.mark.parametrize("mode", ["mode=ro", "mode=ro&immutable=1"])
def test_a_file_that_may_only_be_read(url, tmp_path, monkeypatch, mode):
    with open_state(url, create=True) as state:
        create_estate(state, entropy=seeded_entropy(1), clock=lambda: 5)
        known = estate_id(state)
    monkeypatch.setattr(database, "_modes", lambda _: [mode])
    for _ in range(2):
        with open_state(url) as state:
            assert state.read_only
            assert estate_id(state) == known
            with pytest.raises(ReadOnlyError) as caught, state.write():
                raise AssertionError
            with pytest.raises(ReadOnlyError):
                create_estate(state, entropy=seeded_entropy(1), clock=lambda: 5)
    assert caught.value.exit_code == 1
    assert caught.value.line().startswith(f"state {tmp_path / 'state.db'}: cannot be written to. Nothing was changed.")
    if "immutable" in mode:
        assert [path.name for path in tmp_path.iterdir()] == ["state.db"]


def test_the_ways_to_open_a_file(tmp_path, monkeypatch):
    path, log = tmp_path / "a.db", tmp_path / "a.db-wal"
    path.touch()
    assert list(database._modes(path)) == ["mode=rw", "mode=ro", "mode=ro&immutable=1"]
    monkeypatch.setattr(os, "access", lambda _, wanted: wanted != os.W_OK)
    assert list(database._modes(path)) == ["mode=ro", "mode=ro&immutable=1"]
    log.touch()
    assert list(database._modes(path)) == ["mode=ro", "mode=ro&immutable=1"]
    log.write_bytes(b"changes")
    assert list(database._modes(path)) == ["mode=ro"]
    link = tmp_path / "link.db"
    link.symlink_to(path)
    assert list(database._modes(link)) == ["mode=ro"]


def test_a_file_whose_name_means_something_in_a_url(tmp_path):
    path = tmp_path / "a #1?mode=memory %41.db"
    url = sa.URL.create("sqlite", database=str(path)).render_as_string()
    with open_state(url, create=True) as state:
        create_estate(state, entropy=seeded_entropy(1), clock=lambda: 5)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_state_of_an_older_version_that_may_only_be_read(url, tmp_path, monkeypatch):
    sqlite3.connect(tmp_path / "state.db").close()
    monkeypatch.setattr(database, "_modes", lambda _: ["mode=ro"])
    (tmp_path / "state.db").touch()
    with pytest.raises(ReadOnlyError, match="was written by an older version of beholden and cannot be written to"):
        open_state(url)


def test_a_newer_state_that_may_only_be_read(url, monkeypatch):
    with open_state(url, create=True) as state, state.write() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    monkeypatch.setattr(database, "_modes", lambda _: ["mode=ro&immutable=1"])
    with pytest.raises(BeholdenError, match="was written by a newer version of beholden"):
        open_state(url)


def test_a_file_is_the_owners_alone(url, tmp_path):
    open_state(url, create=True).close()
    assert stat.S_IMODE((tmp_path / "state.db").stat().st_mode) == 0o600


def test_a_writer_waits_for_the_one_before(url):
    with open_state(url, create=True) as state, open_state(url) as other:
        with state.write() as connection, other.read() as reading:
            connection.execute(tables.estate.insert().values(estate_id="a", created=1))
            assert reading.execute(sa.select(tables.estate)).all() == []
        with other.write() as connection:
            assert len(connection.execute(sa.select(tables.estate)).all()) == 1


def test_a_process_killed_while_it_migrates_leaves_nothing_half_made(url, tmp_path):
    """Definitions are part of the transaction, which the driver would not do by itself."""
    child = """
import os, sys
import sqlalchemy as sa
from beholden.state import open_state
def stop(connection, table, **_): os._exit(7)
from alembic import op
create, made = op.create_table, []
def counting(*args, **kwargs):
    made.append(args[0])
    if len(made) == 5: os._exit(7)
    return create(*args, **kwargs)
op.create_table = counting
open_state(sys.argv[1], create=True)
"""
    done = subprocess.run([sys.executable, "-c", child, url], check=False, cwd=ROOT, timeout=60)
    assert done.returncode == 7
    connection = sqlite3.connect(tmp_path / "state.db")
    assert connection.execute("select name from sqlite_master").fetchall() == []
    connection.close()
    with open_state(url) as state, state.read() as reading:
        assert len(sa.inspect(reading).get_table_names()) == len(tables.metadata.tables) + 1


def test_what_was_deleted_is_overwritten(url, tmp_path):
    with open_state(url, create=True) as state:
        with state.write() as connection:
            connection.execute(tables.estate.insert().values(estate_id="planted-value", created=1))
        with state.write() as connection:
            connection.execute(tables.estate.delete())
            connection.execute(sa.text("select 1"))
    assert b"planted-value" not in (tmp_path / "state.db").read_bytes()


def test_everything_is_closed(url):
    files = Path("/proc/self/fd")
    if not files.is_dir():
        return  # only Linux shows them
    before = len(list(files.iterdir()))
    for _ in range(3):
        open_state(url, create=True).close()
    assert len(list(files.iterdir())) <= before
