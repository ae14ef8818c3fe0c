"""What a scrape of `/metrics` costs with a million items: in all, and query by query."""

from __future__ import annotations

import time

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.benchmarks import figures, sizes
from tests.benchmarks.conftest import Fill

TOKEN = "a-token-of-this-benchmark-0123456789"
#: So many times the small jobs of the pages' benchmark.
MORE_JOBS = 2


def test_metrics(fill: Fill, settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    stock = fill(sizes.items(), MORE_JOBS * sizes.jobs())
    scraper = Client(headers={"Authorization": f"Bearer {TOKEN}"})
    seconds = []
    for _ in range(sizes.times() + 1):
        begun = time.perf_counter()
        assert scraper.get("/metrics").status_code == 200
        seconds.append(time.perf_counter() - begun)
    with CaptureQueriesContext(connection) as captured:
        scraper.get("/metrics")
    rows = [
        (
            "all",
            f"{figures.median(seconds[1:]) * 1000:.1f}",
            f"{figures.percentile(seconds[1:], 95) * 1000:.1f}",
        ),
        *((query["sql"][:70], f"{float(query['time']) * 1000:.0f}", "") for query in captured),
    ]
    figures.tell(
        f"Metrics, {figures.database()}: {stock.items:,} items in {stock.jobs:,} jobs",
        f"{len(captured)} queries for each scrape; {sizes.times()} scrapes within one process.",
        ("what", "median ms", "95 % ms"),
        rows,
    )
