"""The time before which nobody may call an account, shared by all its callers."""

from __future__ import annotations

import logging
import threading
from typing import Protocol

log = logging.getLogger(__name__)


class Gate(Protocol):
    """Stores when the account may be called again.

    All processes share an account's rate limit, so a program that runs several of them stores the time where
    all can see it, such as in a database. Both methods must be thread-safe.
    """

    def not_before(self) -> float:
        """The time of the next allowed call, in seconds since the epoch; 0 or the past means now."""

    def hold(self, until: float, why: str) -> None:
        """Allow no call before ``until``. Never shortens a hold; ``why`` is a sentence for people."""


class LocalGate:
    """A gate for a single process."""

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
    """Holds on single endpoints, known to this process only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def not_before(self, endpoint: str) -> float:
        return self._until.get(endpoint, 0.0)

    def hold(self, endpoint: str, until: float) -> None:
        with self._lock:
            self._until[endpoint] = max(self._until.get(endpoint, 0.0), until)
