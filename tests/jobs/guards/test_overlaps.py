"""Overlapping jobs are recognised by the ends of their lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.guards import overlaps
from jobs.guards.overlaps import changed_by_others, overlapping_jobs
from jobs.models import Item, Job, ListedRefs
from jobs.states import Status
from tests import factories

pytestmark = pytest.mark.django_db

LEAVES_OUT: dict[str, Any] = {
    "kind": "several",
    "of": [{"kind": "ids", "name": ""}],
    "without": [{"kind": "ids", "name": ""}],
}


def read(refs: Iterable[int], status: Status = Status.RUNNING, **fields: Any) -> Job:
    """A job whose list is there."""
    job = factories.job(status, **fields)
    Item.objects.bulk_create([Item(job=job, ref=ref) for ref in refs])
    return job


def given(*rows: Iterable[int], **fields: Any) -> Job:
    """A job that waits with the numbers that were given to it, one row of the database for each."""
    job = factories.job(Status.QUEUED, **fields)
    for number, refs in enumerate(rows):
        ListedRefs.objects.create(job=job, number=number, refs=" ".join(map(str, refs)))
    return job


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlaps, "COMPARED_PER_END", 3)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (range(10, 20), range(19, 30)),
        (range(10, 20), range(1, 11)),
        (range(10, 100), range(40, 50)),  # their ends lie amid ours
        (range(40, 50), range(10, 100)),  # and ours amid theirs
        (range(40, 50), [44, 45, 46, 200, 201, 202]),  # they meet amid ours, at their beginning alone
        (range(40, 50), [1, 2, 3, 44, 45, 46]),  # and at their end alone
    ],
)
def test_overlapping_ranges_of_ids_meet(ours: range, theirs: range) -> None:
    job, other = read(ours, Status.SUCCEEDED), read(theirs)
    assert overlapping_jobs(job) == [other]


@pytest.mark.parametrize("theirs", [range(1, 10), range(20, 30)])
def test_disjoint_lists_do_not_meet(theirs: range) -> None:
    job = read(range(10, 20), Status.SUCCEEDED)
    read(theirs)
    given(theirs)
    read(range(10, 20), Status.SUCCEEDED)
    read(range(10, 20), dry_run=True)
    assert overlapping_jobs(job) == []


@pytest.mark.parametrize(
    "rows", [[range(17, 30)], [range(14, 16)], [range(17, 30), range(30, 40)], [[90], range(1, 13)]]
)
def test_ids_given_to_a_job_that_has_not_begun_count_too(rows: list[Iterable[int]]) -> None:
    job, other = read(range(10, 20), Status.SUCCEEDED), given(*rows)
    assert overlapping_jobs(job) == [other]
    assert overlapping_jobs(other) == []
    assert overlapping_jobs(given(*rows)) == [other]


def test_ids_that_a_job_leaves_out_do_not_count() -> None:
    job = read(range(10, 20), Status.SUCCEEDED)
    other = given([1, 2], source=LEAVES_OUT)
    out = ListedRefs.objects.create(job=other, part=1, number=1, refs="10 11")
    assert overlapping_jobs(job) == []
    out.part = 0
    out.save()
    assert overlapping_jobs(job) == [other]


def test_once_a_job_has_read_its_list_what_it_was_given_does_not_count() -> None:
    """Its filter, or another source that it leaves out, took the common tickets out."""
    job = read(range(10, 20), Status.SUCCEEDED)
    ListedRefs.objects.create(job=read(range(1, 5)), number=0, refs="10 11 12")
    assert overlapping_jobs(job) == []


def test_of_given_ids_both_ends_are_compared_and_none_between() -> None:
    job = read([600], Status.SUCCEEDED)
    given(range(1, 1_201))  # its ends are 500 numbers each
    first, last = given(range(600, 1_801)), given(range(1, 601))
    assert overlapping_jobs(job) == [first, last]


def test_of_ids_given_to_one_job_as_many_are_compared_as_of_a_list() -> None:
    job = read(range(40, 60), Status.SUCCEEDED)  # the numbers below lie amid it
    other = given([1, 2, 48, 90, 91, 92, 93])
    assert overlapping_jobs(job) == [other]


def test_the_same_view_overlaps_and_so_does_a_run_of_the_job() -> None:
    view = {"kind": "view", "id": 7, "title": "Open"}
    job = factories.job(Status.SUCCEEDED, source=view)
    same = factories.job(Status.QUEUED, source=view)
    run = factories.job(Status.QUEUED, source={"kind": "job", "job": job.pk})
    factories.job(Status.QUEUED, source={**view, "id": 8})
    assert overlapping_jobs(job) == [same, run]


def test_many_jobs_at_work_take_no_more_queries_than_one_of_each_kind() -> None:
    job = read(range(10, 20), Status.SUCCEEDED)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(overlapping_jobs(job)) == Job.objects.active().count()
        return len(captured)

    expected = [read(range(12, 30)), given(range(12, 30))]
    assert overlapping_jobs(job) == expected
    few = queries()
    for _ in range(5):
        read(range(12, 30))
        given([12], [13])
    assert queries() == few


def test_the_last_other_job_that_changed_a_ticket_since_is_named() -> None:
    now = timezone.now()
    ours, first, last, early = (factories.job(Status.SUCCEEDED, total=9) for _ in range(4))

    def changed(by: Job, ref: int, minutes: int, outcome: str = "changed") -> None:
        batch = factories.batch(by, settled_at=now + timedelta(minutes=minutes))
        factories.item(by, ref, outcome, batch=batch)

    changed(last, 1, 5)
    changed(first, 1, 3)
    changed(early, 2, -1)
    changed(first, 3, 0)
    changed(first, 4, 2, "failed")
    changed(ours, 5, 2)
    changed(first, 6, 2)
    assert changed_by_others(ours, [1, 2, 3, 4, 5, 7], since=now) == {1: last.pk, 3: first.pk}
    assert changed_by_others(ours, [], since=now) == {}


def test_fifty_jobs_at_most_are_compared_and_none_that_only_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    job = read(range(10, 20), Status.SUCCEEDED)
    read([10], dry_run=True)
    read([10], Status.CANCELLED)
    others = [read([10]) for _ in range(3)]
    assert overlapping_jobs(job) == others
    monkeypatch.setattr(overlaps, "MAX_JOBS", 2)
    assert overlapping_jobs(job) == others[:2]
    assert overlapping_jobs(others[0]) == others[1:]


def test_lists_of_numbers_are_the_same_only_where_the_list_has_a_name() -> None:
    unnamed, named = {"kind": "ids", "name": ""}, {"kind": "ids", "name": "vips.csv"}
    job = factories.job(Status.SUCCEEDED, source=named)
    same = factories.job(Status.QUEUED, source=named)
    factories.job(Status.QUEUED, source=unnamed)
    assert overlapping_jobs(job) == [same]
    assert overlapping_jobs(factories.job(Status.SUCCEEDED, source=unnamed)) == []
