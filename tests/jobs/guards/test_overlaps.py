"""Overlapping jobs are recognised by the ends of their lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.guards import overlaps
from jobs.guards.overlaps import overlapping_jobs
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
