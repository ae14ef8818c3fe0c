"""The shortcuts that `?` lists, and the colours that one chooses."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

IS_DARK = "document.documentElement.dataset.bsTheme === 'dark'"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


def test_keys_lead_where_their_list_says(page: Page) -> None:
    page.goto("/")
    for keys, path in (("gj", "/jobs/"), ("n", "/tools/bulk-tag/"), ("gh", "/")):
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_url(re.compile(rf"//[^/]+{path}$"))
    page.keyboard.press("/")
    page.wait_for_url(re.compile(r"/jobs/$"))


def test_a_slash_goes_to_the_search_of_the_list(page: Page, gallery: dict[str, int]) -> None:
    page.goto("/jobs/")
    page.keyboard.press("/")
    expect(page.locator("#filter-q")).to_be_focused()
    expect(page.locator("#filter-q")).to_have_value("")
    page.keyboard.type("n?g")  # letters, while one types
    expect(page.locator("#filter-q")).to_have_value("n?g")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.url.endswith("/jobs/")


def test_the_list_of_keys_opens_and_closes(page: Page) -> None:
    page.goto("/")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    page.keyboard.press("n")  # nothing happens behind it
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(keys).to_be_visible()
    keys.get_by_role("button", name="Close").click()
    expect(keys).to_be_hidden()
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_focused()
    assert page.url.endswith("/")


def test_keys_with_ctrl_or_alt_are_the_browsers(page: Page) -> None:
    page.goto("/")
    for keys in ("Control+n", "Alt+n"):
        prevented = page.evaluate(
            """(name) => {
                const [modifier, key] = name.split("+");
                const event = new KeyboardEvent("keydown", {
                    key, ctrlKey: modifier === "Control", altKey: modifier === "Alt",
                    bubbles: true, cancelable: true});
                return !document.body.dispatchEvent(event);
            }""",
            keys,
        )
        assert prevented is False, keys


def test_a_viewer_is_offered_no_key_for_what_he_may_not_do(visit: Visit) -> None:
    page = visit("vera")
    page.goto("/jobs/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).not_to_contain_text("New job")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.wait_for_url(re.compile(r"//[^/]+/$"))  # and not the tool


def test_the_menu_on_ones_name_closes_like_a_menu(page: Page) -> None:
    page.goto("/")
    name, leave = page.locator(".who summary"), page.get_by_role("button", name="Sign out")
    name.click()
    expect(leave).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(leave).to_be_hidden()
    expect(name).to_be_focused()
    name.click()
    page.locator("main").click()
    expect(leave).to_be_hidden()


def test_colours_follow_the_system_until_one_chooses(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/")
    assert page.evaluate(IS_DARK)
    dark = page.evaluate(BACKGROUND)
    page.emulate_media(color_scheme="light")
    # A function, because the page's policy lets nobody evaluate an expression again and again.
    page.wait_for_function(f"() => !({IS_DARK})")
    assert page.evaluate(BACKGROUND) != dark

    button = page.get_by_role("button", name="Colours")
    expect(button).to_have_accessible_name("Colours: as the system. Change")
    button.click()
    expect(button).to_have_accessible_name("Colours: light. Change")
    button.click()
    expect(button).to_have_accessible_name("Colours: dark. Change")
    assert page.evaluate(IS_DARK)


def test_chosen_colours_stay_over_a_reload_and_reach_other_tabs(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    other = page.context.new_page()
    other.goto("/jobs/")
    button = page.get_by_role("button", name="Colours")
    button.click()
    button.click()
    other.wait_for_function(f"() => {IS_DARK}")
    page.reload()
    assert page.evaluate(IS_DARK)
    expect(button).to_have_accessible_name("Colours: dark. Change")
    button.click()
    page.reload()
    assert not page.evaluate(IS_DARK)  # as the system again
