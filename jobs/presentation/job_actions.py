"""What a person can do to a job in its current state, with the labels and messages for it.

Pages ask here before they show a button, and again before they confirm. `jobs.actions` decides in the end,
because the job may have moved on since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from django.db.models import Sum

from jobs import actions
from jobs.actors import Actor
from jobs.followups import purpose_of
from jobs.models import Job
from jobs.presentation.labels import labels
from jobs.states import MAY_FOLLOW, STOPPED, BatchState, FollowUp, Outcome, Status


@dataclass(frozen=True, slots=True)
class JobAction:
    """One thing that a person can do; `name` is the last part of its URL."""

    name: str
    label: str  # on the button
    style: str  # one of Bootstrap's for buttons
    done_message: str  # shown afterwards
    back_label: str = "Leave it as it is"  # of the link back
    short_label: str = ""  # the label where the job is named beside it


@dataclass(frozen=True, slots=True)
class FollowUpAction(JobAction):
    """An action that makes a new job."""

    kind: FollowUp = FollowUp.NONE


CONTROLS: dict[str, JobAction] = {
    "pause": JobAction(
        "pause", "Pause", "outline-secondary", "The job was told to pause.", back_label="Let it go on"
    ),
    "resume": JobAction("resume", "Resume", "primary", "The job goes on."),
    "cancel": JobAction(
        "cancel", "Cancel the job", "outline-danger", "The job was told to stop.", back_label="Do not cancel"
    ),
}
FOLLOW_UPS: dict[str, FollowUpAction] = {
    "run": FollowUpAction("run", "Run it for real", "primary", "This is the real run.", kind=FollowUp.RUN),
    "retry": FollowUpAction(
        "retry",
        "Retry what failed",
        "primary",
        "This job retries what failed.",
        kind=FollowUp.RETRY,
        short_label="Retry",
    ),
    "rest": FollowUpAction("rest", "Run the rest", "primary", "This job does the rest.", kind=FollowUp.REST),
    "undo": FollowUpAction(
        "undo", "Undo", "outline-secondary", "This job takes the earlier one back.", kind=FollowUp.UNDO
    ),
    "unguard": FollowUpAction(
        "unguard",
        "Take the guard tag off",
        "outline-secondary",
        "This job takes the guard tag off.",
        kind=FollowUp.UNGUARD,
    ),
}
JOB_ACTIONS: dict[str, JobAction] = {**CONTROLS, **FOLLOW_UPS}

#: Actions that undo something or give it up.
REVERTING = frozenset({"cancel", "undo", "unguard"})

#: A follow-up on more tickets than this is confirmed by typing their number into the field `TYPED_FIELD`.
CONFIRM_ABOVE = 10_000
TYPED_FIELD = "typed"
#: Separators that people type between digits.
DIGIT_SEPARATORS = str.maketrans("", "", " ,.'_\u00a0\u2009\u202f")


def needs_typed_number(action: JobAction, job: Job, number: int) -> bool:
    """Whether a person must type the number of tickets to confirm."""
    return isinstance(action, FollowUpAction) and (
        number > CONFIRM_ABOVE or bool(warning(action, job, number))
    )


def warning(action: JobAction, job: Job, number: int) -> str:
    """A sentence on what the new job sends to customers; "" for nothing."""
    if not isinstance(action, FollowUpAction) or action.kind is FollowUp.UNDO or not number:
        return ""
    return labels().warning_on(job, number) if purpose_of(job).kind is FollowUp.NONE else ""


def what_stays(action: JobAction, job: Job) -> str:
    """A sentence on what an undo of the job cannot revert; "" for nothing."""
    is_undo = isinstance(action, FollowUpAction) and action.kind is FollowUp.UNDO
    return labels().what_stays(job) if is_undo and purpose_of(job).kind is FollowUp.NONE else ""


def undo_limits(action: JobAction, job: Job) -> list[str]:
    """Sentences on the items that an undo of the job cannot bring back to what they were; one query."""
    is_undo = isinstance(action, FollowUpAction) and action.kind is FollowUp.UNDO
    return labels().undo_limits(job) if is_undo else []


def typed_number_problem(typed: str, number: int) -> str:
    """A sentence on what is wrong with the typed number; "" if it is right."""
    if not typed.strip():
        return f"Type the number of tickets, {number:,}, to confirm. Nothing was started yet."
    if typed.translate(DIGIT_SEPARATORS) == str(number):
        return ""
    return (
        f"The number typed is not the number of tickets, which is {number:,}. Nothing was started yet; look "
        "at the number and type it again."
    )


#: The field of the form that forces a cancel, whatever is in flight.
FORCE_FIELD = "force"

#: The field of the form, and the option, by which an undo takes in what was closed since.
CLOSED_FIELD = "include_closed"

#: By name of an action; the last argument holds the ticked fields of the form.
PERFORM: dict[str, Callable[[Job, Actor, Collection[str]], None]] = {
    "pause": lambda job, by, _: actions.pause(job=job, by=by),
    "resume": lambda job, by, _: actions.resume(job=job, by=by),
    "cancel": lambda job, by, ticked: actions.cancel(job=job, by=by, force=FORCE_FIELD in ticked),
}
ALLOWED_IN: dict[str, frozenset[str]] = {
    "pause": MAY_FOLLOW[Status.PAUSING] | MAY_FOLLOW[Status.PAUSED] - {Status.PAUSING},
    "resume": STOPPED | {Status.WAITING},
    "cancel": MAY_FOLLOW[Status.CANCELLING],
}


def available_actions(job: Job) -> list[JobAction]:
    """What can be done to the job as it was read; no query."""
    return [action for action in JOB_ACTIONS.values() if not why_unavailable(job, action)]


def primary_action(job: Job) -> JobAction | None:
    """The action to offer in a list of jobs: the most likely one, never one that undoes something."""
    forward = (action for action in JOB_ACTIONS.values() if action.name not in REVERTING)
    return next((action for action in forward if not why_unavailable(job, action)), None)


def why_unavailable(job: Job, action: JobAction) -> str:
    """A sentence on why the action does not fit the job as it was read; "" if it does."""
    if isinstance(action, FollowUpAction):
        try:
            actions.check_follow_up(job, action.kind)
        except actions.NotPossible as problem:
            return str(problem)
        return ""
    if job.status in ALLOWED_IN[action.name] or (action.name == "cancel" and _can_be_forced(job)):
        return ""
    state = job.get_status_display().lower()
    is_so = f"has ended ({state})" if job.is_ended else f"is {state}"
    return f"Job {job.pk} {is_so}, so there is nothing to {action.name}."


def _can_be_forced(job: Job) -> bool:
    """It is being cancelled but cannot ask about what is in flight, which a forced cancel can abandon."""
    return job.status == Status.CANCELLING and bool(job.waiting_for) and not job.lease_token


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of items concerned, for the page that confirms."""

    affected: int  # items that the new job would take, or that are still to be sent
    in_flight: int  # sent, and not settled


def counts_of(job: Job, action: JobAction, *, reason: str = "") -> Counts:
    """Read now; with `reason` only the failures with that cause."""
    if isinstance(action, FollowUpAction):
        outcomes = actions.FOLLOW_UPS[action.kind].outcomes
        if reason:
            return Counts(job.items.filter(outcome__in=outcomes, reason=reason).count(), 0)
        return Counts(sum(_number(job, outcome) for outcome in outcomes), 0)
    flying = job.batches.filter(state__in=[BatchState.SENDING, BatchState.SENT]).aggregate(
        number=Sum("size")
    )["number"]
    return Counts(max(job.remaining - (flying or 0), 0), flying or 0)


def _number(job: Job, outcome: Outcome) -> int:
    return job.remaining if outcome == Outcome.PENDING else int(getattr(job, outcome.value))
