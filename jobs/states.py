"""The states of a job, of a batch and of an item, and which may follow which.

Nobody writes `job.status =`. `moves.move` is the one door, and it asks `MAY_FOLLOW`.
"""

from django.db import models


class Status(models.TextChoices):
    QUEUED = "queued"  # accepted; no worker has it yet
    SELECTING = "selecting"  # the list of items is being read and written down
    RUNNING = "running"  # batches are being sent
    WAITING = "waiting"  # goes on by itself at `resumes_at`
    PAUSING = "pausing"  # someone asked it to hold; what is in flight is settled first
    PAUSED = "paused"  # held until a person resumes it
    CANCELLING = "cancelling"  # someone asked it to stop; what is in flight is settled first
    CANCELLED = "cancelled"  # stopped for good; nothing is in flight, nothing more is sent
    ERRORED = "errored"  # could not go on; a person mends the cause and resumes it
    SUCCEEDED = "succeeded"  # every item has its outcome, none failed
    PARTIAL = "partial"  # every item has its outcome, some failed or could not be verified


class Outcome(models.TextChoices):
    PENDING = "pending"  # no outcome yet; in an ended job: not attempted
    PLANNED = "planned"  # dry run: would be changed
    CHANGED = "changed"
    UNCHANGED = "unchanged"  # was already as wished; never sent
    SKIPPED = "skipped"  # left out, for the reason given
    FAILED = "failed"
    UNVERIFIED = "unverified"  # sent, and its fate could not be learned


class BatchState(models.TextChoices):
    PENDING = "pending"
    SENDING = "sending"  # written down before the call; without a receipt its fate is unknown
    SENT = "sent"  # the receipt is known
    SETTLED = "settled"


class WaitReason(models.TextChoices):
    RATE_LIMIT = "rate_limit"  # the other side asked us to slow down
    JOB_SLOTS = "job_slots"  # the other side's job queue is full
    SERVICE_AWAY = "service_away"  # the other side does not answer
    WORKER_LOST = "worker_lost"  # the worker died; another takes over
    DATABASE = "database"  # our own database could not be used for a while


class FollowUp(models.TextChoices):
    """What a job is to its parent; the label stands before "job 7"."""

    NONE = "", "a job of its own"
    RETRY = "retry", "Retry of"
    REST = "rest", "The rest of"
    RUN = "run", "Real run of preview"
    UNDO = "undo", "Undo of"
    UNGUARD = "unguard", "Takes the guard tag off after"


class Guarded(models.TextChoices):
    """Whether a job puts a mark of its own on what it changes, and who takes that off."""

    NO = ""
    UNTIL_END = "until_end"  # a follow-up that the job's end makes by itself
    STAYS = "stays"  # a follow-up that a person asks for


ENDED = frozenset({Status.SUCCEEDED, Status.PARTIAL, Status.CANCELLED})
STOPPED = frozenset({Status.PAUSED, Status.ERRORED})  # a person has to say how it goes on
ACTIVE = frozenset(set(Status) - ENDED - STOPPED)  # something happens, or will happen by itself
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

#: The reason of an item that was sent and did not look so when it was read back. It is looked at once more
#: before it is sent again: what the other side was slow to show may be there by then.
SENT_BEFORE = "sent_before"

#: `MAY_FOLLOW[to]` holds the states from which `to` may be reached.
MAY_FOLLOW: dict[Status, frozenset[Status]] = {
    # Resume. Where it goes on is decided when a worker claims it.
    Status.QUEUED: frozenset({Status.PAUSED, Status.ERRORED}),
    # A worker claims a job whose list is not frozen yet.
    Status.SELECTING: frozenset({Status.QUEUED, Status.WAITING}),
    # The list has just been frozen, or a worker claims a job that had been running before.
    Status.RUNNING: frozenset({Status.SELECTING, Status.QUEUED, Status.WAITING}),
    # Told to come back later, or its worker was lost.
    Status.WAITING: frozenset({Status.SELECTING, Status.RUNNING}),
    # A person holds a job that a worker may have in hand, or that has something in flight while it waits.
    Status.PAUSING: frozenset({Status.SELECTING, Status.RUNNING, Status.QUEUED, Status.WAITING}),
    # Nothing in flight is left; nobody had it in hand when the person asked; or it has changed its first
    # items and asks whether to go on.
    Status.PAUSED: frozenset({Status.PAUSING, Status.QUEUED, Status.WAITING, Status.RUNNING}),
    # A person stops a job that may have something in flight, whatever else it was about to do.
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
    # What was in flight is settled; or nothing was in flight when the person asked; or the person had it
    # given up as unverified, because it could not be asked about (`actions.cancel` with `force`), and no
    # worker had the job in hand.
    Status.CANCELLED: frozenset(
        {Status.CANCELLING, Status.QUEUED, Status.WAITING, Status.PAUSED, Status.ERRORED}
    ),
    # It could not go on. A job being stopped may meet the same wall while it settles.
    Status.ERRORED: frozenset(
        {Status.SELECTING, Status.RUNNING, Status.PAUSING, Status.CANCELLING, Status.WAITING}
    ),
    # The last batch may settle just after someone pressed Cancel or Pause: then it did succeed.
    Status.SUCCEEDED: frozenset({Status.RUNNING, Status.CANCELLING, Status.PAUSING}),
    Status.PARTIAL: frozenset({Status.RUNNING, Status.CANCELLING, Status.PAUSING}),
}
