"""Runs every case and many random mixtures, and writes the results into docs/reliability.md."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.reliability.cases import CASES, Case, random_mixture
from tests.reliability.table import Row, write
from tests.reliability.test_faults import check

#: One random mixture per seed; SEEDS=1000 tries more.
SEEDS = range(int(os.environ.get("SEEDS", "200")))

rows: list[Row] = []


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    rows.clear()
    yield
    if {row.name for row in rows} >= {case.name for case in CASES}:  # skip it after a partial run
        write(rows)


@pytest.mark.parametrize("case", [*CASES, *map(random_mixture, SEEDS)], ids=lambda case: case.name)
def test_case(case: Case, db: None, settings: Any) -> None:
    rows.append(Row(case.name, check(case, settings)))
