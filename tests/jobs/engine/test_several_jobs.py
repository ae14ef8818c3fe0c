"""Several jobs at once share the slots and the workers, and none of them starves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from jobs import actions
from jobs.models import Batch, Job
from jobs.reports import recount
from jobs.states import Status
from jobs.tasks import SLICE
from tests.demo import ANA, params
from tests.properties.simulation import Interruption, Simulation
from zendesk.sandbox import VIEW_UNTAGGED

SLOTS, FEW = 10, 4


@pytest.fixture
def world(db: None, settings: Any) -> Iterator[Simulation]:
    """A Zendesk of 4,000 tickets on a clock that only moves when somebody waits."""
    Simulation.configure(settings)
    settings.ZENDESK_MAX_JOBS = SLOTS
    made = Simulation(tickets=4_000, batch=100, slots=SLOTS)
    yield made
    assert made.problems == []
    assert list(recount.drifts()) == []
    made.close()


def ask(world: Simulation, view: int | None = None, refs: list[int] | None = None, **change: Any) -> Job:
    source = {"kind": "view", "id": view, "title": "A view"} if view else {"kind": "ids", "name": ""}
    return actions.submit(
        tool="bulk-tag",
        title="Some tags on some tickets",
        params=params(**(change or {"add": ["brand-new"]})),
        source=source,
        refs=refs or (),
        by=ANA,
    ).job


def next_wake_up() -> int | None:
    """Take the oldest message that is due, as the queue's broker does; the job that it is for."""
    message = OrmQ.objects.filter(lock__lte=timezone.now()).order_by("id").first()
    if message is None:
        return None
    job: int = message.task["args"][0]
    message.delete()
    return job


def turn_of_a_worker(world: Simulation, plan: list[Interruption] | None = None) -> None:
    job = next_wake_up()
    if job is None:
        world.clock.move(1)
        return
    world.work(job, seconds=SLICE, plan=plan)


def sent_by(job: Job) -> int:
    return Batch.objects.filter(job=job, sent_at__isnull=False).count()


def play_until_ended(world: Simulation, small: Job, *, slices: int) -> int:
    """One worker works until the small job has ended; returns the number of slices that this took."""
    for number in range(1, slices + 1):
        turn_of_a_worker(world)
        small.refresh_from_db()
        if small.is_ended:
            return number
    raise AssertionError(f"job {small.pk} is {small.status} after {slices} slices")


def test_one_worker_finishes_a_small_job_before_a_large_one_sends_twenty_more_batches(
    world: Simulation,
) -> None:
    large = ask(world, view=VIEW_UNTAGGED)
    turn_of_a_worker(world)
    before = sent_by(large)
    small = ask(world, refs=world.account.ticket_ids()[-50:], add=["small"])
    play_until_ended(world, small, slices=4)
    assert small.status == Status.SUCCEEDED
    assert sent_by(large) - before <= 2 * SLOTS
    large.refresh_from_db()
    assert not large.is_ended


def test_one_worker_finishes_a_small_job_while_a_large_list_is_read(world: Simulation) -> None:
    world.call_seconds = 2.0  # a page each four seconds: the list takes many slices
    large = ask(world, view=VIEW_UNTAGGED)
    turn_of_a_worker(world)
    small = ask(world, refs=world.account.ticket_ids()[-50:], add=["small"])
    slices = play_until_ended(world, small, slices=8)
    large.refresh_from_db()
    assert (small.status, large.status) == (Status.SUCCEEDED, Status.SELECTING)
    assert slices <= 6


def test_two_workers_finish_a_small_job_while_one_is_busy_with_a_large_one(world: Simulation) -> None:
    large = ask(world, view=VIEW_UNTAGGED)
    turn_of_a_worker(world)
    before = sent_by(large)
    small = ask(world, refs=world.account.ticket_ids()[-50:], add=["small"])
    world.work(large.pk, seconds=SLICE, plan=[Interruption("sleep", 3, "another worker")])
    small.refresh_from_db()
    assert small.found == 50
    play_until_ended(world, small, slices=4)
    assert sent_by(large) - before <= 2 * SLOTS


@pytest.mark.slow
def test_all_jobs_together_stay_within_the_slots_even_when_one_stops_with_batches_in_flight(
    world: Simulation, settings: Any
) -> None:
    settings.ZENDESK_MAX_JOBS = world.slots = FEW
    refs = world.account.ticket_ids()
    jobs = [ask(world, refs=refs[start:end]) for start, end in ((0, 600), (600, 1_000), (1_000, 1_400))]
    world.account.faults.add("GET /api/v2/job_statuses", "unauthorized", after=2)
    world.work(jobs[0].pk, seconds=SLICE)
    jobs[0].refresh_from_db()
    assert jobs[0].status == Status.ERRORED
    assert len(world.account.jobs.open_ids()) >= FEW / 2
    for job in jobs[1:]:
        play_until_ended(world, job, slices=40)
        assert job.status == Status.SUCCEEDED
    assert world.account.ledger.most_jobs_at_once == FEW
    actions.resume(job=jobs[0], by=ANA)
    play_until_ended(world, jobs[0], slices=40)
    assert jobs[0].status == Status.SUCCEEDED
    assert world.account.ledger.most_jobs_at_once == FEW


def test_two_jobs_on_two_workers_take_only_what_others_leave_free(world: Simulation, settings: Any) -> None:
    settings.ZENDESK_MAX_JOBS = world.slots = 28
    world.account.configure(other_jobs=20)
    refs = world.account.ticket_ids()
    one, two = ask(world, refs=refs[:1_500]), ask(world, refs=refs[1_500:3_000])
    for job in (one, two):
        world.work(job.pk, seconds=SLICE, plan=[Interruption("sleep", 3, "another worker")])
        world.work(job.pk, seconds=SLICE, plan=[Interruption("sleep", 20, "another worker")])
    for job in (one, two):
        play_until_ended(world, job, slices=60)
        assert (job.status, job.remaining) == (Status.SUCCEEDED, 0)
    assert world.account.ledger.answers[429] == 0
    assert 4 <= world.account.ledger.most_jobs_at_once <= 8


def test_a_job_goes_on_with_few_batches_while_others_fill_the_account(
    world: Simulation, settings: Any
) -> None:
    settings.ZENDESK_MAX_JOBS = world.slots = 28
    world.account.configure(other_jobs=29, slots_header="absent")
    job = ask(world, refs=world.account.ticket_ids()[:1_000])
    play_until_ended(world, job, slices=60)
    assert (job.status, job.remaining) == (Status.SUCCEEDED, 0)
    assert world.account.ledger.most_jobs_at_once == 1
    assert 0 < world.account.ledger.answers[429] <= 30


SERIAL: list[tuple[dict[str, Any], dict[str, Any], set[frozenset[str]]]] = [
    ({"add": ["a"]}, {"add": ["a"]}, {frozenset({"k", "a"})}),
    ({"add": ["a"]}, {"remove": ["a"]}, {frozenset({"k"}), frozenset({"k", "a"})}),
    ({"add": ["a"]}, {"exact": ["b"]}, {frozenset({"b"}), frozenset({"a", "b"})}),
    ({"exact": ["a"]}, {"exact": ["b"]}, {frozenset({"a"}), frozenset({"b"})}),
]


@pytest.mark.parametrize("place", ["call", "answer", "sleep"])
@pytest.mark.parametrize(("one", "other", "ends"), SERIAL)
def test_two_jobs_on_the_same_tickets_end_as_if_run_one_after_the_other(
    world: Simulation,
    one: dict[str, Any],
    other: dict[str, Any],
    ends: set[frozenset[str]],
    place: str,
) -> None:
    refs = world.account.ticket_ids()[-20:]
    refs = [ref for ref in refs if world.account.ticket(ref).status != "closed"]
    for ref in refs:
        world.account.edit(ref, remove=world.account.ticket(ref).tags, add=["k"])
        world.account.edit(ref, add=["k"])
    world.clock.move(5)
    first, second = (ask(world, None, refs, **change) for change in (one, other))
    world.work(first.pk, seconds=60, plan=[Interruption(place, 1, "another worker")])
    for _ in range(10):
        turn_of_a_worker(world)
    for job in (first, second):
        job.refresh_from_db()
        assert (job.status, job.failed, job.unverified) == (Status.SUCCEEDED, 0, 0)
    assert {world.tags(ref) for ref in refs} <= ends


def test_a_ticket_changed_by_another_job_after_its_reading_names_that_job(world: Simulation) -> None:
    refs = [ref for ref in world.account.ticket_ids()[-9:] if world.account.ticket(ref).status != "closed"]
    first = Job.objects.get(pk=world.submit(refs, dry_run=False, canary=1, add=["brand-new"]))
    world.work(first.pk, seconds=60)  # holds after the first ticket
    second = ask(world, refs=refs, add=["brand-new"])
    world.work(second.pk, seconds=60)
    world.clock.move(150)
    actions.resume(job=first, by=ANA)
    world.work(first.pk, seconds=60)
    changed, *others = first.items.order_by("ref").values_list("outcome", "detail")
    assert changed == ("changed", "")
    assert set(others) == {("unchanged", f"Job {second.pk} changed it after this job had read it.")}
    assert set(second.items.values_list("outcome", flat=True)) == {"changed", "unchanged"}
