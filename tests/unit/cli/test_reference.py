"""The reference pages that follow from the code are what the program says, and its help costs little."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from beholden.cli import cli
from beholden.cli.reference import main, pages
from beholden.cli.schemas import NOUNS

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
HEAVY = {"alembic", "cryptography", "duckdb", "numpy", "psycopg", "pyarrow", "re2", "rich", "sqlalchemy", "sqlglot"}


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "COLUMNS": "100"}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("name", ["cli.md", "meridian-parameters.md", *(f"schemas/{noun}.json" for noun in NOUNS)])
def test_a_page_is_what_the_code_says(name):
    assert (REFERENCE / name).read_text() == pages()[name], "run: python -m beholden.cli.reference docs/reference"


def test_there_is_no_page_of_what_is_gone():
    assert {path.stem for path in (REFERENCE / "schemas").iterdir()} == set(NOUNS)


def test_pages_are_written_and_old_ones_removed(tmp_path):
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "gone.json").write_text("{}")
    main(tmp_path)
    written = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == dict(pages())


@pytest.mark.parametrize("command", [[], ["store"], ["store", "add"], ["who"]], ids=" ".join)
def test_the_page_shows_the_real_help(command):
    help_text = run("-m", "beholden", *command, "--help")
    assert f"$ {' '.join(['beholden', *command])} --help\n{help_text}```" in (REFERENCE / "cli.md").read_text()


@pytest.mark.parametrize("command", [[], ["who"], ["log", "ingest"], ["ledger"]], ids=" ".join)
def test_help_imports_nothing_heavy(command):
    program = (
        "import sys; from beholden.cli import main\n"
        f"sys.argv[1:] = {[*command, '--help']!r}\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "Usage: " in done.stdout
    assert HEAVY & {name.partition(".")[0] for name in done.stderr.split()} == set()


def test_the_contract_names_every_noun_command_and_exit_code():
    page = (REFERENCE / "contract.md").read_text()
    assert set(re.findall(r"\(schemas/([a-z-]+)\.json\)", page)) == set(NOUNS)
    here = page.partition("Here now")[2].partition("Reserved")[0].replace("\n", " ")
    named = {
        " ".join(filter(None, (verb, part)))
        for text in re.findall(r"`([^`]+)`", here)
        for verb, _, parts in [text.partition(" ")]
        for part in parts.split("|")
    }
    assert named == {name for name in commands(cli) if name not in GROUPS}
    assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == ["0", "1", "2", "3", "4", "5", "130"]


GROUPS = {"store", "map", "log", "feed", "watch", "ledger", "ledger hold", "ledger witness", "vault"}


def commands(group: click.Group, *path: str) -> set[str]:
    context = click.Context(group)
    found = set()
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found.add(" ".join([*path, name]))
        if isinstance(command, click.Group):
            found |= commands(command, *path, name)
    return found
