"""A demo Zendesk that counts, and the clusters that work on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from tests.demo import Demo, demo_zendesk
from tests.fuzz.fleet import Fleet
from tests.fuzz.orders import Orders

#: Waits that a test need not sit out; the guards themselves are as they are, but for ages. With a fence of 0
#: a process that was frozen has always slept longer than the fence allows, however quick its successor was.
QUICK = (
    "jobs.workers.watching_broker.WATCH_EVERY=0.2 "
    "jobs.engine.lost_search.LOST_SEARCH_DELAY=0.3 jobs.runtime.lease.FENCE_MAX_AGE=0 "
    "jobs.tasks.SLICE=1 jobs.tasks.ALONE=1 zendesk.transport.requestor.SEND_WITHIN=0.5"
)

StartFleet = Callable[..., Fleet]


@pytest.fixture
def counting(transactional_db: None, settings: Any) -> Iterator[Demo]:
    """A demo Zendesk whose ledger knows each write to each ticket."""
    with demo_zendesk(settings, tickets=1500) as running:
        yield running


@pytest.fixture
def orders(tmp_path: Path) -> Orders:
    return Orders(tmp_path / "orders")


@pytest.fixture
def start_fleet(
    counting: Demo, orders: Orders, process_environment: dict[str, str], tmp_path: Path
) -> Iterator[StartFleet]:
    """Starts one cluster, `without` the guard that is named; what is left of it ends with the test."""
    fleets: list[Fleet] = []

    def start(*, without: str = "", times: str = QUICK, workers: int = 2, clusters: int = 1) -> Fleet:
        environment = process_environment | {
            "DJANGO_SETTINGS_MODULE": "tests.fuzz.settings",
            "FUZZ_ORDERS": str(orders.folder),
            "FUZZ_TIMES": times,
            "FUZZ_WITHOUT": without,
            "Q_WORKERS": str(workers),
            "ZENDESK_BASE_URL": counting.url,
            "ZENDESK_OAUTH_CLIENT_ID": django_settings.ZENDESK_OAUTH_CLIENT_ID,
            "ZENDESK_OAUTH_CLIENT_SECRET": django_settings.ZENDESK_OAUTH_CLIENT_SECRET,
        }
        fleet = Fleet(environment, tmp_path)
        fleets.append(fleet)
        for _ in range(clusters):
            fleet.start()
        fleet.await_worker()
        return fleet

    yield start
    for fleet in fleets:
        fleet.end_all()
