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
from xlsxwriter.worksheet import Worksheet

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

#: In texts joined by bars: a character that XML or Excel needs escaped, outer blanks, and a bar of its own.
_ODD = re.compile(r"[^ !-%'-;=?-~]|_x|(?:^|\|) | (?:$|\|)")
#: For each column what stands around the number of the row in the beginning of a cell.
_CELLS = [f'<c r="{letter}' for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]


class _Sheet(Worksheet):  # type: ignore[misc]  # it ships no types
    """A sheet that writes the usual row in a fifth of the time; XlsxWriter writes all others."""

    def write_line(self, row: int, line: Row) -> None:
        """Write the next row of the sheet."""
        texts = line[1:]
        joined = "|".join(texts)
        if joined.count("|") >= len(texts) or len(joined) > MOST_IN_CELL or _ODD.search(joined):
            self._write_odd(row, line)
            return
        if self.table:  # the row before is held back
            self._write_single_row(row)
        number = row + 1
        cells = "".join(
            f'{cell}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
            for cell, text in zip(_CELLS[1:], texts, strict=False)
            if text
        )
        if line.ticket_id > LARGEST_NUMBER:
            cells = f'<c r="A{number}" t="inlineStr"><is><t>{line.ticket_id}</t></is></c>{cells}'
        else:
            cells = f'<c r="A{number}"><v>{line.ticket_id}</v></c>{cells}'
        self.fh.write(f'<row r="{number}">{cells}</row>')
        self.previous_row = row

    def _write_odd(self, row: int, line: Row) -> None:
        if line.ticket_id > LARGEST_NUMBER:
            self.write_string(row, 0, str(line.ticket_id))
        else:
            self.write_number(row, 0, line.ticket_id)
        for column, text in enumerate(line):
            if text and column:
                self.write_string(row, column, _cell(text))


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


def _fill(sheet: _Sheet, lines: Iterable[Row]) -> int:
    """Write the rows below the header, and return how many there were."""
    row = 0
    for row, line in enumerate(lines, 1):
        sheet.write_line(row, line)
    last = len(Row._fields) - 1
    sheet._check_dimensions(row, last)  # the size that the sheet states
    sheet.autofilter(0, 0, row, last)
    return row


def _new_sheet(book: Any, bold: Any) -> _Sheet:
    number = len(book.worksheets()) + 1
    sheet: _Sheet = book.add_worksheet("Tickets" if number == 1 else f"Tickets {number}", _Sheet)
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
