"""What the types of ``beholden.toml`` cannot say: unique names, references that exist, well-formed field names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NoReturn

from beholden.core._toml_lines import KeyLines
from beholden.core.classes import check_class
from beholden.core.config import Config, SubjectConfig
from beholden.core.errors import BeholdenError, ConfigError, UsageError
from beholden.core.names import FieldName
from beholden.core.object_url import is_object_url, parse_object_url
from beholden.core.selectors import Selector
from beholden.core.times import zone

__all__ = ["check_config"]


def check_config(config: Config, lines: KeyLines, file_name: str) -> None:
    """Raise `ConfigError` for the first thing that is wrong, with its line."""

    def fail(path: str, found: str, expected: str = "") -> NoReturn:
        raise ConfigError(f"{file_name} line {lines.of(path)}: {path.removeprefix('$.')}", found, expected=expected)

    for path in _repeated(config):
        fail(path, "is declared twice", "a name of its own")
    for path, check in _well_formed(config):
        try:
            check()
        except BeholdenError as error:
            fail(path, error.found, error.expected)
    _check_retention(config, fail)
    if config.engine.kind == "spark" and config.engine.master is None:
        fail("$.engine.kind", "kind 'spark' needs a cluster", 'master = "spark://HOST:7077"')
    stores = {store.name for store in config.store}
    for i, log in enumerate(config.log):
        # a database's statements are understood by its schema; what a log tells in full may be of any store
        if log.format not in ("mapped", "ocsf") and log.store is not None and log.store not in stores:
            fail(
                f"$.log[{i}].store", f"store '{log.store}' is not declared", ", ".join(sorted(stores)) or "a [[store]]"
            )
        if log.format == "mapped" and log.mapping is None:
            fail(f"$.log[{i}].format", "format 'mapped' needs a mapping", 'mapping = "mappings/NAME.toml"')


def _check_retention(config: Config, fail: Callable[[str, str, str], NoReturn]) -> None:
    """Only whole segments go, so a policy for some events can keep them longer than all others, never shorter."""
    of_all = max((row.keep_days for row in config.ledger.retention if row.events == "*"), default=0)
    for i, row in enumerate(config.ledger.retention):
        if row.keep_days < of_all:
            found = f"keeps '{row.events}' for less than '*' keeps everything"
            fail(f"$.ledger.retention[{i}].keep_days", found, f"at least {of_all}: a policy can only keep longer")


def _well_formed(config: Config) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "$.ledger.url", partial(_check_ledger_url, config.ledger.url)
    for i, zone_row in enumerate(config.zone):
        for name in zone_row.only_here:
            yield f"$.zone[{i}].only_here", partial(check_class, name)
    for i, policy in enumerate(config.ledger.retention):
        yield f"$.ledger.retention[{i}].events", partial(Selector.parse, policy.events)
    for i, log in enumerate(config.log):
        if log.time_zone is not None:
            yield f"$.log[{i}].time_zone", partial(zone, log.time_zone)
    for i, subject in enumerate(config.subject):
        for key, field in _fields(subject):
            yield f"$.subject[{i}].{key}", partial(FieldName.parse, field)


def _check_ledger_url(url: str) -> None:
    if is_object_url(url):
        parse_object_url(url)
    elif "://" in url and not url.startswith("file://"):
        raise UsageError("[ledger] url", "a ledger cannot be kept there", expected="a directory, or s3://BUCKET/PREFIX")


def _repeated(config: Config) -> Iterator[str]:
    for section, names in (
        ("store", [row.name for row in config.store]),
        ("log", [row.name for row in config.log]),
        ("feed", [row.name for row in config.feed]),
        ("zone", [row.name for row in config.zone]),
        ("subject", [row.kind for row in config.subject]),
    ):
        key = "kind" if section == "subject" else "name"
        for i, name in enumerate(names):
            if name in names[:i]:
                yield f"$.{section}[{i}].{key}"


def _fields(subject: SubjectConfig) -> Iterator[tuple[str, str]]:
    yield "key", subject.key
    for key in ("names", "emails", "aliases"):
        for field in getattr(subject, key):
            yield key, field
