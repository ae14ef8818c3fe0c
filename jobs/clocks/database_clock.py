"""What the database's clock says, beside the clock of this host."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connections

#: A reading that took no longer is good enough, seconds; else the best of so many counts.
QUICK, TRIES = 0.2, 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two clocks at one moment, in seconds."""

    at: float  # the moment, of `time.monotonic`
    host: float  # the time of day here, since the epoch
    offset: float  # how far the database's clock is ahead of this host's
    error: float = 0.0  # how far `offset` may be wrong: half of the round trip


Compare = Callable[[], Comparison]


def compare() -> Comparison:
    """Ask the database for its time; raises `DatabaseError` when it does not answer.

    SQLite has no clock of its own: all its processes are on one machine, and share that one's.
    """
    connection = connections["default"]
    if connection.vendor != "postgresql":
        return Comparison(time.monotonic(), time.time(), 0.0)
    tries: list[Comparison] = []
    with connection.cursor() as cursor:
        while len(tries) < TRIES and not (tries and tries[-1].error <= QUICK / 2):
            at, host = time.monotonic(), time.time()
            # Not now(): within a transaction that is the time of its start.
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
            error = (time.monotonic() - at) / 2
            tries.append(Comparison(at, host, float(cursor.fetchone()[0]) - host - error, error))
    return min(tries, key=lambda each: each.error)
