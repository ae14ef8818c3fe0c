"""What the end of a job brings about by itself: its guard tag is taken off."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from jobs import actions, transitions
from jobs.actors import Actor
from jobs.models import Job
from jobs.states import FollowUp, Guarded


@receiver(transitions.ended)
def unguard(job: Job, by: Actor, **_: Any) -> None:
    """Once, however the job ended; where it changed nothing there is nothing to take off."""
    if job.guarded == Guarded.UNTIL_END and (job.changed or job.unverified):
        # Whoever asked for the job asked for this too.
        actions.make_follow_up(
            job=job, kind=FollowUp.UNGUARD, by=Actor(name=by.name, user_id=job.created_by_id)
        )
