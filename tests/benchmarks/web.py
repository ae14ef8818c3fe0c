"""The pages as people get them: gunicorn over HTTP, in a process of its own, signed in."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from jobs.workers.processes import start, stop
from tests.benchmarks.figures import peak_memory

#: Until gunicorn answers, seconds.
PATIENCE = 30.0
#: Read from an answer at once, bytes.
PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    size: int  # bytes of the body
    seconds: float  # from asking to the last byte


@dataclass(frozen=True, slots=True)
class Web:
    """One worker of gunicorn, and the cookie of somebody who may see everything."""

    port: int
    cookie: str
    worker: int  # its process id

    def get(self, url: str, connection: http.client.HTTPConnection) -> Answer:
        """Ask and read the answer to its end, throwing it away as it comes."""
        start = time.perf_counter()
        connection.request("GET", url, headers={"Cookie": self.cookie})
        answer = connection.getresponse()
        size = 0
        while piece := answer.read(PIECE):
            size += len(piece)
        return Answer(answer.status, size, time.perf_counter() - start)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def peak_memory(self) -> float:
        """The most that the worker has held in memory since it started, MB."""
        return peak_memory(self.worker)


@contextmanager
def served(environment: Mapping[str, str]) -> Iterator[Web]:
    """Gunicorn as `make run` starts it, but with one worker: one request is under way at a time."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "tagmanager.wsgi", "--chdir", str(settings.BASE_DIR)),
        *("--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4"),
        *("--keep-alive", "60", "--no-control-socket", "--log-level", "warning"),
    ]
    server = start(command, environment=environment)
    try:
        _wait(port, server)
        yield Web(port, _cookie(), _worker_of(server.pid))
    finally:
        stop(server, PATIENCE)


def viewer() -> User:
    """Somebody who may see everything, the admin too."""
    return User.objects.get_or_create(username="viewer", defaults={"is_staff": True, "is_superuser": True})[0]


def _cookie() -> str:
    browser = Client()
    browser.force_login(viewer())
    return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert server.poll() is None, "gunicorn has ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"gunicorn did not answer within {PATIENCE:.0f} s")


def _worker_of(parent: int) -> int:
    """The one child of gunicorn's arbiter, once it is there."""
    children = Path(f"/proc/{parent}/task/{parent}/children")
    end = time.monotonic() + PATIENCE
    while not (found := children.read_text(encoding="ascii").split()):
        assert time.monotonic() < end, "gunicorn has no worker"
        time.sleep(0.1)
    return int(found[0])
