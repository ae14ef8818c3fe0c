"""A last row without a label that sums up the rows above it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from tagmanager.intake.tables.headers import ID
from tagmanager.intake.tables.table import Table

_NUMBER = re.compile(r"[$€£¥]?\s?-?\d{1,18}(?:[.,]\d{1,6})*\s?[$€£¥%]?")
#: A column is read with each decimal point, because a few numbers do not say which it has.
_POINTS = (".", ",")
NO, PERHAPS, YES = "no", "perhaps", "yes"


def are_numbers(cells: Sequence[str], place: int) -> bool:
    """Whether there are cells beside the one of the ticket number, and all of them are numbers."""
    others = [cell for at, cell in enumerate(cells) if at != place and cell]
    return bool(others) and all(_NUMBER.fullmatch(cell) for cell in others)


def sums_up(table: Table, last: int, cells: Sequence[str]) -> str:
    """Whether each number in line `last` is the total or the count of its column above.

    `PERHAPS` where no total has two numbers to add, so that it may be by chance. Reads the table once more.
    """
    assert table.layout is not None
    place = table.layout.roles[ID]
    if not are_numbers(cells, place):
        return NO
    columns = {at: _Column() for at, cell in enumerate(cells) if at != place and cell}
    for line, row in table.rows_again():
        if line >= last:
            break
        for at, column in columns.items():
            column.take(row[at] if at < len(row) else "")
    if not all(column.is_summed_by(cells[at]) for at, column in columns.items()):
        return NO
    return YES if any(column.addends > 1 for column in columns.values()) else PERHAPS


class _Column:
    def __init__(self) -> None:
        self.addends = 0  # numbers other than zero
        self._totals = [Decimal(0) for _ in _POINTS]
        self._filled = 0

    def take(self, cell: str) -> None:
        self._filled += bool(cell)
        if cell and _NUMBER.fullmatch(cell):
            numbers = [_number(cell, point) for point in _POINTS]
            self._totals = [total + number for total, number in zip(self._totals, numbers, strict=True)]
            self.addends += any(numbers)

    def is_summed_by(self, cell: str) -> bool:
        return any(
            _number(cell, point) in {total, Decimal(self._filled)}
            for point, total in zip(_POINTS, self._totals, strict=True)
        )


def _number(cell: str, point: str) -> Decimal:
    """The number with this decimal point; one that is written with the other has thousands."""
    whole, _, part = re.sub(r"[^\d.,-]", "", cell).rpartition(point) if point in cell else (cell, "", "")
    return Decimal(f"{re.sub(r'[^0-9-]', '', whole) or 0}.{re.sub(r'[^0-9]', '', part) or 0}")
