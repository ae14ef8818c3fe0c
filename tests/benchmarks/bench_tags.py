"""The tag inventory of an account with 20,000 tags, and the totals of a count of all tickets."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from jobs.models import Item, Job
from jobs.states import Status
from tagmanager.inventory import similar_tags, tag_counts
from tagmanager.models import TagList
from tests import factories
from tests.benchmarks import figures, sizes
from tests.benchmarks.web import viewer
from tests.demo import demo_zendesk

TAGS = 20_000
PATH = "/tools/tag-inventory/"


def make_tags() -> list[str]:
    """Realistic tags: one to three words out of 8,000, some with a number."""
    rng = random.Random(1)
    parts = [f"{one}{two}" for one in "bcdfglmnprst" for two in "aeiou"]
    words = ["".join(rng.choices(parts, k=rng.randint(2, 5))) for _ in range(8_000)]
    found: dict[str, None] = {}
    while len(found) < TAGS:
        number = rng.choice(("", "", f"_{rng.randint(1, 9)}"))
        found["_".join(rng.choices(words, k=rng.randint(1, 3))) + number] = None
    return list(found)


def finished_count(url: str, items: int, tags: list[str]) -> Job:
    """A finished count of `items` tickets with five tags each."""
    job = factories.job(Status.SUCCEEDED, tool="count-tags", params={"account": url}, unchanged=items)
    rng = random.Random(2)
    rows = (
        Item(job=job, ref=ref, outcome="unchanged", before={"tags": rng.choices(tags, k=5)})
        for ref in range(items)
    )
    Item.objects.bulk_create(rows, batch_size=5_000)
    return job


def measure(do: Callable[[], object]) -> tuple[str, int]:
    """Call `do`; return its milliseconds and its number of queries."""
    with CaptureQueriesContext(connection) as captured:
        start = time.perf_counter()
        do()
        return f"{(time.perf_counter() - start) * 1000:,.0f}", len(captured)


def test_tags(transactional_db: None, settings: Settings) -> None:
    cache.clear()
    tags, items = make_tags(), sizes.items()
    browser = Client()
    browser.force_login(viewer())
    rows: list[tuple[object, ...]] = []
    with demo_zendesk(settings, tickets=100) as demo:
        TagList.objects.create(account=demo.url, counts=dict.fromkeys(tags, 7), ended_at=timezone.now())
        rows.append(("similar groups, computed", *measure(lambda: similar_tags.similar_groups(tags))))
        browser.get(PATH)  # reads the rules that use tags, and caches them
        queries = ("", "?show=unused", "?q=ba*", "?show=alike", "?show=alike", "?format=csv")
        rows.extend((f"page {what}", *measure(partial(browser.get, PATH + what))) for what in queries)
        job = finished_count(demo.url, items, tags)
        chunks, longest, start = 0, 0.0, time.perf_counter()
        while True:
            started = time.perf_counter()
            found = tag_counts.tag_lists(seconds=1.0)
            chunks, longest = chunks + 1, max(longest, time.perf_counter() - started)
            if found.full:
                break
        seconds = time.perf_counter() - start
        assert sum(found.full.counts.values()) <= 5 * items
        assert (found.full.job, found.full.tickets) == (job, items)
        rows.append((f"adding up {items:,} tickets, {chunks} chunks", f"{seconds * 1000:,.0f}", ""))
        rows.append(("the longest chunk", f"{longest * 1000:,.0f}", ""))
        rows.append(("page, counted", *measure(lambda: browser.get(PATH))))
    figures.print_table(
        f"Tag inventory of {TAGS:,} tags, {figures.database()}",
        "In this process; what Zendesk answers is cached.",
        ("what", "ms", "queries"),
        rows,
    )
