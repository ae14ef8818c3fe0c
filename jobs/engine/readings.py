"""How long the readings of a job's tickets are trusted."""

from __future__ import annotations

import time
from datetime import timedelta

from jobs.clocks import clock
from jobs.models import Batch, Job
from jobs.states import BatchState, Status

#: An older reading is made again before its item is sent.
SNAPSHOT_MAX_AGE = timedelta(seconds=30)
#: How much of that the call that sends may take until the other side has it: it may wait for its turn.
SENDING_TAKES = timedelta(seconds=2)
#: A job without a sign of life for so long has been out of sight: what it had sent may be done, forgotten by
#: the other side or taken back.
OUT_OF_SIGHT = timedelta(hours=1)
#: A step of the clock against the monotonic one that is no mere adjustment, seconds.
CLOCK_STEP = 1.0


def is_fresh(batch: Batch) -> bool:
    """Whether the batch may be sent as it was planned.

    A reading in the future was made before the clock was set back, so its age is not known.
    """
    if batch.read_at is None:
        return False
    return timedelta() <= clock.now() - batch.read_at <= SNAPSHOT_MAX_AGE - SENDING_TAKES


def distrust_readings(job: Job) -> None:
    """Have each pending batch read again before it is sent, however lately it was read.

    For whenever the job stood still: others had the time to act, whatever the clock says of it.
    """
    job.batches.filter(state=BatchState.PENDING, read_at__isnull=False).update(read_at=None)


def doubt_what_was_sent(job: Job) -> None:
    """Have batches in flight looked up and read back, if the job was out of sight: see `Batch.is_doubted`.

    A living job renews its wake-up with each time slice. Where the clock jumped ahead instead, this costs a
    reading of these batches.
    """
    long_ago = clock.now() - OUT_OF_SIGHT
    stood_still = job.status in (Status.QUEUED, Status.WAITING) or job.resumes_at is not None
    if stood_still or job.woken_at is None or job.woken_at < long_ago:
        flying = job.batches.filter(state__in=[BatchState.SENDING, BatchState.SENT])
        flying.filter(sent_at__lt=long_ago).update(is_doubted=True)


class ClockWatch:
    """Notices that the clock was set, or that the machine slept: then the age of a reading is not known."""

    def __init__(self) -> None:
        self._ahead = _ahead()

    def was_set(self) -> bool:
        """Whether the clock was set since this was last asked."""
        before, self._ahead = self._ahead, _ahead()
        return abs(self._ahead - before) > CLOCK_STEP


def _ahead() -> float:
    """How far the shared clock is ahead of the monotonic one, seconds."""
    return clock.now().timestamp() - time.monotonic()
