"""A full database for each benchmark, committed so that other processes can read it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from jobs.reports import recount
from tests.benchmarks import dataset

#: `dataset.fill` on an emptied database.
Fill = Callable[..., dataset.Dataset]


@pytest.fixture
def fill(transactional_db: None) -> Fill:
    def fill(items: int, jobs: int, **shape: int) -> dataset.Dataset:
        dataset.clear()
        start = time.perf_counter()
        filled = dataset.fill(items, jobs, **shape)
        seconds = time.perf_counter() - start
        assert list(recount.drifts()) == []  # the same check as check_jobs
        print(f"\n{items:,} items in {filled.jobs:,} jobs, filled in {seconds:.0f} s and recounted.")
        return filled

    return fill
