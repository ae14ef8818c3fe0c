"""Times and days are those of the person who looks."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
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
def test_times_are_written_in_the_zone_that_the_browser_names(web: Client, zone: str, written: str) -> None:
    factories.job(created_at=LATE_IN_LONDON)
    web.cookies["zone"] = zone
    assert written in web.get("/jobs/").content.decode()
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.mark.parametrize(("zone", "day"), [("", "2026-07-10"), ("Pacific/Auckland", "2026-07-11")])
def test_a_day_of_the_filter_is_the_day_of_whoever_asks(web: Client, zone: str, day: str) -> None:
    job = factories.job(created_at=LATE_IN_LONDON)
    web.cookies["zone"] = zone
    page = web.get(f"/jobs/?since={day}&until={day}").content.decode()
    assert re.findall(r'id="job-(\d+)"', page) == [str(job.pk)]
