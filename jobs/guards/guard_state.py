"""What the guards have learned of one job so far, for the worker that holds it."""

from __future__ import annotations

from jobs.guards.circuit_breaker import RefusalWindow
from jobs.guards.probes import Probes
from jobs.models import Job


class GuardState:
    """Kept in memory; whoever changes a part of it has stored that part on the job's row before."""

    def __init__(self, job: Job) -> None:
        self.window = RefusalWindow.from_json(job.lately)
        self.probes = Probes.from_json(job.probes)
        #: The kinds of items in this job that need a probe first.
        self.kinds = set(job.batches.exclude(probe="").values_list("probe", flat=True).distinct())
