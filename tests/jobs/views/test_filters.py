"""The filters of the list of jobs: in the URL, alone and together, and reported when invalid."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.models import Job
from jobs.states import Outcome, Status
from tests import factories

ALL = "q=vip&tool=bulk-tag&by=ana&tag=vip&since=2026-01-01&until=2026-12-31&show=active"


def shown(web: Client, query: str) -> list[int]:
    page = web.get(f"/jobs/?{query}").content.decode()
    return [int(number) for number in re.findall(r'id="job-(\d+)"', page)]


def tags(*add: str, **more: object) -> dict[str, object]:
    return {"add": list(add), "remove": [], "set": [], "include_closed": False} | more


@pytest.fixture
def jobs(ana: User) -> dict[str, int]:
    """Jobs that differ from each other in one thing each."""
    bob = factories.runner("bob")
    day = datetime(2026, 11, 10, 12, tzinfo=UTC)
    made = {
        "plain": factories.job(created_at=day, created_by=ana, params=tags("gold")),
        "tagged": factories.job(created_at=day, created_by=ana, params=tags("vip", "größe")),
        "removing": factories.job(created_at=day, created_by=ana, params=tags(remove=["vip"])),
        "source": factories.job(
            created_at=day, created_by=ana, params=tags("x"), source={"kind": "tag", "tag": "vip"}
        ),
        "of_bob": factories.job(created_at=day, created_by=bob, params=tags("gold")),
        "of_nobody": factories.job(created_at=day, params=tags("gold")),
        "titled": factories.job(created_at=day, created_by=ana, params=tags("gold"), title="Spring Clean"),
        "macro": factories.job(created_at=day, created_by=ana, params={}, tool="apply-macro"),
        "early": factories.job(
            created_at=datetime(2026, 11, 9, 23, 59, tzinfo=UTC), created_by=ana, params=tags("gold")
        ),
        "late": factories.job(
            created_at=datetime(2026, 11, 11, tzinfo=UTC), created_by=ana, params=tags("gold")
        ),
    }
    made["refused"] = factories.job(
        created_at=day, params={}, tool="refused", created_by=factories.user("cid")
    )
    factories.item(made["refused"], 7, Outcome.FAILED, reason="closed")
    made["errored"] = factories.job(
        created_at=day,
        params={},
        tool="errored",
        created_by=made["refused"].created_by,
        error="Told to slow down.",
    )
    return {name: job.pk for name, job in made.items()}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=spring", {"titled"}),
        ("tool=apply-macro", {"macro"}),
        ("by=bob", {"of_bob"}),
        ("by=-", {"of_nobody"}),
        ("tag=vip", {"tagged", "removing", "source"}),
        ("tag=VIP", {"tagged", "removing", "source"}),
        ("tag=größe", {"tagged"}),
        ("tag=vi", set()),
        ("tag=add", set()),
        ("until=2026-11-09", {"early"}),
        ("since=2026-11-11", {"late"}),
        ("tag=vip&by=bob", set()),
        ("tool=bulk-tag&by=ana&tag=vip&q=number&since=2026-11-10&until=2026-11-10",
         {"tagged", "removing", "source"}),
        ("q=tag:vip", {"tagged", "removing", "source"}),
        ("q=tag:vip+by:bob", set()),
        ("q=by:bob", {"of_bob"}),
        ("q=By:-", {"of_nobody"}),
        ("q=tool:apply-macro", {"macro"}),
        ("q=clean+by:ana", {"titled"}),
        ("q=status:Queued+by:bob", {"of_bob"}),
        ("q=error:closed", {"refused"}),
        ('q=error:"slow+down"', {"errored"}),
        ("q=error:404", set()),
        ("q=unknown:thing", set()),
    ],
)  # fmt: skip
def test_each_filter_narrows_alone_and_together(
    web: Client, jobs: dict[str, int], query: str, expected: set[str]
) -> None:
    assert shown(web, query) == sorted((jobs[name] for name in expected), reverse=True)


def test_a_job_is_found_by_its_number(web: Client, jobs: dict[str, int]) -> None:
    number = jobs["removing"]
    assert shown(web, f"q=%23{number}") == [number]
    assert number in shown(web, f"q={number}")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("since=yesterday", "From: Give a day as 2026-11-23. It was left out."),
        ("until=2026-02-31", "To: Give a day as 2026-11-23. It was left out."),
        ("since=9999-12-31", "From: Ensure this value is less than or equal to 2199-12-31. It was left out."),
        ("since=2026-11-10&until=2026-11-09", "To: The last day is before the first one. It was left out."),
        ("q=%00", "Find jobs: Null characters are not allowed. It was left out."),
        ("q=" + "x" * 201, "Find jobs: Ensure this value has at most 200 characters"),
    ],
)
def test_invalid_filters_are_reported_and_ignored(
    web: Client, jobs: dict[str, int], query: str, said: str
) -> None:
    response = web.get(f"/jobs/?{query}")
    assert response.status_code == 200
    assert said in response.content.decode()
    assert shown(web, query) != []
    assert web.get(f"/jobs/rows?{query}").status_code == 200


def test_tabs_and_pages_keep_the_filters_and_count_what_matches(web: Client) -> None:
    for _ in range(30):
        factories.job(title="Spring")
    factories.job(Status.SUCCEEDED, title="Spring")
    factories.job(title="Autumn")
    page = web.get("/jobs/?q=Spring").content.decode()
    assert (
        '<a id="tab-active" href="/jobs/?show=active&amp;q=Spring">Active <span class="number">30</span></a>'
        in page
    )
    oldest_shown = re.findall(r'id="job-(\d+)"', page)[-1]
    assert f'href="?q=Spring&amp;after={oldest_shown}"' in page
    assert 'hx-get="/jobs/rows?q=Spring&amp;version=' in page
    assert 'value="Spring"' in page
    assert '<a class="btn btn-sm btn-link" href="/jobs/">Clear</a>' in page


def test_no_match_and_no_job_are_distinguished(web: Client) -> None:
    assert "No job has been started yet." in web.get("/jobs/?q=vipp").content.decode()
    factories.job()
    page = web.get("/jobs/?q=vipp&show=active").content.decode()
    assert "No job matches these filters under “Active”." in page
    assert '<a href="/jobs/?show=active">Clear the filters</a>' in page


@pytest.mark.parametrize("query", ["q=vip", "tool=bulk-tag", "by=ana", "tag=vip", "since=2026-01-01", ALL])
def test_a_filter_needs_no_more_queries_for_three_jobs_than_for_one(
    web: Client, ana: User, query: str
) -> None:
    def counted() -> int:
        web.get("/jobs/")  # what is remembered for a moment is known from here on
        with CaptureQueriesContext(connection) as captured:
            assert web.get(f"/jobs/?{query}").status_code == 200
        return len(captured)

    factories.job(Status.RUNNING, created_by=ana, title="vip")
    one = counted()
    for name in ("bob", "cid"):
        factories.job(Status.RUNNING, created_by=factories.runner(name), title="vip", tool=name)
    assert counted() == one


def test_hostile_filters_are_shown_as_text(web: Client) -> None:
    factories.job()
    hostile = '"><script>alert(1)</script>'
    for name in ("q", "tool", "by", "tag", "since", "show"):
        assert "<script>alert" not in web.get("/jobs/", {name: hostile}).content.decode()
    assert Job.objects.count() == 1
