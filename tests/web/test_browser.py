"""The app as a person meets it: a real browser, the real server, a real worker, the demo Zendesk."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from jobs.models import Job
from jobs.states import Status
from tests import factories
from tests.demo import Demo, demo_zendesk

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60_000  # milliseconds; only a hang reaches it

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def slow_demo(transactional_db: None, settings: Any) -> Iterator[Demo]:
    """Bulk jobs take a while, so that there is progress to see."""
    with demo_zendesk(settings, tickets=2_500, scale=0.3) as demo:
        yield demo


@pytest.fixture
def worker(
    slow_demo: Demo, process_environment: dict[str, str], settings: Any, tmp_path: Path
) -> Iterator[None]:
    """A worker on the test's database; it ends with the test."""
    environment = process_environment | {
        name: getattr(settings, name)
        for name in ("ZENDESK_BASE_URL", "ZENDESK_OAUTH_CLIENT_ID", "ZENDESK_OAUTH_CLIENT_SECRET")
    }
    with (tmp_path / "worker.log").open("wb") as log:
        cluster = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    yield
    os.killpg(cluster.pid, signal.SIGKILL)
    cluster.wait()


@contextmanager
def browser_page(**context: Any) -> Iterator[Page]:
    """A page of the Chromium that is installed, else of Playwright's own. No use of models inside."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_context(**context).new_page()
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield page
        browser.close()


def sign_in(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("Username").fill("ana")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_job_is_started_and_watched_to_its_end(
    live_server: LiveServer, slow_demo: Demo, worker: None
) -> None:
    factories.runner("ana")
    refs = slow_demo.open_tickets[:2_000]
    complaints: list[str] = []
    hosts: set[str | None] = set()
    parts: list[str] = []

    with browser_page() as page:
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.on("response", lambda response: parts.append(f"{response.status} {urlsplit(response.url).path}"))

        sign_in(page, f"{live_server.url}/tools/bulk-tag/")
        page.get_by_label("Tags to add").fill("seen-in-a-browser")
        page.locator("label:has(input[name=kind][value=ids])").click()
        page.get_by_label("Ticket numbers", exact=True).fill(" ".join(map(str, refs)))
        page.get_by_role("button", name="Run without a preview").click()
        page.wait_for_url(re.compile(r"/jobs/\d+/$"))
        page.evaluate("document.body.dataset.loaded = 'once'")

        # Somewhere between the start and the end, then the end, without the page being loaded anew.
        expect(page.locator("#bar-text")).to_have_text(
            re.compile(r"^(?!0 of)\d[\d,]* of 2,000 tickets \([1-9]\d? %\)$")
        )
        expect(page.locator("#job-live .status")).to_have_text("Succeeded")
        expect(page.locator("#bar-text")).to_have_text("2,000 of 2,000 tickets (100 %)")
        expect(page.locator("#job-spoken")).to_have_text("Succeeded, 100 % done.")
        expect(page.locator("#count-changed b")).to_have_text("2,000")
        expect(page.locator(".tickets .tag-add").first).to_contain_text("seen-in-a-browser")
        expect(page.locator(".timeline li").last).to_contain_text("Succeeded")
        expect(page.locator("[data-polled]")).to_have_count(0)
        assert page.evaluate("document.body.dataset.loaded") == "once"
        address = urlsplit(page.url).path

    job = Job.objects.get()
    assert (job.status, job.changed, job.get_absolute_url()) == (Status.SUCCEEDED, 2_000, address)
    assert {"seen-in-a-browser"} <= slow_demo.tags(refs[-1])
    assert complaints == []
    assert hosts == {urlsplit(live_server.url).netloc}
    assert {part.split()[0] for part in parts} <= {"200", "204", "302"}


def test_everything_works_without_javascript(live_server: LiveServer, transactional_db: None) -> None:
    factories.runner("ana")
    job = factories.job(Status.RUNNING, changed=40, total=100)
    ended = factories.job(Status.CANCELLED, changed=40, total=100)

    with browser_page(java_script_enabled=False) as page:
        sign_in(page, f"{live_server.url}{job.get_absolute_url()}")
        expect(page.locator("#bar-text")).to_have_text("40 of 100 tickets (40 %)")
        page.get_by_role("link", name="Cancel the job").click()
        expect(page.get_by_text("40 tickets are changed and stay changed.")).to_be_visible()
        page.get_by_role("button", name="Cancel the job").click()
        expect(page.locator("#job-live .status")).to_have_text("Cancelling")
        page.get_by_role("link", name="Refresh").click()
        expect(page.locator("#state")).to_contain_text("Cancelling for ana")
        page.goto(f"{live_server.url}{ended.get_absolute_url()}")
        page.get_by_role("link", name="Run the rest").click()
        expect(
            page.get_by_text("A new job takes the 60 tickets that this one did not attempt.")
        ).to_be_visible()
        page.locator(".who summary").click()
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{live_server.url}/jobs/")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    job.refresh_from_db()
    assert job.status == Status.CANCELLING
