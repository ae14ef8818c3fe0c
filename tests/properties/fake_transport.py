"""Connects the client to the demo Zendesk without sockets: hundreds of jobs run in seconds.

Requests and responses are the same as over HTTP; only the network is left out.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from http.client import RemoteDisconnected
from typing import Any

import requests
import urllib3

from zendesk.sandbox.serving.app import App

BASE_URL = "http://127.0.0.1:9"

#: Called with the method, the target and the body before the demo Zendesk handles a request.
OnRequest = Callable[[str, str, bytes], None]
#: Called with the method after the request was handled and before the caller gets the response.
OnResponse = Callable[[str], None]


class FakeTransport:
    """Replaces `requests.Session.request`."""

    def __init__(self, app: App, *, on_request: OnRequest, on_response: OnResponse) -> None:
        self._app = app
        self._on_request = on_request
        self._on_response = on_response

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        prepared = requests.Request(method, url, headers=options.get("headers")).prepare()
        signed = options["auth"](prepared)
        headers = {name.title(): str(value) for name, value in signed.headers.items()}
        target, body = url.removeprefix(BASE_URL), options.get("data") or b""
        self._on_request(method, target, body)
        reply = self._app.handle(method, target, headers, body)
        self._on_response(method)
        if reply.transport != "whole":
            raise requests.ConnectionError(RemoteDisconnected("Remote end closed connection"))
        response = requests.Response()
        response.status_code = reply.status
        response.headers.update(reply.headers | {"Content-Type": reply.content_type})
        response.raw = urllib3.HTTPResponse(io.BytesIO(reply.body), preload_content=False)
        return response
