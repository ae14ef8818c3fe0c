"""Every page that reads jobs or items, with a million items in the database.

Shows the time of each page over real HTTP, and that a page needs as many queries as with a thousand items.
"""

from __future__ import annotations

from contextlib import closing

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.benchmarks import figures, sizes
from tests.benchmarks.conftest import Fill
from tests.benchmarks.dataset import Dataset
from tests.benchmarks.pages import PAGE_TARGET, STATUS_TARGET, all_pages
from tests.benchmarks.web import start_gunicorn, viewer

FEW_ITEMS, FEW_JOBS = 1_000, 50
COLUMNS = ("page", "queries, few", "many", "kB", "median ms", "95 % ms", "target ms", "")


def query_counts(dataset: Dataset) -> list[int]:
    """The number of queries of each page at its second request."""
    browser = Client()
    browser.force_login(viewer())
    counts = []
    for page in all_pages(dataset):
        browser.get(page.url)
        with CaptureQueriesContext(connection) as captured:
            answer = browser.get(page.url)
        assert answer.status_code == 200, page
        counts.append(len(captured))
    return counts


def test_pages(fill: Fill, process_environment: dict[str, str]) -> None:
    few = query_counts(fill(FEW_ITEMS, FEW_JOBS))
    dataset = fill(sizes.items(), sizes.jobs())
    many = query_counts(dataset)
    pages = all_pages(dataset)
    seconds: list[list[float]] = [[] for _ in pages]
    bytes_: list[int] = [0] * len(pages)
    with start_gunicorn(process_environment) as web, closing(web.connect()) as http:
        # In rounds, so that other load on the machine affects all pages alike; the first round warms up.
        for number in range(sizes.repetitions() + 1):
            for index, page in enumerate(pages):
                answer = web.get(page.url, http)
                assert answer.status == 200, page
                bytes_[index] = answer.size
                if number:
                    seconds[index].append(answer.seconds * 1000)
    rows, slowest = [], {PAGE_TARGET: 0.0, STATUS_TARGET: 0.0}
    for index, page in enumerate(pages):
        slowest_of_page = figures.percentile(seconds[index], 95)
        if page.target:
            slowest[page.target] = max(slowest[page.target], slowest_of_page)
        rows.append(
            (
                page.name,
                few[index],
                many[index],
                f"{bytes_[index] / 1000:.0f}",
                f"{figures.median(seconds[index]):.1f}",
                f"{slowest_of_page:.1f}",
                page.target or "",
                "over" if page.target and slowest_of_page > page.target else "",
            )
        )
    figures.save("pages", page_ms=slowest[PAGE_TARGET], status_ms=slowest[STATUS_TARGET])
    figures.print_table(
        f"Pages, {figures.database()}: {dataset.items:,} items in {dataset.jobs:,} jobs",
        f"Real HTTP to gunicorn (one worker, four threads), one request at a time, {sizes.repetitions()} for "
        f"each page in rounds.\nQueries with {FEW_ITEMS:,} and with {dataset.items:,} items. "
        "Targets are for the 95th percentile.",
        COLUMNS,
        rows,
    )
    assert few == many
