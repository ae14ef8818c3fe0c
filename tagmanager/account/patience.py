"""Whether a request may ask Zendesk, and how long it may wait for the answer.

A command or a worker asks for as long as the client waits. A request asks nothing unless its view says so, so
that an address that nobody thought of causes no call.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponseBase

#: A moment of `time.monotonic`; infinite outside of requests.
_until: ContextVar[float] = ContextVar("asks_zendesk_until", default=math.inf)


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Let no request ask Zendesk, but for what its view allows by `for_seconds`."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        with for_seconds(0.0):
            return get_response(request)

    return handle


@contextmanager
def for_seconds(seconds: float) -> Iterator[None]:
    """Allow questions, all of which together take this long; 0 allows none."""
    token = _until.set(time.monotonic() + seconds if seconds else 0.0)
    try:
        yield
    finally:
        _until.reset(token)


def until() -> float:
    """The moment until which may be waited; 0 where nothing may be asked, infinite outside of requests."""
    return _until.get()


def is_request() -> bool:
    return not math.isinf(_until.get())


def seconds_left() -> float:
    return max(_until.get() - time.monotonic(), 0.0)
