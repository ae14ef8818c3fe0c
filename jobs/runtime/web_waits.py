"""The threads of a web process that wait for the other side.

A web process has few threads. If all of them wait for a system that hangs, nobody gets any page.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Threads of one process that may wait at the same time.
MOST_WAITING = 2

_places = threading.BoundedSemaphore(MOST_WAITING)


@contextmanager
def place() -> Iterator[bool]:
    """A place among the waiting threads; False, without a wait, while all are taken."""
    is_free = _places.acquire(blocking=False)
    try:
        yield is_free
    finally:
        if is_free:
            _places.release()
