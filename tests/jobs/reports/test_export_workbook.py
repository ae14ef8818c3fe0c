"""Workbooks: what a cell may hold, sheets beyond the first, and no file left behind."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from jobs.reports import export_folder, export_workbook
from jobs.reports.export_workbook import workbook_pieces
from jobs.reports.exports import Row


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where workbooks are written."""
    monkeypatch.setattr(django_settings, "VAR_DIR", tmp_path)
    return tmp_path / "exports"


def row(ref: int, reason: str = "") -> Row:
    return Row(ref, "failed", reason, "", "", "", "")


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    """By the name of each sheet its rows below the header."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [list(line) for line in sheet.iter_rows(2, values_only=True)] for sheet in book}


def written(*rows: Row) -> bytes:
    return b"".join(workbook_pieces(rows))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("https://example.com")',
        "+1",
        "-1",
        "@SUM(1)",
        "{=1+1}",
        "https://example.com/a?b=c",
        "00123",
        "1e5",
        "true",
        " outer blanks ",
        "<b>&amp;</b>",
        "a \"quote\" and 'another'",
        "two\nlines",
        "süß 日本 🎟",
        "_x0041_ stays",
    ],
)
def test_a_text_stays_that_text_and_is_no_formula(text: str) -> None:
    content = written(row(7, text))
    cell = openpyxl.load_workbook(io.BytesIO(content))["Tickets"]["C2"]
    assert (cell.data_type, cell.hyperlink) == ("s", None)
    assert CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()[1][2] == text


@pytest.mark.parametrize(
    "text", ["\x00\x07\x1b", "\ud800 alone", "\ufffe\uffff", "<r><t>x</t></r>", "<r></r>"]
)
def test_what_xml_cannot_hold_breaks_no_workbook(text: str) -> None:
    found = sheets(written(row(7, text), row(8)))["Tickets"]
    assert [line[0] for line in found] == [7, 8]


TEXTS = st.text(st.sampled_from("ab =|<&'\"_x0041süß日🎟"), max_size=12).map(
    lambda text: text.replace("<r>", "")
)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_rows_come_back_in_order(texts: list[tuple[str, str, str]]) -> None:
    """Usual and odd rows are written in two ways, which take turns."""
    rows = [
        row(ref, first)._replace(tags_before=second, also_to_do=third)
        for ref, (first, second, third) in enumerate(texts, 1)
    ]
    found = CalamineWorkbook.from_filelike(io.BytesIO(written(*rows))).get_sheet_by_index(0).to_python()
    assert [[cell or "" for cell in line] for line in found[1:]] == [list(line) for line in rows]
    assert found[0] == list(Row._fields)


def test_a_long_text_is_cut_where_a_cell_ends() -> None:
    [[_, _, cell, *_]] = sheets(written(row(7, "x" * 40_000)))["Tickets"]
    assert (len(cell), cell[-2:]) == (32_767, "x…")


def test_a_ticket_number_is_a_number_as_long_as_excel_keeps_its_digits() -> None:
    [small, large] = sheets(written(row(10**15 - 1), row(10**15 + 1)))["Tickets"]
    assert [small[0], large[0]] == [999_999_999_999_999, "1000000000000001"]


@pytest.mark.parametrize(
    ("number", "sizes"), [(0, [0]), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])]
)
def test_rows_beyond_a_sheet_go_on_the_next(
    monkeypatch: pytest.MonkeyPatch, number: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(export_workbook, "ROWS_IN_SHEET", 3)
    found = sheets(written(*(row(ref) for ref in range(1, number + 1))))
    assert [len(lines) for lines in found.values()] == sizes
    assert list(found)[:2] == ["Tickets", "Tickets 2"][: len(sizes)]
    assert [line[0] for lines in found.values() for line in lines] == list(range(1, number + 1))


def test_nothing_is_left_at_the_end_nor_where_the_reader_goes_away(folder: Path) -> None:
    with closing(workbook_pieces([row(7)])) as pieces:
        next(pieces)
        assert len(list(folder.iterdir())) == 1
    assert list(folder.iterdir()) == []


def test_nothing_is_left_where_the_rows_break_off(folder: Path) -> None:
    def broken() -> Iterator[Row]:
        yield row(7)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(workbook_pieces(broken()))
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_an_error_of_the_system_and_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("xlsxwriter.workbook.ZipFile", full)
    with pytest.raises(OSError, match="No space left on device"):
        list(workbook_pieces([row(7)]))
    assert list(folder.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_another_writes_is_not(folder: Path) -> None:
    code = (
        "import sys; from django.conf import settings; settings.configure(VAR_DIR=sys.argv[1])\n"
        "from jobs.reports.export_folder import export_folder\n"
        "with export_folder() as folder:\n"
        "    (folder / 'a').touch(); print(folder.name, flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )
    with process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        long_ago = time.time() - 2 * export_folder.LEFT_BEHIND_AFTER
        os.utime(folder / name, (long_ago, long_ago))
        written(row(7))
        assert [path.name for path in folder.iterdir()] == [name]
        process.kill()
    os.utime(folder / name, (long_ago, long_ago))
    written(row(7))
    assert list(folder.iterdir()) == []


def test_two_workbooks_are_written_at_once() -> None:
    first, second = workbook_pieces([row(7)]), workbook_pieces([row(8)])
    begun = next(first), next(second)
    found = [sheets(begin + b"".join(rest)) for begin, rest in zip(begun, (first, second), strict=True)]
    assert [book["Tickets"][0][0] for book in found] == [7, 8]
