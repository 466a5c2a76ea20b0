"""Options and fixtures that every kind of test shares."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mariadb import MISSING, MariadbServer, mariadb_server, mariadbd

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
ALLOWED_SKIPS = Path(__file__).parent / "allowed_skips.toml"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the long proofs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    items_slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=items_slow)
    items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real databases and logs that lie beside the project; they are not part of it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is absent")
    return SHARED_DATA


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbServer]:
    """A real MariaDB, for all tests of the process: each makes databases of names of its own and drops them."""
    if mariadbd() is None:
        pytest.skip(MISSING)
    with mariadb_server() as server:
        yield server


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skip that nobody allowed is a failure: what was not run was not shown."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or reporter is None:
        return
    allowed = tomllib.loads(ALLOWED_SKIPS.read_text())["allowed"]
    for report in reporter.stats.get("skipped", []):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(entry["reason"] in reason for entry in allowed):
            reporter.write_line(f"a skip that is not allowed in CI: {report.nodeid}: {reason}", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
