"""How many changed tickets were read back, and what that showed, in words."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from jobs.guards.evidence import Evidence
from jobs.models import Job


def verified_words(job: Job) -> str:
    """A sentence for people; "" for a job of which no changed ticket was read back. Makes no query."""
    if not job.verified:
        return ""
    evidence = Evidence.from_json(job.evidence)
    of = "1 changed ticket was" if job.changed == 1 else f"{job.changed:,} changed tickets were"
    if evidence.undone:
        others = job.verified - evidence.undone
        show = "1 shows" if others == 1 else f"{others:,} show"
        shows = f"{show} the change, and on {evidence.undone:,} it was made and has been undone since"
    else:
        shows = "it shows the change" if job.verified == 1 else "all show the change"
    return f"{job.verified:,} of {of} read back{_last(evidence.last_at)}: {shows}."


def _last(at: str) -> str:
    if not at:
        return ""
    moment = timezone.localtime(datetime.fromisoformat(at))
    today = timezone.localdate()
    day = "" if moment.date() == today else f"{moment.day} {moment:%B}, "
    return f", last at {day}{moment:%H:%M}"
