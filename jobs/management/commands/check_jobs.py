"""`manage.py check_jobs`: check that the counts that are shown agree with the items that are stored."""

from __future__ import annotations

import sys
from typing import Any

from jobs.cli.commands import JobCommand
from jobs.common.formatting import some
from jobs.models import Job
from jobs.reports.recount import drifts


class Command(JobCommand):
    help = "Recounts every job from its items. Prints each wrong count, and then exits with code 1."

    def handle(self, **_: Any) -> None:
        found = 0
        for sentence in drifts():
            self.tell(sentence)
            found += 1
        if found:
            sys.exit(1)
        self.tell(f"{some(Job.objects.count(), 'job')} recounted, nothing drifts.")
