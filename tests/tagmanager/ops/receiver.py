"""The other end of error reports: takes what is sent, as it comes over the wire."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(slots=True)
class Receiver:
    """`received` holds each request whole: path, headers and unpacked body."""

    dsn: str = ""
    received: list[bytes] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events among what came (develop.sentry.dev/sdk/foundations/transport/envelopes)."""
        found = []
        for whole in list(self.received):
            lines = whole.partition(b"\r\n\r\n")[2].split(b"\n")
            headers = [json.loads(line) for line in lines[1::2] if line]
            found += [
                json.loads(line)
                for header, line in zip(headers, lines[2::2], strict=False)
                if header["type"] == "event"
            ]
        return found


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            receiver.received.append(f"{self.path}\n{self.headers}".encode() + b"\r\n\r\n" + body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.dsn = f"http://publickey@127.0.0.1:{server.server_port}/1"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
