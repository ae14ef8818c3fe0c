"""With one guard taken out, tickets are sent twice: each is needed, and the fuzz would see it missing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial

import pytest
from django_q.models import OrmQ

from jobs.models import Job
from jobs.runtime import wakeups
from jobs.runtime.failpoints import Failpoint
from jobs.states import BatchState
from tests.demo import Demo, has_ended, submit
from tests.fuzz.conftest import StartFleet
from tests.fuzz.fleet import LOST, outdate_beat
from tests.fuzz.orders import FREEZE, KILL, Orders
from tests.processes import await_that, is_frozen

pytestmark = [pytest.mark.slow, pytest.mark.once]
TICKETS = 30


class Scene:
    """One job of one batch, and what may become of it."""

    def __init__(self, demo: Demo, orders: Orders) -> None:
        self.demo = demo
        self.orders = orders
        self.refs = demo.open_tickets[:TICKETS]

    def submit(self) -> Job:
        return submit(refs=self.refs, here=False, add=["brand-new"]).job

    def frozen(self, at: Failpoint) -> int:
        """The process that froze at the step."""
        pid = await_that(self.orders.struck, f"a worker at {at.name}")
        await_that(lambda: is_frozen(pid), "the freeze")
        return pid

    @property
    def updates(self) -> dict[int, int]:
        return dict(self.demo.account.ledger.updates)

    @property
    def sent(self) -> dict[int, int]:
        return dict(self.demo.account.ledger.sent)

    @property
    def doubled(self) -> dict[int, int]:
        return dict.fromkeys(self.refs, 2)

    @property
    def once(self) -> dict[int, int]:
        return dict.fromkeys(self.refs, 1)


@pytest.fixture
def scene(counting: Demo, orders: Orders) -> Iterator[Scene]:
    scene = Scene(counting, orders)
    yield scene
    # Whatever happens to writes, tags are added once.
    assert ["brand-new" in counting.tags(ref) for ref in scene.refs] == [True] * TICKETS


def test_without_looking_for_a_lost_batch_it_is_sent_twice(scene: Scene, start_fleet: StartFleet) -> None:
    start_fleet(without="looking")
    scene.orders.give(KILL, Failpoint.CALL_MADE)
    job = scene.submit()
    await_that(partial(has_ended, job), "the end of the job")
    assert scene.updates == scene.doubled


def test_without_the_fence_a_worker_that_slept_sends_what_another_has_sent(
    scene: Scene, start_fleet: StartFleet
) -> None:
    start_fleet(without="fence")
    scene.orders.give(FREEZE, Failpoint.BATCH_RESERVED)
    job = scene.submit()
    frozen = scene.frozen(Failpoint.BATCH_RESERVED)
    assert outdate_beat(job)
    await_that(partial(has_ended, job), "the end of the job, by another worker")
    assert scene.updates == scene.once
    os.kill(frozen, signal.SIGCONT)
    await_that(lambda: scene.updates == scene.doubled, "the second writing")


@pytest.mark.parametrize("without", ["", "claim"])
def test_without_the_conditional_claim_a_second_wake_up_makes_a_second_sender(
    scene: Scene, start_fleet: StartFleet, without: str
) -> None:
    """The one who has the job is only slow: his lease has not run out, so he may go on."""
    start_fleet(
        without=without,
        times="jobs.workers.watching_broker.WATCH_EVERY=0.2 jobs.engine.lost_search.LOST_SEARCH_DELAY=0.3",
    )
    scene.orders.give(FREEZE, Failpoint.FENCE_PASSED, after=Failpoint.BATCH_RESERVED)
    job = scene.submit()
    frozen = scene.frozen(Failpoint.FENCE_PASSED)
    wakeups.wake(job)
    message = OrmQ.objects.latest("id").pk
    await_that(lambda: not OrmQ.objects.filter(pk=message).exists(), "the wake-up's being worked off")
    os.kill(frozen, signal.SIGCONT)
    await_that(partial(has_ended, job), "the end of the job")
    await_that(lambda: scene.updates == (scene.doubled if without else scene.once), "the writing")


@pytest.mark.parametrize("without", ["", "token"])
def test_without_the_token_in_commits_a_worker_that_slept_takes_a_batch_that_another_has_sent(
    scene: Scene, start_fleet: StartFleet, without: str
) -> None:
    scene.demo.account.hold()  # the batch is under way until both have had it
    fleet = start_fleet(without=without)
    scene.orders.give(FREEZE, Failpoint.BATCH_CHOSEN)
    job = scene.submit()
    frozen = scene.frozen(Failpoint.BATCH_CHOSEN)
    assert outdate_beat(job)
    await_that(lambda: job.batches.filter(state=BatchState.SENT).exists(), "another's sending")
    os.kill(frozen, signal.SIGCONT)
    if without:
        await_that(lambda: scene.sent == scene.doubled, "the second sending")
        scene.demo.account.release()
        await_that(lambda: "brand-new" in scene.demo.tags(scene.refs[-1]), "the writing")
        return
    await_that(lambda: LOST in fleet.said(), "its finding out")
    scene.demo.account.release()
    await_that(partial(has_ended, job), "the end of the job")
    assert scene.sent == scene.once
