"""The admin in a real browser: fit for everybody, under the content policy, and an action from end to end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import violations
from tests.browser.conftest import PATIENCE
from tests.browser.office import Office
from tests.browser.watching import Watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (360, 390, 1440, 1920)
#: `{job}` is a job of the gallery with failures.
PLACES = (
    "/admin/",
    "/admin/jobs/job/",
    "/admin/jobs/job/?q=4711",
    "/admin/jobs/job/{job}/change/",
    "/admin/jobs/item/?q=4711",
    "/admin/jobs/item/?job__id__exact={job}&outcome=failed",
    "/admin/jobs/batch/",
    "/admin/jobs/transition/",
    "/admin/django_q/ormq/",
    "/admin/django_q/failure/",
)


@pytest.fixture(scope="module")
def seat(chromium: Browser, office: Office) -> Iterator[tuple[Page, Watch]]:
    """Ana, who may do everything, at one page for the whole file."""
    context = chromium.new_context(base_url=office.url, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    context.add_cookies([{"name": office.cookie, "value": office.sessions["ana"], "url": office.url}])
    watch = Watch(context, office.host)  # before the page, to hear it from its beginning
    yield context.new_page(), watch
    context.close()


@pytest.mark.parametrize("place", PLACES)
def test_page_of_the_admin_fits_everybody(
    seat: tuple[Page, Watch], gallery: dict[str, int], place: str
) -> None:
    page, watch = seat
    page.goto(place.format(job=gallery["partial"]))
    watch.check()
    found = violations(page)
    # To read a style sheet that another one imports, axe writes a style of its own, which the policy refuses.
    watch.complaints.clear()
    too_wide = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            too_wide.append(width)
    assert (found, too_wide) == ({"light": [], "dark": []}, [])
    watch.check()


def test_a_job_is_cancelled_from_the_admin(seat: tuple[Page, Watch], gallery: dict[str, int]) -> None:
    page, watch = seat
    job = gallery["paused"]
    page.goto("/admin/jobs/job/")
    page.locator(f"input[name=_selected_action][value='{job}']").check()
    page.get_by_label("Action:").select_option(label="Cancel the chosen jobs")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", name="Cancel these jobs?")).to_be_visible()
    page.get_by_role("button", name="Cancel 1 job").click()
    expect(page.get_by_text("1 job was told to stop.")).to_be_visible()
    page.goto("/admin/")
    expect(page.locator(".actionlist li").first).to_contain_text("The job was told to stop.")
    watch.check()


def test_the_choice_of_colours_is_the_one_of_the_other_pages(seat: tuple[Page, Watch]) -> None:
    page, watch = seat
    page.emulate_media(color_scheme="light")
    page.goto("/")
    page.get_by_role("button", name="Colours").click()
    page.get_by_role("button", name="Colours").click()
    page.goto("/admin/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(33, 37, 41)"
    page.get_by_role("button", name="Colours").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    watch.check()
