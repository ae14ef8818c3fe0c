"""The guards against sending twice, and the program without one of them.

For processes of the fuzz alone: what happens without a guard shows that the guard is needed, and that the
fuzz would see it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.engine import execution
from jobs.engine.in_flight import InFlight, Lost
from jobs.engine.pipeline import Pipeline
from jobs.models import Job
from jobs.runtime.failpoints import Failpoint, failpoint
from jobs.runtime.lease import Lease, held_by_this_process, new_token
from jobs.states import ENDED, Status


def without_looking() -> None:
    """A batch whose answer was lost is sent again at once, without looking what became of it."""

    def search(pipeline: Pipeline, entry: InFlight, _: Lost) -> None:
        pipeline._take_back(entry)

    Pipeline._search = search  # type: ignore[assignment, method-assign]


def without_fence() -> None:
    """Nobody looks at the lease before a call."""

    def fence(_: Lease) -> None:
        failpoint(Failpoint.FENCE_PASSED)

    Lease.fence = fence  # type: ignore[assignment, method-assign]


def without_claim() -> None:
    """Each wake-up takes the job, even from a worker that holds it."""

    def claim(job_id: int, token: str = "") -> Lease | None:
        token = token or new_token()
        with transaction.atomic():
            if (
                not Job.objects.filter(pk=job_id)
                .exclude(status__in=ENDED)
                .update(**held_by_this_process(token))
            ):
                return None
            return execution._start_or_continue(Lease(Job.objects.get(pk=job_id), token))

    execution.claim = claim


def without_token() -> None:
    """Commits do not ask whether the job is still the worker's."""

    def renew(lease: Lease, changes: dict[str, Any], only_in: Any = None, then: Any = None) -> None:
        changes = {"beat_at": timezone.now()} | changes | (then or {})
        Job.objects.filter(pk=lease.job.pk).update(**changes)
        lease.status = Status(lease._read_status())

    Lease._renew = renew  # type: ignore[assignment, method-assign]


WITHOUT: dict[str, Callable[[], None]] = {
    "looking": without_looking,
    "fence": without_fence,
    "claim": without_claim,
    "token": without_token,
}
