"""The way of a job as a person goes it: sign in, ask, look, run, watch, stop, take back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from jobs.engine.pipeline import SENT_AT_ONCE
from tests.browser.asking import ON_THE_WAY, choose, fill_in, numbers, see_state, sign_in
from tests.browser.conftest import Visit
from tests.browser.office import Office

pytestmark = [pytest.mark.browser, pytest.mark.slow]

JOB = re.compile(r"/jobs/\d+/$")


@pytest.mark.journey
def test_from_signing_in_over_a_preview_to_taking_it_back(office: Office, visit: Visit) -> None:
    refs = office.demo.open_tickets[:640]
    before = {ref: office.demo.tags(ref) for ref in refs}
    sent = office.demo.account.ledger.sent.total()
    page = visit(who=None)

    sign_in(page, "/tools/bulk-tag/")
    fill_in(page, refs, "from-start-to-end")
    expect(page.locator("#ids-count")).to_have_text("640 ticket numbers")
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    expect(page.locator(".verdicts")).to_contain_text("640 will change")
    expect(page.locator("#samples li")).to_have_count(20)
    expect(page.locator("#samples .tag-add").first).to_contain_text("from-start-to-end")
    assert office.demo.account.ledger.sent.total() == sent

    page.get_by_role("button", name="Change 640 tickets").click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    expect(page.locator("#count-changed b")).to_have_text("640")
    assert [ref for ref in refs if office.demo.tags(ref) != before[ref] | {"from-start-to-end"}] == []

    page.locator("#do-undo").click()
    expect(page.get_by_text("A new job takes back what this one did to 640 tickets")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undo:")
    see_state(page, "Succeeded")
    expect(page.locator("#count-changed b")).to_have_text("640")
    assert {ref: office.demo.tags(ref) for ref in refs} == before


def test_after_cancelled_nothing_is_sent(
    office: Office, visit: Visit, record_property: Callable[[str, object], None]
) -> None:
    refs = office.demo.open_tickets[:1_600]
    sent = office.demo.account.ledger.sent
    before = sent.total()
    page = visit()
    with office.half_done():
        address = office.start_job(refs, "stopped-on-the-way")
        page.goto(address)
        expect(page.locator("#bar-text")).to_have_text(ON_THE_WAY)
        page.locator("#do-cancel").click()
        page.get_by_role("button", name="Cancel the job").click()
        expect(page.locator(".said")).to_have_text("The job was told to stop.")
        when_told = sent.total() - before
    see_state(page, "Cancelled")

    at_the_end = sent.total() - before
    record_property("tickets sent when it was told to stop, and at its end", (when_told, at_the_end))
    assert at_the_end - when_told <= 100 * SENT_AT_ONCE  # at most the batches that were at the door already
    tagged = [ref for ref in refs if "stopped-on-the-way" in office.demo.tags(ref)]
    status = page.request.get(f"{address}status").json()
    # All that was sent has been settled, and some was never sent.
    assert 0 < len(tagged) == status["changed"] == at_the_end < 1_600
    assert status["remaining"] == 1_600 - at_the_end
    # The worker has done another whole job since, and of this one nothing has come.
    page.goto(office.start_job(refs[:10], "another-job"))
    see_state(page, "Succeeded")
    assert sent.total() - before == at_the_end + 10
    assert [ref for ref in refs if "stopped-on-the-way" in office.demo.tags(ref)] == tagged


def test_a_late_tab_shows_what_the_job_is_now(office: Office, visit: Visit) -> None:
    with office.half_done():  # it must not end before both tabs are there
        address = office.start_job(office.demo.open_tickets[:1_200], "two-tabs")
        first, late = visit(), visit()
        for tab in (first, late):
            tab.goto(f"{address}cancel")
        first.get_by_role("button", name="Cancel the job").click()
        expect(first.locator(".said")).to_have_text("The job was told to stop.")
    see_state(first, "Cancelled")
    late.get_by_role("button", name="Cancel the job").click()
    expect(late.locator(".alert").first).to_contain_text("cannot be cancelled: it is cancelled, since")
    see_state(late, "Cancelled")


def test_two_clicks_make_one_job(office: Office, visit: Visit) -> None:
    page = visit()
    page.goto("/tools/bulk-tag/")
    fill_in(page, office.demo.open_tickets[:20], "clicked-twice")
    page.get_by_role("button", name="Preview", exact=True).dblclick()
    page.wait_for_url(JOB)
    page.goto("/jobs/?tag=clicked-twice")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)


def test_tags_are_merged_from_the_form_over_the_pairs_to_taking_it_back(office: Office, visit: Visit) -> None:
    tags = {ref: office.demo.tags(ref) for ref in office.demo.account.ticket_ids()}
    refs = [ref for ref in office.demo.open_tickets if tags[ref] & {"churn_risk", "vip"}]
    page = visit()
    page.goto("/tools/rename-tags/")
    page.get_by_text("Many pairs at once").click()
    page.get_by_label("Or many pairs").fill("churn_risk,priority\nvip,priority\non_no_ticket,priority")
    expect(page.locator("[hx-get='/tools/parts/pairs']")).to_contain_text("3 pairs: churn_risk → priority")
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    expect(page.locator(".verdicts")).to_contain_text(f"{len(refs):,} will change")
    number = sum("vip" in tags[ref] for ref in refs)
    expect(page.locator("#pairs tr", has_text="vip")).to_contain_text(f"{number:,}")
    expect(page.locator("#cautions")).to_contain_text("“Remind the owners of churn risks” names churn_risk")

    page.get_by_role("button", name=re.compile("^Change ")).click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    wished = {ref: tags[ref] - {"churn_risk", "vip"} | {"priority"} for ref in refs}
    assert {ref: office.demo.tags(ref) for ref in tags} == tags | wished

    page.locator("#do-undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undo:")
    see_state(page, "Succeeded")
    assert {ref: office.demo.tags(ref) for ref in tags} == tags


def test_tags_are_removed_by_pattern_from_the_form_over_the_ticks_to_taking_them_back(
    office: Office, visit: Visit
) -> None:
    one, two, three = office.demo.open_tickets[:3]
    for ref, tag in ((one, "temp_one"), (two, "temp_two"), (three, "temp_one")):
        office.demo.account.edit(ref, add=[tag])
    before = {ref: office.demo.tags(ref) for ref in (one, two, three)}
    page = visit()
    page.goto("/tools/tag-inventory/")
    page.get_by_role("button", name="Read Zendesk's list anew").click()
    page.goto("/tools/remove-pattern/")
    page.get_by_label("Patterns").fill("temp_*")
    expect(page.locator("#meant")).to_contain_text("2 tags fit. The ticked ones are removed.")
    page.get_by_label("temp_two").uncheck()
    page.get_by_label("Patterns").fill("temp_* 日本*")
    expect(page.locator("#meant")).to_contain_text("3 tags fit.")
    expect(page.get_by_label("temp_two")).not_to_be_checked()
    page.get_by_label("日本語").uncheck()
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    expect(page.locator("#pairs")).to_contain_text("temp_one is taken off")
    page.get_by_role("button", name="Change 2 tickets").click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    assert {ref: office.demo.tags(ref) for ref in before} == {
        ref: tags - {"temp_one"} for ref, tags in before.items()
    }

    page.locator("#do-undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undo:")
    see_state(page, "Succeeded")
    assert {ref: office.demo.tags(ref) for ref in before} == before


def test_all_tags_are_counted_looked_through_and_merged(office: Office, visit: Visit) -> None:
    one, two = office.demo.open_tickets[:2]
    page = visit()
    page.goto("/tools/tag-inventory/")
    page.get_by_role("button", name="Count all tickets").click()
    expect(page.locator("#tags-state")).to_contain_text("Counted on", timeout=90_000)
    page.get_by_label("Find tags").fill("churn")
    expect(page.locator(".tags tbody tr")).to_have_count(1)
    page.get_by_text(re.compile("1 automation")).click()
    expect(page.get_by_role("link", name="Remind the owners of churn risks")).to_be_visible()

    office.demo.account.edit(one, add=["odd_one"])
    office.demo.account.edit(two, add=["odd-one"])
    page.get_by_role("button", name="Read Zendesk's list anew").click()
    page.get_by_role("link", name="Alike").click()
    page.get_by_role("link", name=re.compile("^Merge the other into this.*odd-one")).click()
    expect(page.get_by_label("Old tags")).to_have_value("odd_one")
    expect(page.get_by_label("New tag")).to_have_value("odd-one")


def test_rows_change_each_ticket_by_its_own_from_the_form_to_taking_it_back(
    office: Office, visit: Visit
) -> None:
    refs = office.demo.open_tickets[:40]
    before = {ref: office.demo.tags(ref) for ref in refs}
    wished = {ref: tags | {("row-east", "row-west")[ref % 2]} for ref, tags in before.items()}
    page = visit()
    page.goto("/tools/tag-rows/")
    lines = [f"{ref},{('row-east', 'row-west')[ref % 2]}" for ref in refs]
    page.get_by_label("Rows", exact=True).fill("\n".join(["id,add", *lines]))
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    expect(page.locator("#samples .tag-add").first).to_contain_text("row-")

    page.get_by_role("button", name="Change 40 tickets").click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    assert {ref: office.demo.tags(ref) for ref in refs} == wished

    page.locator("#do-undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undo:")
    see_state(page, "Succeeded")
    assert {ref: office.demo.tags(ref) for ref in refs} == before


def test_a_macro_is_applied_from_the_form_over_the_preview_to_taking_it_back(
    office: Office, visit: Visit
) -> None:
    account = office.demo.account
    refs = [ref for ref in office.demo.open_tickets if account.ticket(ref).status == "open"][:30]
    page = visit()
    page.goto("/tools/apply-macro/")
    page.get_by_label("Macro", exact=True).select_option(label="Solve as spam")
    choose(page, "Numbers")
    numbers(page).fill(" ".join(map(str, refs)))
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    expect(page.locator("#samples")).to_contain_text("status: open → solved")
    page.get_by_role("button", name="Change 30 tickets").click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    assert {account.ticket(ref).status for ref in refs} == {"solved"}
    page.locator("#do-undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undo:")
    see_state(page, "Succeeded")
    assert {account.ticket(ref).status for ref in refs} == {"open"}


def test_a_public_reply_goes_from_the_form_over_the_number_typed_to_an_undo_that_says_what_stays(
    office: Office, visit: Visit
) -> None:
    account = office.demo.account
    refs = [ref for ref in office.demo.open_tickets if account.ticket(ref).status == "open"][-12:]
    page = visit()
    page.goto("/tools/apply-macro/")
    page.get_by_label("Macro", exact=True).select_option(label="Customer not responding")
    choose(page, "Numbers")
    numbers(page).fill(" ".join(map(str, refs)))
    page.get_by_role("button", name="Run without a preview").click()
    expect(page.get_by_text("so a preview comes first")).to_be_visible()
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    expect(page.get_by_text("This will e-mail 12 customers")).to_be_visible()
    expect(page.locator("#samples .quoted").first).to_contain_text(f"Dana Demo has news on #{refs[0]}.")
    page.get_by_label("To e-mail this many customers, type the number").fill("12")
    page.get_by_role("button", name="Change 12 tickets").click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    expect(page.locator("#account .tickets tbody tr").first).to_contain_text("public reply")
    assert [account.ledger.public_comments[ref] for ref in refs] == [1] * 12
    page.locator("#do-undo").click()
    expect(page.get_by_text("The public replies that were posted stay")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    see_state(page, "Succeeded")
    assert {account.ticket(ref).status for ref in refs} == {"open"}
    assert [account.ledger.public_comments[ref] for ref in refs] == [1] * 12


def test_a_guarded_change_and_its_undo_leave_no_guard_tag_behind(office: Office, visit: Visit) -> None:
    refs = office.demo.open_tickets[:30]
    before = {ref: office.demo.tags(ref) for ref in refs}
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/tools/bulk-tag/")
    fill_in(page, refs, "guarded-change")
    page.get_by_text("Guard tag: let triggers leave this change alone").click()
    page.get_by_label("Guard tag", exact=True).fill("Quiet_Please")
    expect(page.locator("#guard-words")).to_contain_text("Contains none of the following · quiet_please")
    page.locator("[data-copy=guard-json]").click()
    expect(page.locator("[data-copy=guard-json]")).to_have_text("Copied")
    condition = '{"field": "current_tags", "operator": "not_includes", "value": "quiet_please"}'
    assert page.evaluate("navigator.clipboard.readText()") == condition

    page.get_by_role("button", name="Preview", exact=True).click()
    see_state(page, "Succeeded")
    expect(page.locator("#guard-json")).to_have_text(condition)
    page.get_by_role("button", name="Change 30 tickets").click()
    _see_guard_go(page, "Take the guard tag off: Add guarded-change")
    assert [office.demo.tags(ref) - before[ref] for ref in refs] == [{"guarded-change"}] * 30

    page.go_back()
    page.locator("#do-undo").click()
    page.get_by_role("button", name="Undo").click()
    _see_guard_go(page, "Removal of the guard tag of the undo of job")
    assert {ref: office.demo.tags(ref) for ref in refs} == before


def _see_guard_go(page: Page, title: str) -> None:
    """From a job that has ended to the one that its end made, by itself."""
    see_state(page, "Succeeded")
    page.locator("#followed-part li", has_text=title).get_by_role("link").click()
    see_state(page, "Succeeded")
    expect(page.locator("#count-changed b")).to_have_text("30")


def test_closed_tickets_that_are_refused_are_explained_and_go_once_they_are_allowed(
    office: Office, visit: Visit
) -> None:
    closed, others = office.demo.closed_tickets[:20], office.demo.open_tickets[:10]
    before = {ref: office.demo.tags(ref) for ref in closed + others}
    page = visit()
    page.goto("/tools/bulk-tag/")
    expect(page.get_by_text("A view holds no archived tickets")).to_be_hidden()
    page.get_by_label("Include closed tickets").check()
    expect(page.get_by_text("A view holds no archived tickets")).to_be_visible()
    fill_in(page, closed + others, "closed-too")
    page.get_by_role("button", name="Preview", exact=True).click()
    see_state(page, "Succeeded")
    expect(page.locator("#cautions")).to_contain_text("20 of the tickets that will change are closed")
    page.get_by_role("button", name="Change 30 tickets").click()
    see_state(page, "Errored")
    expect(page.locator("#state")).to_contain_text(
        "“Allow admins to modify specific fields on a closed ticket”"
    )
    expect(page.locator("#count-changed b")).to_have_text("10")

    office.demo.account.configure(allow_closed=True)
    page.locator("#do-resume").click()
    page.get_by_role("button", name="Resume").click()
    see_state(page, "Partial")
    page.locator("#do-undo").click()
    page.get_by_role("button", name="Undo").click()
    see_state(page, "Succeeded")
    office.demo.account.configure(allow_closed=False)
    assert {ref: office.demo.tags(ref) for ref in closed + others} == before
