"""Tables as people give them: CSV of any spreadsheet, or pasted text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from django.core.exceptions import ValidationError

#: What Excel writes first to say what separates the cells: sep=;
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)


def rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with the line they end on; quoted cells may hold line breaks.

    Read as a stream, so that a million lines need no memory. Raises `ValidationError` where it is no CSV.
    """
    rest = iter(lines)
    skipped, first, told = 0, "", ""
    for line in rest:
        first = line.lstrip("\ufeff")
        if first.strip() and not told and (separator := SEPARATOR_LINE.fullmatch(first.strip())):
            told, first = separator[1], ""  # Excel's own first line
        if first.strip():
            break
        skipped += 1
    reader = csv.reader(chain([first], rest), delimiter=told or max(",;\t", key=first.count))
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield skipped + reader.line_num, stripped
    except csv.Error as problem:
        raise ValidationError(f"Line {skipped + reader.line_num} is not CSV: {problem}.") from problem
