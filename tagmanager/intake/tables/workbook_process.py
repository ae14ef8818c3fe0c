"""A process of its own that opens one workbook and writes its rows to standard output, as lines of JSON.

A workbook is read as a whole, by a library that ends its process when memory runs out: one cell far below and
far to the right is enough, because it holds every cell up to there. So this runs apart, within bounds, and
the process that asked stays as small as it was. It imports nothing of the project.

Arguments: the path, and the name of the sheet ("": the only one with rows). The first line tells of the
sheets; each further one is a list of rows, each of them its number and its cells.
"""

from __future__ import annotations

import datetime
import html
import json
import re
import sys
import zipfile
from contextlib import suppress
from typing import Any, cast

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

#: The most memory of this process, and the most that a zipped workbook may unpack to, bytes; its time,
# seconds.
MOST_MEMORY, MOST_UNPACKED, MOST_SECONDS = 1_000_000_000, 600_000_000, 300
#: Rows in one line of output.
AT_ONCE = 500
#: Exactly written whole numbers: a spreadsheet keeps 15 digits.
EXACT = 10**15
#: How many odd cells are remembered.
MOST_ODD = 10_000
_CELL = re.compile(rb'<c\s[^>]*?r="([A-Z]+)(\d+)"([^>]*?)(?:/>|>(.*?)</c>)', re.DOTALL)
_SHEET = re.compile(r"<sheet\s([^>]*)/?>")
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')


def main(path: str, wished: str) -> None:
    bound()
    try:
        if zipfile.is_zipfile(path) and unpacked(path) > MOST_UNPACKED:
            answer({"problem": "large"})
            return
        with CalamineWorkbook.from_path(path) as workbook:
            write(path, workbook, wished)
    except PasswordError:
        answer({"problem": "password"})
    except MemoryError:
        answer({"problem": "large"})
    except (CalamineError, OSError, ValueError, zipfile.BadZipFile) as problem:
        answer({"problem": "damaged", "why": str(problem)[:200]})


def bound() -> None:
    """Limit memory and time where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))


def unpacked(path: str) -> int:
    """The bytes of all parts, as the archive says; one that lies meets the bound on memory."""
    with zipfile.ZipFile(path) as archive:
        return sum(part.file_size for part in archive.infolist())


def write(path: str, workbook: CalamineWorkbook, wished: str) -> None:
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    names = [sheet.name for sheet in sheets]
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    if wished:
        chosen = [name for name in names if name == wished] or [
            name for name in names if name.strip().casefold() == wished.strip().casefold()
        ]
        filled = chosen[:1]
    else:
        filled = [name for name in visible if workbook.get_sheet_by_name(name).end is not None]
        filled = filled or [name for name in names if workbook.get_sheet_by_name(name).end is not None]
    about = {"sheets": names if wished else filled, "hidden": len(names) - len(visible), "all": len(names)}
    if len(filled) != 1:
        answer(about)
        return
    sheet = workbook.get_sheet_by_name(filled[0])
    odd, hidden_rows = oddities(path, filled[0]) if zipfile.is_zipfile(path) else ({}, 0)
    merged = [(*start, *end) for start, end in sheet.merged_cell_ranges or ()]
    answer(
        about
        | {
            "sheet": filled[0],
            "merged": merged[:MOST_ODD],
            "hidden_rows": hidden_rows,
            "is_hidden": filled[0] not in visible,
        }
    )
    rows(sheet, odd)


def rows(sheet: CalamineSheet, odd: dict[tuple[int, int], str]) -> None:
    """Write all rows; the library begins with the first row, and with the first column that is filled."""
    if sheet.start is None:
        return
    before: list[Any] = [""] * sheet.start[1]
    columns: dict[int, list[int]] = {}
    for line, column in odd:
        columns.setdefault(line, []).append(column)
    part: list[Any] = []
    number = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = before + [value if type(value) is str else as_text(value) for value in row]
        for column in columns.get(number, ()):
            cells += [""] * (column + 1 - len(cells))
            cells[column] = cells[column] or {"odd": odd[number, column], "text": ""}
        part.append([number, cells])
        if len(part) == AT_ONCE:
            answer(part)
            part = []
    # The library ends with the last value, and rows of errors or of formulas without results may follow.
    for line in sorted(line for line in columns if line > number):
        cells = [""] * (max(columns[line]) + 1)
        for column in columns[line]:
            cells[column] = {"odd": odd[line, column], "text": ""}
        part.append([line, cells])
    answer(part)


def as_text(value: Any) -> Any:
    """A cell as its text in a CSV file would be; what people did not write as text or number is marked."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time | datetime.timedelta):
        return {"odd": "date", "text": str(value)}
    return str(value)


def oddities(path: str, name: str) -> tuple[dict[tuple[int, int], str], int]:
    """Cells that are empty for the library, and not for people: errors, and formulas without a result."""
    found: dict[tuple[int, int], str] = {}
    hidden = 0
    with zipfile.ZipFile(path) as archive:
        part = part_of(archive, name)
        if not part:
            return found, 0
        with archive.open(part) as file:
            rest = b""
            while chunk := file.read(1 << 20):
                text = rest + chunk
                cut = text.rfind(b"</row>") + 1 or len(text)
                rest, text = text[cut:], text[:cut]
                hidden += len(re.findall(rb'<row\s[^>]*\bhidden="(?:1|true)"', text))
                if b'"e"' not in text and b"<f" not in text:
                    continue
                for column, row, attributes, inside in _CELL.findall(text):
                    what = oddity(attributes, inside)
                    if what and len(found) < MOST_ODD:
                        found[int(row), number_of(column)] = what
    return found, hidden


def oddity(attributes: bytes, inside: bytes) -> str:
    if b't="e"' in attributes:
        return "error"
    value = re.search(rb"<v>(.*?)</v>", inside, re.DOTALL)
    if b"<f" in inside and (value is None or not value[1]) and b't="str"' not in attributes:
        return "formula"
    return ""


def number_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def part_of(archive: zipfile.ZipFile, name: str) -> str:
    """The part of an xlsx file that holds the sheet; "" for other files."""
    try:
        workbook = archive.read("xl/workbook.xml").decode("utf-8", "replace")
        links = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    except KeyError:
        return ""
    for found in _SHEET.findall(workbook):
        attributes = dict(_ATTRIBUTE.findall(found))
        if html.unescape(attributes.get("name", "")) != name:
            continue
        key = next((value for key, value in attributes.items() if key.endswith(":id")), "")
        for link in re.findall(r"<Relationship\s[^>]*>", links):
            target = dict(_ATTRIBUTE.findall(link))
            if target.get("Id") == key:
                path = target.get("Target", "").lstrip("/")
                path = path if path.startswith("xl/") else f"xl/{path}"
                return path if path in archive.namelist() else ""
    return ""


def answer(value: Any) -> None:
    sys.stdout.write(json.dumps(value, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*cast("tuple[str, str]", tuple(sys.argv[1:3])))
    sys.stdout.flush()
