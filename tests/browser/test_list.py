"""The list of jobs and other pages that are left open while nothing, or something, happens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.office import Office
from tests.browser.watching import polls

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOVE = "from jobs.models import Job; Job.objects.filter(pk={pk}).update(changed={changed})"


def move(office: Office, job: int, changed: int) -> None:
    """As a worker would have: the job has got so far."""
    office.shell(MOVE.format(pk=job, changed=changed))


def test_a_page_that_has_nothing_new_is_not_drawn_anew(page: Page, gallery: dict[str, int]) -> None:
    answers = polls(page)
    for address, part in (
        (f"/jobs/{gallery['waiting-rate-limit']}/", "#job-live"),
        ("/jobs/", "#jobs"),
        ("/", "#jobs-now"),
    ):
        page.goto(address)
        page.locator(part).evaluate("part => part.dataset.mine = 'still here'")
        page.wait_for_event("response", lambda answer: answer.status == 204)
        expect(page.locator(part)).to_have_attribute("data-mine", "still here")
    assert [answer for answer in answers if answer.startswith("200")] == ["200 connection"]


def test_ticks_and_the_focus_survive_new_rows(office: Office, page: Page, gallery: dict[str, int]) -> None:
    page.goto("/jobs/?show=active")
    ticked = page.locator(f"#tick-{gallery['running']}")
    moved = page.locator("#jobs tr", has=page.locator(f"#tick-{gallery['stalled']}"))
    ticked.check()
    page.locator(f"#tick-{gallery['queued']}").check()
    expect(page.locator("#chosen")).to_have_text("2 on this page ticked")
    expect(page.locator("#tick-all")).to_be_checked(indeterminate=True)
    page.locator("#filter-q").fill("half a wo")
    ticked.focus()

    move(office, gallery["stalled"], 121)
    expect(moved).to_contain_text("141 of 240")
    expect(ticked).to_be_checked()
    expect(ticked).to_be_focused()
    expect(page.locator(f"#tick-{gallery['queued']}")).to_be_checked()
    expect(page.locator("#chosen")).to_have_text("2 on this page ticked")
    expect(page.locator("#tick-all")).to_be_checked(indeterminate=True)
    expect(page.locator("#filter-q")).to_have_value("half a wo")

    page.get_by_role("button", name="Cancel the ticked jobs").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("2 jobs")


def test_one_tick_takes_all_rows_and_gives_them_back(page: Page, gallery: dict[str, int]) -> None:
    page.goto("/jobs/?show=active")
    rows = page.locator("input[name=job]")
    page.locator("#tick-all").check()
    expect(page.locator("#chosen")).to_have_text(f"{rows.count()} on this page ticked")
    page.locator("#tick-all").uncheck()
    expect(page.locator("#chosen")).to_have_text("")
    assert rows.count() > 5


def test_a_list_shows_a_job_getting_on(office: Office, page: Page, gallery: dict[str, int]) -> None:
    page.goto("/")
    row = page.locator("#jobs-now li", has=page.locator(f"#job-{gallery['stalled']}"))
    move(office, gallery["stalled"], 130)
    expect(row).to_contain_text("150 of 240")
