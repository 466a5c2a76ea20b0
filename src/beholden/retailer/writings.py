"""The pages of the wiki and the files of the repositories: where each lies and what it is made of.

A template is text with marks: ``@@kind@@`` becomes a secret of that kind, ``@@-kind@@`` a text that only looks like one,
``@@json:kind@@`` a secret escaped for JSON, ``@@~kind@@`` something ordinary (a word, a day, a number). Most pages and
files have nothing to hide.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from beholden.retailer.chance import Chance, below, uniform
from beholden.retailer.parameters import Parameters
from beholden.retailer.resources import SPACES, repositories
from beholden.retailer.staff import SERVICES
from beholden.retailer.writing_templates import FILES, PAGES, PLAIN_PAGES, PLAIN_SOURCES, TOPICS

__all__ = ["Writing", "repository_files", "wiki_pages"]

_PAGES_MIN: Final = 60
_SECRET_PAGES: Final = 0.06  # share of pages made from a template with secrets; assumed
_SECRET_FILES: Final = 2  # such files in a repository; assumed
_SOURCES: Final = 7  # ordinary files in a repository
#: Programs whose cloud key stands on a page; of those that every company has.
_KEY_OWNERS: Final = ("etl_nightly", "backup", "bi_dashboard")


@dataclass(frozen=True, slots=True)
class Writing:
    """One page or file. ``owner`` names the program whose own cloud key a page holds, or is empty."""

    path: str
    template: str
    owner: str = ""


@lru_cache(maxsize=4)
def wiki_pages(parameters: Parameters) -> tuple[Writing, ...]:
    """Every page of the wiki; each template with secrets is used at least once."""
    count = max(_PAGES_MIN, round(parameters.wiki_pages_at_full_scale * parameters.scale))
    chance = Chance(parameters.seed, "wiki pages")
    # Which pages tell too much is drawn: nothing in their place or name says so.
    telling = max(len(PAGES), round(count * _SECRET_PAGES))
    chosen = np.argsort(uniform(chance(0, np.arange(count))), kind="stable")[:telling].tolist()
    template = {at: PAGES[i % len(PAGES)] for i, at in enumerate(chosen)}
    found = []
    owners = 0
    for at in range(count):
        draw = below(chance(1, at, np.arange(3)), 1 << 20).tolist()
        space, topic = SPACES[at % len(SPACES)], TOPICS[draw[0] % len(TOPICS)]
        text = template.get(at, PLAIN_PAGES[draw[1] % len(PLAIN_PAGES)])
        owner = ""
        if "@@own:" in text:
            owner, owners = _KEY_OWNERS[owners % len(_KEY_OWNERS)], owners + 1
        found.append(Writing(f"wiki/{space}/{topic}-{at + 1}.md", text, owner))
    return tuple(found)


@lru_cache(maxsize=4)
def repository_files(parameters: Parameters) -> tuple[Writing, ...]:
    """Every file of every repository; each template with secrets is used at least once."""
    chance = Chance(parameters.seed, "repository files")
    found = []
    turn = 0
    for at, name in enumerate(repositories(parameters.repositories)):
        for path, text in (*PLAIN_SOURCES[:3], *PLAIN_SOURCES[3:][: _SOURCES - 3]):
            found.append(Writing(f"repositories/{name}/{path}", text))
        left = len(FILES) - turn
        rest = parameters.repositories - at
        count = max(_SECRET_FILES if below(chance(at), 3)[0] else 0, -(-left // rest) if left > 0 else 0)
        for _ in range(count):
            path, text = FILES[turn % len(FILES)]
            turn += 1
            if all(one.path != f"repositories/{name}/{path}" for one in found):
                found.append(Writing(f"repositories/{name}/{path}", text))
    return tuple(found)


assert all(owner in SERVICES for owner in _KEY_OWNERS)  # noqa: S101 - a slip here would be found late
