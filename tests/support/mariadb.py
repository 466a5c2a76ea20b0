"""A throw-away MariaDB server for tests, from the machine's own installation (Debian: ``mariadb-server``)."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

__all__ = ["ADMINISTRATOR", "MISSING", "MariadbServer", "mariadb_server", "mariadbd"]

#: Why tests that need it are skipped.
MISSING = "no MariaDB server is installed here (Debian: apt-get install mariadb-server)"
#: Where programs for administrators lie, which not everybody's PATH names.
_MORE = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin")
ADMINISTRATOR = "boss"
_START_S = 60
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class MariadbServer:
    """A running server on the loopback address. Its administrator has every right and the password given."""

    port: int
    password: str
    process: subprocess.Popen[bytes]

    def url(self, user: str = ADMINISTRATOR, password: str | None = None) -> str:
        """As `beholden demo --mariadb` takes it."""
        secret = quote(self.password if password is None else password, safe="")
        return f"mariadb://{quote(user, safe='')}:{secret}@127.0.0.1:{self.port}/"

    def connect(self, database: str | None = None) -> Any:
        """A connection as the administrator that commits by itself."""
        import pymysql

        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=ADMINISTRATOR,
            password=self.password,
            database=database,
            autocommit=True,
        )

    def ask(self, statement: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())


def mariadbd() -> str | None:
    """The server's program; None where it is not installed."""
    return _program("mariadbd")


@contextmanager
def mariadb_server() -> Iterator[MariadbServer]:
    """Start a server with its data in a directory of its own and stop it at the end.

    It listens on a free port of the loopback address and on a socket in that directory. As root it runs as ``nobody``.
    The kernel ends it when this process dies. Starting takes about half a second.
    """
    # Short, since a socket's path may have about a hundred bytes, and where another user can get to it.
    directory = Path(tempfile.mkdtemp(prefix="mariadb-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, "nobody")
        options = ["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=socket"]
        _run([str(_program("mariadb-install-db")), *options, f"--datadir={directory}/data"], directory).wait(_START_S)
        server = _started(directory)
        try:
            yield server
        finally:
            server.process.terminate()
            try:
                server.process.wait(_START_S)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()
    finally:
        shutil.rmtree(directory)


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *_MORE]))


def _run(command: list[str], directory: Path) -> subprocess.Popen[bytes]:
    """Start a program of the server as somebody without rights, who may write to its directory."""
    if shutil.which("setpriv"):
        command = ["setpriv", "--pdeathsig", "KILL", *command]
    rights: dict[str, Any] = {}
    if os.geteuid() == 0:
        rights = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
    with (directory / "log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, **rights)


def _started(directory: Path) -> MariadbServer:
    """The server on a port that was free a moment ago: another process may have been quicker, so it is tried again."""
    password = "s3cret-0f-boss/@:%"
    (directory / "init.sql").write_text(
        f"create or replace user {ADMINISTRATOR} identified by '{password}';\n"
        f"grant all on *.* to {ADMINISTRATOR} with grant option;\n"
    )
    for _ in range(_ATTEMPTS):
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        options = {
            "datadir": directory / "data", "socket": directory / "socket", "pid-file": directory / "pid", "port": port,
            "bind-address": "127.0.0.1", "init-file": directory / "init.sql", "tmpdir": directory,
            "innodb-flush-log-at-trx-commit": 0, "innodb-log-file-size": "32M",
        }  # fmt: skip
        command = [str(mariadbd()), "--no-defaults", *(f"--{name}={value}" for name, value in options.items())]
        server = MariadbServer(port, password, _run(command, directory))
        if _answers(server):
            return server
    log = (directory / "log").read_text(errors="replace")
    raise RuntimeError(f"MariaDB did not start:\n{log[-2000:]}")


def _answers(server: MariadbServer) -> bool:
    """Whether it is there within the time; false where it ended."""
    import pymysql

    end = time.monotonic() + _START_S
    while server.process.poll() is None and time.monotonic() < end:
        try:
            server.connect().close()
        except pymysql.Error:
            time.sleep(0.1)
        else:
            return True
    server.process.kill()
    server.process.wait()
    return False
