"""A real Chromium before the real app. Nothing waits for a time to pass: everything is awaited."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.office import Office
from tests.browser.watching import Watch
from zendesk import sandbox as zd

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
#: The one without windows first: it takes a third of the time for each page that is opened.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60_000  # milliseconds; only a hang reaches it


class Visit(Protocol):
    """Opens a page in a browser of its own, signed in as `who` or (None) as nobody yet."""

    def __call__(self, who: str | None = "ana", **options: Any) -> Page: ...


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The app with a demo Zendesk of 2,500 tickets; `Office.half_done` holds its bulk jobs."""
    account = zd.Sandbox(zd.Options(tickets=2_500, scale=0, rate_limit=100_000))
    with zd.serve(account) as server:
        office = Office(tmp_path_factory.mktemp("office"), account, server.url)
        yield office
        office.close()


@pytest.fixture(scope="module")
def gallery(office: Office) -> Iterator[dict[str, int]]:
    """The number of each made-up job by its scene. They hang for one file of tests only: some of them hold
    slots, which real jobs would have to do without."""
    yield json.loads(office.manage("demo_jobs", "--output", "json"))
    office.manage("demo_jobs", "--clear")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The Chromium that is installed, else Playwright's own.

    It ends with the tests of this folder: as long as it runs, Django refuses to use models in this process.
    """
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def watches() -> Iterator[list[Watch]]:
    """Whatever a test does, no page of its may have complained or asked another host."""
    kept: list[Watch] = []
    yield kept
    for watch in kept:
        watch.check()


@pytest.fixture
def visit(chromium: Browser, office: Office, watches: list[Watch]) -> Iterator[Visit]:
    opened: list[BrowserContext] = []

    def open_page(who: str | None = "ana", **options: Any) -> Page:
        context = chromium.new_context(base_url=office.url, **options)
        context.set_default_timeout(PATIENCE)
        if who:
            context.add_cookies([{"name": office.cookie, "value": office.sessions[who], "url": office.url}])
        watches.append(Watch(context, office.host))
        opened.append(context)
        return context.new_page()

    yield open_page
    for context in opened:
        context.close()


@pytest.fixture
def page(visit: Visit) -> Page:
    """A page on which Ana is signed in."""
    return visit()
