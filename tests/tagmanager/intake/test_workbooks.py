"""Workbooks of Excel and LibreOffice: what their cells mean, and what is asked or refused."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt

from tagmanager.intake import ticket_ids
from tagmanager.intake.tables import workbooks
from tagmanager.intake.tables.problems import Unclear
from tests.tagmanager.intake.people_files import given, read, read_and_told, refusal

pytestmark = pytest.mark.django_db
Rows = Any  # of each row its cells


def xlsx(rows: Rows, **sheets: Rows) -> bytes:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    for row in rows:
        first.append(list(row))
    for name, more in sheets.items():
        sheet = book.create_sheet(name)
        for row in more:
            sheet.append(list(row))
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def written_by_xlsxwriter(rows: Rows) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return content.getvalue()


def xls(rows: Rows) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def ods(rows: Rows) -> bytes:
    """As LibreOffice writes it, without styles."""

    def cell(value: Any) -> str:
        if value is None:
            return "<table:table-cell/>"
        kind = "string" if isinstance(value, str) else "float"
        number = "" if isinstance(value, str) else f' office:value="{value}"'
        cell_tag = f'table:table-cell office:value-type="{kind}"{number}'
        return f"<{cell_tag}><text:p>{value}</text:p></table:table-cell>"

    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body>'
            f'<office:spreadsheet><table:table table:name="Sheet1">{lines}</table:table></office:spreadsheet>'
            "</office:body></office:document-content>",
        )
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:'
            'manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/'
            'vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>',
        )
    return content.getvalue()


@pytest.mark.parametrize("write", [xlsx, written_by_xlsxwriter, xls, ods])
def test_every_format_gives_the_same(write: Callable[[Rows], bytes]) -> None:
    rows = [["Ticket ID", "Add tags", "Remove tags"], [40214, "grün vip", "old"], ["40215", 2024, None]]
    expected = [[40214, ["grün", "vip"], ["old"]], [40215, ["2024"], []]]
    assert read("rows", given(write(rows), "a file named wrongly.csv")) == expected


@pytest.mark.parametrize("write", [xlsx, xls, ods])
def test_a_table_may_begin_below_and_to_the_right(write: Callable[[Rows], bytes]) -> None:
    rows = [[None, "Report", None], [None, None, None], [None, "Subject", "Ticket ID"], [None, "x", 40214.0]]
    found, told = read_and_told("ids", given(write(rows), "ids.xlsx"))
    assert found == [40214]
    assert told == (
        "1 ticket number from column Ticket ID; the header is in line 3, and what is above it was left out."
    )
    assert refusal("ids", given(write([*rows, [None, "y", "x"]]), "ids.xlsx")).startswith("Line 5: 'x'")


def test_numbers_as_text_and_numbers_alone_are_read() -> None:
    rows = [["id"], ["40,214"], ["#40215"], [40216.0], ["="], ["https://a.zendesk.com/agent/tickets/7"]]
    rows[4] = ["'40217"]
    assert read("ids", given(xlsx(rows), "ids.xlsx")) == [40214, 40215, 40216, 40217, 7]
    assert read("ids", given(xlsx([[40214], [40215]]), "ids.xlsx")) == [40214, 40215]
    assert read("ids", given(xlsx([["id"], [123456789012345]]), "ids.xlsx")) == [123456789012345]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (123456789012345678, "the spreadsheet cut the digits"),
        (40214.5, "Line 2: '40214.5' is not a ticket number."),
        (
            datetime.date(2026, 1, 5),
            "Line 2: the id cell holds a date. Format the cell as text, and type it again",
        ),
        (True, "Line 2: 'TRUE' is not a ticket number."),
        ("#N/A", "Line 2: the id cell holds an error of the spreadsheet."),
        ("=1+1", "Line 2: the id cell holds a formula without its result. Open the file in a spreadsheet"),
    ],
)
def test_a_cell_that_is_no_number_is_never_taken_for_an_empty_one(cell: Any, said: str) -> None:
    assert said in refusal("ids", given(xlsx([["id"], [cell], [7]]), "ids.xlsx"))


@pytest.mark.parametrize("cell", [datetime.date(2026, 1, 5), datetime.time(3, 4), "#REF!", '=A2&"x"'])
def test_tags_that_the_spreadsheet_made_into_something_else_are_refused(cell: Any) -> None:
    assert refusal("rows", given(xlsx([["id", "add"], [7, cell]]), "rows.xlsx")).startswith(
        "Line 2: the add cell"
    )
    # In a column that is not used they do no harm.
    assert read("rows", given(xlsx([["id", "add", "when"], [7, "a", cell]]), "rows.xlsx")) == [[7, ["a"], []]]


def test_the_result_of_a_formula_counts() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "add"])
        sheet.write_formula(1, 0, "=40000+214", value=40214)
        sheet.write_formula(1, 1, '="h_"&"vip"', value="h_vip")
    assert read("rows", given(content.getvalue(), "rows.xlsx")) == [[40214, ["h_vip"], []]]


def test_the_sheet_is_asked_for_where_several_have_rows() -> None:
    content = xlsx([["id"], [7]], March=[["id"], [8]])
    with pytest.raises(Unclear) as asked:
        ticket_ids.read(given(content, "ids.xlsx"))
    assert asked.value.question.sheets == ["Sheet", "March"]
    assert "The workbook has 2 sheets with rows: Sheet, March." in asked.value.messages[0]
    found, told = read_and_told("ids", given(content, "ids.xlsx", sheet="march"))
    assert (found, told) == (
        [8],
        "1 ticket number from column id; from the sheet March, not from 1 other sheet.",
    )
    said = refusal("ids", given(content, "ids.xlsx", sheet="April"))
    assert said == "The workbook has no sheet April; its sheets are Sheet, March."


def test_sheets_without_rows_and_hidden_ones_are_not_asked_about() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx([["id"], [7]], Hidden=[["id"], [8]], Empty=[])))
    book["Hidden"].sheet_state = "hidden"
    found, told = read_and_told("ids", given(saved(book), "ids.xlsx"))
    assert (found, told) == (
        [7],
        "1 ticket number from column id; from the sheet Sheet, not from 2 other sheets.",
    )


def test_rows_that_a_filter_hides_are_told() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx([["id"], [7], [8]])))
    book.active.row_dimensions[3].hidden = True
    found, told = read_and_told("ids", given(saved(book), "ids.xlsx"))
    assert found == [7, 8]
    assert "1 row that the spreadsheet hides was read as well" in told


def test_merged_cells_are_refused_where_they_count() -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(xlsx([["A report", None, None], ["id", "add", "x"], [7, "a", 1], [8, None, 1]]))
    )
    sheet = book.active
    sheet.merge_cells("A1:C1")
    assert read("rows", given(saved(book), "rows.xlsx")) == [[7, ["a"], []]]
    sheet.merge_cells("B3:B4")
    assert refusal("rows", given(saved(book), "rows.xlsx")).startswith("Line 3 has merged cells")


def test_a_table_of_totals_is_left_out() -> None:
    rows = [["Subject", "Ticket ID"], ["a", 40214], ["b", 40215], ["Total", 80429]]
    found, told = read_and_told("ids", given(xlsx(rows), "ids.xlsx"))
    assert (found, told) == (
        [40214, 40215],
        "2 ticket numbers from column Ticket ID; line 4 (Total) left out.",
    )


def test_a_cell_far_away_ends_in_a_sentence() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx([["id"], [7]])))
    book.active["XFD1048576"] = "x"
    said = refusal("ids", given(saved(book), "ids.xlsx"))
    assert said.startswith(
        "The workbook is too large to be read as a whole, or has cells far beyond its table."
    )


def test_a_damaged_or_large_workbook_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    content = xlsx([["id"], [7]])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part[: len(part) // 2] if "sheet1" in name else part)
    assert "The workbook is damaged" in refusal("ids", given(broken.getvalue(), "ids.xlsx"))
    assert "damaged" in refusal("ids", given(content[:-40], "ids.xlsx"))
    assert "damaged, or no workbook" in refusal(
        "ids", given(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    )
    monkeypatch.setattr(workbooks, "MOST_BYTES", 100)
    assert refusal("ids", given(content, "ids.xlsx")).startswith("The workbook is larger than 0 MB")


def test_a_workbook_without_a_row_is_empty() -> None:
    assert refusal("ids", given(xlsx([]), "ids.xlsx")) == "The workbook is empty: no sheet has a row."


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["word/document.xml"], "The file is a Word document."),
        (["Index/Document.iwa"], "The file is a file of Apple Numbers"),
        (["tickets.csv"], "The file is a zip archive: unpack it first."),
    ],
)
def test_another_zipped_file_is_refused_by_its_kind(names: list[str], said: str) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    assert refusal("ids", given(content.getvalue(), "ids.xlsx")).startswith(said)
