"""Every page and every state of a job: for everybody's eyes, in both schemes, on every screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from jobs.demo.scenes import SCENES
from tests.browser.accessibility import violations
from tests.browser.asking import choose
from tests.browser.conftest import PATIENCE
from tests.browser.office import Office
from tests.browser.watching import Watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (360, 390, 1440, 1920)
#: Who looks at it, where, and which refusal is expected there.
PLACES: dict[str, tuple[str | None, str, int]] = {
    "sign-in": (None, "/login/?ended=1", 200),
    "dashboard": ("ana", "/", 200),
    "dashboard of a viewer": ("vera", "/", 200),
    "connection": ("ana", "/connection", 200),
    "password": ("ana", "/password/", 200),
    "list": ("ana", "/jobs/", 200),
    "list of a viewer": ("vera", "/jobs/", 200),
    "list, nothing in it": ("ana", "/jobs/?q=no-such-job-anywhere", 200),
    "list, filters that make no sense": ("ana", "/jobs/?since=soon", 200),
    "all to be cancelled": ("ana", "/jobs/cancel?all=yes", 200),
    "none to be cancelled": ("ana", "/jobs/cancel", 200),
    "renaming": ("ana", "/tools/rename-tags/", 200),
    "removing by pattern": ("ana", "/tools/remove-pattern/?patterns=region/*+plan_*", 200),
    "tag inventory": ("ana", "/tools/tag-inventory/", 200),
    "rows": ("ana", "/tools/tag-rows/", 200),
    "macros": ("ana", "/tools/macro-search/", 200),
    "macros, none found": ("ana", "/tools/macro-search/?q=no-such-macro&in=title", 200),
    "refused": ("vera", "/tools/bulk-tag/", 403),
    "not there": ("ana", "/jobs/999999/", 404),
}
ASKING = (
    ("running", "cancel"),
    ("running", "pause"),
    ("paused", "resume"),
    ("partial", "retry"),
    ("cancelled", "rest"),
    ("dry-run", "run"),
    ("succeeded", "undo"),
    ("succeeded", "pause"),
)
WAYS = ("View", "Search", "Numbers", "Tag", "Earlier job")


Seats = Callable[[str | None], tuple[Page, Watch]]


@pytest.fixture(scope="module")
def seats(chromium: Browser, office: Office, gallery: dict[str, int]) -> Iterator[Seats]:
    """One page for each person, for all that only look at what is there."""
    taken: dict[str | None, tuple[Page, Watch]] = {}

    def seat(who: str | None) -> tuple[Page, Watch]:
        if who not in taken:
            context = chromium.new_context(base_url=office.url, reduced_motion="reduce")
            context.set_default_timeout(PATIENCE)
            if who:
                context.add_cookies(
                    [{"name": office.cookie, "value": office.sessions[who], "url": office.url}]
                )
            watch = Watch(context, office.host)
            taken[who] = context.new_page(), watch
        return taken[who]

    yield seat
    for page, _ in taken.values():
        page.context.close()


@pytest.fixture
def ana(seats: Seats) -> Iterator[Page]:
    page, watch = seats("ana")
    yield page
    watch.check()


def check(page: Page) -> None:
    """No rule of WCAG is broken in light or dark, and nothing is wider than the screen."""
    expect(page.locator("[hx-trigger=load]")).to_have_count(0)  # the parts that come later are there
    found = violations(page)
    too_wide = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            too_wide.append(f"{wide} px wider than {width}")
    assert (found, too_wide) == ({"light": [], "dark": []}, [])


@pytest.mark.parametrize("place", PLACES)
def test_page_fits_everybody(seats: Seats, place: str) -> None:
    who, path, status = PLACES[place]
    page, watch = seats(who)
    watch.forgive(rf"status of {status} |The specified value")  # the address names what is not there
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == status
    check(page)
    watch.check()


@pytest.mark.parametrize("scene", [scene.name for scene in SCENES])
def test_page_of_a_job_fits_everybody(gallery: dict[str, int], ana: Page, scene: str) -> None:
    ana.goto(f"/jobs/{gallery[scene]}/")
    check(ana)
    assert "owned" not in ana.title()[:10]


@pytest.mark.parametrize(("scene", "action"), ASKING)
def test_page_that_asks_fits_everybody(gallery: dict[str, int], ana: Page, scene: str, action: str) -> None:
    ana.goto(f"/jobs/{gallery[scene]}/{action}")
    check(ana)


@pytest.mark.parametrize("way", WAYS)
def test_form_fits_everybody(gallery: dict[str, int], ana: Page, way: str) -> None:
    ana.goto("/tools/bulk-tag/")
    choose(ana, way)
    check(ana)


def test_suggestions_fit_everybody(gallery: dict[str, int], ana: Page) -> None:
    ana.goto("/tools/bulk-tag/")
    ana.get_by_label("Tags to add").press_sequentially("vip prod")
    expect(ana.get_by_role("option").first).to_be_visible()
    ana.keyboard.press("ArrowDown")
    check(ana)


def test_form_with_all_its_mistakes_fits_everybody(gallery: dict[str, int], ana: Page) -> None:
    ana.goto("/tools/bulk-tag/")
    ana.get_by_label("Tags to add").fill("x" * 300)
    choose(ana, "Numbers")
    ana.get_by_label("Ticket numbers", exact=True).fill("12 twelve")
    ana.get_by_role("button", name="Preview", exact=True).click()
    expect(ana.get_by_role("alert")).to_contain_text("Nothing was started yet")
    check(ana)


def test_list_of_shortcuts_fits_everybody(gallery: dict[str, int], ana: Page) -> None:
    ana.goto("/jobs/")
    ana.keyboard.press("?")
    expect(ana.get_by_role("dialog")).to_be_visible()
    check(ana)
