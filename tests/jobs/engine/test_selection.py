"""Lists made of several sources: united, with others taken out, narrowed, in an order, cut by a limit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partialmethod
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs import actions
from jobs.engine import source_reader
from jobs.engine.id_set import IdSet, sorted_ids
from jobs.list_cursor import ListCursor, listing_progress
from jobs.models import Job
from jobs.source_spec import Order
from jobs.states import FollowUp
from jobs.workers.reaper import reap
from tagmanager.changes import ticket_work
from tagmanager.intake import sources
from tagmanager.intake.source_kinds import view as view_kind
from tagmanager.intake.sources import Source, combined
from tagmanager.intake.ticket_filter import TicketFilter
from tests.demo import ANA, Demo, counts, follow, outcomes, run, submit
from zendesk import Zendesk
from zendesk.page_size import PageSize
from zendesk.sandbox import VIEW_PENDING, VIEW_UNSOLVED, VIEW_URGENT

ORDERS = [order for order in Order if order]
UNSOLVED = sources.view(VIEW_UNSOLVED, "All unsolved")
URGENT = sources.view(VIEW_URGENT, "Urgent")
PENDING = sources.view(VIEW_PENDING, "Pending")


def in_view(demo: Demo, view: int) -> set[int]:
    return set(demo.account.view_ticket_ids(view))


def listed(job: Job) -> list[int]:
    """The tickets of the job as they came into its list."""
    return list(job.items.order_by("pk").values_list("ref", flat=True))


def frozen(job: Job) -> str:
    return job.transitions.get(from_status="selecting", to_status="running").why


def changed_at(demo: Demo, ref: int) -> Any:
    return demo.account.ticket(ref).updated_at


# What is in the list


def test_tickets_of_several_sources_are_in_the_job_once_each(demo: Demo) -> None:
    demo.account.edit(demo.closed_tickets[0], add=["tagged"])
    missing = 99_999
    source = combined([UNSOLVED, URGENT, sources.tag("tagged"), sources.ids([missing, missing])])
    job = run(submit(chosen=source, add=["brand-new"]))
    united = in_view(demo, VIEW_UNSOLVED) | in_view(demo, VIEW_URGENT)
    expected = dict.fromkeys(united, "changed") | {demo.closed_tickets[0]: "skipped", missing: "skipped"}
    assert (job.status, outcomes(job)) == ("succeeded", expected)
    assert dict(demo.account.ledger.updates) == dict.fromkeys(united, 1)


def test_any_kind_of_source_can_be_taken_out(demo: Demo) -> None:
    unsolved = sorted(in_view(demo, VIEW_UNSOLVED))
    demo.account.edit(unsolved[0], add=["spared"])
    earlier = run(submit(refs=unsolved[1:3], add=["x"]))
    without = [
        URGENT,
        sources.tag("spared"),
        sources.items(earlier.pk, ["changed"]),
        sources.ids(unsolved[3:5]),
    ]
    job = run(submit(chosen=combined([UNSOLVED], without), add=["brand-new"]))
    kept = set(unsolved[5:]) - in_view(demo, VIEW_URGENT)
    assert outcomes(job) == dict.fromkeys(kept, "changed")
    assert {ref for ref in unsolved if "brand-new" in demo.tags(ref)} == kept
    left = len(unsolved) - len(kept)
    assert frozen(job) == (
        f"The list is complete: {len(kept)} tickets, {len(kept)} to change. Of those that were read, {left} "
        "were left out, as asked."
    )
    assert list(job.listed.values_list("part", flat=True)) == [4]  # only what a person gave is kept


def test_only_tickets_that_the_filter_accepts_are_in_the_job(demo: Demo) -> None:
    having, lacking, both = demo.open_tickets[:3]
    for ref, tags in ((having, ["have"]), (lacking, []), (both, ["have", "lack"])):
        demo.account.edit(ref, add=tags)
    statuses = {demo.account.ticket(ref).status for ref in (having, lacking, both)}
    source = sources.ids([having, lacking, both, 99_999])
    only = TicketFilter(frozenset({"have"}), frozenset({"lack"}), frozenset(statuses))
    job = run(submit(chosen=source, only=only, add=["brand-new"]))
    # A ticket that cannot be seen is listed and reported: its tags are not known.
    assert outcomes(job) == {having: "changed", 99_999: "skipped"}
    assert listing_progress(job).left == 2
    assert "2 were left out" in frozen(job)


@pytest.mark.parametrize("order", ORDERS)
def test_the_limit_applies_after_sorting_and_filtering(demo: Demo, order: Order) -> None:
    unsolved = in_view(demo, VIEW_UNSOLVED) - in_view(demo, VIEW_PENDING)
    for ref in sorted(unsolved)[::2]:
        demo.account.edit(ref, add=["even"])
    source = combined([URGENT, UNSOLVED, sources.ids([99_999])], [PENDING], order)

    def place(ref: int) -> Any:
        return (changed_at(demo, ref), ref) if order.goes_by_change else ref

    fitting = [ref for ref in unsolved if "even" in demo.tags(ref)]
    expected = sorted(fitting, key=place, reverse=order.is_backwards)
    job = run(
        submit(chosen=source, only=TicketFilter(having=frozenset({"even"})), limit=7, add=["brand-new"])
    )
    with_missing = [99_999, *expected] if order is Order.NEWEST else expected
    assert listed(job) == with_missing[:7]


def test_a_canary_changes_the_first_tickets_in_the_order(demo: Demo) -> None:
    job = run(submit(chosen=combined([UNSOLVED], [], Order.OLDEST), canary=3, add=["brand-new"]))
    oldest = sorted(in_view(demo, VIEW_UNSOLVED))[:3]
    assert (job.status, set(demo.account.ledger.updates)) == ("paused", set(oldest))


@pytest.mark.parametrize("order", Order)
def test_an_empty_source_makes_an_empty_list(demo: Demo, order: Order) -> None:
    empty = sources.tag("nobody-has-this")
    job = run(submit(chosen=combined([empty, sources.search("tags:nor-this")], [empty], order)))
    assert (job.status, job.total) == ("succeeded", 0)
    job = run(submit(chosen=combined([sources.ids([1, 2])], [sources.ids([2, 1])], order)))
    assert (job.status, job.total) == ("succeeded", 0)


choices = st.lists(st.sets(st.integers(0, 11)), min_size=1, max_size=3)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    choices,
    st.lists(st.sets(st.integers(0, 11)), max_size=2),
    st.sampled_from(ORDERS[:2]),
    st.integers(1, 12),
)
def test_united_and_subtracted_lists_agree_with_sets(
    demo: Demo, of: list[set[int]], without: list[set[int]], order: Order, limit: int
) -> None:
    def named(places: list[set[int]]) -> list[Source]:
        return [sources.ids([demo.open_tickets[place] for place in some]) for some in places]

    job = run(submit(chosen=combined(named(of), named(without), order), limit=limit, dry_run=True))
    left = set().union(*of) - set().union(*without)
    expected = sorted((demo.open_tickets[place] for place in left), reverse=order.is_backwards)
    assert listed(job) == expected[:limit]


# Later


def test_a_ticket_that_no_longer_fits_before_sending_is_skipped_with_the_reason(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    for ref in refs:
        demo.account.edit(ref, add=["wanted"])
    made = submit(
        chosen=sources.ids(refs), only=TicketFilter(having=frozenset({"wanted"})), add=["brand-new"], canary=1
    )
    assert run(made).status == "paused"
    job = made.job
    demo.account.edit(refs[2], remove=["wanted"])
    job.batches.update(read_at=None)  # a long pause
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert outcomes(job) == {refs[0]: "changed", refs[1]: "changed", refs[2]: "skipped"}
    assert job.items.get(ref=refs[2]).detail == (
        "It does not have wanted, and only tickets that do are to be changed."
    )


def test_follow_ups_keep_the_tickets_and_the_filter(demo: Demo) -> None:
    refs = demo.open_tickets[:4]
    only = TicketFilter(lacking=frozenset({"brand-new"}))
    preview = run(
        submit(
            chosen=combined([sources.ids(refs)], [], Order.NEWEST), only=only, add=["brand-new"], dry_run=True
        )
    )
    assert counts(preview) == {"planned": 4}
    demo.account.edit(refs[0], add=["brand-new"])
    real = follow(preview, FollowUp.RUN)
    # A ticket that needs no change is reported as such, although it no longer fits.
    assert outcomes(real) == {refs[0]: "unchanged"} | dict.fromkeys(refs[1:], "changed")
    undone = follow(real, FollowUp.UNDO)
    assert outcomes(undone) == dict.fromkeys(refs[1:], "changed")
    assert ["brand-new" in demo.tags(ref) for ref in refs[1:]] == [False] * 3


def test_another_jobs_tickets_come_without_its_requests_for_single_tickets(demo: Demo) -> None:
    ref = demo.open_tickets[0]
    rows = actions.submit(
        tool="tag-rows",
        title="Rows",
        params={"include_closed": False},
        source={"kind": "ids", "name": ""},
        refs=[ref],
        given=[{"add": ["of-the-row"], "remove": []}],
        by=ANA,
        here=True,
    )
    earlier = run(rows)
    run(submit(chosen=sources.items(earlier.pk, ["changed"]), add=["of-the-job"]))
    assert demo.tags(ref) >= {"of-the-row", "of-the-job"}


# Interrupted


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of twenty tickets."""
    monkeypatch.setattr(Zendesk, "_pages", partialmethod(Zendesk._pages, size=PageSize(20)))
    monkeypatch.setattr(ticket_work.TicketWork, "batch_size", 20)
    monkeypatch.setattr(source_reader, "REFS_AT_ONCE", 20)


def is_lost(job: Job) -> Job:
    """Its worker died with the job in hand, and the reaper found out."""
    dead = {"status": "selecting", "lease_token": "t", "lease_owner": "gone", "resumes_at": None}
    Job.objects.filter(pk=job.pk).update(**dead, beat_at=timezone.now() - timedelta(minutes=5))
    reap()
    Job.objects.filter(pk=job.pk).update(resumes_at=timezone.now(), crash_count=0)
    return job


def is_paused(job: Job) -> Job:
    actions.pause(job=job, by=ANA)
    assert run(job, seconds=0.0).status == "paused"
    actions.resume(job=job, by=ANA)
    return job


def is_old(job: Job) -> Job:
    """Long enough for the other side to forget its cursors."""
    Job.objects.filter(pk=job.pk).update(cursor_at=timezone.now() - timedelta(hours=1))
    return job


@pytest.mark.parametrize(
    ("interrupted", "order"),
    [
        (is_lost, Order.AS_FOUND),
        (is_paused, Order.OLDEST),
        (is_old, Order.AS_FOUND),
        (is_lost, Order.LAST_CHANGED),
    ],
)
def test_a_list_interrupted_at_every_page_comes_out_the_same(
    demo: Demo, small_pages: None, order: Order, interrupted: Callable[[Job], Job]
) -> None:
    pending = in_view(demo, VIEW_PENDING)
    earlier = run(submit(refs=sorted(pending)[:25], add=["x"]))
    typed = [*demo.closed_tickets[:25], *sorted(pending)[-20:]]  # the last ones are in the view, too
    without = [URGENT, sources.items(earlier.pk, ["changed"])]
    job = submit(
        chosen=combined([PENDING, sources.ids(typed)], without, order), add=["brand-new"], here=False
    ).job
    stages: set[int] = set()
    while not (job := run(job, seconds=0.0)).frozen_at:
        stage = ListCursor.parse(job.cursor).stage
        if interrupted is not is_old or stage not in stages:  # which sends it back to the stage's start
            job = interrupted(job)
        stages.add(stage)
    job = run(job)
    expected = (pending | set(typed)) - in_view(demo, VIEW_URGENT) - set(sorted(pending)[:25])
    assert (job.status, set(listed(job)), len(stages) > 2) == ("succeeded", expected, True)
    assert (list(job.listed.values_list("part", flat=True)), len(listed(job))) == ([1], len(expected))


@pytest.mark.parametrize(("waited", "begins_anew"), [(9, False), (11, True)])
def test_a_view_that_shifts_while_the_job_waits_is_read_again_after_ten_minutes(
    demo: Demo, small_pages: None, waited: int, begins_anew: bool
) -> None:
    """Pages are offsets: tickets that leave the first page move others to where no page is read again."""
    before = in_view(demo, VIEW_UNSOLVED)
    job = run(submit(view=VIEW_UNSOLVED, add=["brand-new"], here=False), seconds=0.0)
    read = listed(job)
    assert (len(read), set(read) < before) == (20, True)
    for ref in read[:5]:
        demo.account.edit(ref, status="solved")
    Job.objects.update(cursor_at=timezone.now() - timedelta(minutes=waited))
    job = run(job)
    missed = before - set(listed(job))
    assert (job.status, len(missed)) == ("succeeded", 0 if begins_anew else 5)
    assert len(listed(job)) == len(before) - len(missed)


def test_cancelling_while_ids_are_gathered_stops_before_any_item(demo: Demo, small_pages: None) -> None:
    job = submit(chosen=combined([UNSOLVED], [PENDING]), add=["brand-new"], here=False).job
    job = run(job, seconds=0.0)
    assert (job.found, listing_progress(job).is_taking_out, listing_progress(job).gathered) == (0, True, 20)
    actions.cancel(job=job, by=ANA)
    job = run(job)
    assert (job.status, job.found, dict(demo.account.ledger.updates)) == ("cancelled", 0, {})


def test_a_view_to_leave_out_that_ends_early_stops_the_job_before_any_item(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_kind, "DEPTH", 100)
    demo.account.configure(view_depth=100)
    demo.account.view_counts.get(VIEW_UNSOLVED, demo.account.now(), lambda: 0)
    number = len(in_view(demo, VIEW_UNSOLVED))
    job = run(submit(chosen=combined([sources.ids(demo.open_tickets)], [UNSOLVED]), add=["brand-new"]))
    assert (job.status, job.found) == ("errored", 0)
    assert job.error == (
        f"Zendesk counts {number} tickets in this view, and its pages ended after 100: which others are to "
        "be left out is not known, so nothing was begun. Cancel this job, and name the tickets to leave out "
        "by a search, which has no such end."
    )


# In little room

NUMBERS = st.integers(1, 2**62 - 1)


@given(st.lists(st.tuples(NUMBERS, st.none() | st.integers(0, 5))), st.booleans())
@pytest.mark.once
def test_sorted_ids_agree_with_pythons_sort(pairs: list[tuple[int, int | None]], backwards: bool) -> None:
    def place(pair: tuple[int, int | None]) -> tuple[bool, int, int]:
        sign = -1 if backwards else 1
        return pair[1] is None, sign * (pair[1] or 0), sign * pair[0]

    expected = [ref for ref, _ in sorted(pairs, key=place)]
    once = [ref for at, ref in enumerate(expected) if at == 0 or expected[at - 1] != ref]
    assert list(sorted_ids(pairs, backwards=backwards)) == once


@given(st.sets(NUMBERS), st.sets(NUMBERS))
@pytest.mark.once
def test_an_id_set_holds_what_a_set_holds(inside: set[int], asked: set[int]) -> None:
    refs = IdSet(inside)
    assert {ref for ref in asked | inside if ref in refs} == inside


def test_many_runs_are_merged_into_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.engine.id_set.RUN_LENGTH", 3)
    numbers = [5, 1, 4, 4, 2, 9, 1, 7]
    assert list(sorted_ids((ref, 0) for ref in numbers)) == [1, 2, 4, 5, 7, 9]
    assert [ref for ref in range(11) if ref in IdSet(numbers)] == [1, 2, 4, 5, 7, 9]
