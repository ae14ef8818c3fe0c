"""`manage.py reap_jobs`: take over jobs whose worker is dead, as workers do by themselves."""

from __future__ import annotations

from typing import Any

from jobs.cli.commands import JobCommand
from jobs.models import Job
from jobs.workers import heartbeats, reaper


class Command(JobCommand):
    help = "Takes over jobs whose worker is dead and wakes forgotten ones; safe at any time."

    def handle(self, **_: Any) -> None:
        before = _losses()
        lost = reaper.reap()
        if not lost:
            self.tell("No job had lost its worker.")
        for pk, losses in _losses().items():
            if losses > before.get(pk, 0):
                job = Job.objects.get(pk=pk)
                self.tell(f"Job {pk} was taken from a worker that is gone; it is {job.status} now.")
        if lost and not heartbeats.is_worker_alive():
            self.stderr.write("No worker is running to go on with it: start one with manage.py run_worker.")


def _losses() -> dict[int, int]:
    """How many workers each job has lost in a row."""
    return dict(Job.objects.filter(crash_count__gt=0).values_list("pk", "crash_count"))
