"""The cost of a scrape of `/metrics` with a million items: in total, and for each query."""

from __future__ import annotations

import time

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.benchmarks import figures, sizes
from tests.benchmarks.conftest import Fill

TOKEN = "a-token-of-this-benchmark-0123456789"
#: Times as many small jobs as in the benchmark of pages.
JOBS_FACTOR = 2


def test_metrics(fill: Fill, settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    dataset = fill(sizes.items(), JOBS_FACTOR * sizes.jobs())
    scraper = Client(headers={"Authorization": f"Bearer {TOKEN}"})
    seconds = []
    for _ in range(sizes.repetitions() + 1):
        started = time.perf_counter()
        assert scraper.get("/metrics").status_code == 200
        seconds.append(time.perf_counter() - started)
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
    figures.print_table(
        f"Metrics, {figures.database()}: {dataset.items:,} items in {dataset.jobs:,} jobs",
        f"{len(captured)} queries for each scrape; {sizes.repetitions()} scrapes within one process.",
        ("what", "median ms", "95 % ms"),
        rows,
    )
