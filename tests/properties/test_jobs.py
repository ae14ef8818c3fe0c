"""The promises hold after every step of any sequence of clicks, crashes, faults and edits by others."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from jobs.models import Batch, Item, Job
from jobs.reports import recount
from jobs.states import ENDED, STOPPED, BatchState, FollowUp, Outcome
from tagmanager.ticket_change import TicketChange
from tests.properties.fake_calls import CallTiming
from tests.properties.profiles import profile
from tests.properties.simulation import FAULTS, PAST_LEASE, TICKETS, Interruption, Simulation

CHANGES: list[dict[str, list[str]]] = [
    {"add": ["vip"]},
    {"add": ["new"], "remove": ["old"]},
    {"remove": ["old", "vip"]},
    {"set": ["clean"]},
    {"add": ["x", "y"]},
]
EVENTS = [
    "crash",
    "crash seen",
    "frozen",
    "another worker",
    "pause",
    "resume",
    "cancel",
    "time passes",
    "reaped",
    "they tag",
    "they untag",
    "they do it too",
]
#: Rounds in which all jobs must end once nothing goes wrong any more.
MOST_ROUNDS = 60

#: Roughly how often a worker reaches each kind of point in one time slice.
POINTS = {"call": 4, "answer": 8, "read": 6, "sleep": 12, "statement": 80}

interruptions = st.sampled_from(sorted(POINTS)).flatmap(
    lambda point: st.builds(
        Interruption, st.just(point), st.integers(1, POINTS[point]), st.sampled_from(EVENTS)
    )
)
plans = st.lists(interruptions, min_size=1, max_size=4)
faults = st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(0, 3))
clicks = st.sampled_from(["pause", "resume", "cancel"])
slice_seconds = st.sampled_from([60.0, 10.0, 3.0, 0.5, 0.0])
indexes = st.integers(0, TICKETS - 1)


class JobMachine(RuleBasedStateMachine):
    """Jobs of a few tickets each, in a simulation where anything may go wrong at any time."""

    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.simulation = Simulation()
        self.ended: dict[int, Any] = {}
        self.totals: dict[int, tuple[int | None, ...]] = {}

    def teardown(self) -> None:
        try:
            if not self.simulation.problems:
                self.finish_and_check()
        finally:
            self.simulation.close()

    # Events

    @initialize(
        target=jobs,
        picked=st.sets(indexes, min_size=4),
        change=st.sampled_from(CHANGES),
        calls=st.sampled_from(CallTiming),
    )
    def submit_first(self, picked: set[int], change: dict[str, list[str]], calls: CallTiming) -> int:
        self.simulation.thread_pool.timing = calls
        return self.simulation.submit(self._refs(picked), dry_run=False, canary=None, **change)

    @rule(
        target=jobs,
        picked=st.sets(indexes, min_size=1),
        change=st.sampled_from(CHANGES),
        dry_run=st.booleans(),
        canary=st.none() | st.integers(1, 5),
    )
    def submit(
        self, picked: set[int], change: dict[str, list[str]], dry_run: bool, canary: int | None
    ) -> int:
        return self.simulation.submit(self._refs(picked), dry_run=dry_run, canary=canary, **change)

    # Three rules do this, because Hypothesis leaves rules out of examples, and this is the one that matters.
    @rule(job=jobs, seconds=slice_seconds, fault=st.none() | faults, plan=plans)
    def work(self, job: int, seconds: float, fault: tuple[str, int] | None, plan: list[Interruption]) -> None:
        if fault:
            self.simulation.fault(fault[0], after=fault[1])
        self.simulation.work(job, seconds=seconds, plan=plan)

    @rule(job=jobs, fault=faults, plan=plans)
    def work_with_fault(self, job: int, fault: tuple[str, int], plan: list[Interruption]) -> None:
        self.work(job, 60.0, fault, plan)

    @rule(picked=st.sets(indexes, min_size=4), change=st.sampled_from(CHANGES), plan=plans, fault=faults)
    def submit_and_work(
        self, picked: set[int], change: dict[str, list[str]], plan: list[Interruption], fault: tuple[str, int]
    ) -> None:
        self.work(self.submit(picked, change, False, None), 60.0, fault, plan)

    @rule(job=jobs, what=clicks, is_stale=st.booleans())
    def click(self, job: int, what: str, is_stale: bool) -> None:
        self.simulation.click(job, what, by="bob")
        if is_stale:  # the same button in another tab
            self.simulation.click(job, what, by="cyd")

    @rule(target=jobs, job=jobs, kind=st.sampled_from([kind for kind in FollowUp if kind]))
    def follow_up(self, job: int, kind: FollowUp) -> Any:
        made = self.simulation.follow_up(job, kind)
        return multiple() if made is None else made

    @rule(index=indexes, what=st.sampled_from(["they tag", "they untag", "they do it too"]))
    def edit_ticket(self, index: int, what: str) -> None:
        self.simulation.edit(self.simulation.refs[index], what)

    @rule(seconds=st.sampled_from([1.0, 15.0, PAST_LEASE, 700.0]), is_over=st.booleans())
    def wait(self, seconds: float, is_over: bool) -> None:
        if is_over:
            self.simulation.account.faults.clear()
        self.simulation.clock.move(seconds)
        self.simulation.reap()

    # Invariants

    @invariant()
    def no_problem_was_recorded(self) -> None:
        assert self.simulation.problems == []

    @invariant()
    def counts_match_the_items(self) -> None:
        assert list(recount.drifts()) == []

    @invariant()
    def no_tag_of_others_is_lost(self) -> None:
        assert self.simulation.lost_tags() == []

    @invariant()
    def a_frozen_list_never_changes(self) -> None:
        for job in Job.objects.filter(frozen_at__isnull=False):
            now = (job.total, job.found, *job.items.order_by("ref").values_list("ref", flat=True))
            assert now == self.totals.setdefault(job.pk, now)

    @invariant()
    def an_ended_job_never_changes_again(self) -> None:
        for job in Job.objects.filter(status__in=ENDED):
            now = (
                Job.objects.filter(pk=job.pk).values().get(),
                list(job.items.order_by("pk").values()),
                list(job.batches.order_by("pk").values()),
                list(job.transitions.order_by("pk").values()),
            )
            assert now == self.ended.setdefault(job.pk, now)

    @invariant()
    def every_pending_ticket_is_in_an_open_batch(self) -> None:
        open_ = Item.objects.filter(outcome=Outcome.PENDING)
        assert not open_.filter(batch__isnull=True).exists()
        assert not open_.filter(batch__state=BatchState.SETTLED).exists()
        for batch in Batch.objects.exclude(state=BatchState.SETTLED):
            assert batch.size == batch.items.filter(outcome=Outcome.PENDING).count()

    # The end

    def finish_and_check(self) -> None:
        """Clear the faults, resume every job and run it: each job ends with true outcomes."""
        self.simulation.account.faults.clear()
        self._finish_all()
        for job in Job.objects.order_by("pk"):
            self._check_outcomes(job)
        self._undo_and_check()

    def _finish_all(self) -> None:
        for _ in range(MOST_ROUNDS):
            unfinished = list(Job.objects.exclude(status__in=ENDED).order_by("pk"))
            if not unfinished:
                break
            for job in unfinished:
                if job.status in STOPPED:
                    self.simulation.click(job.pk, "resume", by="ana")
                self.simulation.work(job.pk, seconds=30)
            self.simulation.clock.move(PAST_LEASE)
            self.simulation.reap()
        assert [(job.pk, job.status) for job in Job.objects.exclude(status__in=ENDED)] == []
        self.no_problem_was_recorded()
        self.counts_match_the_items()
        self.no_tag_of_others_is_lost()
        self.an_ended_job_never_changes_again()

    def _check_outcomes(self, job: Job) -> None:
        """Where only this job wrote, the records match what was done."""
        for item in job.items.order_by("ref"):
            if self.simulation.only_written_by(item.ref, job.pk) and item.outcome != Outcome.UNVERIFIED:
                times = self.simulation.update_count(job.pk, item.ref)
                assert (item.ref, item.outcome, times) == (
                    item.ref,
                    item.outcome,
                    int(item.outcome == Outcome.CHANGED),
                )
                change = TicketChange.from_json(item.change or {})
                done = change if item.outcome == Outcome.CHANGED else TicketChange()
                assert self.simulation.tags(item.ref) == done.applied_to(
                    self.simulation.initial_tags[item.ref]
                )

    def _undo_and_check(self) -> None:
        """Undoing a job restores each ticket that this job alone changed, or may have changed."""
        writers: dict[int, set[int]] = {}
        for one in self.simulation.sent:
            for ref in one.refs:
                writers.setdefault(ref, set()).add(one.job)
        of_one = {ref: next(iter(jobs)) for ref, jobs in writers.items() if len(jobs) == 1}
        maybe = [Outcome.CHANGED, Outcome.UNVERIFIED]
        changed = set(Item.objects.filter(outcome__in=maybe).values_list("job_id", "ref"))
        of_one = {ref: job for ref, job in of_one.items() if (job, ref) in changed}
        undone = {job: self.simulation.follow_up(job, FollowUp.UNDO) for job in set(of_one.values())}
        self._finish_all()
        for ref, job in of_one.items():
            assert undone[job] is not None
            assert self.simulation.tags_of_others[ref] <= self.simulation.tags(ref)
            if ref not in self.simulation.edited:
                assert self.simulation.tags(ref) == self.simulation.initial_tags[ref]

    def _refs(self, picked: set[int]) -> list[int]:
        return [self.simulation.refs[index] for index in sorted(picked)]


@pytest.mark.slow
@pytest.mark.django_db
def test_no_ticket_is_lost_or_changed_twice_under_any_sequence_of_events(settings: Any) -> None:
    Simulation.configure(settings)
    logging.disable(logging.ERROR)
    try:
        run_state_machine_as_test(JobMachine, settings=profile)
    finally:
        logging.disable(logging.NOTSET)
