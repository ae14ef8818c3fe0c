"""Clients that send their request slowly, or nothing at all, do not hold a thread of the web server for long.

A proxy in front reads whole requests before it passes them on. Without one, gunicorn's gthread worker would
wait in a thread for as long as a client likes, and eight such clients would stop the app.
"""

from __future__ import annotations

import socket
import time
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

#: Seconds that a request may take to arrive, and bytes per second that add to them.
PATIENCE = 10.0
PACE = 16_384
#: Seconds to take one piece of an answer (64 kB or less); exports are sent in many.
SEND_PATIENCE = 60.0


class Connection(socket.socket):
    """A client's connection with a limit on how long each request takes to arrive."""

    _began: float | None = None
    _received = 0

    def expect_request(self) -> None:
        """Count anew, from the first attempt to read."""
        self._began, self._received = None, 0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As `socket.recv`; when late ConnectionResetError: gunicorn and Django see a lost client."""
        if self._began is None:
            self._began = time.monotonic()
        left = self._began + PATIENCE + self._received / PACE - time.monotonic()
        data: bytes = self._within(max(left, 0.001), super().recv, size, flags)
        self._received += len(data)
        return data

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        self._within(SEND_PATIENCE, super().sendall, data, flags)

    def _within(self, seconds: float, act: Any, *arguments: Any) -> Any:
        before = self.gettimeout()
        self.settimeout(seconds if before is None else min(before, seconds))
        try:
            return act(*arguments)
        except TimeoutError as late:
            raise ConnectionResetError(104, "The client was too slow") from late
        finally:
            self.settimeout(before)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gthread that waits for a connection's first byte without a thread, and for the rest with a limit."""

    def enqueue_req(self, conn: TConn) -> None:
        if not isinstance(conn.sock, Connection):
            conn.sock = Connection(fileno=conn.sock.detach())
            conn.sock.setblocking(False)
            conn.timeout = time.monotonic() + PATIENCE
            self.pending_conns.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))
            return
        conn.sock.expect_request()
        super().enqueue_req(conn)
