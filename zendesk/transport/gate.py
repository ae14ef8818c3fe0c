"""The not-before time that everyone who calls the same account shares."""

from __future__ import annotations

import logging
import threading
from typing import Protocol

log = logging.getLogger(__name__)


class Gate(Protocol):
    """Says when the account may be called again; told when it may not be called for a while.

    An account's limit is one for all processes, so the program that runs several keeps the time where
    all of them see it, such as in a database. Both methods are called from several threads.
    """

    def not_before(self) -> float:
        """The time, in seconds since the epoch, before which nobody calls; 0 or the past: open."""

    def hold(self, until: float, why: str) -> None:
        """Let nobody call before ``until``. Never shortens a hold; ``why`` is a sentence for people."""


class LocalGate:
    """The gate of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0

    def not_before(self) -> float:
        return self._until

    def hold(self, until: float, why: str) -> None:
        with self._lock:
            self._until = max(self._until, until)
        log.info("calls are held until %.0f: %s", until, why)


class EndpointGates:
    """Holds of single endpoints, seen by this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def not_before(self, endpoint: str) -> float:
        return self._until.get(endpoint, 0.0)

    def hold(self, endpoint: str, until: float) -> None:
        with self._lock:
            self._until[endpoint] = max(self._until.get(endpoint, 0.0), until)
