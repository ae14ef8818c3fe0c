"""The processes of the demo, and the folder in which they live."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any

from django.conf import settings

from jobs.common import private_files
from jobs.runtime.shutdown import STOP_FILE
from jobs.workers import processes

#: What a developer's environment may hold, and the demo must not see.
FOREIGN = frozenset(
    {
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        "DATABASE_LOCK_TIMEOUT",
        "DATABASE_POOLED",
        "DATABASE_URL",
        "DEBUG",
        "JOB_TICKET_LIMIT",
        "LOG_LEVEL",
        "Q_CLUSTER_NAME",
        "Q_WORKERS",
        "SECRET_KEY",
        "SYNC_TICKET_LIMIT",
        "TRUST_PROXY",
        "USE_HTTPS",
        STOP_FILE,
    }
)
#: The first port that is tried where none is given, and how many after it.
FIRST_PORT, PORTS = 8000, 100
#: Seconds within which a process must be up, on a slow machine too.
START_TAKES = 120.0
#: Seconds between two checks.
POLL_INTERVAL = 0.1
#: Lines of a child's log that are shown when it ended by itself.
LAST_LINES = 12


class Failed(Exception):
    """The demo cannot start or go on; the message is for people."""


class Stopped(Exception):
    """A signal asks the demo to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """Ctrl-C, SIGTERM and SIGHUP, noted down; `check` raises where it does no harm."""

    def __init__(self) -> None:
        self._number = 0
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, self._take)

    def check(self) -> None:
        if self._number:
            raise Stopped(self._number)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        self._number = number


class DemoFolder:
    """A port, and a folder for it that no other demo has; both are ours as long as this process lives."""

    def __init__(self, port: int | None) -> None:
        wanted = range(FIRST_PORT, FIRST_PORT + PORTS) if port is None else [port]
        for each in wanted:
            lock = self._lock(each) if _is_free(each) else None
            if lock is not None:
                self.port, self._held = each, lock
                break
        else:
            taken = f"The port {port} is" if port else f"The ports from {FIRST_PORT} on are all"
            raise Failed(f"{taken} in use. Give another: --port N.")
        for old in self.path.iterdir():
            if old != self._lock_file(self.port):
                shutil.rmtree(old) if old.is_dir() else old.unlink()

    @property
    def path(self) -> Path:
        return self._lock_file(self.port).parent

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def leave(self) -> None:
        """From here on another demo may have it."""
        self._held.close()

    def _lock_file(self, port: int) -> Path:
        return Path(settings.VAR_DIR).resolve() / f"demo-{port}" / "lock"

    def _lock(self, port: int) -> IO[bytes] | None:
        path = self._lock_file(port)
        private_files.make_folder(path.parent)
        lock = path.open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return None
        return lock


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class DemoProcesses:
    """The children of the demo: all are up, or it ends; none outlives it."""

    def __init__(self, folder: DemoFolder, signals: Signals) -> None:
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in FOREIGN and not name.startswith("ZENDESK_")
        }
        # The database, the key and the cache of the demo are made below this folder.
        self.environment |= {"TAGMANAGER_DEMO": "1", "VAR_DIR": str(folder.path), "PYTHONUNBUFFERED": "1"}
        self._folder = folder.path
        self._signals = signals
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def log_of(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def start(self, name: str, *command: str) -> None:
        """A child that stays."""
        with self.log_of(name).open("wb") as log:
            self._children[name] = processes.start(command, environment=self.environment, log=log)

    def manage(self, *arguments: str) -> tuple[str, ...]:
        return sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments

    def run(self, name: str, *arguments: str, more: Mapping[str, str] | None = None) -> str:
        """Run one of our commands to its end; returns its standard output, raises `Failed` if it fails."""
        output = self._folder / f"{name}.out"
        with output.open("wb") as out, self.log_of(name).open("wb") as log:
            child = processes.start(
                self.manage(*arguments), environment=self.environment | dict(more or {}), log=out, errors=log
            )
            try:
                self.wait(lambda: child.poll() is not None, f"manage.py {arguments[0]}")
            finally:
                processes.stop(child, 0)
        if child.returncode:
            raise Failed(f"manage.py {arguments[0]} failed.{self._last_lines(name)}")
        return output.read_text()

    def show(self, *arguments: str) -> int:
        """Run one of our commands with our standard output; returns its exit code."""
        child = processes.start(self.manage(*arguments), environment=self.environment, own_session=False)
        try:
            while child.poll() is None:
                self.check()
                time.sleep(POLL_INTERVAL)
        finally:
            processes.stop(child, 5, by=signal.SIGINT)  # it puts the terminal in order
        return child.returncode

    def wait(self, is_up: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + START_TAKES
        while not is_up():
            self.check()
            if time.monotonic() > end:
                raise Failed(
                    f"{what} did not come up within {START_TAKES:.0f} s. Logs are in {self._folder}."
                )
            time.sleep(POLL_INTERVAL)

    def check(self) -> None:
        """Raises `Failed` when a child has ended by itself, `Stopped` when a signal says to end."""
        self._signals.check()
        for name, child in self._children.items():
            if child.poll() is not None:
                raise Failed(
                    f"The demo's {name} ended by itself (exit code {child.returncode})."
                    f"{self._last_lines(name)}"
                )

    def stop(self) -> None:
        """End all children, the last one first; each has a while to put down what it has in hand."""
        for child in reversed(self._children.values()):
            processes.stop(child, 35)

    def _last_lines(self, name: str) -> str:
        path = self.log_of(name)
        lines = path.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join([f" The last lines of {path}:", *(f"  {line}" for line in lines)])


def address_in(log: Path) -> str:
    """The first address that a log names; "" as long as there is none."""
    found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text(errors="replace"))
    return found[0] if found else ""


def answer_of(url: str) -> Any:
    """The JSON at the address; None as long as nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
    with suppress(OSError, ValueError), opener.open(url, timeout=5) as answer:
        return json.load(answer)
    return None
