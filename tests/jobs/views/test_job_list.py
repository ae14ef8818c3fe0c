"""The list of jobs and the first page."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.states import Status
from tests import factories


def shown(page: bytes) -> list[int]:
    return [int(number) for number in re.findall(r'id="job-(\d+)"', page.decode())]


def queries(web: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert web.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("address", ["/", "/jobs/", "/jobs/rows"])
def test_more_jobs_need_no_more_queries(web: Client, ana: object, address: str) -> None:
    def fill() -> None:
        for status in Status:
            factories.job(status, created_by=ana)

    fill()
    one = queries(web, address)
    fill()
    fill()
    assert queries(web, address) == one


def test_the_list_is_newest_first_and_pages_go_both_ways(web: Client) -> None:
    made = [factories.job().pk for _ in range(60)]
    newest = made[::-1]
    first = web.get("/jobs/")
    assert shown(first.content) == newest[:25]
    second = web.get(f"/jobs/?after={newest[24]}")
    assert shown(second.content) == newest[25:50]
    third = web.get(f"/jobs/?after={newest[49]}")
    assert shown(third.content) == newest[50:]
    assert "Older" not in third.content.decode()
    back = web.get(f"/jobs/?before={newest[25]}")
    assert shown(back.content) == newest[:25]
    assert "Newer" not in back.content.decode()
    assert f"before={newest[25]}" in second.content.decode()


def test_tabs_choose_by_state_and_count_all(web: Client) -> None:
    jobs = {status: factories.job(status).pk for status in Status}
    page = web.get("/jobs/?show=attention")
    waiting = [jobs[Status.PAUSED], jobs[Status.ERRORED], jobs[Status.PARTIAL]]
    assert shown(page.content) == sorted(waiting, reverse=True)
    tabs = re.findall(r">([A-Z][a-z ]+) <span class=\"number\">(\d+)</span></a>", page.content.decode())
    assert tabs == [
        ("All", "11"),
        ("Active", "6"),
        ("Needs attention", "3"),
        ("Finished", "2"),
        ("Cancelled", "1"),
    ]


def test_an_empty_list_and_an_empty_choice_are_distinguished(web: Client) -> None:
    assert "No job has been started yet." in web.get("/jobs/").content.decode()
    factories.job(Status.SUCCEEDED)
    page = web.get("/jobs/?show=active").content.decode()
    assert "There is no such job under “Active”." in page
    assert "Show all jobs" in page


@pytest.mark.parametrize(
    "address", ["/jobs/?after=x", "/jobs/?before=-1", f"/jobs/?after={'9' * 40}", "/jobs/?show=no"]
)
def test_a_broken_url_shows_the_list_from_its_start(web: Client, address: str) -> None:
    job = factories.job()
    assert shown(web.get(address).content) == [job.pk]


def test_rows_are_sent_again_only_when_they_changed(web: Client) -> None:
    job = factories.job(Status.RUNNING, total=10)
    page = web.get("/jobs/").content.decode()
    poll = re.search(r'hx-get="([^"]+)"', page)
    assert poll
    address = poll[1].replace("&amp;", "&")
    unchanged = web.get(address)
    assert (unchanged.status_code, unchanged.content) == (204, b"")
    type(job).objects.filter(pk=job.pk).update(changed=5)
    changed = web.get(address)
    assert changed.status_code == 200
    assert "5 of 10 tickets" in changed.content.decode()


def test_the_numbers_on_the_tabs_and_the_empty_list_come_with_the_rows(web: Client) -> None:
    job = factories.job(Status.RUNNING)
    page = web.get("/jobs/?show=active").content.decode()
    poll = re.search(r'hx-get="([^"]+)"', page)
    assert poll
    type(job).objects.filter(pk=job.pk).update(status=Status.SUCCEEDED, finished_at=timezone.now())
    part = web.get(poll[1].replace("&amp;", "&")).content.decode()
    assert "There is no such job under “Active”." in part
    assert 'Finished <span class="number">1</span>' in part


def test_rows_keep_the_filters_and_the_page_and_poll_less_often_when_all_jobs_ended(web: Client) -> None:
    job = factories.job(Status.RUNNING)
    asked = f'hx-get="/jobs/rows?show=active&amp;after={job.pk + 1}&amp;version='
    assert asked in web.get(f"/jobs/?show=active&after={job.pk + 1}").content.decode()
    factories.job(Status.SUCCEEDED)
    assert 'hx-trigger="every 15s"' in web.get("/jobs/?show=finished").content.decode()


def test_a_hostile_title_is_shown_as_text(web: Client) -> None:
    factories.job(Status.RUNNING, title="<script>alert(1)</script>")
    for address in ("/", "/jobs/"):
        page = web.get(address).content.decode()
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert" not in page
