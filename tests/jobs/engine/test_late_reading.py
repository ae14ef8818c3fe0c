"""A list that is known by its numbers and long is read right before it is sent, and no ticket of it twice."""

from __future__ import annotations

import time
from math import ceil
from typing import Any

import pytest
from django.db.models import Sum

from jobs import actions
from jobs.engine import execution, selection
from jobs.engine.batcher import UNREAD
from jobs.models import Job
from jobs.runtime.database_retry import DatabaseRetry
from jobs.runtime.time_slice import TimeSlice
from jobs.source_spec import Order
from jobs.states import BatchState, FollowUp, Outcome
from tagmanager.intake import sources
from tagmanager.intake.ticket_filter import TicketFilter
from tests.demo import ANA, Demo, counts, follow, outcomes, run, submit
from zendesk import sandbox as zd

READ = "GET tickets/show_many"
SENT = "PUT tickets/update_many"


@pytest.fixture(autouse=True)
def all_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a hundred is a long list here."""
    monkeypatch.setattr(selection, "READ_LATE_ABOVE", 100)


def listed_and_not_read(refs: list[int], **options: Any) -> Job:
    """Frozen, and put down before anything was read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "_send_all", lambda lease, *_: lease.release())
        job = run(submit(refs=refs, **options))
    assert (job.status, job.total, job.remaining) == ("running", len(refs), len(refs))
    return job


def run_until_one_more_is_settled(job: Job) -> None:
    settled = job.batches.filter(state=BatchState.SETTLED)
    before = settled.count()

    def end() -> None:
        if settled.count() > before:
            time_slice.until = 0.0

    time_slice = TimeSlice(time.monotonic() + 60, on_step=end)
    execution._run(job.pk, "", time_slice, DatabaseRetry(60))
    job.refresh_from_db()


def without(demo: Demo, tag: str) -> list[int]:
    return [ref for ref in demo.open_tickets if tag not in demo.tags(ref)]


def retag(demo: Demo, ref: int, *tags: str) -> None:
    demo.account.edit(ref, add=tags, remove=demo.tags(ref) - set(tags))


def calls(demo: Demo) -> tuple[int, int]:
    """That read tickets, without those that looked at what was sent; and that sent."""
    verify = Job.objects.aggregate(verify=Sum("calls_verify"))["verify"]
    return demo.calls(READ) - verify, demo.calls(SENT)


def test_each_ticket_is_read_once_and_its_snapshot_is_recorded(demo: Demo) -> None:
    refs = without(demo, "vip")[:250]
    had = {ref: demo.tags(ref) for ref in refs}
    job = listed_and_not_read(refs)
    assert calls(demo) == (0, 0)
    assert set(job.items.values_list("before", "change", "batch__key")) == {(None, None, UNREAD)}
    assert job.transitions.get(to_status="running").why == (
        "The list is complete: 250 tickets. What each needs is looked up right before it is sent."
    )
    job = run(job)
    assert (job.status, counts(job)) == ("succeeded", {"changed": 250})
    assert calls(demo) == (3, 3)
    assert {ref: set(tags) for ref, tags in job.items.values_list("ref", "before__tags")} == had
    assert list(job.items.values_list("change__add", flat=True)) == [["vip"]] * 250
    undo = follow(job, FollowUp.UNDO)
    assert (undo.status, counts(undo)) == ("succeeded", {"changed": 250})
    assert calls(demo) == (6, 6)
    assert {ref: demo.tags(ref) for ref in refs} == had


def test_the_snapshot_is_taken_right_before_the_change(demo: Demo) -> None:
    refs = without(demo, "vip")[:150]
    job = listed_and_not_read(refs)
    retag(demo, refs[0], "since", "vip")
    retag(demo, refs[1], "since")
    job = run(job)
    assert counts(job) == {"changed": 149, "unchanged": 1}
    assert job.items.filter(ref=refs[1]).values_list("before__tags", flat=True).get() == ["since"]
    follow(job, FollowUp.UNDO)
    assert (demo.tags(refs[0]), demo.tags(refs[1])) == ({"since", "vip"}, {"since"})


def test_batches_are_full_although_few_tickets_need_a_change(demo: Demo) -> None:
    need = without(demo, "vip")
    for number, ref in enumerate(need):
        if number % 3:
            demo.account.edit(ref, add=["vip"])
    wanted = len(need[::3])
    job = run(submit(refs=need))
    assert counts(job) == {"changed": wanted, "unchanged": len(need) - wanted}
    assert calls(demo) == (ceil(len(need) / 100), ceil(wanted / 100))
    sizes = sorted(job.batches.filter(size__gt=0).values_list("size", flat=True))
    assert (sum(sizes), sizes[-1]) == (wanted, 100)


def test_a_batch_that_settles_by_being_read_counts_as_progress(demo: Demo) -> None:
    refs = without(demo, "vip")[:150]
    job = listed_and_not_read(refs)
    for ref in refs:
        demo.account.edit(ref, add=["vip"])
    Job.objects.filter(pk=job.pk).update(crash_count=2)
    job = run(job)
    assert (job.status, counts(job), job.crash_count) == ("succeeded", {"unchanged": 150}, 0)
    assert calls(demo) == (2, 0)


def test_tickets_that_need_different_changes_go_into_different_batches(demo: Demo) -> None:
    refs = demo.open_tickets
    for number, ref in enumerate(refs):
        retag(demo, ref, *(["old"] if number % 2 else ["old", "older"]))
    halves = len(refs[::2]), len(refs[1::2])
    job = run(submit(refs=refs, remove=["old", "older"]))
    assert counts(job) == {"changed": len(refs)}
    assert calls(demo) == (ceil(len(refs) / 100), sum(ceil(half / 100) for half in halves))
    assert [{"old", "older"} & demo.tags(ref) for ref in refs] == [set()] * sum(halves)


def test_missing_deleted_and_closed_tickets_are_noticed_when_they_are_read(demo: Demo) -> None:
    refs = without(demo, "vip")[:120]
    missing, deleted, closed = 9_999_999, refs[3], demo.closed_tickets[:2]
    job = listed_and_not_read([*refs, *closed, missing])
    demo.account.delete(deleted)
    job = run(job)
    assert counts(job) == {"changed": 119, "skipped": 4}
    reasons = dict(job.items.filter(outcome=Outcome.SKIPPED).values_list("ref", "reason"))
    assert reasons == {deleted: "not_found", missing: "not_found", **dict.fromkeys(closed, "closed")}


def test_a_probe_precedes_closed_tickets_that_are_found_late(demo: Demo) -> None:
    closed, others = demo.closed_tickets[:6], without(demo, "brand-new")[:200]
    job = run(submit(refs=[*others, *closed], add=["brand-new"], closed=True))
    assert (job.status, counts(job)) == ("errored", {"changed": 200, "failed": 1, "remaining": 5})
    demo.account.configure(allow_closed=True)
    actions.resume(job=job, by=ANA)
    assert counts(run(job)) == {"changed": 205, "failed": 1}


def test_a_probe_is_a_ticket_that_needs_the_change(demo: Demo) -> None:
    """Not one that its batch has seen end when it was read."""
    demo.account.configure(allow_closed=True)
    closed = [ref for ref in demo.closed_tickets if "vip" not in demo.tags(ref)]
    refs = [*closed[:9], *range(9_000_000, 9_000_101)]
    job = listed_and_not_read(sorted(refs), add=["vip"], closed=True)
    demo.account.delete(closed[0])
    job = run(job)
    assert counts(job) == {"changed": 8, "skipped": 102}
    assert [batch.size for batch in job.batches.exclude(receipt="").order_by("sent_at")] == [1, 7]


def test_a_canary_of_unread_tickets_can_be_cancelled_and_its_rest_done(demo: Demo) -> None:
    refs = without(demo, "vip")[:230]
    job = run(submit(refs=refs, canary=7))
    assert (job.status, counts(job)) == ("paused", {"changed": 7, "remaining": 223})
    actions.cancel(job=job, by=ANA)
    rest = follow(job, FollowUp.REST)
    assert (rest.status, counts(rest)) == ("succeeded", {"changed": 223})
    assert outcomes(rest).keys() == set(refs) - set(
        job.items.filter(outcome="changed").values_list("ref", flat=True)
    )


def test_the_next_worker_finds_the_batches_that_the_last_one_filled(demo: Demo) -> None:
    refs = demo.open_tickets
    for number, ref in enumerate(refs):
        retag(demo, ref, *(["old"] if number % 2 else ["old", "older"]))
    job = listed_and_not_read(refs, remove=["old", "older"])
    slices = 0
    while not job.is_ended:
        run_until_one_more_is_settled(job)
        slices += 1
    assert counts(job) == {"changed": len(refs)}
    assert slices > 3
    assert demo.calls(SENT) == ceil(len(refs[::2]) / 100) + ceil(len(refs[1::2]) / 100)


@pytest.mark.parametrize("order", [Order.AS_FOUND, Order.NEWEST])
def test_a_combined_list_is_read_late_and_in_its_order(demo: Demo, order: Order) -> None:
    refs = without(demo, "vip")[:300]
    out = set(demo.account.view_ticket_ids(zd.VIEW_URGENT))
    of, apart = sources.ids(refs), sources.view(zd.VIEW_URGENT, "Urgent")
    made = submit(chosen=sources.combined([of], [apart], order), limit=110)
    left = sorted(set(refs) - out, reverse=order is Order.NEWEST)[:110]
    job = run(made)
    assert outcomes(job) == dict.fromkeys(left, "changed")
    assert calls(demo) == (2, 2)


def test_the_real_run_of_a_preview_reads_only_before_it_sends(demo: Demo) -> None:
    refs = without(demo, "vip")[:250]
    preview = run(submit(refs=refs, dry_run=True))
    assert (counts(preview), calls(demo)) == ({"planned": 250}, (3, 0))
    real = follow(preview, FollowUp.RUN)
    assert (counts(real), calls(demo)) == ({"changed": 250}, (6, 3))


def test_a_filtered_or_short_list_is_read_first(demo: Demo) -> None:
    refs = without(demo, "vip")[:150]
    only = TicketFilter(lacking=frozenset({"spam"}))
    narrowed = run(submit(refs=refs, only=only))
    short = run(submit(refs=refs[:100]))
    for job in (narrowed, short):
        assert not job.batches.filter(key=UNREAD).exists()
