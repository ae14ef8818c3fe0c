"""The demo Zendesk over real HTTP/1.1 with persistent connections."""

import logging
import socket
import struct
import threading
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.app import App
from zendesk.sandbox.state import Sandbox

_log = logging.getLogger(__name__)
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class _Handler(WSGIRequestHandler):
    """Keeps connections open, unlike Werkzeug's own handler: the client's pool and its speed depend on it."""

    protocol_version = "HTTP/1.1"
    server: "_Listener"

    def setup(self) -> None:
        super().setup()
        # Without this a small answer would wait until the previous one was acknowledged.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.server.connections.add(self.connection)
        self.server.accepted += 1

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def run_wsgi(self) -> None:
        length = self.headers.get("Content-Length", "0")
        body = self.rfile.read(int(length)) if length.isdecimal() else b""
        headers = {name.title(): value for name, value in self.headers.items()}
        try:
            reply = self.server.sandbox_app.handle(self.command, self.path, headers, body)
        except Exception:  # noqa: BLE001 - a bug in here must look like a 500 from Zendesk
            _log.exception("The demo Zendesk failed on %s %s", self.command, self.path)
            reply = json_reply(
                {"error": "InternalServerError", "description": "The demo failed."}, status=500
            )
        if reply.transport == "reset":
            self._reset()
            return
        if not self.server.quiet:
            self.log_request(reply.status, len(reply.body))
        self._write(reply)

    def _write(self, reply: Reply) -> None:
        lines = [
            f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}",
            f"Date: {self.date_time_string()}",
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
            *(f"{name}: {value}" for name, value in reply.headers.items()),
        ]
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        if reply.transport == "trickle":
            self._trickle(head, reply)
            return
        # A single write: with two, the second packet would wait for an acknowledgement.
        self.wfile.write(head if self.command == "HEAD" else head + reply.body)

    def _trickle(self, head: bytes, reply: Reply) -> None:
        at_once = 0 if reply.headers_trickle else len(head)
        payload = head + reply.body
        self.wfile.write(payload[:at_once])
        for index in range(at_once, len(payload)):
            if self.server.sandbox_app.closing.wait(reply.pause):
                break
            self.wfile.write(payload[index : index + 1])
        self.close_connection = True

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.server.connections.discard(self.connection)
        self.connection.close()


class _Listener(ThreadedWSGIServer):
    def __init__(self, app: App, host: str, port: int, *, quiet: bool) -> None:
        self.sandbox_app = app
        self.quiet = quiet
        self.connections: set[socket.socket] = set()
        self.accepted = 0
        super().__init__(host, port, _unused_wsgi_app, handler=_Handler)

    def handle_error(self, _request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect early."""
        _log.debug("Connection of %s ended early", client_address)


def _unused_wsgi_app(_environ: WSGIEnvironment, _start_response: StartResponse) -> list[bytes]:
    return []


class Server:
    """A running demo Zendesk."""

    def __init__(self, sandbox: Sandbox, host: str, port: int, *, quiet: bool = True) -> None:
        self.sandbox = sandbox
        self._app = App(sandbox)
        self._listener = _Listener(self._app, host, port, quiet=quiet)
        self.url = f"http://{host}:{self._listener.port}"
        # A short poll interval makes closing quick at no other cost.
        self._thread = threading.Thread(
            target=self._listener.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="demo-zendesk",
            daemon=True,
        )
        self._thread.start()

    @property
    def connections_accepted(self) -> int:
        """Number of connections opened so far."""
        return self._listener.accepted

    def close(self) -> None:
        """Shut down: end all waits and close all connections. May be called twice."""
        self._app.closing.set()
        if self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join()
        for connection in list(self._listener.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0, *, quiet: bool = True) -> Server:
    """Run a server in a thread of this process; port 0 picks a free port."""
    return Server(sandbox, host, port, quiet=quiet)
