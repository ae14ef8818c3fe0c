"""An answer comes whole within its time, or not at all.

The read time-out of requests is one of silence: a server that sends a byte now and then is waited for without
end. Here the time left is given to the socket anew before each reading, of the headers and of the body alike.
"""

from __future__ import annotations

import http.client
import io
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import requests
import requests.adapters
import urllib3.connection
from urllib3.connectionpool import HTTPConnectionPool

if TYPE_CHECKING:
    import socket

    from urllib3.connectionpool import ConnectionPool

#: Bytes. A hundred tickets with all their fields are a few million.
MOST_BYTES = 50_000_000
PIECE = 65_536
#: Bytes that are sent in one go.
SENT_PIECE = 16_384

_answer_by: ContextVar[float] = ContextVar("answer_by")
_leave_by: ContextVar[float] = ContextVar("leave_by", default=math.inf)


class TooLate(Exception):
    """The call was not to leave any more before all of it was sent: the other side has no whole call."""


class TooLong(Exception):
    """The answer is longer than any that makes sense; the rest of it was not read."""


@contextmanager
def within(seconds: float, *, leave_by: float = math.inf) -> Iterator[None]:
    """Answers that are awaited inside must be whole so long after its start, else reading them times out.

    A call leaves as a whole until a moment of `time.monotonic` or not at all.
    """
    token, other = _answer_by.set(time.monotonic() + seconds), _leave_by.set(leave_by)
    try:
        yield
    finally:
        _answer_by.reset(token)
        _leave_by.reset(other)


def whole_body(response: requests.Response) -> bytes:
    """The body of a streamed answer, unpacked; raises `TooLong`, and whatever reading may raise."""
    body = bytearray()
    with response:  # what is not read to its end is not used again
        for piece in response.iter_content(PIECE):
            body += piece
            if len(body) > MOST_BYTES:
                raise TooLong
    return bytes(body)


class Adapter(requests.adapters.HTTPAdapter):
    """Connections whose answers keep to `within`."""

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> ConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **options)
        if isinstance(pool, HTTPConnectionPool):
            pool.ConnectionCls = _Tls if pool.scheme == "https" else _Plain
        return pool


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Timed(sock, self.fp.detach(), _answer_by.get()))


class _Plain(urllib3.connection.HTTPConnection):
    response_class = _Response

    def send(self, data: Any) -> None:
        for piece in _in_time(self, data):
            super().send(piece)


class _Tls(urllib3.connection.HTTPSConnection):
    response_class = _Response

    def send(self, data: Any) -> None:
        for piece in _in_time(self, data):
            super().send(piece)


def _in_time(connection: urllib3.connection.HTTPConnection, data: Any) -> Iterator[Any]:
    """The pieces of what is to be sent, none of them too late.

    Headers and body are sent apart, and other threads run between two sendings. A process that is frozen
    there must not complete the call when it wakes: the other side acts on a call when it has the last piece.
    """
    if connection.sock is None:
        connection.connect()
    for start in range(0, len(data), SENT_PIECE):
        if time.monotonic() > _leave_by.get():
            connection.close()
            raise TooLate
        yield data[start : start + SENT_PIECE]


class _Timed(io.RawIOBase):
    """Reads from a socket until a moment of `time.monotonic`, and times out then."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, until: float) -> None:
        super().__init__()
        self._sock = sock
        self._raw = raw
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer was not whole in time")
        of_connection = self._sock.gettimeout()
        self._sock.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        finally:
            self._sock.settimeout(of_connection)

    def close(self) -> None:
        self._raw.close()
        super().close()
