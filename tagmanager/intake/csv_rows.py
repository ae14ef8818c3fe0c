"""Tables as people give them: CSV of any spreadsheet, or pasted text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from django.core.exceptions import ValidationError

#: A first line of Excel that names the separator of the cells: sep=;
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)


def read_rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line on which it ends; quoted cells may hold line breaks.

    Reads a stream, so a million lines need no memory. Raises `ValidationError` where the text is not CSV.
    """
    rest = iter(lines)
    skipped, first, named = 0, "", ""
    for line in rest:
        first = line.lstrip("\ufeff")
        if first.strip() and not named and (separator := SEPARATOR_LINE.fullmatch(first.strip())):
            named, first = separator[1], ""
        if first.strip():
            break
        skipped += 1
    reader = csv.reader(chain([first], rest), delimiter=named or max(",;\t", key=first.count))
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield skipped + reader.line_num, stripped
    except csv.Error as problem:
        raise ValidationError(f"Line {skipped + reader.line_num} is not CSV: {problem}.") from problem
