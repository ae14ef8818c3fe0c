"""A view whose pages end before its tickets do is reported, and does not pass for the whole."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.models import Job
from tagmanager.intake.source_kinds import view as view_kind
from tests.demo import Demo, run, submit
from zendesk import sandbox

VIEW = sandbox.VIEW_UNSOLVED
COUNT = "GET /api/v2/views"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, demo: Demo) -> None:
    """The pages of a view end at 100 tickets here, not at 10,000."""
    monkeypatch.setattr(view_kind, "DEPTH", 100)
    demo.account.configure(view_depth=100)


def frozen(job: Job) -> str:
    return job.transitions.get(from_status="selecting", to_status="running").why


def counted(demo: Demo) -> int:
    """Zendesk has counted the view, as it has when somebody has looked at it."""
    demo.account.view_counts.get(VIEW, demo.account.now(), lambda: 0)
    return len(demo.account.view_ticket_ids(VIEW))


def test_a_view_that_ends_early_is_reported_with_both_numbers(demo: Demo) -> None:
    number = counted(demo)
    job = run(submit(view=VIEW, add=["mark"]))
    assert (job.status, job.total) == ("succeeded", 100)
    assert frozen(job) == (
        "The list has ended: 100 tickets, 100 to change. "
        f"But Zendesk counts {number} tickets in this view, and its pages ended after 100: the others are "
        "not in this job. Choose them by a search, which has no such end."
    )


def test_a_matching_or_unknown_count_raises_no_doubt(demo: Demo) -> None:
    assert "But" not in frozen(run(submit(view=VIEW, add=["mark"])))  # Zendesk is still counting
    demo.account.configure(view_depth=None)
    job = run(submit(view=VIEW, add=["other"]))
    assert job.total == counted(demo)
    assert "But" not in frozen(job)


def test_a_list_cut_by_its_limit_raises_no_doubt(demo: Demo) -> None:
    counted(demo)
    assert "But" not in frozen(run(submit(view=VIEW, add=["mark"], limit=100)))
    assert demo.calls("GET views/{view_id}/count") == 0


@pytest.mark.parametrize("kind", ["html", "truncated", "unauthorized"])
def test_a_count_that_fails_stops_nothing(demo: Demo, kind: str) -> None:
    counted(demo)
    demo.fault(kind, on=f"GET /api/v2/views/{VIEW}/count", times=None)
    job = run(submit(view=VIEW, add=["mark"]))
    assert (job.status, job.total, "But" in frozen(job)) == ("succeeded", 100, False)


def test_a_view_that_refuses_its_next_page_stops_the_job_instead_of_restarting_forever(
    demo: Demo, settings: Any
) -> None:
    """Also where the job goes on from a saved place, as it does in every slice but the first."""
    demo.account.configure(view_end="refused")
    made = submit(view=VIEW, add=["mark"])
    assert run(made, seconds=0.0).found == 100
    job = run(made.job)
    assert (job.status, demo.account.ledger.jobs) == ("errored", [])
    assert job.error == (
        "Zendesk gives no more pages of this list, and there are more tickets. Cancel this job, and choose "
        "the tickets by a search, which has no such end."
    )
