"""A count of all tickets reads on until past its own start, and takes each ticket as it was read last."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from jobs.errors import NeedsPerson
from jobs.models import Job
from jobs.presentation.job_page import JobPage
from jobs.presentation.statuses import progress_words
from tagmanager.changes import whole_count
from tagmanager.changes.whole_count import WAITS
from tagmanager.forms.submit import submit
from tagmanager.intake import sources
from tagmanager.inventory import tag_counts
from tagmanager.models import TagList
from tagmanager.tools import tool
from tests.demo import ANA, Demo, demo_zendesk, run
from tests.processes import command
from zendesk import Ticket, Zendesk

PATH = "/tools/tag-inventory/"


class Clock:
    """Of Zendesk, whose export leaves out what was changed within the last minute."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def demo(db: None, settings: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Demo]:
    """More tickets than one page of the export holds."""
    monkeypatch.setattr(tag_counts, "EXPORT_OMITS", timedelta(minutes=1))
    with demo_zendesk(settings, tickets=1_200, clock=clock) as running:
        yield running


def begun() -> Job:
    """A count that has read its first page."""
    chosen = tool("count-tags")
    form = chosen.form_class({})
    assert form.is_valid()
    made = submit(chosen, form, sources.all_tickets(), by=ANA, dry_run=True, here=True)
    return run(made, seconds=0.0)


def let_a_minute_pass(job: Job, clock: Clock) -> None:
    """Instead of waiting: the count began earlier, and Zendesk's export has what was changed until now."""
    clock.ahead += 120
    Job.objects.filter(pk=job.pk).update(started_at=F("started_at") - timedelta(minutes=2))
    Job.objects.filter(pk=job.pk, status="waiting").update(resumes_at=timezone.now())


def finished(job: Job) -> TagList:
    done = run(job)
    assert done.status == "succeeded"
    full = tag_counts.tag_lists(seconds=60).full
    assert full is not None
    return full


def truth(demo: Demo) -> Counter[str]:
    return Counter(tag for ref in demo.account.ticket_ids() for tag in demo.tags(ref))


def words(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode())).replace(" .", ".").replace(" ,", ",")


def test_it_waits_until_the_export_has_reached_its_start(demo: Demo, clock: Clock, web: Client) -> None:
    job = run(begun())
    assert (job.status, job.waiting_for, job.found) == ("waiting", "", 1_200)
    assert job.resumes_at is not None
    assert timedelta(seconds=50) < job.resumes_at - timezone.now() < timedelta(seconds=63)
    assert JobPage(job).why_it_waits == WAITS
    assert re.fullmatch(r"goes on at \d\d:\d\d:\d\d UTC, in [^:]+", progress_words(job))
    assert tag_counts.tag_lists(seconds=60).full is None
    assert re.search(
        r"1,200 read so far; it goes on at [^,]+, to read what changed before it began\.",
        words(web.get(PATH).content),
    )
    let_a_minute_pass(job, clock)
    assert finished(job).is_whole


def test_a_ticket_that_changes_while_it_runs_counts_as_it_was_read_last(demo: Demo, clock: Clock) -> None:
    job = begun()
    assert job.found == 1_000
    changed, gone, closed = job.items.order_by("ref").values_list("ref", flat=True)[:3]
    demo.account.edit(changed, add=["late"])
    demo.account.edit(changed, add=["later"])
    demo.account.delete(gone)
    demo.account.edit(closed, remove=demo.tags(closed))
    let_a_minute_pass(job, clock)
    full = finished(job)
    assert (full.counts, full.tickets) == (truth(demo), 1_199)
    assert full.counts["later"] == 1
    assert job.items.count() == 1_200  # the deleted one keeps its one outcome
    assert full.is_whole
    assert full.changed_meanwhile == 2


def test_what_changed_before_its_start_is_in_it_even_if_the_export_is_behind(
    demo: Demo, clock: Clock
) -> None:
    """Without the second reading the tag of a moment before the count would be missing."""
    ref = demo.account.ticket_ids()[0]
    demo.account.edit(ref, add=["just-before"])
    job = run(begun())
    assert (job.status, job.found) == ("waiting", 1_199)
    let_a_minute_pass(job, clock)
    full = finished(job)
    assert (full.counts["just-before"], full.tickets) == (1, 1_200)


def test_page_command_and_export_say_how_far_it_reached(demo: Demo, clock: Clock, web: Client) -> None:
    job = begun()
    demo.account.edit(demo.account.ticket_ids()[0], add=["late"])
    let_a_minute_pass(job, clock)
    full = finished(job)
    demo.account.edit(demo.account.ticket_ids()[1], add=["after"])
    page = words(web.get(PATH).content)
    assert f"Counted on 1,200 tickets by job {job.pk}, from " in page
    assert "It has every change up to " in page
    assert re.search(r"About \d+ tickets? ha(s|ve) changed since, by Zendesk's search, which lags", page)
    assert "It is not complete" not in page
    ran = command("tag_inventory", "--output", "csv")
    assert f"As job {job.pk} counted on 1,200 tickets. It ran from " in ran.err
    assert "It has every change up to " in ran.err
    assert full.reached_at is not None
    reached = full.reached_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    (line, *_) = csv.DictReader(io.StringIO(ran.out))
    assert (line["reached_at"], line["complete"]) == (reached, "True")
    (row, *_) = json.loads(web.get(PATH, {"format": "json"}).content)
    assert (row["reached_at"], row["complete"]) == (reached, True)
    assert row["counted_from"] < row["reached_at"] < row["counted_to"]


def test_a_count_that_did_not_reach_its_start_is_not_called_complete(demo: Demo, web: Client) -> None:
    now = timezone.now()
    TagList.objects.create(
        account=demo.url, counts={"vip": 2}, tickets=2, ended_at=now, counted_at=now, counted_from=now,
        reached_at=now - timedelta(seconds=30), changed_meanwhile=1,
    )  # fmt: skip
    page = words(web.get(PATH).content)
    assert "It is not complete: changes after" in page
    assert "1 ticket changed while it ran and counts as last read." in page
    ran = command("tag_inventory", "--output", "json")
    assert "It is not complete: changes after" in ran.err
    assert {row["complete"] for row in json.loads(ran.out)} == {False}


class BrokenOff:
    """A last page that Zendesk does not call the last."""

    items: tuple[Ticket, ...] = ()
    next_cursor = None
    resume = ""
    broke_off = "Zendesk's list leads back to a page that was read before."

    def incremental_tickets(self, *, cursor: str | None) -> Iterator[BrokenOff]:  # noqa: ARG002 - as the client
        yield self


def test_a_list_that_breaks_off_stops_the_count() -> None:
    client = cast(Zendesk, BrokenOff())
    found = whole_count.pages(client, "", began=timezone.now(), listed=lambda _: set())
    with pytest.raises(NeedsPerson, match=r"leads back .* So the count is not complete"):
        next(found)


def test_zendesks_own_list_is_never_complete(demo: Demo, web: Client) -> None:
    rows = json.loads(web.get(PATH, {"format": "json"}).content)
    assert {(row["counted_from"], row["reached_at"], row["complete"]) for row in rows} == {
        (None, None, False)
    }


def test_how_much_changed_since_is_left_open_while_zendesk_cannot_say(demo: Demo, web: Client) -> None:
    now = timezone.now()
    counted = TagList.objects.create(
        account=demo.url, counted_at=now, counted_from=now, reached_at=now, ended_at=now
    )
    demo.fault("server_error_before", on="GET /api/v2/search/count", times=None)
    assert tag_counts.changed_since(counted) is None
    assert "changed since" not in words(web.get(PATH).content)
