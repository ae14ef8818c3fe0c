"""The request beside a tool's form, read as rows, a sentence and a command while one types."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations
from tests.browser.asking import choose
from tests.browser.office import Office

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FORM = "/tools/bulk-tag/"


def test_the_request_is_read_while_one_types(office: Office, page: Page) -> None:
    page.goto(FORM)
    expect(page.locator("#draft")).to_be_hidden()
    choose(page, "Search")
    page.locator("#id_search").fill("status:open")
    page.locator("#id_add").fill("brand-new")
    request = page.locator("#draft")
    expect(request).to_contain_text("Add brand-new to tickets found by “status:open”")
    expect(request.locator("code")).to_contain_text(
        "tag_tickets --add brand-new --search status:open --dry-run"
    )
    page.locator("#id_add").fill("other")
    expect(request.locator("code")).to_contain_text("--add other")
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_an_address_fills_the_form_and_is_read_at_once(office: Office, page: Page) -> None:
    page.goto(f"{FORM}?search=status:open&not-ids=1&add=vip&lacking=trial")
    expect(page.locator("#draft")).to_contain_text("Leave out")
    expect(page.locator("#draft")).to_contain_text("checked on each")
    assert violations(page) == {"light": [], "dark": []}
