"""An odd file on the page: the column chosen above its rows, previewed, run, and its results exported."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations
from tests.browser.asking import choose, see_state
from tests.browser.conftest import Visit
from tests.browser.office import Office

pytestmark = [pytest.mark.browser, pytest.mark.slow]
JOB = re.compile(r"/jobs/\d+/$")


def workbook(path: Path, refs: list[int]) -> Path:
    """A report with a title, a column of row numbers, and the tickets in a column of an unusual name."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Complaints of March"])
    sheet.append([])
    sheet.append(["#", "Reference", "Subject"])
    for number, ref in enumerate(refs, 1):
        sheet.append([number, f"#{ref}", "A printer that does not print"])
    sheet.append(["Total", None, len(refs)])
    book.save(path)
    return path


def ask_about(page: Page, file: Path, tag: str) -> None:
    page.goto("/tools/bulk-tag/")
    page.get_by_label("Tags to add").fill(tag)
    choose(page, "Numbers")
    page.get_by_label("A file of ticket numbers", exact=True).set_input_files(file)
    page.get_by_role("button", name="Preview", exact=True).click()


@pytest.mark.journey
def test_the_column_of_an_odd_file_is_chosen_previewed_and_run(
    office: Office, visit: Visit, tmp_path: Path
) -> None:
    page, refs = visit(), office.demo.open_tickets[40:43]
    ask_about(page, workbook(tmp_path / "march.xlsx", refs), "from-march")
    expect(page.get_by_text("No column is known")).to_be_visible()
    expect(page.get_by_text("march.xlsx is kept: it need not be chosen again.")).to_be_visible()
    assert violations(page) == {"light": [], "dark": []}
    page.get_by_label("The columns are named in").select_option("3")
    page.get_by_label("Column 2").select_option("ticket number")
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    expect(page.get_by_text("3 ticket numbers from column Reference")).to_be_visible()
    expect(page.get_by_text("line 7 (Total) left out")).to_be_visible()
    page.get_by_role("button", name="Change 3 tickets").click()
    page.wait_for_url(JOB)
    see_state(page, "Succeeded")
    assert [ref for ref in office.demo.open_tickets if "from-march" in office.demo.tags(ref)] == refs
    with page.expect_download() as download:
        page.get_by_role("link", name="Workbook", exact=True).click()
    result = tmp_path / download.value.suggested_filename
    download.value.save_as(result)
    names, *rows = openpyxl.load_workbook(result)["Tickets"].iter_rows(max_col=6, values_only=True)
    assert names == ("ticket_id", "outcome", "reason", "tags_before", "tags_added", "tags_removed")
    assert [(ref, outcome, added) for ref, outcome, _, _, added, _ in rows] == [
        (ref, "changed", "from-march") for ref in refs
    ]

    ask_about(page, workbook(tmp_path / "april.xlsx", refs[:2]), "from-april")
    page.wait_for_url(JOB)
    expect(page.get_by_text("the columns are those that were chosen before")).to_be_visible()


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(office: Office, visit: Visit) -> None:
    page = visit()
    page.goto("/tools/bulk-tag/")
    choose(page, "Numbers")
    page.locator("#tool-form").evaluate("form => { form.dataset.mostBytes = '3' }")
    field = page.get_by_label("A file of ticket numbers", exact=True)
    field.set_input_files({"name": "ids.csv", "mimeType": "text/csv", "buffer": b"id\n7\n"})
    assert field.evaluate("input => input.validationMessage").startswith(
        "The file has 0 MB, and 0 MB is the most"
    )
