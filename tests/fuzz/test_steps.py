"""A worker killed or frozen at each named step: the same end, and nothing is sent twice."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from jobs.reports import recount
from jobs.runtime.failpoints import Failpoint
from jobs.source_spec import Order
from tagmanager.intake import sources
from tests.demo import Demo, has_ended, holder_of, outcomes, submit
from tests.fuzz.conftest import QUICK, StartFleet
from tests.fuzz.fleet import LOST, outdate_beat
from tests.fuzz.orders import FREEZE, KILL, Orders
from tests.processes import await_that, is_frozen
from zendesk import sandbox as zd

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("read_first", [0, pytest.param(1_000, marks=pytest.mark.journey)])
def test_a_worker_killed_at_any_step_is_replaced_and_nothing_is_sent_twice(
    counting: Demo, orders: Orders, start_fleet: StartFleet, read_first: int
) -> None:
    refs = counting.open_tickets[:120]
    start_fleet(times=f"{QUICK} jobs.engine.selection.READ_LATE_ABOVE={read_first}")
    steps = [step for step in Failpoint if step is not Failpoint.READ_WRITTEN or not read_first]
    for number, step in enumerate(steps, start=1):
        if step is Failpoint.RELEASING:
            counting.account.hold()  # the slice ends before the job
        orders.give(KILL, step)
        job = submit(refs=refs, here=False, add=[f"tag-{number}"]).job
        await_that(orders.struck, f"a worker at {step.name}")
        counting.account.release()
        await_that(partial(has_ended, job), f"the end of the job after {step.name}")
        assert (step, job.status) == (step, "succeeded")
        assert outcomes(job) == dict.fromkeys(refs, "changed")
        assert dict(counting.account.ledger.updates) == dict.fromkeys(refs, number), step
        assert job.transitions.filter(why__contains="was lost").count() == 1
    assert list(recount.drifts()) == []


@pytest.mark.parametrize(
    "step",
    [
        Failpoint.BATCH_CHOSEN,
        pytest.param(Failpoint.BATCH_RESERVED, marks=pytest.mark.journey),
        Failpoint.CALL_MADE,
        Failpoint.ANSWERS_READ,
    ],
)
def test_a_worker_frozen_past_its_lease_does_no_harm_when_it_wakes(
    counting: Demo, orders: Orders, start_fleet: StartFleet, step: Failpoint
) -> None:
    refs = counting.open_tickets[:120]
    fleet = start_fleet()
    orders.give(FREEZE, step)
    job = submit(refs=refs, here=False, add=["brand-new"]).job
    frozen = await_that(orders.struck, f"a worker at {step.name}")
    await_that(lambda: is_frozen(frozen), "the freeze")
    assert holder_of(job) == frozen
    assert outdate_beat(job)
    await_that(partial(has_ended, job), "the end of the job, by another worker")
    os.kill(frozen, signal.SIGCONT)
    await_that(lambda: LOST in fleet.said(), "its finding out")
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert dict(counting.account.ledger.updates) == dict.fromkeys(refs, 1)
    assert has_ended(job)
    assert list(recount.drifts()) == []


@pytest.mark.parametrize("order", [Order.AS_FOUND, Order.OLDEST])
def test_a_worker_killed_while_numbers_are_gathered_is_replaced_and_the_list_is_the_same(
    counting: Demo, orders: Orders, start_fleet: StartFleet, order: Order
) -> None:
    unsolved, urgent = (
        set(counting.account.view_ticket_ids(view)) for view in (zd.VIEW_UNSOLVED, zd.VIEW_URGENT)
    )
    of, without = sources.view(zd.VIEW_UNSOLVED, "A"), sources.view(zd.VIEW_URGENT, "B")
    start_fleet()
    orders.give(KILL, Failpoint.PAGE_WRITTEN)
    job = submit(chosen=sources.combined([of], [without], order), here=False, add=["brand-new"]).job
    await_that(orders.struck, "a worker at its first page of numbers")
    orders.give(KILL, Failpoint.PAGE_WRITTEN)
    await_that(orders.struck, "the next worker at a page")
    await_that(partial(has_ended, job), "the end of the job")
    assert outcomes(job) == dict.fromkeys(unsolved - urgent, "changed")
    assert dict(counting.account.ledger.updates) == dict.fromkeys(unsolved - urgent, 1)
    assert list(recount.drifts()) == []


def test_a_cluster_killed_as_a_whole_is_followed_by_the_next(counting: Demo, start_fleet: StartFleet) -> None:
    counting.account.hold(after=2)
    refs = counting.open_tickets
    fleet = start_fleet()
    job = submit(refs=refs, here=False, add=["brand-new"]).job
    await_that(lambda: job.batches.filter(state="settled").exists(), "the first batches")
    fleet.end(fleet.clusters[0])
    counting.account.release()
    fleet.start()
    await_that(partial(has_ended, job), "the end of the job")
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert dict(counting.account.ledger.updates) == dict.fromkeys(refs, 1)
    assert list(recount.drifts()) == []
