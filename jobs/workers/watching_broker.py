"""The broker of the workers: while it polls the queue, it beats and runs the reaper.

Named in `Q_CLUSTER`. Code that only queues a message uses the plain one (`jobs.runtime.broker`).
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from jobs.runtime.broker import Broker

if TYPE_CHECKING:
    from jobs.workers.chores import Chores

#: Seconds between two runs of the watch.
WATCH_EVERY = 2.0


class WatchingBroker(Broker):
    """Beats, reaps and does daily chores every `WATCH_EVERY` seconds while the cluster looks for messages."""

    def __init__(self, list_key: str | None = None, *, not_before: datetime | None = None) -> None:
        super().__init__(list_key, not_before=not_before)
        self._watched_at = 0.0
        self._chores: Chores | None = None

    def __setstate__(self, state: tuple[str, str | None]) -> None:
        super().__setstate__(state)
        self._watched_at = 0.0
        self._chores = None

    def before_take(self) -> None:
        if time.monotonic() - self._watched_at < WATCH_EVERY:
            return
        # django_q loads this module before the models are ready.
        from jobs.workers import chores, heartbeats, reaper  # noqa: PLC0415

        self._watched_at = time.monotonic()
        heartbeats.beat()
        reaper.reap()
        self._chores = self._chores or chores.Chores()
        self._chores.look_after()
