"""The rate limit gate of the Zendesk account, stored in the database for all our processes.

The client goes by this host's clock, what is stored by the one that all hosts share.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.db.models import Q

from jobs.clocks import clock
from jobs.models import Gate

GATE_NAME = "zendesk"
#: Seconds to cache the stored time: calls read it often, and it seldom changes.
CACHE_SECONDS = 0.5


class SharedGate:
    """A `zendesk.Gate` for any number of processes."""

    def __init__(self) -> None:
        self._until = 0.0
        self._read_at = -CACHE_SECONDS

    def not_before(self) -> float:
        if time.monotonic() - self._read_at >= CACHE_SECONDS:
            stored = Gate.objects.filter(name=GATE_NAME).values_list("not_before", flat=True).first()
            self._until = stored.timestamp() - clock.offset() if stored else 0.0
            self._read_at = time.monotonic()
        return self._until

    def hold(self, until: float, why: str) -> None:
        moment = datetime.fromtimestamp(until + clock.offset(), tz=UTC)
        Gate.objects.get_or_create(name=GATE_NAME)
        earlier = Q(not_before__isnull=True) | Q(not_before__lt=moment)
        Gate.objects.filter(earlier, name=GATE_NAME).update(not_before=moment, why=why[:200])
        self._until = max(self._until, until)
