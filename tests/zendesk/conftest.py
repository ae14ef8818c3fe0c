from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import responses

from zendesk import BearerToken, Call, Zendesk

BASE = "https://acme.zendesk.com"


class Clock:
    """A time of its own: sleeping moves it, and nothing waits."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.time += seconds

    def move(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def calls() -> list[Call]:
    return []


@pytest.fixture
def connect(clock: Clock, calls: list[Call]) -> Iterator[Callable[..., Zendesk]]:
    """Makes clients that share the clock; what they call is written down in `calls`."""
    made: list[Zendesk] = []

    def make(credentials: Any = None, base_url: str = BASE, **options: Any) -> Zendesk:
        settings = {"sleep": clock.sleep, "clock": clock, "jitter": lambda: 1.0, "on_call": calls.append}
        made.append(Zendesk(base_url, credentials or BearerToken("sesame"), **{**settings, **options}))
        return made[-1]

    yield make
    for zendesk in made:
        zendesk.close()


@pytest.fixture
def zendesk(connect: Callable[..., Zendesk]) -> Zendesk:
    return connect()


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    """No request leaves this process; each test says what is answered, and all of it must be asked for."""
    with responses.RequestsMock() as mock:
        yield mock


class RawServer:
    """Answers each request on a socket with the next scripted bytes; None hangs up without a word."""

    def __init__(self) -> None:
        self.script: list[bytes | None] = []
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        if self._listener.fileno() == -1:
            return
        # Closing alone does not wake a thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):  # the other end may have hung up first
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                while request := self._request(connection):
                    self.requests.append(request)
                    answer = self.script.pop(0)
                    if answer is None:
                        return
                    connection.sendall(answer)
                    if b"Connection: close" in answer:
                        return
            except (OSError, IndexError):
                return

    @staticmethod
    def _request(connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            got = connection.recv(65536)
            if not got:
                return b""
            data += got
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(h[15:]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += connection.recv(65536)
        return head


def http_answer(
    body: bytes, *, status: str = "200 OK", length: int | None = None, close: bool = False
) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body) if length is None else length}"]
    lines += ["Connection: close"] if close else []
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture
def raw_server() -> Iterator[RawServer]:
    server = RawServer()
    yield server
    server.close()
