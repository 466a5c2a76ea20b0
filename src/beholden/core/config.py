"""``beholden.toml`` as typed records; `beholden.core.config_file` reads and validates it.

The complete example is in docs/reference/configuration.md. Relative paths and relative ``sqlite:///`` URLs are
resolved against the directory the file lies in: an estate works from any directory below it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import quote

import msgspec

from beholden.core.errors import NotFoundError

__all__ = [
    "Config",
    "EngineConfig",
    "EstateConfig",
    "FeedConfig",
    "LedgerConfig",
    "LogConfig",
    "RetentionConfig",
    "StateConfig",
    "StoreConfig",
    "SubjectConfig",
    "VaultConfig",
    "WatchConfig",
    "ZoneConfig",
]

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
#: ``spark://HOST:PORT``; standby masters follow after commas.
_SPARK_MASTERS: Final = r"^spark://[^\s,/:@]+:[0-9]{1,5}(,[^\s,/:@]+:[0-9]{1,5})*$"
Positive = Annotated[int, msgspec.Meta(ge=1)]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file: unknown keys are refused, so that a typing error is not silently ignored."""


class EstateConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The estate's name."""

    name: Text = "estate"


class StateConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where what is known and decided is kept."""

    url: Text = "sqlite:///.beholden/state.db"


class VaultConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where people's tokens and keys are kept, and the master key: ``file:PATH`` or ``env:NAME``."""

    url: Text = "sqlite:///.beholden/vault.db"
    master_key: Annotated[str, msgspec.Meta(pattern=r"^(file|env):.+$")] = "file:.beholden/master.key"


class RetentionConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long which events are kept, and what for. ``events`` is what `beholden.core.selectors.Selector` reads."""

    events: Text
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)]
    purpose: Annotated[str, msgspec.Meta(pattern=r"\S", max_length=500)]


class LedgerConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the record of accesses is kept, the name in its checkpoints, and how long events stay."""

    url: Text = ".beholden/ledger"
    origin: Annotated[str, msgspec.Meta(pattern=r"^[^\s+]+$", max_length=200)] = "beholden.local/ledger"
    retention: tuple[RetentionConfig, ...] = ()


class EngineConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What runs SQL over the record; ``memory`` is of one query on DuckDB, of each executor on Spark."""

    kind: Literal["duckdb", "spark"] = "duckdb"
    memory: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(MB|GB)$")] = "4GB"
    master: Annotated[str, msgspec.Meta(pattern=_SPARK_MASTERS, max_length=4096)] | None = None


class WatchConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many false cases a day the analysts accept."""

    false_cases_per_day: Annotated[float, msgspec.Meta(ge=0)] = 2.0


class SubjectConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A kind of data subject: the field that identifies it and the fields that describe it."""

    kind: Name
    key: Text
    names: tuple[Text, ...] = ()
    emails: tuple[Text, ...] = ()
    aliases: tuple[Text, ...] = ()


class ZoneConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A zone and the classes of data that may lie nowhere else."""

    name: Name
    only_here: tuple[Text, ...] = ()


class StoreConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A data store under care. ``url`` reads; ``write_url`` is used for erasure alone."""

    name: Name
    url: Text
    write_url: Text | None = None
    password_file: Text | None = None
    zone: Name | None = None
    owner: Text | None = None
    max_rows_per_second: Positive | None = None
    max_connections: Positive = 2
    statement_timeout_s: Positive = 60


class LogConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A log that tells who accessed a store. ``server`` sets whose record it is when several logs hold the same.

    ``database`` is what it calls the store's database, where that is not the one of the store's url.
    """

    name: Name
    format: Text
    path: Text
    store: Name | None = None
    server: Name | None = None
    database: Text | None = None
    time_zone: Text | None = None
    mapping: Text | None = None


class FeedConfig(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A record of the company's own that can give an access its reason. Column names, or ``kind:column``."""

    name: Name
    source: Text
    kind: Literal[
        "contact", "case", "assignment", "order", "staff", "membership", "grant", "third_party", "device", "seller",
        "other",
    ]  # fmt: skip
    key: Text | None = None
    actor: Text | None = None
    subject: Text | None = None
    opened: Text | None = None
    closed: Text | None = None


class Config(_Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of ``beholden.toml`` and the directory it lies in."""

    estate: EstateConfig = EstateConfig()
    state: StateConfig = StateConfig()
    vault: VaultConfig = VaultConfig()
    ledger: LedgerConfig = LedgerConfig()
    engine: EngineConfig = EngineConfig()
    watch: WatchConfig = WatchConfig()
    subject: tuple[SubjectConfig, ...] = ()
    zone: tuple[ZoneConfig, ...] = ()
    store: tuple[StoreConfig, ...] = ()
    log: tuple[LogConfig, ...] = ()
    feed: tuple[FeedConfig, ...] = ()
    root: Path = Path()

    def path(self, text: str) -> Path:
        """A path of the file, resolved against the estate's directory."""
        return (self.root / Path(text).expanduser()).absolute()

    def url(self, text: str) -> str:
        """A URL of the file; a relative ``sqlite:///`` path is resolved against the estate's directory."""
        scheme, slashes, rest = text.partition(":///")
        if scheme == "sqlite" and slashes and rest and not rest.startswith("/"):
            return f"sqlite:///{quote(str(self.path(rest)))}"
        return text

    def store_named(self, name: str) -> StoreConfig:
        """The store of that name; raises `NotFoundError` naming those that exist."""
        for store in self.store:
            if store.name == name:
                return store
        known = ", ".join(store.name for store in self.store) or "none yet"
        raise NotFoundError(
            f"store {name}", "is not declared", expected=f"one of: {known}", advice="add it with: beholden store add"
        )
