"""The not-before time of the Zendesk account, kept in the database so that all our processes share it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.db.models import Q

from jobs.models import Gate

NAME = "zendesk"
#: How long a reading of the time is good, seconds: a call asks often, and it changes seldom.
REMEMBERED = 0.5


class SharedGate:
    """`zendesk.Gate` for any number of processes; see there."""

    def __init__(self) -> None:
        self._until = 0.0
        self._read_at = -REMEMBERED

    def not_before(self) -> float:
        if time.monotonic() - self._read_at >= REMEMBERED:
            stored = Gate.objects.filter(name=NAME).values_list("not_before", flat=True).first()
            self._until = stored.timestamp() if stored else 0.0
            self._read_at = time.monotonic()
        return self._until

    def hold(self, until: float, why: str) -> None:
        moment = datetime.fromtimestamp(until, tz=UTC)
        Gate.objects.get_or_create(name=NAME)
        earlier = Q(not_before__isnull=True) | Q(not_before__lt=moment)
        Gate.objects.filter(earlier, name=NAME).update(not_before=moment, why=why[:200])
        self._until = max(self._until, until)
