"""Rows of a workbook: Excel's formats and OpenDocument, by python-calamine in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from tagmanager.intake.tables import workbook_process
from tagmanager.intake.tables.problems import Question, Refused, Unclear
from tagmanager.intake.tables.text import Row

#: The most bytes of a workbook, which is read as a whole: a million rows of a few columns.
MOST_BYTES = 80_000_000
AS_CSV = "Save the sheet as CSV UTF-8 instead."


class OddCell(str):
    """A cell that shows something else than was typed: a date, an error, a formula without its result."""

    __slots__ = ("what",)

    what: str

    def __new__(cls, text: str, what: str) -> OddCell:
        cell = super().__new__(cls, text)
        cell.what = what
        return cell


class Workbook:
    """The one sheet of a workbook that is meant; raises `Unclear` where that has to be asked."""

    def __init__(self, content: IO[bytes], sheet: str = "") -> None:
        content.seek(0, 2)
        if content.tell() > MOST_BYTES:
            raise Refused(
                f"The workbook is larger than {MOST_BYTES // 1_000_000} MB, and has to be read as a whole. "
                f"{AS_CSV}",
                code="large",
            )
        self._answers = _answers(content, sheet)
        about = next(self._answers, {"problem": "large"})
        if problem := about.get("problem"):
            raise _refusal(problem)
        sheets: Sequence[str] = about["sheets"]
        if "sheet" not in about:
            raise _no_sheet(sheets, sheet)
        self.sheet: str = about["sheet"]
        self.others = int(about["all"]) - 1
        self.is_hidden = bool(about["is_hidden"])
        self.hidden_rows = int(about["hidden_rows"])
        self.merged: list[tuple[int, int, int, int]] = [tuple(area) for area in about["merged"]]

    def rows(self) -> Iterator[Row]:
        """The rows that are not empty, with the numbers that the spreadsheet shows; can be read once."""
        for part in self._answers:
            if not isinstance(part, list):
                raise _refusal(part.get("problem", "damaged"))
            for number, given in part:
                cells = [
                    cell.strip() if isinstance(cell, str) else OddCell(cell["text"], cell["odd"])
                    for cell in given
                ]
                if any(cells) or any(type(cell) is OddCell for cell in cells):
                    yield number, cells


def _answers(content: IO[bytes], sheet: str) -> Iterator[Any]:
    """What the process says, line by line; it ends with the reader."""
    content.seek(0)
    with NamedTemporaryFile(prefix="workbook-") as copy:
        shutil.copyfileobj(content, copy)
        copy.flush()
        content.seek(0)
        command = [sys.executable, "-I", str(Path(workbook_process.__file__)), copy.name, sheet]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            try:
                for line in process.stdout or ():
                    yield json.loads(line)
                if process.wait():  # the bound on memory ends it, and so does a file made to do harm
                    yield {"problem": "large"}
            finally:
                process.kill()


def _refusal(problem: str) -> Refused:
    said = {
        "large": "The workbook is too large to be read as a whole, or has cells far beyond its table. "
        "{AS_CSV}",
        "password": "The workbook is protected by a password. Save a copy without one.",
    }
    return Refused(said.get(problem, f"The workbook is damaged, or no workbook. {AS_CSV}"), code=problem)


def _no_sheet(sheets: Sequence[str], wished: str) -> Refused | Unclear:
    if wished:
        return Refused(
            f"The workbook has no sheet {wished}; its sheets are {', '.join(sheets)}.", code="sheet"
        )
    if not sheets:
        return Refused("The workbook is empty: no sheet has a row.", code="empty")
    return Unclear(
        f"The workbook has {len(sheets)} sheets with rows: {', '.join(sheets)}. Say which is meant.",
        advice="Say --sheet NAME.",
        question=Question(sheets=sheets),
    )
