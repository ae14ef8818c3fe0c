"""An export as a workbook of Excel, written in constant memory.

A workbook is complete only when its last sheet is, so it lies in a folder of its own until it has been read.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from itertools import chain, islice
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import CellStringTuple, Worksheet

from jobs.reports.export_folder import export_folder
from jobs.reports.exports import Row

#: Rows of a sheet below its header (support.microsoft.com, "Excel specifications and limits").
ROWS_IN_SHEET = 1_048_575
#: Characters of a cell (same page); no tags of a ticket are as long together.
MOST_IN_CELL = 32_767
#: Excel keeps fifteen digits of a number (same page), so a longer ticket number is text.
LARGEST_NUMBER = 10**15 - 1
READ_AT_ONCE = 65_536
#: The widths of columns in characters, as most of their cells need.
WIDTHS = {"ticket_id": 12, "outcome": 14, "reason": 40, "also_to_do": 40}
USUAL_WIDTH = 24
#: Code points that XML cannot hold, beside control characters, which XlsxWriter writes as Excel does.
_NO_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")

#: What a cell cannot hold as it is: marks of XML, outer blanks, what Excel takes for an escaped character.
_ODD = re.compile(r"[^ !-%'-;=?-~]|^ | $|_x")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class _Sheet(Worksheet):  # type: ignore[misc]  # it ships no types
    """A sheet that writes the usual cells in a third of the time; XlsxWriter writes all others."""

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        if isinstance(cell, CellStringTuple) and cell.format is None and not _ODD.search(cell.string):
            self.fh.write(f'<c r="{_LETTERS[col]}{row + 1}" t="inlineStr"><is><t>{cell.string}</t></is></c>')
        else:
            super()._write_cell(row, col, cell)


def workbook_pieces(lines: Iterable[Row]) -> Generator[bytes, None, None]:
    """Pieces of a workbook with the rows, on as many sheets as they need; none before all rows were read.

    Texts stay texts, also those that begin like a formula. The files are gone when the iterator is closed.
    """
    with export_folder() as folder:
        path = folder / "export.xlsx"
        _write(path, folder, lines)
        with path.open("rb") as content:
            while piece := content.read(READ_AT_ONCE):
                yield piece


def _write(path: Path, folder: Path, lines: Iterable[Row]) -> None:
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "tmpdir": str(folder)})
    book.use_zip64()  # takes effect only on what is larger than 2 GB
    try:
        bold, rest = book.add_format({"bold": True}), iter(lines)
        while _fill(_new_sheet(book, bold), islice(rest, ROWS_IN_SHEET)) == ROWS_IN_SHEET:
            if (line := next(rest, None)) is None:
                break
            rest = chain([line], rest)
        book.close()
    except FileCreateError as problem:
        raise OSError(f"The workbook cannot be written: {problem}") from problem
    finally:
        for sheet in book.worksheets():
            sheet.row_data_fh.close()


def _fill(sheet: Any, lines: Iterable[Row]) -> int:
    """Write the rows below the header, and return how many there were."""
    write_number, write_string = sheet.write_number, sheet.write_string
    row = 0
    for row, line in enumerate(lines, 1):
        ref = line.ticket_id
        if ref <= LARGEST_NUMBER:
            write_number(row, 0, ref)
        else:
            write_string(row, 0, str(ref))
        for column, text in enumerate(line):
            if text and column:
                write_string(row, column, _cell(text))
    sheet.autofilter(0, 0, row, len(Row._fields) - 1)
    return row


def _new_sheet(book: Any, bold: Any) -> Any:
    number = len(book.worksheets()) + 1
    sheet = book.add_worksheet("Tickets" if number == 1 else f"Tickets {number}", _Sheet)
    sheet.freeze_panes(1, 1)
    for column, name in enumerate(Row._fields):
        sheet.set_column(column, column, WIDTHS.get(name, USUAL_WIDTH))
        sheet.write_string(0, column, name, bold)
    return sheet


def _cell(text: Any) -> str:
    cell = str(text)
    if not cell.isascii():
        cell = _NO_XML.sub("\N{REPLACEMENT CHARACTER}", cell)
    if cell.startswith("<r>"):
        cell = f" {cell}"  # XlsxWriter takes such a text for XML of its own
    return cell if len(cell) <= MOST_IN_CELL else f"{cell[: MOST_IN_CELL - 1]}…"
