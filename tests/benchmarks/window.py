"""How long others may change a ticket unnoticed: from its reading to Zendesk's own stamp at queuing."""

from __future__ import annotations

from statistics import median

from jobs.models import Job
from zendesk.sandbox.serving.runtimes import RECORDED_SECONDS


def window_of(job: Job, *, scale: float) -> tuple[float, float, float]:
    """Median, 99th percentile and maximum over the job's batches, seconds.

    Until the reading was requested, Zendesk's answer to it counts whatever others did. From when it queues
    the batch on, it refuses what they touch. Its time for the call that sends is the recorded one.
    """
    call = scale * RECORDED_SECONDS["PUT tickets/update_many"]
    ages = sorted(
        (sent_at - read_at).total_seconds() + call
        for sent_at, read_at in job.batches.values_list("sent_at", "read_at")
        if sent_at and read_at
    )
    return median(ages), ages[int(0.99 * (len(ages) - 1))], ages[-1]
