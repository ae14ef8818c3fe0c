"""What a job's follow-ups did to it, in words: "Undone by", beside the number of the follow-up."""

from __future__ import annotations

from jobs.models import Job
from jobs.presentation.statuses import not_taken_back
from jobs.states import FollowUp, Status

#: By follow-up: while it is not complete, and once it succeeded.
WORDS: dict[str, tuple[str, str]] = {
    FollowUp.NONE: ("Followed up by", "Followed up by"),
    FollowUp.RETRY: ("Retry:", "Retried by"),
    FollowUp.REST: ("The rest:", "The rest done by"),
    FollowUp.RUN: ("Real run:", "Preview of"),
    FollowUp.UNDO: ("Undo:", "Undone by"),
    FollowUp.UNGUARD: ("Guard tag removal:", "Guard tag removed by"),
}


def relation_words(child: Job) -> str:
    """How the parent of this follow-up names it; "Undone by" only if the undo took everything back."""
    begun, complete = WORDS[child.follow_up]
    if child.follow_up == FollowUp.UNDO and child.dry_run:
        return begun
    is_complete = child.status == Status.SUCCEEDED and not not_taken_back(child)
    return complete if is_complete else begun
