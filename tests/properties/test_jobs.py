"""Any sequence of clicks, crashes, answers and other people: what is promised holds after every step."""

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
from tests.properties.meanwhile import When
from tests.properties.profiles import profile
from tests.properties.world import FAULTS, LONG, TICKETS, Interruption, World

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
    "another works",
    "pause",
    "resume",
    "cancel",
    "time passes",
    "reaped",
    "they tag",
    "they untag",
    "they do it too",
]
#: Rounds after which a world in good order must have come to rest.
ROUNDS = 60

#: How often a worker passes each kind of place in one turn, about.
PASSES = {"call": 4, "answer": 8, "read": 6, "nap": 12, "statement": 80}

interruptions = st.sampled_from(sorted(PASSES)).flatmap(
    lambda place: st.builds(
        Interruption, st.just(place), st.integers(1, PASSES[place]), st.sampled_from(EVENTS)
    )
)
plans = st.lists(interruptions, min_size=1, max_size=4)
faults = st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(0, 3))
clicks = st.sampled_from(["pause", "resume", "cancel"])
turns = st.sampled_from([60.0, 10.0, 3.0, 0.5, 0.0])
places = st.integers(0, TICKETS - 1)


class Jobs(RuleBasedStateMachine):
    """Jobs of a few tickets each, in a world where everything may go wrong at any time."""

    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.ended: dict[int, Any] = {}
        self.totals: dict[int, tuple[int | None, ...]] = {}

    def teardown(self) -> None:
        try:
            if not self.world.problems:
                self.come_to_rest()
        finally:
            self.world.close()

    # What may happen

    @initialize(
        target=jobs,
        picked=st.sets(places, min_size=4),
        change=st.sampled_from(CHANGES),
        calls=st.sampled_from(When),
    )
    def begin(self, picked: set[int], change: dict[str, list[str]], calls: When) -> int:
        self.world.calls.when = calls
        return self.world.submit(self._refs(picked), dry_run=False, canary=None, **change)

    @rule(
        target=jobs,
        picked=st.sets(places, min_size=1),
        change=st.sampled_from(CHANGES),
        dry_run=st.booleans(),
        canary=st.none() | st.integers(1, 5),
    )
    def ask_for(
        self, picked: set[int], change: dict[str, list[str]], dry_run: bool, canary: int | None
    ) -> int:
        return self.world.submit(self._refs(picked), dry_run=dry_run, canary=canary, **change)

    # More than once, because a rule is left out of many an example, and this one is what it is about.
    @rule(job=jobs, seconds=turns, fault=st.none() | faults, plan=plans)
    def work(self, job: int, seconds: float, fault: tuple[str, int] | None, plan: list[Interruption]) -> None:
        if fault:
            self.world.fault(fault[0], after=fault[1])
        self.world.work(job, seconds=seconds, plan=plan)

    @rule(job=jobs, fault=faults, plan=plans)
    def work_in_trouble(self, job: int, fault: tuple[str, int], plan: list[Interruption]) -> None:
        self.work(job, 60.0, fault, plan)

    @rule(picked=st.sets(places, min_size=4), change=st.sampled_from(CHANGES), plan=plans, fault=faults)
    def work_on_a_new_one(
        self, picked: set[int], change: dict[str, list[str]], plan: list[Interruption], fault: tuple[str, int]
    ) -> None:
        self.work(self.ask_for(picked, change, False, None), 60.0, fault, plan)

    @rule(job=jobs, what=clicks, is_stale=st.booleans())
    def click(self, job: int, what: str, is_stale: bool) -> None:
        self.world.click(job, what, by="bob")
        if is_stale:  # the same button in another tab
            self.world.click(job, what, by="cyd")

    @rule(target=jobs, job=jobs, kind=st.sampled_from([kind for kind in FollowUp if kind]))
    def follow(self, job: int, kind: FollowUp) -> Any:
        made = self.world.follow(job, kind)
        return multiple() if made is None else made

    @rule(place=places, what=st.sampled_from(["they tag", "they untag", "they do it too"]))
    def edit(self, place: int, what: str) -> None:
        self.world.edit(self.world.refs[place], what)

    @rule(seconds=st.sampled_from([1.0, 15.0, LONG, 700.0]), is_mended=st.booleans())
    def wait(self, seconds: float, is_mended: bool) -> None:
        if is_mended:
            self.world.account.faults.clear()
        self.world.clock.move(seconds)
        self.world.reap()

    # What must hold

    @invariant()
    def nothing_was_seen_that_must_not_be(self) -> None:
        assert self.world.problems == []

    @invariant()
    def the_counts_are_those_of_the_items(self) -> None:
        assert list(recount.drifts()) == []

    @invariant()
    def no_tag_of_others_is_lost(self) -> None:
        assert self.world.missing_tags() == []

    @invariant()
    def a_frozen_list_stays_as_it_is(self) -> None:
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
    def what_is_to_be_sent_waits_in_a_batch_that_will_be(self) -> None:
        open_ = Item.objects.filter(outcome=Outcome.PENDING)
        assert not open_.filter(batch__isnull=True).exists()
        assert not open_.filter(batch__state=BatchState.SETTLED).exists()
        for batch in Batch.objects.exclude(state=BatchState.SETTLED):
            assert batch.size == batch.items.filter(outcome=Outcome.PENDING).count()

    # How it ends

    def come_to_rest(self) -> None:
        """All is well again, people let everything go on, and workers are there: each job ends, truly."""
        self.world.account.faults.clear()
        self._work_all_off()
        for job in Job.objects.order_by("pk"):
            self._check_truth(job)
        self._undo_and_check()

    def _work_all_off(self) -> None:
        for _ in range(ROUNDS):
            left = list(Job.objects.exclude(status__in=ENDED).order_by("pk"))
            if not left:
                break
            for job in left:
                if job.status in STOPPED:
                    self.world.click(job.pk, "resume", by="ana")
                self.world.work(job.pk, seconds=30)
            self.world.clock.move(LONG)
            self.world.reap()
        assert [(job.pk, job.status) for job in Job.objects.exclude(status__in=ENDED)] == []
        self.nothing_was_seen_that_must_not_be()
        self.the_counts_are_those_of_the_items()
        self.no_tag_of_others_is_lost()
        self.an_ended_job_never_changes_again()

    def _check_truth(self, job: Job) -> None:
        """Where nobody else wrote, what is recorded is what was done."""
        for item in job.items.order_by("ref"):
            if self.world.is_ours_alone(item.ref, job.pk) and item.outcome != Outcome.UNVERIFIED:
                times = self.world.times_done(job.pk, item.ref)
                assert (item.ref, item.outcome, times) == (
                    item.ref,
                    item.outcome,
                    int(item.outcome == Outcome.CHANGED),
                )
                change = TicketChange.from_json(item.change or {})
                done = change if item.outcome == Outcome.CHANGED else TicketChange()
                assert self.world.tags(item.ref) == done.applied_to(self.world.first[item.ref])

    def _undo_and_check(self) -> None:
        """A ticket that one job changed, or may have, and it alone, is as it was when that job is undone."""
        writers: dict[int, set[int]] = {}
        for one in self.world.sent:
            for ref in one.refs:
                writers.setdefault(ref, set()).add(one.job)
        of_one = {ref: next(iter(jobs)) for ref, jobs in writers.items() if len(jobs) == 1}
        maybe = [Outcome.CHANGED, Outcome.UNVERIFIED]
        changed = set(Item.objects.filter(outcome__in=maybe).values_list("job_id", "ref"))
        of_one = {ref: job for ref, job in of_one.items() if (job, ref) in changed}
        undone = {job: self.world.follow(job, FollowUp.UNDO) for job in set(of_one.values())}
        self._work_all_off()
        for ref, job in of_one.items():
            assert undone[job] is not None
            assert self.world.theirs[ref] <= self.world.tags(ref)
            if ref not in self.world.edited:
                assert self.world.tags(ref) == self.world.first[ref]

    def _refs(self, picked: set[int]) -> list[int]:
        return [self.world.refs[place] for place in sorted(picked)]


@pytest.mark.slow
@pytest.mark.django_db
def test_nothing_is_lost_and_nothing_done_twice_whatever_happens(settings: Any) -> None:
    World.set_up(settings)
    logging.disable(logging.ERROR)
    try:
        run_state_machine_as_test(Jobs, settings=profile)
    finally:
        logging.disable(logging.NOTSET)
