"""The canary: a job that holds after its first items, shows their results, and asks whether to go on."""

from __future__ import annotations

from django.db.models import Sum

from jobs.installation.standstill import WAS_COPIED
from jobs.models import Job, Transition
from jobs.states import Outcome, Status

#: The outcomes that a batch counts, in the order in which people read them.
COUNTED = {
    Outcome.CHANGED: "changed",
    Outcome.UNCHANGED: "as wished already",
    Outcome.SKIPPED: "skipped",
    Outcome.FAILED: "failed",
    Outcome.UNVERIFIED: "could not be verified",
}


def canary_question(job: Job, last: Transition | None) -> str:
    """The job's own question after its first items, or in a copied database; "" if a person paused it.

    `last` is the job's last transition.
    """
    if last is None or job.status != Status.PAUSED:
        return ""
    was_tried = last.from_status == Status.RUNNING and not last.is_persons
    return last.why if was_tried or last.why.startswith(WAS_COPIED) else ""


def canary_summary(job: Job) -> str:
    """The results of the items that were sent, and what going on or stopping would do; makes one query."""
    sums = job.batches.aggregate(**{outcome.value: Sum(outcome.value) for outcome in COUNTED})
    numbers = [(sums[outcome.value] or 0, word) for outcome, word in COUNTED.items()]
    counts = ", ".join(f"{number:,} {word}" for number, word in numbers if number)
    tried, left = sum(number for number, _ in numbers), job.remaining
    first = "the first ticket" if tried == 1 else f"the first {tried:,} tickets"
    others, them = ("the other one", "it") if left == 1 else (f"the other {left:,}", "them")
    look = "Look at it" if tried == 1 else "Look at them"
    return (
        f"Tried on {first}: {counts}. {look}: going on sends {others}, stopping leaves {them} as "
        f"{'it is' if left == 1 else 'they are'}."
    )
