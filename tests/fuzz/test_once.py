"""A job that mails customers, its workers killed and frozen where it hurts most: nobody gets two mails."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from jobs import actions
from jobs.models import Job
from jobs.reports import recount
from jobs.runtime.failpoints import Failpoint
from tests.demo import ANA, Demo, has_ended, outcomes
from tests.fuzz.conftest import QUICK, StartFleet
from tests.fuzz.fleet import LOST, outdate_beat
from tests.fuzz.orders import FREEZE, KILL, Orders
from tests.processes import await_that, is_frozen
from zendesk import sandbox as zd

pytestmark = pytest.mark.slow

TIMES = f"{QUICK} jobs.engine.lost_search.ABSENCE_CONFIRM_DELAY=1"
#: From the moment that a batch is written down as being sent until its outcomes are.
STEPS = (
    Failpoint.BATCH_RESERVED,
    Failpoint.CALL_MADE,
    Failpoint.RECEIPT_WRITTEN,
    Failpoint.ANSWERS_READ,
    Failpoint.SETTLING,
)


def mail(demo: Demo, refs: list[int]) -> Job:
    """A job whose macro says something else to each customer."""
    said = "Hello {{ticket.requester.name}}. {{current_user.name}} has news on #{{ticket.id}}."
    params = {
        "macro": zd.MACRO_NOT_RESPONDING,
        "macro_title": "Customer not responding",
        "add": [],
        "remove": [],
        "set": [],
        "fields": {"status": "pending"},
        "left_out": [],
        "as_of": "2024-01-08T09:00:00Z",
        "public_reply": said,
        "mark": f"mark-{refs[0]}",
        "include_closed": False,
    }
    source = {"kind": "ids", "name": ""}
    return actions.submit(
        tool="apply-macro", title="Mail", params=params, source=source, refs=refs, by=ANA
    ).job


def test_killed_anywhere_around_a_send_no_customer_gets_two_mails(
    counting: Demo, orders: Orders, start_fleet: StartFleet
) -> None:
    start_fleet(times=TIMES)
    every = counting.open_tickets
    for number, step in enumerate(STEPS):
        refs = every[30 * number : 30 * (number + 1)]
        orders.give(KILL, step)
        if step is Failpoint.CALL_MADE:
            counting.fault("results_null", times=None)  # only the history tells
        job = mail(counting, refs)
        await_that(orders.struck, f"a worker at {step.name}")
        await_that(partial(has_ended, job), f"the end of the job after {step.name}")
        counting.account.faults.clear()
        assert (step, outcomes(job)) == (step, dict.fromkeys(refs, "changed"))
        assert job.transitions.filter(why__contains="was lost").count() == 1
    mailed = every[: 30 * len(STEPS)]
    assert dict(counting.account.ledger.public_comments) == dict.fromkeys(mailed, 1)
    assert list(recount.drifts()) == []


@pytest.mark.parametrize(("step", "tickets"), [(Failpoint.BATCH_RESERVED, 30), (Failpoint.CALL_MADE, 230)])
def test_frozen_with_batches_in_hand_and_replaced_it_mails_nobody_twice(
    counting: Demo, orders: Orders, start_fleet: StartFleet, step: Failpoint, tickets: int
) -> None:
    refs = counting.open_tickets[:tickets]
    fleet = start_fleet(times=TIMES)
    orders.give(FREEZE, step)
    job = mail(counting, refs)
    frozen = await_that(orders.struck, f"a worker at {step.name}")
    await_that(lambda: is_frozen(frozen), "the freeze")
    assert outdate_beat(job)
    await_that(partial(has_ended, job), "the end of the job, by another worker")
    os.kill(frozen, signal.SIGCONT)
    await_that(lambda: LOST in fleet.said(), "its finding out")
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert dict(counting.account.ledger.public_comments) == dict.fromkeys(refs, 1)
    assert list(recount.drifts()) == []
