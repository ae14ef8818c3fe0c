"""What people do on the pages, in their words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playwright.sync_api import Locator, Page, expect

from tests.browser.office import NAME, PASSWORD

#: On its way, and not at its start any more.
ON_THE_WAY = re.compile(r"^(?!0 of)\d[\d,]* of [\d,]+ tickets \([1-9]\d? %\)$")


def sign_in(page: Page, path: str) -> None:
    """Go to a page as somebody unknown, and sign in on the way."""
    page.goto(path)
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def choose(page: Page, way: str) -> None:
    """The tab of one way to say which tickets."""
    page.locator(".panel-tabs label", has_text=way).click()


def fill_in(page: Page, refs: Iterable[int], tag: str) -> None:
    """The form of the tool "bulk-tag", for tickets given by number."""
    page.get_by_label("Tags to add").fill(tag)
    choose(page, "Numbers")
    numbers(page).fill(" ".join(map(str, refs)))


def numbers(page: Page) -> Locator:
    return page.get_by_label("Ticket numbers", exact=True)


def see_state(page: Page, word: str) -> None:
    """Stay on the job's page until it says so by itself."""
    expect(page.locator("#job-live .status")).to_have_text(word)
