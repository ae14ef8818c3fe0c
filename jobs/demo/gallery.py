"""The gallery: one made-up job in each state, for viewing pages, for tests and for screenshots.

No worker touches these jobs: a machine that does not exist holds those that a worker would hold, and the
others are not due for years. Their tickets have numbers that no account reaches, so that even a real worker
finds nothing to change if a click sends it to one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sin
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from jobs.clocks import clock
from jobs.demo.scenes import ANA, BEN, SCENES, Part, Scene
from jobs.models import Batch, Item, Job, Transition
from jobs.states import ACTIVE, ENDED, FINAL, SENT_OUTCOMES, BatchState, Outcome, Status
from jobs.work import Change

#: What the `nonce` of each job of the gallery begins with, and of no other job.
MARK = "gallery-"
#: The first ticket of the first scene; each scene has a range of its own.
FIRST_REF, REFS_PER_SCENE = 990_000_001, 10_000
PER_BATCH = 100
#: Held by a worker.
HELD = frozenset({Status.SELECTING, Status.RUNNING, Status.PAUSING, Status.CANCELLING})
#: Too far ahead for any worker to come by.
YEARS = timedelta(days=3650)
#: Tickets; the speed of an average account.
READ_PER_MINUTE, CHANGED_PER_MINUTE = 6_000, 2_400
#: From request to start; from a click or a failure to now; from the end of an ended job to now.
QUEUED_FOR, STOPPED_AGO, ENDED_AGO = timedelta(seconds=3), timedelta(seconds=20), timedelta(minutes=2)
LEAST_READING, LEAST_RUNNING = timedelta(seconds=4), timedelta(seconds=24)


@dataclass(frozen=True, slots=True)
class Course:
    """The times of a job. The last batch settled at `settled`; `stop` is the last step of the timeline."""

    asked: datetime
    started: datetime
    frozen: datetime
    settled: datetime
    stop: datetime


def create_gallery() -> dict[str, int]:
    """Make the jobs that are missing, each in one transaction; returns every job's number by scene."""
    for place, scene in enumerate(SCENES):
        with transaction.atomic():
            if not Job.objects.filter(nonce=MARK + scene.name).exists():
                _make(scene, FIRST_REF + place * REFS_PER_SCENE)
    return gallery_jobs()


def gallery_jobs() -> dict[str, int]:
    """The number of every job of the gallery by its scene's name."""
    found = Job.objects.filter(nonce__startswith=MARK).values_list("nonce", "pk")
    numbers = {str(nonce).removeprefix(MARK): pk for nonce, pk in found}
    return {scene.name: numbers[scene.name] for scene in SCENES if scene.name in numbers}


def delete_gallery() -> int:
    """Remove the jobs of the gallery, their people, and their follow-ups; returns how many jobs."""
    with transaction.atomic():
        layers = [list(Job.objects.filter(nonce__startswith=MARK).values_list("pk", flat=True))]
        while layers[-1]:
            layers.append(list(Job.objects.filter(parent__in=layers[-1]).values_list("pk", flat=True)))
        gone = {pk for layer in layers for pk in layer}
        for layer in reversed(layers):
            for pk in layer:  # one after the other: a child may stand in two layers
                Job.objects.filter(pk=pk, children=None).delete()
        get_user_model().objects.filter(username__in=(ANA, BEN), is_active=False).delete()
    return len(gone)


def _make(scene: Scene, first_ref: int) -> None:
    now = clock.now()
    course = _course(scene, now)
    job = _job(scene, course, now)
    change = Change({"add": sorted(scene.add), "remove": sorted(scene.remove)})
    refs = iter(range(first_ref, first_ref + REFS_PER_SCENE))
    times = _times(scene, course)
    items: list[Item] = []
    for part in scene.parts:
        for number, batch in _loads(job, scene, part, change, times):
            items += [_item(job, next(refs), part, change, batch) for _ in range(number)]
    Item.objects.bulk_create(items)
    if scene.times > 1:  # shown as if there were more tickets than are stored
        job.batches.exclude(state=BatchState.PENDING).update(size=PER_BATCH)
    _steps(job, scene, course)


def _course(scene: Scene, now: datetime) -> Course:
    """The times of the scene's job, so that its speed, its length and its numbers agree."""
    found = sum(part.number for part in scene.parts) * scene.times
    sent = sum(part.number for part in scene.parts if part.outcome in SENT_OUTCOMES) * scene.times
    reading = max(timedelta(minutes=found / READ_PER_MINUTE), LEAST_READING)
    running = max(timedelta(minutes=sent / CHANGED_PER_MINUTE), LEAST_RUNNING)
    goes_on = scene.status in (Status.SELECTING, Status.RUNNING)
    stop = now - (ENDED_AGO if scene.status in ENDED else timedelta() if goes_on else STOPPED_AGO)
    settled = stop - scene.quiet
    frozen = settled - running
    started = frozen - reading
    return Course(started - QUEUED_FOR, started, frozen, settled, frozen if goes_on else stop)


def _job(scene: Scene, course: Course, now: datetime) -> Job:
    status = scene.status
    counts = Counter[Outcome]()
    for part in scene.parts:
        counts[part.outcome] += part.number * scene.times
    found = sum(counts.values())
    parent = Job.objects.filter(nonce=MARK + scene.child_of).first()
    return Job.objects.create(
        nonce=MARK + scene.name,
        tool="bulk-tag",
        title=scene.title[: Job._meta.get_field("title").max_length],
        params={
            "add": list(scene.add),
            "remove": list(scene.remove),
            "set": [],
        },
        options={"include_closed": False},
        source=dict(scene.source) | ({"job": parent.pk} if parent else {}),
        dry_run=scene.dry_run,
        parent=parent,
        follow_up=scene.follow_up,
        status=status,
        waiting_for=scene.waiting_for or "",
        resumes_at=now + scene.waits if scene.waiting_for else None,
        error=scene.error,
        frozen_at=course.frozen if scene.frozen else None,
        found=found,
        total=found if scene.frozen else None,
        **{outcome.value: counts[outcome] for outcome in FINAL},
        calls_read=1 + found // PER_BATCH,
        calls_write=sum(-(-counts[outcome] // PER_BATCH) for outcome in SENT_OUTCOMES),
        calls_status=sum(counts[outcome] for outcome in SENT_OUTCOMES) // (3 * PER_BATCH),
        lease_token=MARK + scene.name[:20] if status in HELD else "",
        lease_owner="demo-host//4711/1" if status in HELD else "",
        beat_at=now + YEARS if status in HELD else None,
        woken_at=now + YEARS if status in ACTIVE else course.asked,
        created_by=_person(ANA),
        created_by_name=ANA,
        created_at=course.asked,
        started_at=None if status == Status.QUEUED else course.started,
        finished_at=course.stop if status in ENDED else None,
    )


def _person(name: str) -> Any:
    """A user who cannot sign in."""
    person, is_new = get_user_model().objects.get_or_create(username=name, defaults={"is_active": False})
    if is_new:
        person.set_unusable_password()
        person.save(update_fields=["password"])
    return person


def _loads(
    job: Job, scene: Scene, part: Part, change: Change, times: Iterator[tuple[datetime, datetime]]
) -> Iterable[tuple[int, Batch | None]]:
    """The tickets of a part, by the batches that carry them; None for those that were never to be sent."""
    if part.outcome in SENT_OUTCOMES:
        for number in _hundreds(part.number):
            sent_at, settled_at = next(times)
            yield (
                number,
                Batch.objects.create(
                    job=job,
                    key=change.key,
                    change=change.payload,
                    state=BatchState.SETTLED,
                    size=number,
                    receipt=f"{MARK}{sent_at:%H%M%S%f}",
                    read_at=job.started_at,
                    sent_at=sent_at,
                    settled_at=settled_at,
                    **{part.outcome.value: number},
                ),
            )
    elif part.outcome is Outcome.PENDING:
        flying = min(scene.in_flight, part.number)
        for number in _hundreds(flying):
            yield (
                number,
                Batch.objects.create(
                    job=job,
                    key=change.key,
                    change=change.payload,
                    state=BatchState.SENT,
                    size=number,
                    receipt=f"{MARK}in-flight",
                    read_at=job.started_at,
                    sent_at=next(times)[0],
                ),
            )
        for number in _hundreds(part.number - flying):
            yield (
                number,
                Batch.objects.create(
                    job=job, key=change.key, change=change.payload, size=number, read_at=job.started_at
                ),
            )
    else:
        yield part.number, None


def _hundreds(number: int) -> Iterator[int]:
    while number > 0:
        yield min(number, PER_BATCH)
        number -= PER_BATCH


def _times(scene: Scene, course: Course) -> Iterator[tuple[datetime, datetime]]:
    """When one batch after the other was sent and settled, the last of them at `course.settled`.

    Their lengths go up and down a little, as real ones do; those in flight were sent after the others.
    """
    number = sum(1 for part in scene.parts if part.outcome in SENT_OUTCOMES for _ in _hundreds(part.number))
    step = (course.settled - course.frozen) / max(number, 1)
    for place in range(number):
        begin = course.frozen + step * place
        last = place == number - 1
        yield begin, begin + step * (1 if last else 0.55 + 0.4 * abs(sin(place * 1.7)))
    while True:
        yield course.settled, course.settled


def _item(job: Job, ref: int, part: Part, change: Change, batch: Batch | None) -> Item:
    code, sentence = part.reason
    is_same = part.outcome is Outcome.UNCHANGED
    tags = {"billing", *change.payload["remove"], *(change.payload["add"] if is_same else ())}
    return Item(
        job=job,
        ref=ref,
        batch=batch,
        outcome=part.outcome,
        reason=code,
        detail=sentence,
        before={"tags": sorted(tags), "status": "open", "updated_at": "2026-11-01T08:00:00Z"},
        change=None if part.outcome in (Outcome.UNCHANGED, Outcome.SKIPPED) else change.payload,
    )


def _steps(job: Job, scene: Scene, course: Course) -> None:
    """The timeline: the last step is at `course.stop`, and what led to it a moment before."""
    moments = [course.asked, course.started, course.frozen]
    came_from: str = ""
    lines = []
    left = len(scene.steps) - 1
    for number, step in enumerate(scene.steps):
        lines.append(
            Transition(
                job=job,
                from_status=came_from,
                to_status=step.to,
                actor=step.actor,
                why=step.why,
                at=moments[number]
                if number < len(moments)
                else course.stop - LEAST_READING * (left - number),
            )
        )
        came_from = step.to
    Transition.objects.bulk_create(lines)
