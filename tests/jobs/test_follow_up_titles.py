"""The title of a follow-up says what it does and about which job, and stays short."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.follow_up_titles import follow_up_title
from jobs.models import Job
from jobs.states import FollowUp
from tests import factories

RETRY, REST, RUN, UNDO, UNGUARD = (
    FollowUp.RETRY,
    FollowUp.REST,
    FollowUp.RUN,
    FollowUp.UNDO,
    FollowUp.UNGUARD,
)


def line(*kinds: FollowUp, title: str = "Add vip") -> tuple[Job, str]:
    """The job at the beginning of a line of follow-ups, oldest first, and the title of the last of them."""
    eldest = job = factories.job(title=title)
    for kind in kinds[:-1]:
        job = factories.job(title=follow_up_title(job, kind)[:300], parent=job, follow_up=kind)
    return eldest, follow_up_title(job, kinds[-1])


@pytest.mark.parametrize(
    ("kinds", "title"),
    [
        ([RETRY], "Retry: Add vip"),
        ([REST], "The rest of: Add vip"),
        ([RUN], "Add vip"),
        ([UNDO], "Undo: Add vip"),
        ([UNGUARD], "Take the guard tag off: Add vip"),
        ([RUN, UNDO], "Undo: Add vip"),
        ([RUN, RETRY, RETRY], "Retry 2 of job 1: Add vip"),
        ([UNDO, UNDO], "Undo of the undo of job 1: Add vip"),
        ([UNDO, UNDO, UNDO], "Undo 3 in a row of job 1: Add vip"),
        ([RETRY, RETRY, RETRY], "Retry 3 of job 1: Add vip"),
        ([REST, REST], "Rest 2 of job 1: Add vip"),
        ([UNDO, RETRY], "Retry of the undo of job 1: Add vip"),
        ([UNDO, REST], "The rest of the undo of job 1: Add vip"),
        ([RETRY, RETRY, UNDO], "Undo of retry 2 of job 1: Add vip"),
        ([REST, UNDO, UNGUARD], "Removal of the guard tag of the undo of the rest of job 1: Add vip"),
        ([RETRY, REST, RETRY, UNDO], "Undo of follow-up 4 of job 1: Add vip"),
        ([RETRY, REST, RETRY, REST, REST], "Rest 2 of follow-up 5 of job 1: Add vip"),
    ],
)
def test_a_title_names_what_is_done_and_the_job_it_began_with(
    db: None, kinds: list[FollowUp], title: str
) -> None:
    eldest, found = line(*kinds)
    assert found.replace(f"job {eldest.pk}:", "job 1:") == title


def test_a_retry_two_hundred_deep_has_a_short_title_and_costs_one_query(db: None) -> None:
    eldest = job = factories.job(title="x" * 300)
    for _ in range(200):
        job = factories.job(title="Retry: Retry: Retry: x", parent=job, follow_up=RETRY)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        title = follow_up_title(job, RETRY)
    assert title == f"Retry 201 of job {eldest.pk}: {'x' * 300}"
    assert len(queries) == 1


def test_a_line_whose_beginning_was_deleted_begins_with_the_oldest_that_is_left(db: None) -> None:
    left = factories.job(title="Undo: Add vip", follow_up=UNDO)
    retry = factories.job(parent=left, follow_up=RETRY, title="Retry of the undo of job 4: Add vip")
    assert follow_up_title(left, RETRY) == "Retry: Undo: Add vip"
    assert follow_up_title(retry, UNDO) == f"Undo of the retry of job {left.pk}: Undo: Add vip"


def test_a_job_of_its_own_is_followed_up_by_its_own_title(db: None) -> None:
    other = factories.job(title="Count tags")
    job = factories.job(parent=other, follow_up=FollowUp.NONE, title="Remove pattern")
    assert follow_up_title(job, UNDO) == "Undo: Remove pattern"
