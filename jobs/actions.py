"""What people do to jobs: submit, pause, resume, cancel and follow up.

Each action is keyword-only and one transaction. It raises `NotPossible` if it does not fit the job any more,
and it leaves a line in the timeline with the person's name. None waits for a worker.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import F
from django.dispatch import receiver
from django.utils import timezone

from jobs import transitions
from jobs.actors import Actor
from jobs.clocks import clock
from jobs.common.formatting import some
from jobs.follow_up_titles import follow_up_title
from jobs.followups import SAME_PURPOSE, purpose_of, undos_of
from jobs.guards.evidence import Evidence
from jobs.guards.probes import Probes
from jobs.installation import standstill
from jobs.installation.standstill import Cause
from jobs.models import Batch, Item, Job, ListedRefs
from jobs.options import to_store
from jobs.runtime import wakeups
from jobs.runtime.lease import held_by_this_process, new_token
from jobs.source_spec import ITEMS, LISTED, jobs_named
from jobs.states import ENDED, MAY_FOLLOW, STOPPED, BatchState, FollowUp, Guarded, Outcome, Status

T = TypeVar("T")
#: The request for one item alone, as JSON that the work reads.
Given = dict[str, Any]


#: Shown for a job that was pruned while a page, a command or another job still referred to it.
GONE = "Job {number} is not there any more: it was deleted, as jobs are that ended long ago."

#: The reason of items that a forced cancel abandoned, as a code and as a sentence.
ABANDONED_CODE = "given_up"
ABANDONED_SENTENCE = (
    "It had been sent when the job was stopped at once, and nobody asked any more what became of it. It may "
    "be changed or not."
)


class NotPossible(Exception):
    """The action does not fit the job's state; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A new job. With a `token` this process holds the job and must run it (`engine.execution.run`)."""

    job: Job
    token: str = ""
    is_new: bool = True  # False: the same form had been sent before, and this is the job it made


def submit(
    *,
    tool: str,
    title: str,
    params: dict[str, Any],
    source: dict[str, Any],
    by: Actor,
    asker: Actor | None = None,
    options: Mapping[str, Any] | None = None,
    refs: Iterable[int] = (),
    given: Iterable[Given] | None = None,
    lists: Mapping[int, Iterable[int]] | None = None,
    limit: int | None = None,
    canary: int | None = None,
    dry_run: bool = False,
    guarded: Guarded = Guarded.NO,
    nonce: str | None = None,
    parent: Job | None = None,
    follow_up: FollowUp = FollowUp.NONE,
    here: bool = False,
) -> Submission:
    """Store the request and wake a worker; with `here` this process runs the job instead.

    `params` are the tool's own, by any names; `options` are the job's (see `jobs.options`). `refs` are the
    numbers of a source of kind "ids", in order, doubles allowed; `given` holds the request for each of them
    alone. `lists` are the numbers of such sources inside a combined one, by part (see `source_spec`). With
    `canary` the job pauses after that many items and asks whether to go on. A `guarded` job marks what it
    changes. `asker` is the person whose job it is, if not `by`. The same `nonce` twice makes one job. Raises
    `NotPossible` if a job whose items the source takes is gone, while all jobs are held with `here`, and in a
    copied database.
    """
    _check_standstill(here=here, is_automatic=follow_up is FollowUp.UNGUARD)
    token = new_token() if here else ""
    asker = asker or by
    params, stored_options = to_store(params, options or {})
    try:
        with transaction.atomic():
            _lock_source_jobs(source)
            job = Job.objects.create(
                tool=tool,
                title=title[:300],
                params=params,
                options=stored_options,
                source=source,
                limit=limit,
                canary=canary,
                dry_run=dry_run,
                guarded=guarded,
                nonce=nonce,
                parent=parent,
                follow_up=follow_up,
                created_by_id=asker.user_id,
                created_by_name=asker.name if asker.is_person else "",
                **(held_by_this_process(token) if here else {}),
            )
            _list(job, {0: refs} if source["kind"] == LISTED else lists or {}, given)
            transitions.record(job, "", Status.QUEUED, by=by)
            if not here:
                wakeups.wake(job)
    except IntegrityError:
        if nonce is None:
            raise
        return Submission(Job.objects.get(nonce=nonce), is_new=False)
    return Submission(job, token)


def _check_standstill(*, here: bool, is_automatic: bool) -> None:
    """A held job waits in the queue; one that was made by itself, at another's end, waits in a copy, too."""
    stop = standstill.current()
    if stop and (here or (stop.cause is Cause.COPY and not is_automatic)):
        raise NotPossible(stop.sentence)


def pause(*, job: Job, by: Actor) -> None:
    """Pause the job: at once if no worker holds it, else once everything in flight is settled."""
    _stop(job, Status.PAUSED, over=Status.PAUSING, by=by)


def resume(*, job: Job, by: Actor) -> None:
    """Resume a paused or errored job where it stopped, or end the wait of a waiting one."""
    with transaction.atomic():
        _lock(job)
        if job.status == Status.WAITING:
            done = bool(Job.objects.filter(pk=job.pk).update(resumes_at=clock.now()))
            transitions.record(job, job.status, job.status, by=by, why="Told to go on at once.")
        else:
            known: dict[str, Any] = {
                "probes": Probes.from_json(job.probes).resumed().to_json(),
                "evidence": Evidence.from_json(job.evidence).resumed().to_json(),
            }
            done = transitions.move(job, Status.QUEUED, by=by, crash_count=0, lately=[], **known)
        if done:
            wakeups.wake(job)
    if not done:
        raise NotPossible(_cannot("resumed", job))


def cancel(*, job: Job, by: Actor, force: bool = False) -> None:
    """Cancel the job: at once if nothing is in flight, else once that is settled. Nothing more is sent.

    `force` records everything in flight as unverified and stops at once, unless a worker holds the job and
    will settle it. It is for a job that cannot ask any more, such as one whose credentials are gone.
    """
    if force and _abandon(job, by=by):
        return
    _stop(job, Status.CANCELLED, over=Status.CANCELLING, by=by)


def _abandon(job: Job, *, by: Actor) -> bool:
    with transaction.atomic():
        _lock(job)
        if not can_abandon(job):
            return False
        number = _settle_as_unverified(job)
        why = f"Stopped at once: {some(number, 'ticket')} in flight given up as unverified."
        return transitions.move(job, Status.CANCELLED, by=by, why=why)


def _settle_as_unverified(job: Job) -> int:
    """Record everything in flight as unverified, without asking; returns the number of items.

    The caller must hold a lock on the job's row, and no worker may hold the job: one that lost its lease in
    the middle of a call might still send.
    """
    flying = job.batches.filter(state__in=[BatchState.SENDING, BatchState.SENT])
    items = Item.objects.filter(batch__in=flying, outcome=Outcome.PENDING)
    numbers = Counter(items.values_list("batch_id", flat=True))
    items.update(outcome=Outcome.UNVERIFIED, reason=ABANDONED_CODE, detail=ABANDONED_SENTENCE)
    for batch in flying:
        Batch.objects.filter(pk=batch.pk).update(
            state=BatchState.SETTLED,
            settled_at=clock.now(),
            unverified=F("unverified") + numbers[batch.pk],
            note="It was given up when the job was stopped at once.",
        )
    Job.objects.filter(pk=job.pk).update(unverified=F("unverified") + numbers.total())
    return numbers.total()


def can_abandon(job: Job) -> bool:
    """Whether a forced cancel can abandon what is in flight: no worker holds the job and will settle it."""
    return job.status in MAY_FOLLOW[Status.CANCELLED] and not job.lease_token and _in_flight(job)


def _stop(job: Job, end: Status, *, over: Status, by: Actor) -> None:
    """Move the job to `end`, by way of `over` if a worker has something to settle first."""
    with transaction.atomic():
        _lock(job)
        at_once = not (job.lease_token or _in_flight(job))
        done = (at_once and transitions.move(job, end, by=by)) or transitions.move(job, over, by=by)
        if done and job.status == over:
            wakeups.wake(job)
    if not done:
        raise NotPossible(_cannot(end.value, job))


@dataclass(frozen=True, slots=True)
class FollowUpKind:
    """One way to follow up an ended job: the outcomes that it takes."""

    outcomes: tuple[Outcome, ...]
    nothing: str  # shown if there are no such items


FOLLOW_UPS = {
    FollowUp.RETRY: FollowUpKind((Outcome.FAILED, Outcome.UNVERIFIED), "no ticket of it failed"),
    FollowUp.REST: FollowUpKind((Outcome.PENDING,), "it left no ticket untouched"),
    FollowUp.RUN: FollowUpKind((Outcome.PLANNED,), "it planned no change"),
    # An unverified item may have been changed: an undo reverts those that look changed, too.
    FollowUp.UNDO: FollowUpKind((Outcome.CHANGED, Outcome.UNVERIFIED), "it changed no ticket"),
    FollowUp.UNGUARD: FollowUpKind((Outcome.CHANGED, Outcome.UNVERIFIED), "it changed no ticket"),
}


def follow_up(
    *,
    job: Job,
    kind: FollowUp,
    by: Actor,
    reason: str = "",
    options: Mapping[str, Any] | None = None,
    here: bool = False,
    nonce: str | None = None,
) -> Submission:
    """Make a new job on some items of an ended one; with `reason` only on failures with that cause.

    It keeps the options of the job, but for those given. Refused while another does the same and has not
    ended, because a click in two tabs would make it twice. The lock on the job's row decides which is first.
    """
    check_follow_up(job, kind)
    with transaction.atomic():
        _lock(job)
        source = _items_of(job, kind, reason)
        for child in job.children.filter(follow_up=kind).exclude(status__in=ENDED):
            if child.source == source and (nonce is None or child.nonce != nonce):
                raise NotPossible(_at_it_already(job, kind, child))
        if kind is FollowUp.UNDO and (other := _continued_undo(job)):
            raise NotPossible(_at_it_already(job, kind, other))
        return make_follow_up(
            job=job, kind=kind, by=by, reason=reason, options=options, here=here, nonce=nonce
        )


def _at_it_already(job: Job, kind: FollowUp, other: Job) -> str:
    if kind is not FollowUp.UNDO:
        return f"Job {other.pk} is at this already ({other.title})."
    what = "resume or cancel it" if other.status in STOPPED else "wait until it has ended, or cancel it"
    return f"Job {other.pk} is already undoing job {job.pk}: {what}."


def _continued_undo(job: Job) -> Job | None:
    """A retry or the rest of an undo of the job, or of such a one, that has not ended."""
    repeats = undos_of(job.pk).filter(follow_up__in=SAME_PURPOSE)
    return repeats.exclude(status__in=ENDED).order_by("pk").first()


def make_follow_up(
    *,
    job: Job,
    kind: FollowUp,
    by: Actor,
    asker: Actor | None = None,
    reason: str = "",
    options: Mapping[str, Any] | None = None,
    here: bool = False,
    nonce: str | None = None,
) -> Submission:
    """Do the same as `follow_up`, for a caller that has checked already."""
    return submit(
        tool=job.tool,
        title=follow_up_title(job, kind),
        params=job.tool_params,
        options={**job.chosen_options, **(options or {})},
        source=_items_of(job, kind, reason),
        by=by,
        asker=asker,
        canary=job.canary if kind is FollowUp.RUN else None,
        guarded=Guarded.NO if kind is FollowUp.UNGUARD else Guarded(job.guarded),
        parent=job,
        follow_up=kind,
        here=here,
        nonce=nonce,
    )


@receiver(transitions.ended)
def remove_guard_at_end(job: Job, by: Actor, **_: Any) -> None:
    """Make the follow-up that removes the guard tag, however the job ended, if it changed anything.

    Sent in the transaction that ends the job, hence exactly once.
    """
    if job.guarded == Guarded.UNTIL_END and (job.changed or job.unverified):
        # It belongs to the person who asked for the job.
        make_follow_up(job=job, kind=FollowUp.UNGUARD, by=by, asker=job.asker)


def _items_of(job: Job, kind: FollowUp, reason: str) -> dict[str, Any]:
    outcomes = [str(outcome) for outcome in FOLLOW_UPS[kind].outcomes]
    source: dict[str, Any] = {"kind": ITEMS, "job": job.pk, "outcomes": outcomes}
    return source | {"reason": reason} if reason else source


def check_follow_up(job: Job, kind: FollowUp) -> Sequence[Outcome]:
    """The outcomes whose items the new job takes. Raises `NotPossible`, with the reason, if it has none."""
    spec = FOLLOW_UPS[kind]
    if job.status not in ENDED:
        raise NotPossible(
            f"Job {job.pk} is {job.status}; it can be followed up when it has ended. Cancel it first."
        )
    if kind is FollowUp.RUN and not job.dry_run:
        raise NotPossible(f"Job {job.pk} is not a dry run; it has been run for real already.")
    if kind is FollowUp.REST and job.frozen_at is None:
        raise NotPossible(f"Job {job.pk} was cancelled before its list was complete. Start it again instead.")
    if kind is FollowUp.UNGUARD:
        _check_unguard(job)
    number = sum(job.remaining if o is Outcome.PENDING else getattr(job, o.value) for o in spec.outcomes)
    if not number:
        raise NotPossible(f"Job {job.pk}: {spec.nothing}, so there is nothing to do.")
    if kind is FollowUp.UNDO and purpose_of(job).kind is FollowUp.UNGUARD:
        raise NotPossible(f"Job {job.pk} only took a guard tag off, which is not put on again.")
    return spec.outcomes


def _check_unguard(job: Job) -> None:
    if job.guarded == Guarded.NO:
        raise NotPossible(f"Job {job.pk} put no guard tag on its tickets.")
    if job.guarded == Guarded.UNTIL_END:
        raise NotPossible(f"The guard tag of job {job.pk} is taken off by itself when the job has ended.")


def _list(job: Job, lists: Mapping[int, Iterable[int]], given: Iterable[Given] | None) -> None:
    rows = count()
    for part, refs in lists.items():
        for piece in _parts(refs, ListedRefs.LISTED_PER_ROW):
            row = ListedRefs(job=job, part=part, number=next(rows), refs=" ".join(map(str, piece)))
            row.save(force_insert=True)
    for number, things in enumerate(_parts(given or (), ListedRefs.LISTED_PER_ROW)):
        places: dict[str, int] = {}
        which = [places.setdefault(json.dumps(thing, sort_keys=True), len(places)) for thing in things]
        job.listed.filter(number=number).update(
            given=[json.loads(thing) for thing in places], which=" ".join(map(str, which))
        )


def _parts(refs: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(refs)
    while part := list(islice(rest, size)):
        yield part


def _lock(job: Job) -> None:
    """Reread the job and lock its row until the transaction ends."""
    try:
        job.refresh_from_db(from_queryset=Job.objects.select_for_update())
    except Job.DoesNotExist:
        raise NotPossible(GONE.format(number=job.pk)) from None


def _lock_source_jobs(source: Mapping[str, Any]) -> None:
    """Lock the jobs whose items are taken, so that none is pruned before the new job is stored."""
    named = jobs_named(dict(source))
    held = Job.objects.select_for_update().filter(pk__in=named).order_by("pk")
    for number in named.difference(held.values_list("pk", flat=True) if named else ()):
        raise NotPossible(GONE.format(number=number))


def _in_flight(job: Job) -> bool:
    return job.batches.filter(state__in=[BatchState.SENDING, BatchState.SENT]).exists()


def _cannot(what: str, job: Job) -> str:
    last = job.transitions.select_related("user").order_by("-id").first()
    at = timezone.localtime(last.at) if last else None
    since = f", since {at.day} {at:%B, %H:%M %Z}, by {last.who}" if last and at else ""
    return f"Job {job.pk} cannot be {what}: it is {job.get_status_display().lower()}{since}."
