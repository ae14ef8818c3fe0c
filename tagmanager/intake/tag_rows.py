"""Tags per row: `id,add,remove` line by line, each ticket with a change of its own."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from tagmanager.intake import csv_rows
from tagmanager.intake.ticket_ids import ID_COLUMNS, ticket_number
from tagmanager.ticket_change import too_long
from zendesk import TagError, parse_tags

#: What spreadsheets call the columns.
ADD_COLUMNS = ("add", "tags_to_add", "tags to add", "add_tags")
REMOVE_COLUMNS = ("remove", "tags_to_remove", "tags to remove", "remove_tags")
#: How many unusable lines an error names.
MOST_NAMED = 20
#: Characters of a cell in an error.
LONGEST_SHOWN = 40

#: The change that a row asks for, as it is stored: {"add": [...], "remove": [...]}.
RowChange = dict[str, list[str]]


@dataclass(slots=True)
class Rows:
    """The rows in the order given. Equal changes are kept once, so a million rows take a few megabytes."""

    ids: array[int] = field(default_factory=lambda: array("q"))
    change_of: array[int] = field(default_factory=lambda: array("I"))  # for each row the index of its change
    changes: list[RowChange] = field(default_factory=list)
    doubles: int = 0  # rows that repeat an earlier one of the same ticket

    def __bool__(self) -> bool:
        """Whether there was any row."""
        return bool(self.ids)

    def given_changes(self) -> Iterator[dict[str, Any]]:
        """For each row the change of its ticket."""
        for place in self.change_of:
            yield self.changes[place]


def read(lines: Iterable[str]) -> Rows:
    """The rows of CSV with a column for the ticket's number and one for tags to add, to remove, or both.

    Reads a stream. Raises `ValidationError` that names the unusable lines, up to `MOST_NAMED`.
    """
    reading = _Reader()
    rest = csv_rows.read_rows(lines)
    _, names = next(rest, (0, []))
    columns = [_column(names, known) for known in (ID_COLUMNS, ADD_COLUMNS, REMOVE_COLUMNS)]
    if not names:
        return reading.rows
    if columns[0] is None or columns[1:] == [None, None]:
        raise ValidationError(
            "The first line has to name the columns: id, and add or remove or both, as in id,add,remove.",
            code="no_column",
        )
    for line, cells in rest:
        reading.take(line, *(_cell(cells, column) for column in columns))
    reading.find_doubles()
    reading.raise_problems()
    return reading.rows


def as_text(rows: Iterable[tuple[int, dict[str, Any]]]) -> str:
    """Lines from which `read` makes the same rows."""
    lines = (
        f"{ref},{' '.join(change.get('add', ()))},{' '.join(change.get('remove', ()))}"
        for ref, change in rows
    )
    return "\n".join(("id,add,remove", *lines))


class _Reader:
    """Collects the rows and their errors."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.lines = array("L")  # of each row, for errors found later
        self._problems: list[str] = []
        self._number_of_problems = 0
        self._changes: dict[tuple[frozenset[str], frozenset[str]], int] = {}
        self._by_cells: dict[tuple[str, str], int | str] = {}  # the index of the change, or the error

    def take(self, line: int, number: str, add: str, remove: str) -> None:
        ref = ticket_number(number)
        if ref is None:
            shown = number if len(number) <= LONGEST_SHOWN else f"{number[:LONGEST_SHOWN]}…"
            self._add_problem(
                line, f"{shown!r} is not a ticket number." if number else "there is no ticket number."
            )
            return
        found = self._by_cells.get((add, remove))
        if found is None:
            found = self._by_cells[add, remove] = self._change(add, remove)
        if isinstance(found, str):
            self._add_problem(line, found)
            return
        if len(self.rows.ids) >= settings.JOB_TICKET_LIMIT:
            raise ValidationError(
                f"These are more than {settings.JOB_TICKET_LIMIT:,} rows, the most that one job may have "
                "here. Give fewer at a time, or raise JOB_TICKET_LIMIT.",
                code="too_many",
            )
        self.rows.ids.append(ref)
        self.rows.change_of.append(found)
        self.lines.append(line)

    def find_doubles(self) -> None:
        """A ticket ends with one outcome, so two rows may not ask for different changes of it."""
        rows = self.rows
        doubled = {first for first, second in pairwise(sorted(rows.ids)) if first == second}
        if not doubled:
            return
        first: dict[int, tuple[int, int]] = {}
        for ref, which, line in zip(rows.ids, rows.change_of, self.lines, strict=True):
            if ref not in doubled:
                continue
            before = first.get(ref)
            if before is None:
                first[ref] = which, line
            elif before[0] == which:
                rows.doubles += 1
            else:
                said = f"ticket {ref} has another change in line {before[1]}. Leave one of the two."
                self._add_problem(line, said)

    def raise_problems(self) -> None:
        if not self._number_of_problems:
            return
        more = self._number_of_problems - len(self._problems)
        last = [f"And {more:,} more lines."] if more else []
        raise ValidationError(" ".join([*self._problems, *last]), code="rows")

    def _change(self, add: str, remove: str) -> int | str:
        """The index of the change that the cells ask for, or what is wrong with them."""
        try:
            added, removed = parse_tags(add), parse_tags(remove)
        except TagError as problem:
            return str(problem)
        if not (added or removed):
            return "there is no tag to add or to remove."
        if both := sorted(added & removed):
            return f"{both[0]} cannot be both added and removed."
        if too_much := too_long(added):
            return too_much
        place = self._changes.setdefault((added, removed), len(self.rows.changes))
        if place == len(self.rows.changes):
            self.rows.changes.append({"add": sorted(added), "remove": sorted(removed)})
        return place

    def _add_problem(self, line: int, problem: str) -> None:
        self._number_of_problems += 1
        if len(self._problems) < MOST_NAMED:
            self._problems.append(f"Line {line}: {problem}")


def _column(names: list[str], known: tuple[str, ...]) -> int | None:
    lowered = [name.lower() for name in names]
    return next((lowered.index(name) for name in known if name in lowered), None)


def _cell(cells: list[str], column: int | None) -> str:
    return cells[column] if column is not None and column < len(cells) else ""
