"""Every page that reads jobs or items, with a million items in the database.

Shows that a page costs the same however much is stored: its time over real HTTP, and that it asks the
database as often as with a thousand items.
"""

from __future__ import annotations

from contextlib import closing

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.benchmarks import figures, sizes
from tests.benchmarks.conftest import Fill
from tests.benchmarks.dataset import Stock
from tests.benchmarks.pages import PAGE, STATUS, addresses
from tests.benchmarks.web import served, viewer

FEW_ITEMS, FEW_JOBS = 1_000, 50
COLUMNS = ("page", "queries, few", "many", "kB", "median ms", "95 % ms", "target ms", "")


def queries(stock: Stock) -> list[int]:
    """How often each address asks the database, once it has been asked for before."""
    browser = Client()
    browser.force_login(viewer())
    numbers = []
    for address in addresses(stock):
        browser.get(address.url)
        with CaptureQueriesContext(connection) as captured:
            answer = browser.get(address.url)
        assert answer.status_code == 200, address
        numbers.append(len(captured))
    return numbers


def test_pages(fill: Fill, process_environment: dict[str, str]) -> None:
    few = queries(fill(FEW_ITEMS, FEW_JOBS))
    stock = fill(sizes.items(), sizes.jobs())
    many = queries(stock)
    asked = addresses(stock)
    seconds: list[list[float]] = [[] for _ in asked]
    bytes_: list[int] = [0] * len(asked)
    with served(process_environment) as web, closing(web.connect()) as line:
        # Round by round, so that what else the machine does falls on all of them alike; the first to warm up.
        for number in range(sizes.times() + 1):
            for place, address in enumerate(asked):
                answer = web.get(address.url, line)
                assert answer.status == 200, address
                bytes_[place] = answer.size
                if number:
                    seconds[place].append(answer.seconds * 1000)
    rows, slowest = [], {PAGE: 0.0, STATUS: 0.0}
    for place, address in enumerate(asked):
        most = figures.percentile(seconds[place], 95)
        if address.target:
            slowest[address.target] = max(slowest[address.target], most)
        rows.append(
            (
                address.name,
                few[place],
                many[place],
                f"{bytes_[place] / 1000:.0f}",
                f"{figures.median(seconds[place]):.1f}",
                f"{most:.1f}",
                address.target or "",
                "over" if address.target and most > address.target else "",
            )
        )
    figures.keep("pages", page_ms=slowest[PAGE], status_ms=slowest[STATUS])
    figures.tell(
        f"Pages, {figures.database()}: {stock.items:,} items in {stock.jobs:,} jobs",
        f"Real HTTP to gunicorn (one worker, four threads), one request at a time, {sizes.times()} each, in "
        "turn.\nQueries with "
        f"{FEW_ITEMS:,} and with {stock.items:,} items. Targets are for the 95th percentile.",
        COLUMNS,
        rows,
    )
    assert few == many
