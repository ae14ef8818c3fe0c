"""A last row without a label that sums up the rows above it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from tagmanager.intake.tables.headers import ID
from tagmanager.intake.tables.table import Table

_NUMBER = re.compile(r"-?\d{1,18}(?:[.,]\d{1,6})?")
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
        self._total = Decimal(0)
        self._filled = 0

    def take(self, cell: str) -> None:
        self._filled += bool(cell)
        if cell and _NUMBER.fullmatch(cell) and (number := _number(cell)):
            self._total += number
            self.addends += 1

    def is_summed_by(self, cell: str) -> bool:
        return _number(cell) in {self._total, Decimal(self._filled)}


def _number(cell: str) -> Decimal:
    return Decimal(cell.replace(",", "."))
