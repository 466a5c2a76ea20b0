"""The README's session is real: its commands are run and their output is what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.acceptance.conftest import EstateUnderTest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted({README, *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")})


def session() -> list[tuple[str, list[str]]]:
    """Commands of the console block with the lines shown below each."""
    block = README.read_text().partition("```console\n")[2].partition("```")[0]
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ beholden "), []))
        else:
            found[-1][1].append(line)
    return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> EstateUnderTest:
    directory = tmp_path_factory.mktemp("readme") / "estate"
    EstateUnderTest(directory.parent).run("demo", "--out", str(directory), "--end", "2026-07-01", "--build-only")
    estate = EstateUnderTest(directory)
    assert estate.run("scan", ok=False).code == 4  # one of its files is damaged on purpose
    estate.run("log", "ingest")
    return estate


def test_the_session_is_what_the_commands_print(demo):
    shown = session()
    assert len(shown) >= 4
    for command, lines in shown:
        run = demo.run(*shlex.split(command), ok=False)
        printed = [" ".join(line.split()) for line in (run.out + run.err).splitlines()]
        for line in lines:
            wanted = " ".join(line.split())
            assert any(text.startswith(wanted) for text in printed), (command, wanted, printed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
