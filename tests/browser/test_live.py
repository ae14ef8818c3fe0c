"""A job's page that is left open: what moves, what stays, and when it asks the server nothing."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.asking import ON_THE_WAY, see_state
from tests.browser.conftest import Visit
from tests.browser.office import NAME, PASSWORD, Office
from tests.browser.watching import Watch, polls

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
    Object.defineProperty(document, "visibilityState", {
        configurable: true, get: () => hidden ? "hidden" : "visible"});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.mark.journey
def test_progress_moves_to_the_end_without_a_reload(office: Office, page: Page) -> None:
    answers = polls(page)
    with office.half_done():
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
    with office.half_done() as account:
        page.goto(office.start_job(office.demo.open_tickets[:1_200], "focus-stays"))
        expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)
        first = page.locator("#bar-text").text_content() or ""
        page.locator("#do-cancel").focus()
        page.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
        account.hold(after=2)  # two more are done
        expect(page.locator("#bar-text")).not_to_have_text(first)
        assert page.evaluate("document.activeElement.id") == "do-cancel"
        assert "focus-stays" in page.evaluate("String(getSelection())")
    see_state(page, "Succeeded")


def test_a_hidden_page_rests_and_its_tab_still_tells_how_far_the_job_is(office: Office, page: Page) -> None:
    page.clock.install()
    with office.half_done():
        address = office.start_job(office.demo.open_tickets[:1_200], "hidden-tab")
        page.goto(address)
        expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)
        page.evaluate(HIDE, True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "hx-request" in request.headers else None)
    office.await_end(address)
    page.clock.fast_forward(31_000)
    expect(page).to_have_title(re.compile("^Succeeded · Add hidden-tab"))
    expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)
    assert [url for url in asked if urlsplit(url).path.endswith("/live")] == []
    page.evaluate(HIDE, False)
    see_state(page, "Succeeded")
    expect(page.locator("[data-polled]")).to_have_count(0)


def test_focus_stays_at_the_job_when_its_button_goes_away(office: Office, page: Page) -> None:
    with office.half_done():
        page.goto(office.start_job(office.demo.open_tickets[:600], "button-goes"))
        page.locator("#do-cancel").focus()
    see_state(page, "Succeeded")
    expect(page.locator("#state")).to_be_focused()


def test_a_session_that_ends_leaves_the_page_as_it_is_and_says_so(office: Office, page: Page) -> None:
    answers = polls(page)
    with office.half_done():
        address = office.start_job(office.demo.open_tickets[:1_200], "session-ends")
        page.goto(address)
        expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)
        page.context.clear_cookies(name=office.cookie)
        expect(page.get_by_text("Your session has ended.")).to_be_visible()
        expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)
        del answers[:]
    office.await_end(address)
    assert answers == []  # it has stopped asking
    page.get_by_role("link", name="Sign in again and come back here").click()
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    see_state(page, "Succeeded")
    assert page.url.startswith(address)


def test_a_server_that_is_away_is_reported_and_found_again(
    office: Office, visit: Visit, watches: list[Watch]
) -> None:
    page = visit()
    watches[0].forgive("net::ERR_(CONNECTION_|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)")
    watches[0].forgive("htmx:(afterRequest|sendError)")
    with office.half_done():
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


def test_one_click_pauses_and_one_more_resumes(office: Office, page: Page) -> None:
    with office.half_done():
        address = office.start_job(office.demo.open_tickets[:1_200], "one-click")
        page.goto(address)
        expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)
        page.locator("#do-pause").click()
        see_state(page, "Pausing")
        expect(page).to_have_url(re.compile(r"/jobs/\d+/$"))
    see_state(page, "Paused")
    page.locator("#do-resume").click()
    see_state(page, "Succeeded")
    expect(page).to_have_url(re.compile(r"/jobs/\d+/$"))
