"""The pages for people without a mouse, and for browsers without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.asking import numbers, see_state, sign_in
from tests.browser.conftest import Visit
from tests.browser.office import NAME, PASSWORD, Office

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_TABS = 80
IS_FOCUS_SHOWN = """() => {
    const focused = document.activeElement;
    if (!focused || focused === document.body) return true;
    return [focused, focused.closest("label")].filter(Boolean).some((element) => {
        const style = getComputedStyle(element);
        const outlined = style.outlineStyle !== "none" && style.outlineWidth !== "0px";
        return outlined || style.boxShadow !== "none";
    });
}"""
WHAT_IS_FOCUSED = "document.activeElement.outerHTML.slice(0, 200)"


def go_to(page: Page, place: Locator) -> None:
    """Press Tab until it has the focus, which has to be seen wherever it is on the way."""
    for _ in range(MOST_TABS):
        if place.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
        assert page.evaluate(IS_FOCUS_SHOWN), page.evaluate(WHAT_IS_FOCUSED)
    raise AssertionError(f"{MOST_TABS} times Tab did not lead to {place}.")


def test_a_job_is_previewed_run_and_taken_back_without_a_mouse(office: Office, visit: Visit) -> None:
    refs = office.demo.open_tickets[:30]
    before = {ref: office.demo.tags(ref) for ref in refs}
    page = visit(who=None, reduced_motion="reduce")  # a ring that fades in is not there at once
    page.goto("/")
    go_to(page, page.get_by_label("Username"))
    page.keyboard.type(NAME)
    go_to(page, page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    go_to(page, page.get_by_role("link", name="Add and remove tags"))
    page.keyboard.press("Enter")
    go_to(page, page.get_by_label("Tags to add"))
    page.keyboard.type("by-keyboard")
    go_to(page, page.locator("input[name=kind]:checked"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    go_to(page, numbers(page))
    page.keyboard.type(" ".join(map(str, refs)))
    go_to(page, page.get_by_role("button", name="Preview", exact=True))
    page.keyboard.press("Enter")
    go_to(page, page.get_by_role("button", name="Change 30 tickets"))
    page.keyboard.press("Enter")
    expect(page.locator("#count-changed b")).to_have_text("30")
    see_state(page, "Succeeded")
    expect(page.locator("#state")).to_be_focused()  # what became of it is read out
    assert [ref for ref in refs if "by-keyboard" not in office.demo.tags(ref)] == []

    go_to(page, page.locator("#do-undo"))
    page.keyboard.press("Enter")
    go_to(page, page.get_by_role("button", name="Undo"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undo:")
    see_state(page, "Succeeded")
    assert {ref: office.demo.tags(ref) for ref in refs} == before


def test_the_first_tab_leads_past_the_header(page: Page) -> None:
    page.goto("/jobs/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_everything_works_without_javascript(office: Office, visit: Visit) -> None:
    refs = office.demo.open_tickets[:20]
    page = visit(who=None, java_script_enabled=False)
    sign_in(page, "/tools/bulk-tag/")
    expect(page.locator(".panel-tabs")).to_be_hidden()
    page.get_by_label("Tags to add").fill("without-javascript")
    numbers(page).fill(" ".join(map(str, refs)))
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.locator(".verdicts")).to_contain_text("20 will change")
    page.get_by_role("link", name="See some of the tickets").click()
    expect(page.locator("#samples li")).to_have_count(20)
    page.go_back()
    page.get_by_role("link", name="What else the change sets in motion").click()
    expect(
        page.get_by_text("The webhook “Data warehouse” receives 20 events of these tickets.")
    ).to_be_visible()
    page.get_by_role("link", name="Back to the preview").click()
    page.get_by_role("button", name="Change 20 tickets").click()
    see_state(page, "Succeeded")
    page.locator("#do-undo").click()
    page.get_by_role("button", name="Undo").click()
    see_state(page, "Succeeded")


def test_a_job_is_stopped_from_the_list_without_javascript(office: Office, visit: Visit) -> None:
    page = visit(who=None, java_script_enabled=False)
    sign_in(page, "/jobs/")  # a session of its own, which it ends
    with office.half_done():
        address = office.start_job(office.demo.open_tickets[:1_200], "stopped-in-the-list")
        page.goto("/jobs/?tag=stopped-in-the-list")
        page.locator("input[name=job]").check()
        page.get_by_role("button", name="Cancel the ticked jobs").click()
        page.locator("main form button[type=submit]").click()
        expect(page.get_by_text("1 job was told to stop.")).to_be_visible()
    page.goto(address)
    expect(page.locator("#state")).to_contain_text("ana")
    page.locator(".who summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/jobs/")
    expect(page).to_have_url(re.compile("/login/"))
