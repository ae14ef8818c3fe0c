"""`tag_inventory`: what it lists and by which list, and the count of all tickets from the terminal."""

from __future__ import annotations

import csv
import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from jobs.models import Job
from tests.demo import Demo, demo_zendesk, zendesk_away
from tests.processes import command

pytestmark = pytest.mark.once


@pytest.fixture
def demo(db: None, settings: Any) -> Iterator[Demo]:
    """One whose tickets were all made long before, so that the export has them."""
    cache.clear()
    with demo_zendesk(settings, tickets=100, clock=lambda: time.time() + 120) as running:
        yield running
    cache.clear()


def truth(demo: Demo) -> Counter[str]:
    return Counter(tag for ref in demo.account.ticket_ids() for tag in demo.tags(ref))


def test_the_tags_are_listed_and_it_says_by_which_list(demo: Demo) -> None:
    ran = command("tag_inventory", "--find", "region/*")
    assert ran.code == 0
    expected = {tag: number for tag, number in truth(demo).items() if tag.startswith("region/")}
    found = {words[1]: int(words[0]) for line in ran.out.splitlines() if (words := line.split())}
    assert found == expected
    assert "By Zendesk's own list: tags of the last 60 days, 20,000 at most." in ran.err


def test_a_count_of_all_tickets_leaves_standard_output_to_the_list(demo: Demo) -> None:
    ran = command("tag_inventory", "--count", "--output", "json")
    job = Job.objects.get()
    assert (ran.code, job.tool, job.dry_run, job.unchanged) == (0, "count-tags", True, 100)
    assert {row["tag"]: row["tickets"] for row in json.loads(ran.out) if row["tickets"]} == truth(demo)
    assert f"As job {job.pk} counted on 100 tickets." in ran.err
    unused = csv.DictReader(io.StringIO(command("tag_inventory", "--show", "unused", "--output", "csv").out))
    assert {row["tickets"] for row in unused} == {"0"}


def test_tags_that_are_alike_stand_together(demo: Demo) -> None:
    one, two, three = demo.open_tickets[:3]
    for ref, tag in ((one, "bill-issue"), (two, "billing_issue"), (three, "billing_issue")):
        demo.account.edit(ref, add=[tag])
    ran = command("tag_inventory", "--show", "alike", "--find", "bill")
    assert [line.split() for line in ran.out.splitlines()] == [["2", "billing_issue"], ["1", "bill-issue"]]


def test_who_is_no_admin_cannot_count(demo: Demo) -> None:
    demo.account.configure(role="agent")
    ran = command("tag_inventory", "--count")
    assert (ran.code, Job.objects.count()) == (1, 0)
    assert "to admins only. Connect as an admin." in ran.err


def test_without_zendesk_it_says_so(db: None, settings: Any) -> None:
    with zendesk_away(settings):
        ran = command("tag_inventory")
    assert ran.code == 1
    assert "The tags of the account could not be read." in ran.err
