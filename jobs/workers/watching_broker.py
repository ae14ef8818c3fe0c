"""The broker of the workers: while it polls the queue, it beats and runs the reaper.

Named in `Q_CLUSTER`. Code that only queues a message uses the plain one (`jobs.runtime.broker`).
"""

from __future__ import annotations

import time
from datetime import datetime

from jobs.runtime.broker import Broker

#: Seconds between two runs of the watch.
WATCH_EVERY = 2.0


class WatchingBroker(Broker):
    """Beats and reaps every `WATCH_EVERY` seconds while the cluster looks for messages."""

    def __init__(self, list_key: str | None = None, *, not_before: datetime | None = None) -> None:
        super().__init__(list_key, not_before=not_before)
        self._watched_at = 0.0

    def __setstate__(self, state: tuple[str, str | None]) -> None:
        super().__setstate__(state)
        self._watched_at = 0.0

    def before_take(self) -> None:
        if time.monotonic() - self._watched_at < WATCH_EVERY:
            return
        # django_q loads this module before the models are ready.
        from jobs.workers import heartbeats, reaper  # noqa: PLC0415

        self._watched_at = time.monotonic()
        heartbeats.beat()
        reaper.reap()
