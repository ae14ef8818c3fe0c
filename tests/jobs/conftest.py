"""Every test of a job ends with a recount: what is shown must be what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jobs.reports import recount
from tests.demo import Demo, demo_zendesk


@pytest.fixture
def demo(db: None, settings: Any) -> Iterator[Demo]:
    """A small demo Zendesk whose bulk jobs are done at once; no count of any job may drift."""
    with demo_zendesk(settings) as running:
        yield running
        assert list(recount.drifts()) == []


@pytest.fixture
def job_counts(db: None) -> Iterator[None]:
    yield
    assert list(recount.drifts()) == []
