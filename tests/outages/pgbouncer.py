"""A pgbouncer of a test's own in front of its PostgreSQL, in transaction mode."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests.outages.postgres import Server
from tests.processes import await_that

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
needed = pytest.mark.skipif(PROGRAM is None, reason="needs pgbouncer (apt-get install pgbouncer)")

CONFIGURATION = """
[databases]
* = host={sockets} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 100
server_login_retry = 1
"""


class Pooler:
    """Starts at once, with its defaults but for the mode and the size of the pool."""

    def __init__(self, server: Server, folder: Path, pool: int) -> None:
        folder.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"postgres://postgres@127.0.0.1:{self._port}/postgres"
        self._configuration = folder / "pgbouncer.ini"
        self._configuration.write_text(
            CONFIGURATION.format(sockets=server.sockets, port=self._port, pool=pool)
        )
        #: It refuses to run as root; the user of PostgreSQL reaches its sockets.
        self._user = next(Path(str(server.sockets)).glob(".s.PGSQL.*")).stat().st_uid
        self._log = folder / "pgbouncer.log"
        self.start()

    def start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [str(PROGRAM), str(self._configuration)],
                user=self._user,
                extra_groups=[],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        await_that(self._answers, "pgbouncer")

    def end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait(60)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        with (
            suppress(psycopg.OperationalError),
            psycopg.connect(self.url.replace("postgres://", "postgresql://")),
        ):
            return True
        return False


@contextmanager
def pgbouncer(server: Server, *, pool: int) -> Iterator[Pooler]:
    with TemporaryDirectory(prefix="tagmanager-pgbouncer-", ignore_cleanup_errors=True) as folder:
        pooler = Pooler(server, Path(folder), pool)
        try:
            yield pooler
        finally:
            pooler.end(signal.SIGKILL)
