"""A full database for each part, outside of any transaction, so that other processes see what is in it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from jobs import audit
from tests.benchmarks import sizes, stock

#: Fills the database with so many items and small jobs, in place of what it held.
Fill = Callable[[int, int], stock.Stock]


@pytest.fixture
def fill(transactional_db: None) -> Fill:
    def fill(items: int, jobs: int) -> stock.Stock:
        stock.empty()
        start = time.perf_counter()
        filled = stock.fill(items, jobs)
        seconds = time.perf_counter() - start
        assert list(audit.drifts()) == []  # what check_jobs asks
        print(f"\n{items:,} items in {filled.jobs:,} jobs, filled in {seconds:.0f} s and recounted.")
        return filled

    return fill


@pytest.fixture
def full(fill: Fill) -> stock.Stock:
    """As many items as BENCH_ITEMS says, a million unless it does."""
    return fill(sizes.items(), sizes.jobs())
