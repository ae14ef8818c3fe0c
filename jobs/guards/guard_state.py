"""What the guards have learned about one job so far."""

from __future__ import annotations

from jobs.guards.circuit_breaker import RefusalWindow
from jobs.guards.evidence import Evidence
from jobs.guards.probes import Probes
from jobs.models import Job


class GuardState:
    """The guards' knowledge in memory, for the worker that holds the job.

    A part is replaced only after its new value has been stored on the job's row.
    """

    def __init__(self, job: Job) -> None:
        # Settled batches have moved them on; so have polls the count that `pacing.poll_history` begins with.
        job.refresh_from_db(fields=["lately", "probes", "evidence", "calls_status"])
        self.window = RefusalWindow.from_json(job.lately)
        self.probes = Probes.from_json(job.probes)
        self.evidence = Evidence.from_json(job.evidence)
        #: The kinds of items in this job that need a probe first.
        self.kinds = set(job.batches.exclude(probe="").values_list("probe", flat=True).distinct())
