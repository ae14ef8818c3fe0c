"""A full database for each part, outside of any transaction, so that other processes see what is in it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from jobs.reports import recount
from tests.benchmarks import dataset

#: `dataset.fill`, in place of what the database held.
Fill = Callable[..., dataset.Stock]


@pytest.fixture
def fill(transactional_db: None) -> Fill:
    def fill(items: int, jobs: int, **shape: int) -> dataset.Stock:
        dataset.empty()
        start = time.perf_counter()
        filled = dataset.fill(items, jobs, **shape)
        seconds = time.perf_counter() - start
        assert list(recount.drifts()) == []  # what check_jobs asks
        print(f"\n{items:,} items in {filled.jobs:,} jobs, filled in {seconds:.0f} s and recounted.")
        return filled

    return fill
