"""The form of a tool as one fills it in: the ways to choose tickets, tags, and what is typed and not lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.asking import choose, fill_in, numbers, sign_in
from tests.browser.conftest import Visit
from tests.browser.office import NAME, PASSWORD, Office

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FORM = "/tools/bulk-tag/"
DROP = """(area, text) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], "march.csv", {type: "text/csv"}));
    area.dispatchEvent(new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true}));
}"""


def box(page: Page, label: str) -> Locator:
    """The box for tags, with its chips and suggestions."""
    return page.locator("[data-tags]", has=page.get_by_label(label, exact=True))


def chips(page: Page, label: str) -> Locator:
    return box(page, label).locator(".stored .tag")


@pytest.fixture
def form(page: Page) -> Page:
    page.goto(FORM)
    return page


def test_one_way_to_choose_is_shown_at_a_time(form: Page) -> None:
    for way, panel in (
        ("Search", "search"),
        ("Numbers", "ids"),
        ("Tag", "tag"),
        ("Earlier job", "job"),
        ("View", "view"),
    ):
        choose(form, way)
        expect(form.locator(f"#panel-{panel}")).to_be_visible()
        expect(form.locator("[data-panel]:visible")).to_have_count(1)


def test_what_is_in_the_other_ways_does_not_count(office: Office, form: Page) -> None:
    choose(form, "Search")
    form.locator("#id_search").fill("status:open")
    fill_in(form, office.demo.open_tickets[:5], "only-the-numbers")
    form.get_by_role("button", name="Preview", exact=True).click()
    expect(form.get_by_role("heading", level=1)).to_contain_text("only-the-numbers")
    expect(form.locator(".verdicts")).to_contain_text("5 will change")


def test_matches_of_a_search_are_counted_as_one_types(office: Office, form: Page) -> None:
    choose(form, "Search")
    count = form.locator("#panel-search .count")
    form.locator("#id_search").press_sequentially("type:ticket tags:billing")
    tagged = [ref for ref in office.demo.account.ticket_ids() if "billing" in office.demo.tags(ref)]
    expect(count).to_have_text(f"{len(tagged)} tickets")
    form.locator("#id_search").press_sequentially(" tags:gdpr")
    expect(count).not_to_have_text(f"{len(tagged)} tickets")
    form.locator("#id_search").fill("")
    expect(count).to_have_text("")


def test_tickets_of_a_view_are_counted_when_it_is_chosen(form: Page) -> None:
    choose(form, "View")
    form.locator("#id_view").select_option(index=1)
    # Zendesk's first answer may be that it counts, and then the page asks again by itself.
    expect(form.locator("#panel-view .count")).to_contain_text(re.compile(r"[\d,]+ tickets?"))


def test_numbers_are_counted_as_one_types(form: Page) -> None:
    choose(form, "Numbers")
    numbers(form).fill("#11, 12\n12;13")
    expect(form.locator("#ids-count")).to_have_text("3 ticket numbers")
    numbers(form).fill("11 eleven")
    expect(form.locator("#ids-count")).to_have_text("1 ticket number; 1 not a number, such as eleven")


@pytest.mark.journey
def test_a_file_is_chosen_or_dropped(office: Office, form: Page, tmp_path: Path) -> None:
    refs = office.demo.open_tickets[:3]
    file = tmp_path / "tickets.csv"
    file.write_text("id\n" + "\n".join(map(str, refs[:2])), encoding="utf-8")
    form.get_by_label("Tags to add").fill("by-file")
    choose(form, "Numbers")
    form.get_by_label("A file of ticket numbers", exact=True).set_input_files(file)
    expect(form.locator("#file-count")).to_have_text("2 lines with a number")
    numbers(form).evaluate(DROP, "id\n" + "\n".join(map(str, refs)))
    expect(form.locator("#file-count")).to_have_text("3 lines with a number")
    form.get_by_role("button", name="Preview", exact=True).click()
    expect(form.get_by_role("heading", level=1)).to_contain_text("march.csv")
    expect(form.locator(".verdicts")).to_contain_text("3 will change")


def test_what_would_be_stored_is_shown_as_chips_that_can_be_taken_out(form: Page) -> None:
    tags = form.get_by_label("Tags to add")
    tags.press_sequentially("Needs Review, billing")
    expect(chips(form, "Tags to add")).to_contain_text(["billing", "needs", "review"])
    form.get_by_role("button", name="Take review out").click()
    expect(chips(form, "Tags to add")).to_contain_text(["billing", "needs"])
    expect(tags).to_have_value("Needs billing")
    expect(tags).to_be_focused()
    tags.fill("")
    expect(chips(form, "Tags to add")).to_have_count(0)
    tags.fill("bad\u0000tag" + "x" * 300)
    expect(box(form, "Tags to add").locator(".stored-problem")).not_to_be_empty()


def test_a_suggestion_is_taken_with_the_keyboard(form: Page) -> None:
    tags = form.get_by_label("Tags to add")
    tags.press_sequentially("vip, bil")
    options = box(form, "Tags to add").get_by_role("option")
    expect(options.first).to_have_text("billing")
    expect(tags).to_have_attribute("aria-expanded", "true")
    form.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    chosen = options.first.get_attribute("id") or ""
    expect(tags).to_have_attribute("aria-activedescendant", chosen)
    form.keyboard.press("Enter")
    expect(tags).to_have_value("vip, billing ")
    expect(options).to_have_count(0)
    expect(tags).to_have_attribute("aria-expanded", "false")
    expect(chips(form, "Tags to add")).to_contain_text(["billing", "vip"])
    assert form.url.endswith(FORM)  # Enter took the suggestion and did not send the form

    tags.press_sequentially("prod")
    expect(options.first).to_be_visible()
    form.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(tags).to_have_value("vip, billing prod")


def test_a_suggestion_is_taken_with_the_mouse(form: Page) -> None:
    tags = form.get_by_label("Tags to remove")
    tags.press_sequentially("prod")
    box(form, "Tags to remove").get_by_role("option", name="product_api").click()
    expect(tags).to_have_value("product_api ")
    expect(tags).to_be_focused()
    expect(chips(form, "Tags to remove")).to_contain_text(["product_api"])


def test_typing_on_and_leaving_close_the_suggestions(form: Page) -> None:
    tags = form.get_by_label("Tags to add")
    options = box(form, "Tags to add").get_by_role("option")
    tags.press_sequentially("prod")
    expect(options.first).to_be_visible()
    tags.press_sequentially("uct_apple")
    expect(options).to_have_count(0)
    tags.fill("")
    tags.press_sequentially("bil")
    expect(options.first).to_be_visible()
    form.get_by_label("Tags to remove").focus()
    expect(options).to_have_count(0)


def see_it_all_back(page: Page) -> None:
    expect(page.get_by_label("Tags to add")).to_have_value("typed-before")
    expect(numbers(page)).to_be_visible()
    expect(numbers(page)).to_have_value("11 12 13")
    expect(page.locator("#ids-count")).to_have_text("3 ticket numbers")
    expect(page.get_by_label("Try on this many tickets first")).to_have_value("2")
    expect(chips(page, "Tags to add")).to_contain_text(["typed-before"])


def test_the_form_is_back_after_the_session_has_ended(office: Office, visit: Visit) -> None:
    page = visit(who=None)
    sign_in(page, FORM)
    fill_in(page, [11, 12, 13], "typed-before")
    page.get_by_label("Try on this many tickets first").fill("2")
    page.context.clear_cookies(name=office.cookie)
    page.get_by_role("button", name="Run without a preview").click()
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("What you had typed is back.")).to_be_visible()
    see_it_all_back(page)


def test_the_form_is_back_after_back_and_after_a_reload(form: Page) -> None:
    fill_in(form, [11, 12, 13], "typed-before")
    form.get_by_label("Try on this many tickets first").fill("2")
    form.goto("/jobs/")
    form.go_back()
    see_it_all_back(form)
    form.reload()
    see_it_all_back(form)


def test_a_new_form_begins_empty(form: Page) -> None:
    fill_in(form, [11, 12, 13], "typed-before")
    form.goto("/jobs/")
    form.goto(FORM)
    expect(form.get_by_label("Tags to add")).to_have_value("")
    expect(form.get_by_text("What you had typed is back.")).to_be_hidden()


def test_a_reload_brings_nothing_back_from_an_earlier_form(office: Office, form: Page) -> None:
    fill_in(form, office.demo.open_tickets[:2], "typed-earlier")
    form.get_by_role("button", name="Preview", exact=True).click()
    expect(form.locator(".verdicts")).to_be_visible()
    form.goto(FORM)
    form.reload()
    expect(form.get_by_label("Tags to add")).to_have_value("")
    expect(form.get_by_text("What you had typed is back.")).to_be_hidden()


def test_a_mistake_leaves_everything_as_it_was_typed(form: Page) -> None:
    fill_in(form, [11, 12, 13], "typed-before")
    form.get_by_label("Try on this many tickets first").fill("2")
    form.get_by_label("Tags to remove").fill("typed-before")
    form.get_by_role("button", name="Preview", exact=True).click()
    expect(form.get_by_text("cannot be both added and removed")).to_be_visible()
    see_it_all_back(form)


def test_an_ended_job_fills_the_form_again(office: Office, form: Page) -> None:
    fill_in(form, office.demo.open_tickets[:5], "once-more")
    form.get_by_role("button", name="Preview", exact=True).click()
    form.get_by_role("link", name="Change the request").click()
    expect(form.get_by_label("Tags to add")).to_have_value("once-more")
    expect(numbers(form)).to_be_visible()
    expect(form.locator("#ids-count")).to_have_text("5 ticket numbers")
    expect(chips(form, "Tags to add")).to_contain_text(["once-more"])
