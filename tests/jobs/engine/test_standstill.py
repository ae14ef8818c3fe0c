"""What others do while a job stands still is theirs: no reading from before counts, and undo spares it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from jobs import actions
from jobs.engine import execution, pipeline
from jobs.engine.batcher import UNREAD
from jobs.engine.readings import SNAPSHOT_MAX_AGE, ClockWatch, distrust_readings, is_fresh
from jobs.models import Batch, Gate, Job
from jobs.runtime import failpoints
from jobs.runtime.database_retry import DatabaseRetry
from jobs.runtime.failpoints import Failpoint
from jobs.runtime.lease import Lease
from jobs.runtime.time_slice import TimeSlice
from jobs.states import BatchState, FollowUp
from jobs.work import work_for
from jobs.workers.reaper import reap
from tests import factories
from tests.demo import ANA, Demo, follow, outcomes, run, submit

READ = "GET tickets/show_many"
UPDATE = "PUT /api/v2/tickets/update_many"
#: Each commit is a real one, as for a process that dies.
STORED = pytest.mark.django_db(transaction=True)


@pytest.fixture
def refs(demo: Demo, settings: Any) -> list[int]:
    """Three batches of tickets with `old` and without `vip`, of which one is in flight at a time."""
    settings.ZENDESK_MAX_JOBS = 1
    chosen = [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:300]
    for ref in chosen:
        demo.account.edit(ref, add=["old"])
    return chosen


class Agent:
    """Adds `vip` to ten tickets that are still to be sent, and takes `old` off ten more."""

    def __init__(self, demo: Demo, refs: list[int]) -> None:
        self.demo, self.tagged, self.cleared = demo, refs[-20:-10], refs[-10:]
        self.has_acted = False

    def act(self) -> None:
        assert not self.has_acted
        self.has_acted = True
        sent = self.demo.account.ledger.sent
        assert sum(sent.values()) in (50, 100)
        assert not set(sent) & {*self.tagged, *self.cleared}
        for ref in self.tagged:
            self.demo.account.edit(ref, add=["vip"])
        for ref in self.cleared:
            self.demo.account.edit(ref, remove=["old"])


def start(refs: list[int], **options: Any) -> actions.Submission:
    return submit(refs=refs, add=["vip"], remove=["old"], **options)


def goes_on_now(job: Job) -> Job:
    Job.objects.filter(pk=job.pk).update(resumes_at=timezone.now())
    Gate.objects.update(not_before=None)
    return run(job)


def in_a_pause(agent: Agent, refs: list[int], monkeypatch: pytest.MonkeyPatch) -> Job:
    made = start(refs)

    def pause() -> None:
        made.job.refresh_from_db()
        if agent.demo.account.ledger.sent and made.job.status == "running":
            actions.pause(job=made.job, by=ANA)

    job = run(made, tick=pause)
    assert job.status == "paused"
    agent.act()
    actions.resume(job=job, by=ANA)
    return run(job)


def while_it_is_held(agent: Agent, refs: list[int], monkeypatch: pytest.MonkeyPatch) -> Job:
    job = run(start(refs, canary=50))
    assert job.status == "paused"
    agent.act()
    actions.resume(job=job, by=ANA)
    return run(job)


def while_the_rate_is_limited(agent: Agent, refs: list[int], monkeypatch: pytest.MonkeyPatch) -> Job:
    agent.demo.fault("rate_limited", after=1, retry_after=40)
    job = run(start(refs))
    assert (job.status, job.waiting_for) == ("waiting", "rate_limit")
    agent.act()
    return goes_on_now(job)


def while_it_waits_in_hand(agent: Agent, refs: list[int], monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr("tagmanager.changes.ticket_work.CALL_MAX_WAIT", 0.05)
    agent.demo.fault("rate_limited", after=1, retry_after=1)
    wait = execution._wait

    def act_first(lease: Lease, seconds: float, time_slice: TimeSlice) -> bool:
        if not agent.has_acted:
            agent.act()
        return wait(lease, seconds, time_slice)

    monkeypatch.setattr(execution, "_wait", act_first)
    return run(start(refs))


def while_zendesk_is_away(agent: Agent, refs: list[int], monkeypatch: pytest.MonkeyPatch) -> Job:
    agent.demo.fault("reset_before", on="GET /api/v2/job_statuses", times=20)
    monkeypatch.setattr("zendesk.transport.retry.FIRST_BACKOFF", 0.001)
    job = run(start(refs))
    assert (job.status, job.waiting_for) == ("waiting", "service_away")
    agent.act()
    agent.demo.account.faults.clear()
    return goes_on_now(job)


def until_another_worker_takes_over(agent: Agent, refs: list[int], monkeypatch: pytest.MonkeyPatch) -> Job:
    class Killed(BaseException):
        pass

    def kill(point: Failpoint) -> None:
        if point is Failpoint.SETTLED and agent.demo.account.ledger.sent and not agent.has_acted:
            raise Killed

    monkeypatch.setattr(failpoints, "_listeners", [kill])
    monkeypatch.setattr(pipeline.Pipeline, "finish_calls", lambda _: None)
    made = start(refs)
    with pytest.raises(Killed):
        run(made)
    agent.act()
    Job.objects.filter(pk=made.job.pk).update(beat_at=timezone.now() - timedelta(minutes=2))
    assert reap() == 1
    return goes_on_now(made.job)


def while_the_database_is_away(agent: Agent, refs: list[int], monkeypatch: pytest.MonkeyPatch) -> Job:
    reserve = pipeline.Pipeline._reserve

    def fail(self: pipeline.Pipeline, batch: Batch) -> Any:
        if agent.demo.account.ledger.sent and not agent.has_acted:
            raise OperationalError("the connection is closed")
        return reserve(self, batch)

    monkeypatch.setattr(pipeline.Pipeline, "_reserve", fail)
    monkeypatch.setattr(DatabaseRetry, "wait_or_raise", lambda *_: agent.act())
    return run(start(refs))


def while_a_receipt_waits_for_the_database(
    agent: Agent, refs: list[int], monkeypatch: pytest.MonkeyPatch
) -> Job:
    renew = Lease._renew

    def fail(lease: Lease, changes: dict[str, object], *others: Any) -> None:
        if "calls_write" in changes and not agent.has_acted:
            raise OperationalError("the connection is closed")
        renew(lease, changes, *others)

    monkeypatch.setattr(Lease, "_renew", fail)
    monkeypatch.setattr(DatabaseRetry, "wait_or_raise", lambda *_: agent.act())
    return run(start(refs))


def while_the_machine_sleeps(agent: Agent, refs: list[int], monkeypatch: pytest.MonkeyPatch) -> Job:
    """The clock is a second ahead when it wakes up, and was set back since."""
    settle = pipeline.Pipeline._settle

    def sleep(self: pipeline.Pipeline, *others: Any) -> None:
        settle(self, *others)
        if not agent.has_acted:
            agent.act()
            answers = iter([True])
            monkeypatch.setattr(ClockWatch, "was_set", lambda _: next(answers, False))

    monkeypatch.setattr(pipeline.Pipeline, "_settle", sleep)
    return run(start(refs))


STANDSTILLS: list[Callable[[Agent, list[int], pytest.MonkeyPatch], Job]] = [
    in_a_pause,
    while_it_is_held,
    while_the_rate_is_limited,
    while_it_waits_in_hand,
    while_zendesk_is_away,
    until_another_worker_takes_over,
    while_the_database_is_away,
    while_a_receipt_waits_for_the_database,
    while_the_machine_sleeps,
]


@STORED
@pytest.mark.parametrize("stands_still", STANDSTILLS, ids=lambda one: one.__name__)
def test_what_an_agent_does_meanwhile_is_recorded_as_theirs_and_survives_undo(
    demo: Demo,
    refs: list[int],
    monkeypatch: pytest.MonkeyPatch,
    stands_still: Callable[[Agent, list[int], pytest.MonkeyPatch], Job],
) -> None:
    agent = Agent(demo, refs)
    before = {ref: demo.tags(ref) for ref in refs}
    with monkeypatch.context() as patch:
        job = stands_still(agent, refs, patch)
    assert agent.has_acted
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    ours = dict(job.items.values_list("ref", "change"))
    had = {item.ref: set((item.before or {})["tags"]) for item in job.items.all()}
    for ref in agent.tagged:
        assert (ours[ref], had[ref]) == ({"remove": ["old"]}, before[ref] | {"vip"})
    for ref in agent.cleared:
        assert (ours[ref], had[ref]) == ({"add": ["vip"]}, before[ref] - {"old"})
    follow(job, FollowUp.UNDO)
    for ref in refs:
        theirs = (before[ref] | ({"vip"} if ref in agent.tagged else set())) - (
            {"old"} if ref in agent.cleared else set()
        )
        assert demo.tags(ref) == theirs


def test_a_handover_between_time_slices_keeps_the_readings(
    demo: Demo, refs: list[int], settings: Any
) -> None:
    settings.VERIFY_WRITES = "off"
    job = submit(refs=refs, here=False).job
    slices = 0
    while not job.is_ended:
        slices += 1
        _run_until_one_more_is_sent(demo, job)
    assert (outcomes(job), demo.calls(READ)) == (dict.fromkeys(refs, "changed"), 3)
    assert slices > 2


def _run_until_one_more_is_sent(demo: Demo, job: Job) -> None:
    before = demo.account.ledger.sent.total()

    def end() -> None:
        if demo.account.ledger.sent.total() > before:
            time_slice.until = 0.0

    time_slice = TimeSlice(time.monotonic() + 60, on_step=end)
    execution._run(job.pk, "", time_slice, DatabaseRetry(60))
    job.refresh_from_db()


# How old a reading may be


def batch_read(**ago: float) -> Batch:
    return factories.batch(
        factories.job("running"), BatchState.PENDING, read_at=timezone.now() - timedelta(**ago)
    )


def test_a_reading_is_fresh_for_thirty_seconds_less_what_the_call_takes(db: None) -> None:
    assert SNAPSHOT_MAX_AGE.total_seconds() == 30
    with time_machine.travel(timezone.now(), tick=False):
        assert is_fresh(batch_read(seconds=0))
        assert is_fresh(batch_read(seconds=28))
        assert not is_fresh(batch_read(seconds=28.1))
        assert not is_fresh(batch_read(seconds=-0.1)), "the clock was set back since"
        assert not is_fresh(batch_read(hours=-1))
        assert not is_fresh(factories.batch(factories.job("running"), BatchState.PENDING, read_at=None))


def test_only_the_pending_batches_of_the_job_are_distrusted(db: None) -> None:
    ours, other = batch_read(), batch_read()
    sent = factories.batch(ours.job, BatchState.SENT, read_at=ours.read_at)
    distrust_readings(ours.job)
    assert list(Batch.objects.filter(read_at=None)) == [ours]
    assert other.read_at is not None
    assert sent.read_at is not None


def test_a_clock_that_is_set_is_noticed_once_in_either_direction() -> None:
    watch = ClockWatch()
    assert not watch.was_set()
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert (watch.was_set(), watch.was_set()) == (True, False)
    assert (watch.was_set(), watch.was_set()) == (True, False)


def test_a_batch_is_not_sent_if_its_reading_ages_while_its_row_is_waited_for(
    demo: Demo, refs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = pipeline.Pipeline._reserve
    has_aged = False

    def age_first(self: pipeline.Pipeline, batch: Batch) -> Any:
        nonlocal has_aged
        if not has_aged:
            has_aged = True
            batch.read_at = timezone.now() - SNAPSHOT_MAX_AGE
            batch.save(update_fields=["read_at"])
            demo.account.edit(refs[0], add=["vip"])
        return reserve(self, batch)

    monkeypatch.setattr(pipeline.Pipeline, "_reserve", age_first)
    job = run(start(refs[:100]))
    before = job.items.get(ref=refs[0]).before
    assert before is not None
    assert "vip" in before["tags"]


# When the next batches are read


@pytest.fixture
def waiting(demo: Demo, refs: list[int], monkeypatch: pytest.MonkeyPatch) -> pipeline.Pipeline:
    """Three unread batches of a job, whose one slot is taken."""
    monkeypatch.setattr("jobs.engine.selection.READ_LATE_ABOVE", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "_send_all", lambda lease, *_: lease.release())
        job = run(start(refs))
    assert set(job.items.values_list("batch__key", flat=True)) == {UNREAD}
    lease = execution.claim(job.pk)
    assert lease is not None
    made = pipeline.Pipeline(lease, work_for(job))
    demo.account.hold()
    while not made.in_flight:
        made.step()
    return made


def test_no_batch_is_read_while_no_slot_is_expected_to_be_free(
    demo: Demo, waiting: pipeline.Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting.finish_calls()
    monkeypatch.setattr(waiting, "_next_poll", lambda: time.monotonic() + 60.0)
    read = demo.calls(READ)
    for _ in range(20):
        waiting.step()
    assert demo.calls(READ) <= read + 1  # one that had begun before
    monkeypatch.setattr(waiting, "_next_poll", lambda: time.monotonic() + 5.0)
    assert waiting._is_slot_near()


def test_of_batches_that_aged_while_they_waited_only_two_are_read_again(
    demo: Demo, waiting: pipeline.Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(waiting, "_is_slot_near", lambda: True)
    monkeypatch.setattr(waiting.refresher, "request", lambda batch, _: asked.append(batch.pk))
    batches = [factories.batch(waiting.job, BatchState.PENDING, size=100) for _ in range(6)]
    monkeypatch.setattr(waiting.queue, "upcoming", lambda _: batches)
    waiting.refresher._prepared = {batch.pk for batch in batches[:4]}
    waiting._prepare(None)
    assert asked == [batch.pk for batch in (*batches[:2], *batches[4:])]
