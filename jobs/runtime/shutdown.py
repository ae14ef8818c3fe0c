"""A request that this process puts its job down; the next worker continues from there.

Django-Q2 does not tell a worker that its cluster stops (it waits for running tasks). So the worker checks for
a file that the supervisor creates. A command that receives a signal sets the flag in its own process.
"""

from __future__ import annotations

import os
from pathlib import Path

#: The environment variable that names the file; the supervisor sets it for the cluster that it starts.
STOP_FILE = "TAGMANAGER_STOP_FILE"

_requested = False


def request() -> None:
    """Ask this process to put its job down at the next step."""
    global _requested  # noqa: PLW0603 - a signal handler can only reach the state of its process
    _requested = True


def clear() -> None:
    """Withdraw an earlier request."""
    global _requested  # noqa: PLW0603 - as above
    _requested = False


def is_requested() -> bool:
    """Whether the time slice has to end now."""
    path = os.environ.get(STOP_FILE)
    return _requested or (path is not None and Path(path).exists())
