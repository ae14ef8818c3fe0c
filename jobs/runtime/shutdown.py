"""Asking this process to put down what it has in hand: nothing is lost, the next worker goes on from there.

A worker of a cluster is never told that the cluster stops (Django-Q2 waits for running tasks), so it looks
for a file that the supervisor makes. A command that was told to leave sets the flag in its own process.
"""

from __future__ import annotations

import os
from pathlib import Path

#: The variable that names the file; set by the supervisor for the cluster that it starts.
STOP_FILE = "TAGMANAGER_STOP_FILE"

_asked = False


def request() -> None:
    """This process is to put its job down at the next step."""
    global _asked  # noqa: PLW0603 - there is one process, and the handler of a signal has nobody else to tell
    _asked = True


def clear() -> None:
    """What was asked of this process before counts no more."""
    global _asked  # noqa: PLW0603 - as above
    _asked = False


def is_requested() -> bool:
    """Whether a turn at a job is to end now."""
    path = os.environ.get(STOP_FILE)
    return _asked or (path is not None and Path(path).exists())
