"""The stored side of jobs: the request, what was sent, and the outcome of every item.

A job knows its items by number (`ref`); only its tool knows what the numbers stand for. No text of an item is
stored beyond what the tool puts into `before` and `change`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from jobs.actors import COMMAND_LINE, Actor
from jobs.clocks import clock
from jobs.common.formatting import some
from jobs.options import options_of, params_of
from jobs.states import (
    ACTIVE,
    ENDED,
    FINAL,
    STOPPED,
    BatchState,
    FollowUp,
    Guarded,
    Outcome,
    Status,
    WaitReason,
)

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager

#: How long a job that ended with failures needs attention.
ATTENTION = timedelta(days=7)


class JobQuerySet(models.QuerySet["Job"]):
    def active(self) -> JobQuerySet:
        """Something happens, or will happen by itself."""
        return self.filter(status__in=ACTIVE)

    def needing_attention(self) -> JobQuerySet:
        """Jobs that stand still until somebody acts and, for a week, those that ended with failures.

        Failures no longer count once all of them were retried or the job was undone.
        """
        # The comparison implies that it is not null; said outright, it leads PostgreSQL to the few that have
        # one.
        has_parent = Q(parent=OuterRef("pk"), parent__isnull=False)
        taken_up = Job.objects.filter(has_parent).exclude(status__in=(Status.CANCELLED, Status.ERRORED))
        of_all = Q(follow_up=FollowUp.RETRY) & ~Q(source__has_key="reason")
        lately = Q(status=Status.PARTIAL, finished_at__gte=clock.now() - ATTENTION)
        return self.filter(
            Q(status__in=STOPPED) | lately & ~Exists(taken_up.filter(of_all | Q(follow_up=FollowUp.UNDO)))
        )

    def claimable(self) -> JobQuerySet:
        """Held by no worker, and not waiting for a later time."""
        due = Q(resumes_at__isnull=True) | Q(resumes_at__lte=clock.now())
        return self.active().filter(due, lease_token="")

    def unsettled(self) -> JobQuerySet:
        """Those that have something to settle: they are being stopped, or have batches in flight."""
        flying = Batch.objects.filter(job=OuterRef("pk"), state__in=[BatchState.SENDING, BatchState.SENT])
        return self.filter(Q(status__in=(Status.PAUSING, Status.CANCELLING)) | Exists(flying))

    def being_pruned(self) -> JobQuerySet:
        """Marked for deletion: some of their rows may be gone already."""
        return self.filter(pruned_at__isnull=False)


JobManager = models.Manager.from_queryset(JobQuerySet)

#: The condition of indexes that alone answer queries about the jobs that are shown.
IS_KEPT = Q(pruned_at__isnull=True)


class KeptJobs(JobManager["Job"]):
    """All jobs except those being deleted, whose remaining rows tell only part of the truth."""

    def get_queryset(self) -> JobQuerySet:
        return JobQuerySet(self.model, using=self._db).filter(IS_KEPT)


class Job(models.Model):
    """A request to change items, and its progress."""

    tool = models.CharField(max_length=64)
    title = models.CharField(max_length=300)
    params = models.JSONField(default=dict)  # read as `tool_params`
    options = models.JSONField(null=True, blank=True)  # read as `chosen_options`; null: see `jobs.options`
    source = models.JSONField(default=dict)
    limit = models.PositiveIntegerField(null=True, blank=True)
    canary = models.PositiveIntegerField(null=True, blank=True)  # pause and ask after this many items
    tried_at = models.DateTimeField(null=True, blank=True)  # when the canary paused it, which happens once
    dry_run = models.BooleanField(default=False)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    follow_up = models.CharField(max_length=8, choices=FollowUp, blank=True, default=FollowUp.NONE)
    guarded = models.CharField(
        max_length=10, choices=Guarded, blank=True, default=Guarded.NO, db_default=Guarded.NO
    )
    nonce = models.CharField(max_length=64, null=True, blank=True, unique=True)

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    waiting_for = models.CharField(max_length=16, choices=WaitReason, blank=True, default="")
    resumes_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")

    cursor = models.TextField(blank=True, default="")  # where to go on reading the list
    cursor_at = models.DateTimeField(null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    found = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    planned = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    unverified = models.PositiveIntegerField(default=0)

    calls_read = models.PositiveIntegerField(default=0)
    calls_write = models.PositiveIntegerField(default=0)
    calls_status = models.PositiveIntegerField(default=0)
    calls_verify = models.PositiveIntegerField(default=0, db_default=0)
    verified = models.PositiveIntegerField(default=0, db_default=0)  # changed items that were read back

    lease_token = models.CharField(max_length=32, blank=True, default="")
    lease_owner = models.CharField(max_length=200, blank=True, default="")
    beat_at = models.DateTimeField(null=True, blank=True)
    woken_at = models.DateTimeField(null=True, blank=True)
    crash_count = models.PositiveSmallIntegerField(default=0)  # in a row, without a settled batch between
    workers_lost = models.PositiveIntegerField(default=0, db_default=0)  # in total
    lately = models.JSONField(  # the batches settled last, for `guards.circuit_breaker`
        default=list, db_default=[], blank=True
    )
    kinds = models.JSONField(default=dict, db_default={}, blank=True)  # items to be changed, by kind
    probes = models.JSONField(  # what `guards.probes` knows of each kind
        default=dict, db_default={}, blank=True, db_column="pilots"
    )
    evidence = models.JSONField(  # what reading back has shown, for `guards.evidence`
        default=dict, db_default={}, blank=True
    )

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs"
    )
    # Outlives the account; "" for the command line. Read as `asked_by`: a person may have been renamed.
    created_by_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    pruned_at = models.DateTimeField(null=True, blank=True)  # since then it is being deleted, piece by piece

    objects = KeptJobs()
    stored = JobQuerySet.as_manager()  # including those being deleted

    if TYPE_CHECKING:
        items: RelatedManager[Item]
        batches: RelatedManager[Batch]
        transitions: RelatedManager[Transition]
        listed: RelatedManager[ListedRefs]
        children: RelatedManager[Job]

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [("run_job", "Can run, pause, resume, cancel and undo jobs")]
        indexes: ClassVar = [
            models.Index(fields=["status", "id"], name="kept_jobs_by_status", condition=IS_KEPT),
            models.Index(fields=["tool"], name="kept_jobs_by_tool", condition=IS_KEPT),
            models.Index(fields=["created_by", "-id"], name="jobs_of_a_person"),
            models.Index(
                fields=["pruned_at"], name="jobs_being_pruned", condition=Q(pruned_at__isnull=False)
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(status=Status.WAITING) | Q(resumes_at__isnull=False), name="waiting_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(lease_token="") | Q(status__in=sorted(ACTIVE)), name="only_active_jobs_are_leased"
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(ENDED), finished_at__isnull=False)
                | (~Q(status__in=sorted(ENDED)) & Q(finished_at__isnull=True)),
                name="ended_jobs_have_an_end",
            ),
            models.CheckConstraint(
                condition=Q(frozen_at__isnull=True, total__isnull=True)
                | Q(frozen_at__isnull=False, total=F("found")),
                name="the_frozen_list_has_a_total",
            ),
            models.CheckConstraint(
                condition=Q(
                    found__gte=F("planned")
                    + F("changed")
                    + F("unchanged")
                    + F("skipped")
                    + F("failed")
                    + F("unverified")
                ),
                name="no_more_outcomes_than_items",
            ),
            models.CheckConstraint(
                condition=Q(pruned_at__isnull=True) | Q(status__in=sorted(ENDED)),
                name="only_ended_jobs_are_pruned",
            ),
        ]

    def __str__(self) -> str:
        return f"Job {self.pk}: {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("jobs:detail", args=[self.pk])

    @property
    def asker(self) -> Actor:
        """Who asked for the job; without a `user_id` where the account was deleted since."""
        if self.created_by:
            return Actor(name=self.created_by.get_username(), user_id=self.created_by_id)
        if self.created_by_name:
            return Actor(name=self.created_by_name, is_deleted=True)
        return COMMAND_LINE

    @property
    def asked_by(self) -> str:
        """Who asked for the job, for people."""
        return self.asker.label

    @property
    def tool_params(self) -> dict[str, Any]:
        """What the tool's form gave the job."""
        return params_of(self.params, self.options)

    @property
    def chosen_options(self) -> dict[str, Any]:
        """What was asked of the job besides, whatever its tool is."""
        return options_of(self.params, self.options)

    @property
    def counts(self) -> dict[str, int]:
        """The number of items by final outcome."""
        return {outcome.value: getattr(self, outcome.value) for outcome in FINAL}

    @property
    def remaining(self) -> int:
        """Items without an outcome yet; in an ended job those that were not attempted."""
        return self.found - sum(self.counts.values())

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE


class ListedRefs(models.Model):
    """A chunk of a list of refs, in order; at most `LISTED_PER_ROW`.

    A million ids are too many for one row that is reread at every step, and too few for a row each. People
    gave them, or they were collected on the way to the list of items; `part` says which list of the job's
    source they belong to (see `source_spec`).
    """

    LISTED_PER_ROW: ClassVar = 5_000

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="listed")
    part = models.PositiveSmallIntegerField(default=0, db_default=0)
    number = models.PositiveIntegerField()  # numbered across all parts
    refs = models.TextField()  # decimal numbers, separated by blanks
    moments = models.TextField(blank=True, default="", db_default="")  # the last change of each; "-": unknown
    given = models.JSONField(null=True, blank=True)  # the distinct requests given with the refs
    which = models.TextField(blank=True, default="")  # for each ref the index of its request in `given`

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "number"], name="listed_refs_are_numbered"),
        ]

    @property
    def numbers(self) -> list[int]:
        """The refs in order."""
        return [int(ref) for ref in self.refs.split()]

    @property
    def moved(self) -> list[tuple[int, int | None]]:
        """The refs in order, each with the time of its last change; 0 where that was not needed."""
        if not self.moments:
            return [(ref, 0) for ref in self.numbers]
        moments = (None if moment == "-" else int(moment) for moment in self.moments.split())
        return list(zip(self.numbers, moments, strict=True))

    @property
    def pairs(self) -> list[tuple[int, dict[str, Any] | None]]:
        """The refs in order, each with its own request."""
        refs, given = self.numbers, self.given
        if given is None:
            return [(ref, None) for ref in refs]
        return [(ref, given[int(place)]) for ref, place in zip(refs, self.which.split(), strict=True)]

    @staticmethod
    def in_order(rows: models.QuerySet[ListedRefs], at_once: int = 10) -> Iterator[ListedRefs]:
        """The rows by number, read a few at a time.

        Not by `iterator()`: its cursor would stay open while the reader does other things. If Python collects
        an abandoned one during another query of the connection, PostgreSQL's driver waits for itself.
        """
        last = -1
        while found := list(rows.filter(number__gt=last).order_by("number")[:at_once]):
            yield from found
            if len(found) < at_once:
                return
            last = found[-1].number

    def __str__(self) -> str:
        return f"Refs {self.number} of job {self.job_id}"


class Batch(models.Model):
    """Up to a hundred items that are sent in one call."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="batches", db_index=False)
    key = models.CharField(max_length=40)  # equal for items that may share a batch (`work.Change.key`)
    change = models.JSONField(null=True, blank=True)  # null: each item has its own, or none was read yet
    probe = models.CharField(  # the kind of its items
        max_length=16, blank=True, default="", db_default="", db_column="pilot"
    )
    state = models.CharField(max_length=8, choices=BatchState, default=BatchState.PENDING)
    once = models.BooleanField(default=False, db_default=False)  # must not be made twice: `work.Change`
    attempt = models.PositiveSmallIntegerField(default=1)
    size = models.PositiveSmallIntegerField(default=0)  # items put into it; a retried one leaves it
    receipt = models.CharField(max_length=80, blank=True, default="")
    note = models.TextField(blank=True, default="")  # why it was sent again, split or found unclear
    read_at = models.DateTimeField(null=True, blank=True)  # of the oldest `before`; null: read again
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)  # its items were read back then; null: not
    #: Its job stood still for long after it was sent: what is said of its items counts only if they show it.
    is_doubted = models.BooleanField(default=False, db_default=False)
    changed = models.PositiveSmallIntegerField(default=0)
    unchanged = models.PositiveSmallIntegerField(default=0)
    skipped = models.PositiveSmallIntegerField(default=0)
    failed = models.PositiveSmallIntegerField(default=0)
    unverified = models.PositiveSmallIntegerField(default=0)

    if TYPE_CHECKING:
        items: RelatedManager[Item]

    class Meta:
        verbose_name_plural = "batches"
        indexes: ClassVar = [
            models.Index(fields=["job", "state", "id"], name="batches_of_a_job_by_state"),
            models.Index(
                fields=["state"],
                name="batches_in_flight",
                condition=Q(state__in=[BatchState.SENDING, BatchState.SENT]),
            ),
            models.Index(fields=["job", "settled_at"], name="batches_as_they_settled"),
            models.Index(fields=["job", "key", "state"], name="batches_by_what_they_carry"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state=BatchState.SENT) | ~Q(receipt=""), name="sent_batches_have_a_receipt"
            ),
            models.CheckConstraint(
                condition=Q(state=BatchState.SETTLED, settled_at__isnull=False)
                | (~Q(state=BatchState.SETTLED) & Q(settled_at__isnull=True)),
                name="settled_batches_have_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"Batch {self.pk} of job {self.job_id}"


class Item(models.Model):
    """One ticket (or whatever `ref` stands for) in one job."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items", db_index=False)
    ref = models.BigIntegerField()
    batch = models.ForeignKey(Batch, null=True, blank=True, on_delete=models.CASCADE, related_name="items")
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.PENDING)
    reason = models.CharField(max_length=64, blank=True, default="")  # a code, for grouping
    detail = models.TextField(blank=True, default="")  # a sentence, for people
    given = models.JSONField(null=True, blank=True)  # what was asked for this item alone
    before = models.JSONField(
        null=True, blank=True
    )  # as it was read; null: it could not be seen, or was not read yet
    change = models.JSONField(null=True, blank=True)  # what is planned, or was done

    class Meta:
        verbose_name = "ticket"
        indexes: ClassVar = [
            # The reason comes last so that grouping by it needs the index alone.
            models.Index(fields=["job", "outcome", "ref", "reason"], name="items_of_a_job_by_outcome"),
            models.Index(fields=["ref"], name="items_by_ref"),  # what did we ever do to ticket 4711?
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "ref"], name="one_item_per_ref_and_job"),
        ]

    def __str__(self) -> str:
        return f"{self.ref} in job {self.job_id}"


class Transition(models.Model):
    """One change of a job's status; never edited, and deleted only with its job."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="transitions")
    from_status = models.CharField(max_length=10, choices=Status, blank=True)
    to_status = models.CharField(max_length=10, choices=Status)
    actor = models.CharField(max_length=200)  # a user name, or the worker's address
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_person = models.BooleanField(default=False, db_default=False)  # also once the account is deleted
    why = models.TextField(blank=True, default="")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["-id"], name="steps_of_people", condition=Q(by_person=True)),
        ]

    @property
    def is_persons(self) -> bool:
        """Whether a person did it; a program of an earlier release writes no `by_person`."""
        return self.by_person or self.user_id is not None

    @property
    def who(self) -> str:
        """Who did it, for people: a person by the name of today, so that a namesake is not taken for them."""
        if self.by_person and self.user:
            return self.user.get_username()
        return Actor(name=self.actor, is_deleted=self.by_person).label

    def __str__(self) -> str:
        return f"Job {self.job_id}: {self.from_status or 'new'} to {self.to_status} by {self.who}"


class Pruning(models.Model):
    """One run of `prune_jobs` that deleted something, and what the jobs it deleted added up to.

    Totals for monitoring never fall: deleted jobs keep counting here.
    """

    actor = models.CharField("deleted by", max_length=200)
    at = models.DateTimeField("deleted at", default=clock.now)
    # A job that ended later, or with a follow-up that did, was kept.
    ended_before = models.DateTimeField("jobs that ended before")
    jobs = models.PositiveIntegerField(default=0)
    found = models.PositiveBigIntegerField(default=0)
    planned = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    unchanged = models.PositiveBigIntegerField(default=0)
    skipped = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    unverified = models.PositiveBigIntegerField(default=0)
    calls_read = models.PositiveBigIntegerField(default=0)
    calls_write = models.PositiveBigIntegerField(default=0)
    calls_status = models.PositiveBigIntegerField(default=0)
    calls_verify = models.PositiveBigIntegerField(default=0, db_default=0)
    workers_lost = models.PositiveBigIntegerField(default=0)
    waits = models.PositiveBigIntegerField(default=0)  # how often they were parked

    class Meta:
        verbose_name = "deletion of old jobs"
        verbose_name_plural = "deleted jobs"

    def __str__(self) -> str:
        return f"{some(self.jobs, 'job')} deleted by {self.actor}"


class Gate(models.Model):
    """A rate limit that all workers share: nobody calls the other side before `not_before`.

    The row "slots" is the lock under which slots in flight are handed out, so that all workers together stay
    within the limit. It keeps what was learned about them.
    """

    name = models.CharField(max_length=64, unique=True)
    not_before = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=200, blank=True, default="")
    learned = models.JSONField(null=True, blank=True)  # `jobs.engine.pacing.slot_limit.SlotLimit`

    def __str__(self) -> str:
        return self.name


class Installation(models.Model):
    """The one row that says which database this is, and whether all jobs are held."""

    ONLY: ClassVar = 1  # its primary key

    identity = models.JSONField(default=dict)  # `jobs.installation.identity`
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=200, blank=True, default="")  # who said so; "": nobody had to
    held_at = models.DateTimeField(null=True, blank=True)
    held_by = models.CharField(max_length=200, blank=True, default="")
    held_why = models.TextField(blank=True, default="")

    class Meta:
        permissions: ClassVar = [
            ("hold_jobs", "Can hold and release all jobs, and confirm a copied database")
        ]
        default_permissions: ClassVar = []
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="there_is_one_installation"),
        ]

    def __str__(self) -> str:
        return "This installation"


class WorkerFault(models.Model):
    """A duty of a worker's process that fails while its jobs go on (`jobs.workers.duties`)."""

    owner = models.CharField(max_length=200)  # the process
    duty = models.CharField(max_length=40)
    cause = models.CharField(max_length=100)  # the type of the error alone: its message may quote anything
    since = models.DateTimeField()
    at = models.DateTimeField()  # of the latest report

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "duty"], name="one_fault_of_a_duty"),
        ]

    def __str__(self) -> str:
        return f"{self.duty}: {self.cause}"


class Beat(models.Model):
    """The heartbeat of a worker cluster, by which others know that it is alive."""

    owner = models.CharField(max_length=200, unique=True)
    at = models.DateTimeField()
    clock_ahead = models.FloatField(default=0.0, db_default=0.0)  # its host's of the database's, seconds

    def __str__(self) -> str:
        return self.owner


class Chore(models.Model):
    """When something that is done once a day was done last (`workers.chores`)."""

    name = models.CharField(max_length=200, unique=True)  # the dotted path of the function
    done_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
