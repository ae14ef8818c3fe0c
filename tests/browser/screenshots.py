"""`make screenshots`: the pictures of the README, taken of the real app at work. No tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.asking import see_state
from tests.browser.conftest import Visit
from tests.browser.office import ROOT, Office
from zendesk import sandbox as zd

PICTURES = ROOT / "docs" / "screenshots"
SIZE: ViewportSize = {"width": 1280, "height": 860}
TALL: ViewportSize = {"width": 1280, "height": 1180}
HALF_WAY = re.compile(r"\((4[5-9]|[5-7]\d) %\)$")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The app with a demo Zendesk as large as that of `make demo`, in no hurry."""
    account = zd.Sandbox(zd.Options(tickets=12_000, scale=0.3, rate_limit=700))
    with zd.serve(account) as server:
        office = Office(tmp_path_factory.mktemp("office"), account, server.url)
        yield office
        office.close()


def test_pictures_of_the_readme(office: Office, visit: Visit) -> None:
    page = visit(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
    _ask_for_jobs(office)
    page.goto("/tools/bulk-tag/")
    page.get_by_label("Tags to add").fill("vip")
    page.get_by_label("Tags to remove").fill("newsletter")
    page.locator("#id_view").select_option(str(zd.VIEW_UNSOLVED))
    page.get_by_role("button", name="Preview", exact=True).click()
    see_state(page, "Succeeded")
    expect(page.locator("#samples li")).to_have_count(20)
    expect(page.get_by_text("Before you go on")).to_be_visible()
    page.set_viewport_size(TALL)
    page.evaluate("scrollTo(0, 0)")
    _take(page, "preview")
    page.set_viewport_size(SIZE)

    page.get_by_role("button", name=re.compile("^Change .* tickets$")).click()
    expect(page.locator("#bar-text")).to_have_text(HALF_WAY)
    _take(page, "job")

    page.emulate_media(color_scheme="dark")
    page.goto("/")
    expect(page.get_by_text("Connected as")).to_be_visible()
    _take(page, "dashboard")


def _ask_for_jobs(office: Office) -> None:
    """A history, as a team has it: one done, one taken back, one that met closed tickets."""
    ask = ("tag_tickets", "--yes", "--as", "ana")
    office.manage(*ask, "--view", str(zd.VIEW_URGENT), "--add", "escalated")
    office.manage(*ask, "--view", str(zd.VIEW_REFUNDS), "--add", "refund_2026", "--remove", "refund")
    office.manage("jobs", "undo", "2", "--yes")
    office.manage(*ask, "--search", "type:incident", "--add", "outage_november", "--limit", "900")


def _take(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=Path(PICTURES, f"{name}.png"))
