"""Times and days are those of the person who looks."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.test import Client
from django.utils import timezone

from tests import factories

pytestmark = pytest.mark.once

LATE_IN_LONDON = datetime(2026, 7, 10, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("", "10 Jul, 23:30 UTC"),
        ("Europe/Vienna", "11 Jul, 01:30 CEST"),
        ("../../etc/passwd", "10 Jul, 23:30 UTC"),
        ("Nowhere/At_all", "10 Jul, 23:30 UTC"),
    ],
)
def test_times_are_in_the_browsers_time_zone(web: Client, zone: str, written: str) -> None:
    factories.job(created_at=LATE_IN_LONDON)
    web.cookies["zone"] = zone
    assert written in web.get("/jobs/").content.decode()
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.mark.parametrize(("zone", "day"), [("", "2026-07-10"), ("Pacific/Auckland", "2026-07-11")])
def test_a_day_in_the_filter_is_in_the_readers_time_zone(web: Client, zone: str, day: str) -> None:
    job = factories.job(created_at=LATE_IN_LONDON)
    web.cookies["zone"] = zone
    page = web.get(f"/jobs/?since={day}&until={day}").content.decode()
    assert re.findall(r'id="job-(\d+)"', page) == [str(job.pk)]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"])
@pytest.mark.parametrize("seconds", [False, True])
def test_a_moment_is_formatted_like_the_template_filters(zone: str, seconds: bool) -> None:
    clock = "H:i:s" if seconds else "H:i"
    written = '{{ at|date:"j M" }}, {{ at|date:clock }} {{ at|date:"T" }}'
    expected = f"<time datetime=\"{{{{ at|date:'c' }}}}\">{written}</time>"
    told = "{% load job_pages %}{% moment at seconds=seconds %}"
    for month in range(1, 13):
        at = datetime(2026, month, 8, 23, 5, 7, 120, tzinfo=UTC)
        with timezone.override(zone):
            one, other = (
                Template(text).render(Context({"at": at, "clock": clock, "seconds": seconds}))
                for text in (told, expected)
            )
        assert one.replace(' data-seconds="yes"', "") == other
        assert ("data-seconds" in one) is seconds
    assert Template(told).render(Context({"at": None})) == ""
