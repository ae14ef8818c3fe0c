"""What the end of a job triggers: its guard tag is removed."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from jobs import actions, transitions
from jobs.actors import Actor
from jobs.models import Job
from jobs.states import FollowUp, Guarded


@receiver(transitions.ended)
def unguard(job: Job, by: Actor, **_: Any) -> None:
    """Make the follow-up that removes the guard tag, however the job ended, if it changed anything."""
    if job.guarded == Guarded.UNTIL_END and (job.changed or job.unverified):
        # It belongs to the person who asked for the job.
        actions.make_follow_up(
            job=job, kind=FollowUp.UNGUARD, by=Actor(name=by.name, user_id=job.created_by_id)
        )
