"""The states of a job, of a batch and of an item, and which may follow which.

Nobody writes `job.status =`: only `transitions.move` changes it, and it checks `MAY_FOLLOW`.
"""

from django.db import models


class Status(models.TextChoices):
    QUEUED = "queued"  # accepted; no worker has it yet
    SELECTING = "selecting"  # the list of items is being read and written down
    RUNNING = "running"  # batches are being sent
    WAITING = "waiting"  # resumes by itself at `resumes_at`
    PAUSING = "pausing"  # a person asked it to pause; what is in flight is settled first
    PAUSED = "paused"  # stands still until a person resumes it
    CANCELLING = "cancelling"  # a person asked it to stop; what is in flight is settled first
    CANCELLED = "cancelled"  # stopped for good; nothing is in flight, nothing more is sent
    ERRORED = "errored"  # could not go on; a person fixes the cause and resumes it
    SUCCEEDED = "succeeded"  # every item has its outcome, none failed
    PARTIAL = "partial"  # every item has its outcome, some failed or could not be verified


class Outcome(models.TextChoices):
    PENDING = "pending"  # no outcome yet; in an ended job: not attempted
    PLANNED = "planned"  # dry run: would be changed
    CHANGED = "changed"
    UNCHANGED = "unchanged"  # needed no change; never sent
    SKIPPED = "skipped"  # left out, for the reason given
    FAILED = "failed"
    UNVERIFIED = "unverified"  # sent, and nobody could learn whether it was changed


class BatchState(models.TextChoices):
    PENDING = "pending"
    SENDING = "sending"  # stored before the call; without a receipt its fate is unknown
    SENT = "sent"  # the receipt is known
    SETTLED = "settled"


class WaitReason(models.TextChoices):
    RATE_LIMIT = "rate_limit"  # the other side asked us to slow down
    JOB_SLOTS = "job_slots"  # the other side's job queue is full
    SERVICE_AWAY = "service_away"  # the other side does not answer
    WORKER_LOST = "worker_lost"  # the worker died; another takes over
    DATABASE = "database"  # our own database could not be used for a while
    HELD = "held"  # a person holds all jobs of the installation; it goes on when they are released


class FollowUp(models.TextChoices):
    """How a job relates to its parent; the label comes before "job 7"."""

    NONE = "", "a job of its own"
    RETRY = "retry", "Retry of"
    REST = "rest", "The rest of"
    RUN = "run", "Real run of preview"
    UNDO = "undo", "Undo of"
    UNGUARD = "unguard", "Takes the guard tag off after"


class Guarded(models.TextChoices):
    """Whether a job puts a guard tag on what it changes, and what removes it."""

    NO = ""
    UNTIL_END = "until_end"  # a follow-up that the job's end makes
    STAYS = "stays"  # a follow-up that a person asks for


ENDED = frozenset({Status.SUCCEEDED, Status.PARTIAL, Status.CANCELLED})
STOPPED = frozenset({Status.PAUSED, Status.ERRORED})  # a person has to decide how to go on
ACTIVE = frozenset(set(Status) - ENDED - STOPPED)  # at work, or going on by itself later
CLAIMABLE = ACTIVE  # a worker may take these

#: The outcomes an item can end with, in the order in which people read them; also the names of the counts.
FINAL = (
    Outcome.PLANNED,
    Outcome.CHANGED,
    Outcome.UNCHANGED,
    Outcome.SKIPPED,
    Outcome.FAILED,
    Outcome.UNVERIFIED,
)
#: The counts of a batch, by the names of its columns: a dry run has no batches.
BATCH_COUNTS = tuple(outcome.value for outcome in FINAL if outcome is not Outcome.PLANNED)
#: Outcomes that only an item that was sent can have.
SENT_OUTCOMES = (Outcome.CHANGED, Outcome.FAILED, Outcome.UNVERIFIED)
#: Outcomes whose change was made, or would be.
WITH_CHANGE = frozenset({Outcome.CHANGED, Outcome.PLANNED})

#: The reason of an item that was sent but did not look changed when it was read back. It is read once more
#: before it is sent again, because the other side may be slow to show a change.
SENT_BEFORE = "sent_before"

#: The reason of an item that the other side reported as changed and that provably was not: it is pending
#: again, and sent again after a person has resumed the job.
NOT_APPLIED = "not_applied"
#: The reason of one that does not show its change, where no record says whether it was made.
NOT_SHOWN = "not_shown"
#: The reason of one whose change was made, as the records say, and undone by others before it was read back.
UNDONE_SINCE = "undone_since"

#: `MAY_FOLLOW[to]` holds the states from which `to` may be reached.
MAY_FOLLOW: dict[Status, frozenset[Status]] = {
    # Resume. Where it goes on is decided when a worker claims it.
    Status.QUEUED: frozenset({Status.PAUSED, Status.ERRORED}),
    # A worker claims a job whose list is not frozen yet.
    Status.SELECTING: frozenset({Status.QUEUED, Status.WAITING}),
    # The list has just been frozen, or a worker claims a job that had been running before.
    Status.RUNNING: frozenset({Status.SELECTING, Status.QUEUED, Status.WAITING}),
    # The other side asked to come back later, or the worker was lost.
    Status.WAITING: frozenset({Status.SELECTING, Status.RUNNING}),
    # A person pauses a job that a worker may hold, or that has something in flight while it waits.
    Status.PAUSING: frozenset({Status.SELECTING, Status.RUNNING, Status.QUEUED, Status.WAITING}),
    # Nothing is in flight any more; no worker held it when the person asked; it has changed its first items
    # and asks whether to go on; or it was unfinished in a copied database, whatever it was about to do.
    Status.PAUSED: frozenset(
        {Status.PAUSING, Status.QUEUED, Status.WAITING, Status.RUNNING, Status.SELECTING}
    ),
    # A person cancels a job that may have something in flight, whatever else it was about to do.
    Status.CANCELLING: frozenset(
        {
            Status.SELECTING,
            Status.RUNNING,
            Status.PAUSING,
            Status.WAITING,
            Status.PAUSED,
            Status.ERRORED,
            Status.QUEUED,
        }
    ),
    # What was in flight is settled; or nothing was in flight when the person asked; or a forced cancel
    # (`actions.cancel`) recorded it as unverified while no worker held the job.
    Status.CANCELLED: frozenset(
        {Status.CANCELLING, Status.QUEUED, Status.WAITING, Status.PAUSED, Status.ERRORED}
    ),
    # It could not go on. A job that is being stopped may fail in the same way while it settles.
    Status.ERRORED: frozenset(
        {Status.SELECTING, Status.RUNNING, Status.PAUSING, Status.CANCELLING, Status.WAITING}
    ),
    # The last batch may settle just after someone pressed Cancel or Pause: then it did succeed.
    Status.SUCCEEDED: frozenset({Status.RUNNING, Status.CANCELLING, Status.PAUSING}),
    Status.PARTIAL: frozenset({Status.RUNNING, Status.CANCELLING, Status.PAUSING}),
}
