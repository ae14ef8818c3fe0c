"""Choosing tickets in the folded parts of the form, from there to taking it back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.asking import choose, see_state
from tests.browser.conftest import Visit
from tests.browser.office import Office
from zendesk import sandbox as zd

pytestmark = [pytest.mark.browser, pytest.mark.slow]

JOB = re.compile(r"/jobs/\d+/$")


def unfold(page: Page, title: str) -> None:
    page.locator("summary", has_text=title).click()


def test_a_view_and_not_a_tag_from_form_to_undo(office: Office, visit: Visit) -> None:
    page, demo = visit(), office.demo
    unsolved = demo.account.view_ticket_ids(zd.VIEW_UNSOLVED)
    chosen = [ref for ref in unsolved if "vip" not in demo.tags(ref)]
    before = {ref: demo.tags(ref) for ref in unsolved}
    assert 0 < len(chosen) < len(unsolved)

    page.goto("/tools/bulk-tag/")
    page.get_by_label("Tags to add").fill("not-for-vips")
    choose(page, "View")
    page.get_by_label("A view", exact=True).select_option(str(zd.VIEW_UNSOLVED))
    tags_to_leave_out = page.get_by_label("Those with a tag")
    expect(tags_to_leave_out).to_be_hidden()
    unfold(page, "Leave some out")
    tags_to_leave_out.fill("vip")
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "Add not-for-vips to tickets of view “All unsolved tickets”, only those that lack vip"
    )
    expect(page.locator(".timeline")).to_contain_text(
        f"Of those that were read, {len(unsolved) - len(chosen):,} were left out, as asked."
    )

    page.get_by_role("button", name=f"Change {len(chosen):,} tickets").click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    assert [ref for ref in unsolved if "not-for-vips" in demo.tags(ref)] == chosen

    page.locator("#do-undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undo:")
    see_state(page, "Succeeded")
    assert {ref: demo.tags(ref) for ref in unsolved} == before


def test_a_part_that_was_filled_in_lies_open_when_the_form_comes_back(office: Office, visit: Visit) -> None:
    page = visit()
    page.goto("/tools/bulk-tag/")
    page.get_by_label("Tags to add").fill("kept")
    unfold(page, "Only some of them")
    page.get_by_label("pending", exact=True).check()
    page.reload()
    expect(page.get_by_label("pending", exact=True)).to_be_checked()
    expect(page.locator("details.fold[open] > summary")).to_have_text(["Only some of them"])
