"""The broker of the workers: while it polls the queue, the cluster beats and jobs of dead workers are taken.

Named in `Q_CLUSTER`. Code that only queues a message uses the plain one (`jobs.runtime.broker`).
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from jobs.runtime.broker import Broker

if TYPE_CHECKING:
    from jobs.workers.watch import Watch

#: Seconds between two looks at the watch.
WATCH_EVERY = 2.0


class WatchingBroker(Broker):
    """Keeps the watch while the cluster looks for messages."""

    def __init__(self, list_key: str | None = None, *, not_before: datetime | None = None) -> None:
        super().__init__(list_key, not_before=not_before)
        self._watched_at = 0.0
        self._watch: Watch | None = None

    def __setstate__(self, state: tuple[str, str | None]) -> None:
        super().__setstate__(state)
        self._watched_at = 0.0
        self._watch = None

    def before_take(self) -> None:
        if time.monotonic() - self._watched_at < WATCH_EVERY:
            return
        self._watched_at = time.monotonic()
        if self._watch is None:
            # django_q loads this module before the models are ready.
            from jobs.workers.watch import Watch  # noqa: PLC0415

            self._watch = Watch(every=WATCH_EVERY)
        self._watch.note_poll()
