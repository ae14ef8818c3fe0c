"""A deadline for whole answers.

The read timeout of requests limits only the silence between two bytes, so a slow server could hold a call for
ever. Here the socket's timeout is set to the time left before each read, of headers and body alike.
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

#: Limit on an answer, in bytes. A hundred tickets with all their fields take a few million.
MAX_BODY_BYTES = 50_000_000
#: Limit on the values of an answer, by the marks that begin or part them in JSON. Parsed, an empty list takes
#: twenty times its bytes: 50 MB of them took 950 MB of memory. A thousand tickets with 400 fields have 2.5
#: million.
MAX_VALUES = 4_000_000
VALUE_MARKS = (b"[", b"{", b",")
READ_CHUNK = 65_536
#: Bytes to send between two checks of the deadline.
SEND_CHUNK = 16_384

_answer_deadline: ContextVar[float] = ContextVar("answer_by")
_send_deadline: ContextVar[float] = ContextVar("send_by", default=math.inf)


class NotSentInTime(Exception):
    """The deadline passed before the whole request was sent: the server has no complete request."""


class AnswerTooLong(Exception):
    """The answer exceeds `MAX_BODY_BYTES`, and the rest of it was not read; or it exceeds `MAX_VALUES`."""


@contextmanager
def within(seconds: float, *, send_by: float = math.inf) -> Iterator[None]:
    """Require complete answers within `seconds` of entering; otherwise reading them times out.

    A request is sent completely before `send_by` (`time.monotonic`) or not at all.
    """
    token, other = _answer_deadline.set(time.monotonic() + seconds), _send_deadline.set(send_by)
    try:
        yield
    finally:
        _answer_deadline.reset(token)
        _send_deadline.reset(other)


def read_body(response: requests.Response) -> bytes:
    """The decompressed body of a streamed answer. Raises `AnswerTooLong` and any error of reading."""
    body = bytearray()
    with response:  # closes a connection whose answer was not read to its end
        for chunk in response.iter_content(READ_CHUNK):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise AnswerTooLong
    if sum(map(body.count, VALUE_MARKS)) > MAX_VALUES:
        raise AnswerTooLong
    return bytes(body)


class DeadlineAdapter(requests.adapters.HTTPAdapter):
    """Opens connections that keep the deadlines of `within`."""

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> ConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **options)
        if isinstance(pool, HTTPConnectionPool):
            pool.ConnectionCls = _HttpsConnection if pool.scheme == "https" else _HttpConnection
        return pool


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_DeadlineReader(sock, self.fp.detach(), _answer_deadline.get()))


class _HttpConnection(urllib3.connection.HTTPConnection):
    response_class = _Response

    def send(self, data: Any) -> None:
        for chunk in _chunks_in_time(self, data):
            super().send(chunk)


class _HttpsConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response

    def send(self, data: Any) -> None:
        for chunk in _chunks_in_time(self, data):
            super().send(chunk)


def _chunks_in_time(connection: urllib3.connection.HTTPConnection, data: Any) -> Iterator[Any]:
    """Yield the data in chunks, checking the deadline before each.

    Headers and body are sent separately. A process that is suspended in between must not complete the request
    when it resumes: the server acts on a request once it has the last chunk.
    """
    if connection.sock is None:
        connection.connect()
    for start in range(0, len(data), SEND_CHUNK):
        if time.monotonic() > _send_deadline.get():
            connection.close()
            raise NotSentInTime
        yield data[start : start + SEND_CHUNK]


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket and times out at `until` (`time.monotonic`)."""

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
            raise TimeoutError("the answer was not complete in time")
        usual = self._sock.gettimeout()
        self._sock.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        finally:
            self._sock.settimeout(usual)

    def close(self) -> None:
        self._raw.close()
        super().close()
