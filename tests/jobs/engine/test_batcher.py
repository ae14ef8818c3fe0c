"""Putting items into batches."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.engine.batcher import UNREAD, Batcher
from jobs.models import Batch, Job
from jobs.states import Status
from jobs.work import Change
from tests.jobs.test_states import a_job

ADD_A, ADD_B = Change({"add": ["a"]}), Change({"add": ["b"]})


@pytest.fixture
def job(db: None) -> Job:
    return a_job(Status.SELECTING)


def fill(batcher: Batcher, changes: list[Change], *, attempt: int = 1) -> list[int]:
    """The batches that the items went into, as numbers from 0 in the order of their making."""
    homes = [batcher.batch_for(change, attempt=attempt, read_at=timezone.now()) for change in changes]
    batcher.save()
    numbers = {pk: number for number, pk in enumerate(sorted({home.pk for home in homes}))}
    return [numbers[home.pk] for home in homes]


def test_equal_changes_share_a_batch_until_it_is_full(job: Job) -> None:
    assert fill(Batcher(job, 2), [ADD_A, ADD_B, ADD_A, ADD_A]) == [0, 1, 0, 2]
    assert [(batch.size, batch.change) for batch in job.batches.order_by("id")] == [
        (2, {"add": ["a"]}),
        (1, {"add": ["b"]}),
        (1, {"add": ["a"]}),
    ]


def test_items_with_changes_of_their_own_share_a_batch(job: Job) -> None:
    own = [Change({"add": [tag]}, own=True) for tag in "abc"]
    assert fill(Batcher(job, 10), own) == [0, 0, 0]
    assert job.batches.get().change is None


def test_the_next_worker_fills_a_batch_that_was_left_open(job: Job) -> None:
    fill(Batcher(job, 3), [ADD_A, ADD_A])
    fill(Batcher(job, 3), [ADD_A, ADD_A])
    assert [batch.size for batch in job.batches.order_by("id")] == [3, 1]


def test_a_batch_that_was_sent_takes_no_more_items(job: Job) -> None:
    fill(Batcher(job, 3), [ADD_A])
    job.batches.update(state="sending", sent_at=timezone.now())
    fill(Batcher(job, 3), [ADD_A])
    assert [batch.size for batch in job.batches.order_by("id")] == [1, 1]


def test_items_that_are_sent_again_do_not_join_those_sent_for_the_first_time(job: Job) -> None:
    batcher = Batcher(job, 3)
    fill(batcher, [ADD_A])
    fill(batcher, [ADD_A], attempt=2)
    assert [(batch.attempt, batch.size) for batch in job.batches.order_by("id")] == [(1, 1), (2, 1)]


def test_one_stale_item_makes_its_whole_batch_stale(job: Job) -> None:
    batcher = Batcher(job, 3)
    fill(batcher, [ADD_A])
    batcher.batch_for(ADD_A, read_at=None)
    batcher.save()
    assert job.batches.get().read_at is None


def test_an_emptied_unread_batch_is_reused_for_a_change_of_its_items(job: Job) -> None:
    batcher = Batcher(job, 3)
    unread, *_ = [batcher.unread_batch() for _ in range(3)]
    batcher.save()
    assert (job.batches.get().key, job.batches.get().size, job.batches.get().change) == (UNREAD, 3, None)
    batcher = Batcher(job, 3)
    batcher.offer_for_reuse(unread)
    assert fill(batcher, [ADD_A, ADD_B, ADD_A]) == [0, 1, 0]
    assert batcher.has_reused(unread)
    assert [(batch.size, batch.change) for batch in job.batches.order_by("id")] == [
        (2, {"add": ["a"]}),
        (1, {"add": ["b"]}),
    ]


def test_an_emptied_unread_batch_is_not_reused_while_others_have_room(job: Job) -> None:
    fill(Batcher(job, 3), [ADD_A])
    unread = Batch.objects.create(job=job, key=UNREAD, size=2)
    batcher = Batcher(job, 3)
    batcher.offer_for_reuse(unread)
    fill(batcher, [ADD_A, ADD_A])
    assert not batcher.has_reused(unread)
    assert [batch.size for batch in batcher.filled] == [3]


def test_open_batches_of_many_keys_are_found_with_one_query(
    job: Job, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fill(Batcher(job, 3), [ADD_A, ADD_B])
    batcher = Batcher(job, 3)
    with django_assert_num_queries(1):
        batcher.find_open([ADD_A.key, ADD_B.key])
        batcher.find_open([ADD_B.key])
        homes = [batcher.batch_for(change, read_at=timezone.now()) for change in (ADD_A, ADD_B)]
    assert {home.pk for home in homes} == set(job.batches.values_list("pk", flat=True))


def test_saving_an_empty_batcher_makes_no_query(
    job: Job, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):  # a large job has ten thousand of them, each time one settles
        Batcher(job, 3).save()
