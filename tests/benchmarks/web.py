"""Requests pages as a browser does: signed in, over HTTP, from gunicorn in its own process."""

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
from tests.cookies import session_cookie_at

#: Seconds until gunicorn answers, or has stopped.
TIMEOUT = 30.0
#: Bytes to read at once.
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    size: int  # bytes of the body
    seconds: float  # from the request to the last byte


@dataclass(frozen=True, slots=True)
class WebServer:
    """One gunicorn worker, and the session cookie of a user who may see everything."""

    port: int
    cookie: str
    worker: int  # its process id

    def get(self, url: str, connection: http.client.HTTPConnection) -> Response:
        """Request a page, and read and discard the whole response."""
        start = time.perf_counter()
        connection.request("GET", url, headers={"Cookie": self.cookie})
        answer = connection.getresponse()
        size = 0
        while chunk := answer.read(CHUNK):
            size += len(chunk)
        return Response(answer.status, size, time.perf_counter() - start)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def peak_memory(self) -> float:
        """The peak memory of the worker since its start, in MB."""
        return peak_memory(self.worker)


@contextmanager
def start_gunicorn(environment: Mapping[str, str]) -> Iterator[WebServer]:
    """Start gunicorn as `make run` does, but with one worker, for one request at a time."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "tagmanager.wsgi", "--chdir", str(settings.BASE_DIR)),
        *("--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4"),
        *("--keep-alive", "60", "--no-control-socket", "--log-level", "warning"),
    ]
    server = start(command, environment=environment)
    try:
        _await_start(port, server)
        yield WebServer(port, _cookie(port), _worker_of(server.pid))
    finally:
        stop(server, TIMEOUT)


def viewer() -> User:
    """A user who may see everything, the admin included."""
    return User.objects.get_or_create(username="viewer", defaults={"is_staff": True, "is_superuser": True})[0]


def _cookie(port: int) -> str:
    browser = Client()
    browser.force_login(viewer())
    name = session_cookie_at(f"http://127.0.0.1:{port}")
    return f"{name}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _await_start(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        assert server.poll() is None, "gunicorn has ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"gunicorn did not answer within {TIMEOUT:.0f} s")


def _worker_of(parent: int) -> int:
    """The process id of gunicorn's one worker; wait until it exists."""
    children = Path(f"/proc/{parent}/task/{parent}/children")
    end = time.monotonic() + TIMEOUT
    while not (found := children.read_text(encoding="ascii").split()):
        assert time.monotonic() < end, "gunicorn has no worker"
        time.sleep(0.1)
    return int(found[0])
