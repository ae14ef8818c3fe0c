"""The wire between the client and the demo Zendesk, without sockets: hundreds of jobs in seconds.

What leaves the client is what would leave it over HTTP, and what the demo Zendesk answers is what the client
reads; only the carrying is left out.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from http.client import RemoteDisconnected
from typing import Any

import requests
import urllib3

from zendesk.sandbox.serving.app import App

BASE = "http://127.0.0.1:9"

#: Told the method, the target and the body before a call arrives.
Arrives = Callable[[str, str, bytes], None]
#: Told the method when it has been carried out, and the caller has no answer yet.
Answered = Callable[[str], None]


class Wire:
    """Stands in for `requests.Session.request`."""

    def __init__(self, app: App, *, arrives: Arrives, answered: Answered) -> None:
        self._app = app
        self._arrives = arrives
        self._answered = answered

    def carry(self, method: str, url: str, **given: Any) -> requests.Response:
        prepared = requests.Request(method, url, headers=given.get("headers")).prepare()
        signed = given["auth"](prepared)
        headers = {name.title(): str(value) for name, value in signed.headers.items()}
        target, body = url.removeprefix(BASE), given.get("data") or b""
        self._arrives(method, target, body)
        reply = self._app.handle(method, target, headers, body)
        self._answered(method)
        if reply.transport != "whole":
            raise requests.ConnectionError(RemoteDisconnected("Remote end closed connection"))
        response = requests.Response()
        response.status_code = reply.status
        response.headers.update(reply.headers | {"Content-Type": reply.content_type})
        response.raw = urllib3.HTTPResponse(io.BytesIO(reply.body), preload_content=False)
        return response
