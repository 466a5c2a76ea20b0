"""Connections to PostgreSQL: how many, as whom, for how long, and what its refusals mean.

All settings are made for one transaction at a time, so that a pooler in between (PgBouncer) hands none of them on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int4BinaryLoader, Int8BinaryLoader
from psycopg.types.string import ByteaBinaryLoader

from beholden.core.config import StoreConfig
from beholden.core.errors import ConfigError

__all__ = ["Connections", "Refused", "connection_settings"]

_CONNECT_TIMEOUT_S: Final = 10
_LOCK_TIMEOUT_S: Final = 10
_PASSWORD_BYTES_MAX: Final = 4096

_URL: Final = "postgresql://USER@HOST:PORT/DATABASE, special characters in % form"

#: SQLSTATE -> (what it means, next step). The server's own texts may quote values and are not used.
_MEANINGS: Final = {
    "42501": ("we have no right to read it", "grant it with the script of: beholden store grants postgresql"),
    "42P01": ("there is no such table (any more)", "scan the store again"),
    "42703": ("a field is not there (any more)", "scan the store again"),
    "3F000": ("there is no such schema (any more)", "scan the store again"),
    "57014": ("the statement timeout was reached", "raise statement_timeout_s or add an index"),
    "55P03": ("another session holds a lock on it", "try again when that has finished"),
    "53300": ("the server has no free connection", "lower max_connections of the store or try again"),
    "25006": ("reading it would write, which a read-only transaction refuses", "a view calls a function that writes"),
    "22021": ("it holds bytes that are not valid in the database's encoding", "repair them in the database"),
    "22P05": ("it holds characters that do not exist in UTF-8", "repair them in the database"),
    "55000": ("it cannot be read in its present state", "a materialized view may never have been refreshed"),
    "XX001": ("the table's file is damaged", "restore it from a backup"),
    "XX002": ("an index is damaged", "rebuild it with REINDEX"),
}
#: The same for whole classes of SQLSTATE.
_CLASSES: Final = {
    "08": ("the connection was lost", "check the server and the network"),
    "28": ("the server refused the user or the password", "check user and password of the store"),
    "3D": ("there is no such database", "check the database in the store's url"),
    "53": ("the server is out of memory, disk or connections", "try again later"),
    "57": ("the server ended the connection", "try again when it is up"),
    "58": ("the server met a failure of its system", "look into the server's log"),
    "HV": ("the foreign server behind it cannot be read", "check the foreign server"),
}
_OPTION: Final = "an option in the store's url has a value that is not valid"
#: libpq gives no SQLSTATE for a connection that failed; these words of its text (English and fixed) stand in.
_CONNECT_WORDS: Final = (
    ("password authentication failed", "the server refused the password"),
    ("no password supplied", "the server wants a password and there is none"),
    ("no pg_hba.conf entry", "the server's pg_hba.conf does not let us in from here"),
    ("too many", "the server has no free connection"),  # before the next: it names the role
    ("remaining connection slots", "the server has no free connection"),
    ('role "', "there is no such user, or it may not log in"),
    ('database "', "there is no such database, or we may not connect to it"),
    ("Connection refused", "nothing listens at that host and port"),
    ("No such file or directory", "nothing listens at that socket"),
    ("could not translate host name", "the host's name is unknown"),
    ("failed to resolve host", "the host's name is unknown"),
    ("invalid ", _OPTION),
    ("bad value for", _OPTION),
    ("timeout", f"no answer within {_CONNECT_TIMEOUT_S} s"),
    ("SSL", "TLS could not be agreed on"),
    ("starting up", "the server is starting up"),
)  # fmt: skip


class Refused(Exception):  # noqa: N818 - it never leaves this room; the connector turns it into a SourceError
    """PostgreSQL said no: what it means and what to do."""

    def __init__(self, found: str, advice: str = "") -> None:
        self.found = found
        self.advice = advice
        super().__init__(found)


def connection_settings(config: StoreConfig, root: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """The url as libpq's settings, with the password from the url, the environment or the password file, in this order.

    Raises:
        ConfigError: the url is not one, or the password file cannot be read. Neither is repeated.
    """
    where = f"store {config.name}: url"
    _, mark, rest = config.url.partition("://")
    try:
        settings: dict[str, Any] = dict(conninfo_to_dict(f"postgresql://{rest}"))
    except psycopg.Error:
        mark = ""
    if not mark:
        raise ConfigError(where, "not a postgresql url", expected=_URL)
    # Neither is repeated: where a password was not written in % form, its end stands where host and port should.
    if not all(_is_port(port) for port in str(settings.get("port", "")).split(",")):
        raise ConfigError(where, "its port is not a number from 1 to 65535", expected=_URL)
    variable = f"BEHOLDEN_STORE_{config.name.upper().replace('-', '_')}_PASSWORD"
    if not settings.get("password"):
        password = environ.get(variable) or _password_from_file(config, root)
        if password:
            settings["password"] = password
    settings.setdefault("connect_timeout", _CONNECT_TIMEOUT_S)
    return {**settings, "application_name": "beholden", "client_encoding": "UTF8"}


def server_of(url: str) -> tuple[str, str | None] | None:
    """Host and port, and the database, as a url says them; None if it is none."""
    try:
        settings = conninfo_to_dict(f"postgresql://{url.partition('://')[2]}")
    except psycopg.Error:
        return None
    database = settings.get("dbname")
    return f"{settings.get('host') or 'localhost'}:{settings.get('port') or 5432}", str(database) if database else None


def _is_port(text: str) -> bool:
    """A port as libpq takes it; empty is the default one, also for one of several hosts."""
    return not text or (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535)


def _password_from_file(config: StoreConfig, root: Path) -> str | None:
    if config.password_file is None:
        return None
    path = root / Path(config.password_file).expanduser()
    try:
        with path.open("rb") as file:
            return file.read(_PASSWORD_BYTES_MAX).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ConfigError(f"store {config.name}: password_file {path}", f"cannot be read ({reason})") from None


class Connections:
    """At most ``connections_max`` connections, handed out one transaction at a time. Safe to share between threads."""

    def __init__(self, settings: Mapping[str, Any], *, connections_max: int, statement_timeout_s: int) -> None:
        self._settings = dict(settings)
        self._free = threading.BoundedSemaphore(connections_max)
        self._idle: list[psycopg.Connection[Any]] = []
        self._lock = threading.Lock()
        self._timeout_s = statement_timeout_s
        self._closed = False

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection inside a READ ONLY transaction that is rolled back at the end.

        Waits for a free connection as long as a statement may take.

        Raises:
            Refused: whatever the server or the driver refuses inside, too.
        """
        if not self._free.acquire(timeout=self._timeout_s):
            raise Refused("all its connections are busy", "raise max_connections of the store")
        connection = None
        try:
            connection = self._begin()
            yield connection
        except psycopg.Error as error:
            raise _meaning(error) from None
        except UnicodeError:
            raise Refused("it holds bytes that are not valid in the database's encoding") from None
        finally:
            if connection is not None:
                self._give_back(connection)
            self._free.release()

    def close(self) -> None:
        """Close what is idle now, and the others when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _begin(self) -> psycopg.Connection[Any]:
        with self._lock:
            if self._closed:
                raise Refused("the connector is closed")
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            try:
                self._set_up(connection)
            except psycopg.OperationalError:
                connection.close()  # it broke while it was idle; a new one may do
            else:
                return connection
        connection = self._connect()
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> psycopg.Connection[Any]:
        try:
            connection = psycopg.connect(**self._settings)
        except psycopg.Error as error:
            text = str(error)
            found = next((meaning for words, meaning in _CONNECT_WORDS if words in text), "cannot be connected to")
            raise Refused(found, "check url and password of the store, and that the server is up") from None
        connection.read_only = True
        for kind in ("text", "varchar", "bpchar", "name", "char"):
            # Arrow decodes whole columns of bytes; the driver would fail on one wrong byte.
            oid = 18 if kind == "char" else connection.adapters.types[kind].oid
            connection.adapters.register_loader(oid, ByteaBinaryLoader)
        # As counted by the server: Python's own dates end at the year 9999 and know no infinity.
        connection.adapters.register_loader("timestamp", Int8BinaryLoader)
        connection.adapters.register_loader("timestamptz", Int8BinaryLoader)
        connection.adapters.register_loader("date", Int4BinaryLoader)
        return connection

    def _set_up(self, connection: psycopg.Connection[Any]) -> None:
        settings = {
            "statement_timeout": f"{self._timeout_s}s",
            "lock_timeout": f"{min(self._timeout_s, _LOCK_TIMEOUT_S)}s",
            "TimeZone": "UTC",
            "DateStyle": "ISO",
            "IntervalStyle": "iso_8601",
        }
        if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
            # Such a database holds any bytes and would refuse to send those that are not UTF-8.
            settings["client_encoding"] = "SQL_ASCII"
        calls = ", ".join("set_config(%s, %s, true)" for _ in settings)
        pairs = [text for pair in settings.items() for text in pair]
        connection.execute(f"SELECT {calls}", pairs, binary=True)

    def _give_back(self, connection: psycopg.Connection[Any]) -> None:
        with suppress(psycopg.Error):
            connection.rollback()
        with self._lock:
            if not self._closed and connection.info.transaction_status == pq.TransactionStatus.IDLE:
                self._idle.append(connection)
                return
        connection.close()


def _meaning(error: psycopg.Error) -> Refused:
    state = error.sqlstate
    if state is None and not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Refused("the driver could not read the answer")
    if state is None:
        return Refused("the connection was lost", "check the server and the network")
    found = _MEANINGS.get(state) or _CLASSES.get(state[:2])
    return Refused(*found) if found else Refused(f"the server refused the statement (SQLSTATE {state})")
