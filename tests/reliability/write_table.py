"""Run every case and many mixtures, and write what became of them into docs/reliability.md."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.reliability.cases import CASES, Case, mixed
from tests.reliability.table import Row, write
from tests.reliability.test_faults import check

#: How many mixtures; SEEDS=1000 tries more.
SEEDS = range(int(os.environ.get("SEEDS", "200")))

rows: list[Row] = []


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    rows.clear()
    yield
    if {row.name for row in rows} >= {case.name for case in CASES}:  # not of a part of the cases
        write(rows)


@pytest.mark.parametrize("case", [*CASES, *map(mixed, SEEDS)], ids=lambda case: case.name)
def test_case(case: Case, db: None, settings: Any) -> None:
    rows.append(Row(case.name, check(case, settings)))
