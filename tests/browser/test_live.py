"""A job's page that is left open: what moves, what stays, and when it asks the server nothing."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.asking import ON_THE_WAY, see_state
from tests.browser.conftest import Visit
from tests.browser.office import Office
from tests.browser.watching import Watch, polls

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
    Object.defineProperty(document, "visibilityState", {
        configurable: true, get: () => hidden ? "hidden" : "visible"});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_progress_moves_to_the_end_without_a_reload(office: Office, page: Page) -> None:
    answers = polls(page)
    page.goto(office.start_job(office.demo.open_tickets[:1_200], "seen-moving"))
    page.evaluate("document.body.dataset.loaded = 'once'")
    expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)
    expect(page).to_have_title(re.compile(r"^[1-9]\d? % · Add seen-moving"))
    icon = page.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", re.compile("^data:image/svg"))
    assert "stroke-dasharray" in unquote(icon.get_attribute("href") or "")

    see_state(page, "Succeeded")
    expect(page.locator("#bar-text")).to_have_text("1,200 of 1,200 tickets (100 %)")
    expect(page.locator("#job-spoken")).to_have_text("Succeeded, 100 % done.")
    expect(page.locator("#count-changed b")).to_have_text("1,200")
    expect(page.locator(".tickets .tag-add").first).to_contain_text("seen-moving")
    expect(page.locator(".timeline li").last).to_contain_text("Succeeded")
    expect(page).to_have_title(re.compile("^Succeeded · Add seen-moving"))
    expect(page.locator("[data-polled]")).to_have_count(0)
    assert page.evaluate("document.body.dataset.loaded") == "once"
    assert {answer.split()[0] for answer in answers} <= {"200", "204"}


def test_what_is_chosen_and_focused_survives_the_news(office: Office, page: Page) -> None:
    page.goto(office.start_job(office.demo.open_tickets[:1_200], "focus-stays"))
    expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)
    first = page.locator("#bar-text").text_content() or ""
    page.locator("#do-cancel").focus()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
    expect(page.locator("#bar-text")).not_to_have_text(first)
    assert page.evaluate("document.activeElement.id") == "do-cancel"
    assert "focus-stays" in page.evaluate("String(getSelection())")
    see_state(page, "Succeeded")


def test_a_hidden_tab_asks_nothing_until_it_is_shown_again(office: Office, page: Page) -> None:
    page.goto(office.start_job(office.demo.open_tickets[:1_200], "hidden-tab"))
    expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)
    asked: list[str] = []
    page.evaluate(HIDE, True)
    page.on("request", lambda request: asked.append(request.url))
    # Two beats of the page's clock, each of which would have been a request.
    held_back = page.evaluate(
        """() => new Promise((done) => {
            let beats = 0;
            document.addEventListener("htmx:beforeRequest", (event) => {
                if (event.defaultPrevented) beats += 1;
                if (beats === 2) done(beats);
            });
        })"""
    )
    assert (held_back, asked) == (2, [])
    page.evaluate(HIDE, False)
    see_state(page, "Succeeded")


def test_a_server_that_is_away_is_told_of_and_found_again(
    office: Office, visit: Visit, watches: list[Watch]
) -> None:
    page = visit()
    watches[0].forgive("net::ERR_(CONNECTION_|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)")
    watches[0].forgive("htmx:(afterRequest|sendError)")
    page.goto(office.start_job(office.demo.open_tickets[:1_200], "away-and-back"))
    expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)
    page.evaluate("document.body.dataset.loaded = 'once'")
    office.close_web()
    try:
        expect(page.locator("#poll-trouble")).to_have_text(
            re.compile(r"^Last update \d+ s ago: the server does not answer. Trying again.$")
        )
        expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)  # the last figures stay
    finally:
        office.open_web()
    see_state(page, "Succeeded")
    expect(page.locator("#poll-trouble")).to_be_hidden()
    assert page.evaluate("document.body.dataset.loaded") == "once"
