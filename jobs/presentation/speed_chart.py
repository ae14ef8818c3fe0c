"""The speed of a job as a small chart: tickets a minute over time, with the waits shaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from django.db.models import F
from django.db.models.functions import Mod

from jobs.common.formatting import duration
from jobs.models import Job, Transition
from jobs.presentation.statuses import STATUSES
from jobs.states import BatchState

WIDTH, HEIGHT = 600, 72
BUCKETS = 60
#: Batches settle in bursts: with fewer per bucket the line of a steady job would look like a saw.
BATCHES_A_BUCKET = 6
#: Batches read at most; of more, every n-th is read and counts n times.
BATCHES_READ = 400
BATCH_SIZE = 100
#: There is no chart of fewer batches or of a shorter time, seconds.
LEAST_BATCHES, LEAST_SECONDS = 8, 10.0


@dataclass(frozen=True, slots=True)
class Band:
    """A time in which the job waited, in the units of the chart."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class SpeedChart:
    points: str  # of an SVG polyline, in a box of WIDTH by HEIGHT
    bands: list[Band]
    words: str  # the same in a sentence, for people who do not see it
    width: int = WIDTH
    height: int = HEIGHT


def speed_chart(job: Job, steps: Sequence[Transition]) -> SpeedChart | None:
    """Drawn from the settled batches and the given steps, oldest first; None while there is too little.

    One query that reads at most about `BATCHES_READ` rows, however large the job.
    """
    every = max(ceil(job.found / BATCH_SIZE / BATCHES_READ), 1)
    batches = job.batches.filter(state=BatchState.SETTLED, sent_at__isnull=False)
    if every > 1:
        batches = batches.alias(place=Mod(F("pk"), every)).filter(place=0)
    settled = [
        (at, size * every)
        for at, size in batches.order_by("settled_at").values_list("settled_at", "size")
        if at is not None
    ]
    if len(settled) < LEAST_BATCHES or job.started_at is None:
        return None
    start, end = min(job.frozen_at or job.started_at, settled[0][0]), job.finished_at or settled[-1][0]
    seconds = (end - start).total_seconds()
    if seconds < LEAST_SECONDS:
        return None
    waits = _waits(steps, start, end)
    rates = _rates(settled, start, seconds)
    return SpeedChart(_points(rates), _bands(waits, start, seconds), _words(settled, seconds, rates, waits))


def _rates(settled: list[tuple[datetime, int]], start: datetime, seconds: float) -> list[float]:
    """Tickets a minute in each of the buckets."""
    buckets = min(BUCKETS, max(len(settled) // BATCHES_A_BUCKET, 2))
    sums = [0] * buckets
    for at, size in settled:
        place = int((at - start).total_seconds() / seconds * buckets)
        sums[min(place, buckets - 1)] += size
    return [number * 60 * buckets / seconds for number in sums]


def _points(rates: list[float]) -> str:
    top = max(rates) or 1
    step = WIDTH / len(rates)
    return " ".join(
        f"{(place + 0.5) * step:.1f},{HEIGHT - 2 - rate / top * (HEIGHT - 4):.1f}"
        for place, rate in enumerate(rates)
    )


Waits = list[tuple[datetime, datetime]]


def _waits(steps: Sequence[Transition], start: datetime, end: datetime) -> Waits:
    """The times between a step into waiting or paused and the next step, within the chart."""
    waits = []
    for step, following in zip(steps, [*(later.at for later in steps[1:]), end], strict=True):
        since, until = max(step.at, start), min(following, end)
        if STATUSES[step.to_status].is_idle and until > since:
            waits.append((since, until))
    return waits


def _bands(waits: Waits, start: datetime, seconds: float) -> list[Band]:
    def x(moment: datetime) -> float:
        return round((moment - start).total_seconds() / seconds * WIDTH, 1)

    return [Band(x(since), max(round(x(until) - x(since), 1), 1.0)) for since, until in waits]


def _words(settled: list[tuple[datetime, int]], seconds: float, rates: list[float], waits: Waits) -> str:
    average = sum(size for _, size in settled) * 60 / seconds
    words = (
        f"{average:,.0f} tickets a minute on average, at most {max(rates):,.0f}, over {duration(seconds)}."
    )
    if waits:
        waited = sum((until - since).total_seconds() for since, until in waits)
        times = "once" if len(waits) == 1 else f"{len(waits)} times"
        words += f" Waited {times}, {duration(waited)} in all (shaded)."
    return words
