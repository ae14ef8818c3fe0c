"""The tag inventory: which list it shows, what it finds in it, and the count of all tickets."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from jobs.actors import COMMAND_LINE
from jobs.models import Job
from jobs.retention import pruning
from jobs.runtime.database_retry import DatabaseRetry
from jobs.states import Status
from tagmanager.inventory import tag_counts
from tagmanager.models import TagList
from tests import factories
from tests.demo import Demo, zendesk_away
from tests.demo import demo_zendesk as running

PATH = "/tools/tag-inventory/"


@pytest.fixture
def demo(db: None, settings: Settings) -> Iterator[Demo]:
    """One whose tickets were all made long before the count, so that the export has them."""
    cache.clear()
    with running(settings, tickets=300, clock=lambda: time.time() + 120) as demo:
        yield demo
    cache.clear()


def truth(demo: Demo) -> Counter[str]:
    """On how many tickets each tag is."""
    return Counter(tag for ref in demo.account.ticket_ids() for tag in demo.tags(ref))


def rows(web: Client, **query: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(web.get(PATH, {"format": "json", **query}).content)
    return found


def words(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def test_zendesks_own_list_is_shown_with_its_limitations(web: Client, demo: Demo) -> None:
    page = words(web.get(PATH).content)
    assert "it knows the tags of the last 60 days only, and 20,000 of them at most" in page
    assert {row["tag"]: row["tickets"] for row in rows(web) if row["tickets"]} == truth(demo)
    (own,) = TagList.objects.all()
    assert (own.counts, own.ended_at is not None) == (truth(demo), True)
    assert demo.calls("GET tags") == 1  # kept for who looks next


def test_a_count_of_all_tickets_starts_with_a_click_and_is_then_shown(web: Client, demo: Demo) -> None:
    for ref in demo.account.ticket_ids()[:50]:
        demo.account.delete(ref)  # a moment ago, so that the export has not heard of it
    known = truth(demo)
    web.get(PATH)
    answer = web.post(f"{PATH}count", follow=True)
    job = Job.objects.get()
    assert (job.tool, job.dry_run, job.status, job.source) == (
        "count-tags",
        True,
        "succeeded",
        {"kind": "all"},
    )
    assert job.unchanged == job.found == 250
    assert "Counted on 250 tickets by job" in words(answer.content)
    assert {row["tag"]: row["tickets"] for row in rows(web) if row["tickets"]} == known
    full = TagList.objects.get(job=job)
    assert (full.counts, full.tickets) == (known, 250)
    assert not demo.account.ledger.updates
    page = web.get(job.get_absolute_url()).content
    assert f'<a href="{PATH}">See what it found</a>'.encode() in page
    assert b"What this changes" not in page


def delete_old_jobs() -> None:
    now = timezone.now()
    families = pruning.find_prunable(now).families
    pruning.prune(families, before=now, by=COMMAND_LINE, patience=DatabaseRetry(60.0))


def test_the_result_of_a_count_outlives_its_job(web: Client, demo: Demo) -> None:
    web.post(f"{PATH}count", follow=True)
    known = rows(web)
    delete_old_jobs()
    assert not Job.stored.exists()
    page = words(web.get(PATH).content)
    assert "Counted on 300 tickets by a job that was deleted since, from " in page
    assert rows(web) == known
    assert TagList.objects.get(counted_at__isnull=False).source == "as a job counted that was deleted since"


def test_an_incomplete_count_whose_job_is_deleted_is_not_shown(
    web: Client, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_counts, "CHUNK_SIZE", 60)
    web.post(f"{PATH}count")
    TagList.objects.all().delete()
    assert tag_counts.tag_lists(seconds=0).being_added
    (half,) = TagList.objects.filter(counted_at__isnull=False)
    job = Job.objects.get()
    assert pruning.mark_family(job.pk, before=timezone.now(), by=COMMAND_LINE, at=timezone.now())
    job.items.all().delete()
    assert not tag_counts._continue_adding_up(half, time.monotonic() + 60)
    found = tag_counts.tag_lists(seconds=60)
    assert (found.full, found.being_added, found.own is not None) == (None, None, True)


def test_tickets_are_added_up_in_chunks_and_never_twice(
    web: Client, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_counts, "CHUNK_SIZE", 60)
    web.post(f"{PATH}count")
    TagList.objects.all().delete()
    seen = [tag_counts.tag_lists(seconds=0) for _ in range(6)]
    assert [found.being_added.tickets if found.being_added else 0 for found in seen] == [
        60,
        120,
        180,
        240,
        300,
        0,
    ]
    assert seen[-1].full
    assert seen[-1].full.counts == truth(demo)
    assert tag_counts.tag_lists(seconds=0).full == seen[-1].full


def test_zendesks_list_is_read_in_pieces_and_resumed(
    web: Client, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, ref in enumerate(demo.open_tickets[:100]):
        demo.account.edit(ref, add=[f"batch_{number}_{part}" for part in "abc"])
    part = tag_counts.tag_lists(seconds=0)
    assert (part.own, part.is_moving, len(part.being_read.counts) if part.being_read else 0) == (
        None,
        True,
        100,
    )
    demo.fault("server_error_before", on="GET /api/v2/tags", times=1)
    held = tag_counts.tag_lists(seconds=0)
    assert (held.problem is not None, held.is_moving) == (True, False)
    assert held.being_read
    assert len(held.being_read.counts) == 100
    TagList.objects.update(place="gibberish")
    assert (
        tag_counts.tag_lists(seconds=0).problem is None
    )  # a place that Zendesk has forgotten: from the start
    while (found := tag_counts.tag_lists(seconds=0)).own is None:
        assert found.is_moving
    assert found.own.counts == truth(demo)
    assert TagList.objects.count() == 1


def test_the_page_shows_the_progress_of_a_count_and_starts_no_second_one(web: Client, demo: Demo) -> None:
    job = factories.job(
        Status.SELECTING, tool="count-tags", params={"account": demo.url}, source={"kind": "all"}, found=1234
    )
    web.post(f"{PATH}count")
    assert Job.objects.count() == 1
    page = web.get(PATH).content
    assert f"Job {job.pk} is counting all tickets: 1,234 read so far" in words(page)
    assert b'hx-get="/tools/tag-inventory/state"' in page
    assert web.get(f"{PATH}state").headers.get("HX-Refresh") is None
    Job.objects.update(status=Status.ERRORED, error="Only admins may.")
    assert web.get(f"{PATH}state").headers["HX-Refresh"] == "true"
    page = web.get(PATH).content
    assert "The count of all tickets has stopped. Only admins may." in words(page).replace(" . ", ". ")
    assert b'hx-trigger="every 2s' not in page


def test_an_agent_reads_that_a_count_needs_an_admin(web: Client, demo: Demo) -> None:
    demo.account.configure(role="agent")
    page = web.get(PATH).content
    assert "A count of all tickets needs an admin" in words(page)
    assert b"/tools/tag-inventory/count" not in page
    web.post(f"{PATH}count")
    assert "to admins only. Connect as an admin." in words(web.get(PATH).content)


def test_tags_are_filtered_by_text_and_pattern_and_sorted(web: Client, demo: Demo) -> None:
    counts = truth(demo)
    assert [row["tag"] for row in rows(web, q="VIP")] == [tag for tag in ["vip"] if tag in counts]
    assert {row["tag"] for row in rows(web, q="region/*")} == {t for t in counts if t.startswith("region/")}
    numbers = [row["tickets"] for row in rows(web)]
    assert numbers == sorted(numbers, key=lambda n: -int(str(n)))
    assert [row["tag"] for row in rows(web, order="name")] == sorted(str(row["tag"]) for row in rows(web))
    assert "No tag fits here." in words(web.get(PATH, {"q": "no such tag"}).content)


def test_many_tags_are_shown_in_pages(web: Client, demo: Demo) -> None:
    TagList.objects.create(
        account=demo.url, counts={f"tag_{n:05}": n for n in range(250)}, ended_at=timezone.now()
    )
    first = web.get(PATH, {"q": "tag_"}).content.decode()
    assert "250 tags; 1 to 100 are shown" in words(first.encode())
    assert first.count('class="tag tag-kept"') == 100
    (on,) = re.findall(r'href="\?([^"]+)">On<', first)
    second = web.get(f"{PATH}?{on.replace('&amp;', '&')}").content
    assert "101 to 200 are shown" in words(second)
    assert "201 to 250 are shown" in words(web.get(PATH, {"q": "tag_", "page": "9999"}).content)


def test_unused_tags_and_tags_without_references_have_lists(web: Client, demo: Demo) -> None:
    web.post(f"{PATH}count")
    every, counts = rows(web), truth(demo)
    unused = {row["tag"] for row in rows(web, show="unused")}
    assert unused == {row["tag"] for row in every} - set(counts)
    assert unused  # options of fields that no ticket has
    named = rows(web, show="named")
    assert {row["tag"] for row in named} | {row["tag"] for row in rows(web, show="unnamed")} == {
        row["tag"] for row in every
    }
    assert len(named) > 1
    assert [row["tag"] for row in named if not row["named_in"]] == []
    page = web.get(PATH, {"show": "named"}).content.decode()
    for reference in named[0]["named_in"]:  # type: ignore[attr-defined]
        assert f'href="{reference["address"]}"' in page


def test_similar_tags_link_to_a_merge_that_keeps_the_most_used(web: Client, demo: Demo) -> None:
    refs = demo.open_tickets
    for tag, number in (("billing_issue", 9), ("bill-issue", 2), ("billingissue", 5)):
        for ref in refs[:number]:
            demo.account.edit(ref, add=[tag])
    page = web.get(PATH, {"show": "alike", "q": "billing"}).content.decode()
    groups = json.loads(web.get(PATH, {"format": "json", "show": "alike", "q": "billing"}).content)
    assert groups == [
        [
            {"tag": "billing_issue", "tickets": 9},
            {"tag": "billingissue", "tickets": 5},
            {"tag": "bill-issue", "tickets": 2},
        ]
    ]
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/tools/rename-tags/[^"]+)"', page)]
    assert links[0] == "/tools/rename-tags/?old=billingissue+bill-issue&new=billing_issue"
    assert len(links) == 3
    form = web.get(links[0]).content.decode()
    assert 'value="billingissue bill-issue"' in form
    assert 'value="billing_issue"' in form


def test_a_csv_has_the_same_tags_with_harmless_cells(web: Client, demo: Demo) -> None:
    TagList.objects.create(account=demo.url, counts={"-2+3": 1, "vip": 4}, ended_at=timezone.now())
    found = list(csv.DictReader(io.StringIO(web.get(PATH, {"format": "csv"}).content.decode())))
    assert [row["tag"].removeprefix("'") for row in found] == [row["tag"] for row in rows(web)]
    risky = [cell for row in found for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    assert ("'-2+3" in [row["tag"] for row in found], risky) == (True, [])
    groups = csv.DictReader(io.StringIO(web.get(PATH, {"format": "csv", "show": "alike"}).content.decode()))
    assert groups.fieldnames == ["group", "tag", "tickets"]


def test_without_zendesk_the_page_says_so_and_keeps_a_finished_count(web: Client, settings: Settings) -> None:
    with zendesk_away(settings) as url:
        page = words(web.get(PATH).content)
        assert "list of tags could not be read" in page
        assert "cannot be reached" in page
        assert web.get(PATH, {"format": "csv"}).status_code == 503
        job = factories.job(Status.SUCCEEDED, tool="count-tags", params={"account": url}, unchanged=2)
        for ref in (1, 2):
            factories.item(job, ref, "unchanged")
        page = words(web.get(PATH).content)
        assert "Counted on 2 tickets" in page
        assert [(row["tag"], row["tickets"]) for row in rows(web)] == [("old", 2)]


def test_without_a_connection_it_says_what_to_set(web: Client) -> None:
    assert "No Zendesk account is set up." in words(web.get(PATH).content)
    assert "No Zendesk account is set up." in words(web.post(f"{PATH}count", follow=True).content)


def test_the_tool_that_counts_has_no_form_and_leads_to_the_inventory(web: Client) -> None:
    assert web.get("/tools/count-tags/?again=1")["Location"] == PATH
    page = web.get("/").content.decode()
    assert f'href="{PATH}">Tag inventory</a>' in page
    assert "count-tags" not in page
