"""Tags per row: `id,add,remove` line by line, each ticket with a change of its own."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from jobs.common.formatting import some
from tagmanager.intake import numbers_sorted
from tagmanager.intake.tables import last_row, ticket_numbers
from tagmanager.intake.tables.given import Given
from tagmanager.intake.tables.headers import ADD, ID, IDS, NEW, REMOVE, ROWS
from tagmanager.intake.tables.last_row import NO
from tagmanager.intake.tables.problems import Refused, shortened
from tagmanager.intake.tables.readings import Reading
from tagmanager.intake.tables.table import Table, is_error, is_totals_row, open_table
from tagmanager.intake.tables.tag_cells import clean
from tagmanager.intake.tables.text import Row
from tagmanager.intake.tables.ticket_numbers import Found
from tagmanager.intake.ticket_ids import another_table
from tagmanager.ticket_change import too_long
from zendesk import TagError, parse_tags

#: How many unusable lines an error names.
MOST_NAMED = 20
#: How many pairs of cells are remembered, so that what many rows say is read once.
MOST_KNOWN = 50_000
_HASH = 2**63 - 1
#: Tags in the form in which they are stored: most cells are, and need no more reading.
_STORED = re.compile(r"[a-z0-9_:/-]+(?: [a-z0-9_:/-]+)*")
_SHORT = 255

#: What programs and people write for an empty cell. A tag null or none is one in small letters alone.
EMPTY_MARKS = frozenset({"NaN", "nan", "NaT", "<NA>", "N/A", "n/a", "NULL", "None", "-", "--", "–", "—"})

#: What spreadsheets write for a box that is ticked, or is not.
_TICKS = frozenset({"TRUE", "FALSE", "WAHR", "FALSCH", "VRAI", "FAUX", "VERDADERO", "FALSO"})

#: The change that a row asks for, as it is stored: {"add": [...], "remove": [...]}.
RowChange = dict[str, list[str]]


@dataclass(slots=True)
class Rows:
    """The rows in the order given, in a few dozen bytes each: there may be millions that all differ."""

    ids: array[int] = field(default_factory=lambda: array("q"))
    doubles: int = 0  # rows that repeat an earlier one of the same ticket
    reading: Reading = field(default_factory=Reading)
    _change_of: array[int] = field(default_factory=lambda: array("I"))  # for each row the index of its change
    _texts: bytearray = field(default_factory=bytearray)  # the changes one after the other
    _ends: array[int] = field(default_factory=lambda: array("Q", [0]))  # where each of them ends

    def __bool__(self) -> bool:
        """Whether there was any row."""
        return bool(self.ids)

    def given_changes(self) -> Iterator[dict[str, Any]]:
        """For each row the change of its ticket."""
        for index in self._change_of:
            yield _unpacked(self.text(index))

    @property
    def number_of_changes(self) -> int:
        """How many different changes the rows ask for."""
        return numbers_sorted.distinct(
            array("q", (hash(self.text(index)) & _HASH for index in range(len(self._ends) - 1)))
        )

    def add(self, ref: int, index: int) -> None:
        self.ids.append(ref)
        self._change_of.append(index)

    def store(self, text: bytes) -> int:
        """Keep a change, and return its index."""
        self._texts += text
        self._ends.append(len(self._texts))
        return len(self._ends) - 2

    def text(self, index: int) -> bytes:
        """The change of this index as `_packed` wrote it: the same bytes for the same change."""
        return bytes(self._texts[self._ends[index] : self._ends[index + 1]])

    def change_at(self, row: int) -> bytes:
        return self.text(self._change_of[row])

    def told(self) -> str:
        """What was understood, as a person reads it before anything runs."""
        return self.reading.sentence(f"{some(len(self.ids), 'row')} with tags", 0)


def read(given: Given) -> Rows:
    """The rows of a table with a column for the ticket's number and one for tags to add, to remove, or both.

    Reads a stream. Raises `ValidationError` that names the unusable lines, up to `MOST_NAMED`, and as
    `open_table` does.
    """
    table = open_table(given, ROWS)
    if table.layout is None:  # nothing is there
        if given.is_typed:
            return Rows()
        raise Refused("The file is empty. Give a table with the columns id, add and remove.", code="empty")
    reader = _Reader(table, leave_out=given.answers.leave_out)
    reader.rows.reading = Reading.of(table, given.name)
    return reader.read()


def as_text(rows: Iterable[tuple[int, dict[str, Any]]]) -> str:
    """Lines from which `read` makes the same rows."""
    lines = (
        f"{ref},{' '.join(change.get('add', ()))},{' '.join(change.get('remove', ()))}"
        for ref, change in rows
    )
    return "\n".join(("id,add,remove", *lines))


class _Reader:
    """Collects the rows and their errors."""

    def __init__(self, table: Table, *, leave_out: bool) -> None:
        assert table.layout is not None
        self.rows = Rows()
        self._table = table
        self._roles = table.layout.roles
        self._leave_out = leave_out
        self._lines = array("I")  # of each row, for errors found later
        self._pending: list[Row] = []  # rows of totals, if nothing follows
        self._last: Row = (0, [])  # of all
        self._problems: list[str] = []
        self._number_of_problems = 0
        self._by_cells: dict[str, int | str] = {}  # the index of the change; what is wrong; "": nothing to do

    def read(self) -> Rows:
        place, add, remove = (self._roles.get(role, -1) for role in (ID, ADD, REMOVE))
        line, cells = 0, list[str]()
        for line, cells in self._table.rows():
            if self._pending:
                self._refuse_totals()
            width = len(cells)
            number = cells[place] if place < width else ""
            self._take(
                line,
                cells,
                number,
                cells[add] if 0 <= add < width else "",
                cells[remove] if 0 <= remove < width else "",
            )
        self._last = line, cells
        reading = self.rows.reading
        self._check_last()
        for line, cells in self._pending:
            word = next(filter(None, cells)) if is_totals_row(cells, place) else "sums"
            reading.leave_out(reading.totals, line, word)
        self._find_doubles()
        self._raise_problems()
        if not self.rows:
            raise Refused(
                "No row has a tag to add or to remove."
                if reading.idle.count
                else "The table holds a header and no rows.",
                code="nothing",
            )
        return self.rows

    def _take(self, line: int, cells: Sequence[str], number: str, add: str, remove: str) -> None:
        rows = self.rows
        key = f"{add}\x1f{remove}"
        found = self._by_cells.get(key)
        if found is None:
            found = self._change(add, remove)
            if len(self._by_cells) < MOST_KNOWN:
                self._by_cells[key] = found
        if found == "" and not number:
            rows.reading.leave_out(rows.reading.idle, line)
            return
        refs = self._refs(line, cells, number)
        if refs is None:
            return
        if found == "":
            rows.reading.leave_out(rows.reading.idle, line)
        elif isinstance(found, str):
            self._add_problem(line, found)
        else:
            for ref in refs:
                rows.add(ref, found)
                self._lines.append(line)
            if len(rows.ids) > settings.JOB_TICKET_LIMIT:
                raise ValidationError(
                    f"These are more than {settings.JOB_TICKET_LIMIT:,} rows, the most that one job may have "
                    "here. Give fewer at a time, or raise JOB_TICKET_LIMIT.",
                    code="too_many",
                )

    def _refs(self, line: int, cells: Sequence[str], number: str) -> tuple[int, ...] | None:
        """The tickets of the row; None where it has none, which is noted."""
        if number.isascii() and number.isdigit() and len(number) < 19 and (ref := int(number)):
            return (ref,)
        if number:
            one = ticket_numbers.read(number)
            if isinstance(one, Found):
                if one.how:
                    self.rows.reading.count(number, one)
                return one.numbers
            if one.is_doubtful:
                raise Refused(f"Line {line:,}: {one.why}", code="doubtful")
            if any(IDS.is_known(name) for name in cells):
                raise another_table(line)
            said = one.why or f"{_shown(number)} is not a ticket number."
        else:
            said = "there is no ticket number."
        if is_totals_row(cells, self._roles[ID]) or (
            not number and last_row.are_numbers(cells, self._roles[ID])
        ):
            self._pending.append((line, list(cells)))
        elif self._leave_out:
            self.rows.reading.leave_out(self.rows.reading.bad, line, number)
        else:
            self._add_problem(line, said)
        return None

    def _check_last(self) -> None:
        """The last row may sum up the others without a word for it."""
        place = self._roles[ID]
        if self._pending:
            line, cells = self._pending[-1]
            if not is_totals_row(cells, place) and last_row.sums_up(self._table, line, cells) == NO:
                self._refuse_totals()
            return
        ids, (line, cells) = self.rows.ids, self._last
        if len(ids) < 3 or self._lines[-1] != line or ids[-1] not in (len(ids) - 1, sum(ids[:-1])):
            return
        if last_row.sums_up(self._table, line, cells) != NO:
            raise Refused(
                f"Line {line:,} seems to hold the totals of the rows above it. Delete the line, or move it "
                "up if it is a ticket.",
                code="doubtful",
            )

    def _refuse_totals(self) -> None:
        """Rows of totals that others follow are none."""
        for line, cells in self._pending:
            number = cells[self._roles[ID]] if self._roles[ID] < len(cells) else ""
            if self._leave_out:
                self.rows.reading.leave_out(self.rows.reading.bad, line, number)
            else:
                said = f"{_shown(number)} is not a ticket number." if number else "there is no ticket number."
                self._add_problem(line, said)
        self._pending.clear()

    def _change(self, add: str, remove: str) -> int | str:
        """The index of the change that the cells ask for, or what is wrong with them; "" for no change."""
        try:
            added, removed = self._tags(add, ADD), self._tags(remove, REMOVE)
        except ValidationError as problem:
            return str(problem.message)
        if not (added or removed):
            return ""
        if both := sorted(added & removed):
            return f"{both[0]} cannot be both added and removed."
        if too_much := too_long(added):
            return too_much
        return self.rows.store(_packed(added, removed))

    def _tags(self, cell: str, role: str) -> frozenset[str]:
        if len(cell) <= _SHORT and _STORED.fullmatch(cell) and cell not in EMPTY_MARKS:
            return frozenset(cell.split())
        return tags_of(cell, role, self._table)

    def _find_doubles(self) -> None:
        """A ticket ends with one outcome, so two rows may not ask for different changes of it."""
        rows = self.rows
        doubled = set(numbers_sorted.repeated(rows.ids))
        if not doubled:
            return
        first: dict[int, int] = {}
        for row, ref in enumerate(rows.ids):
            if ref not in doubled:
                continue
            before = first.setdefault(ref, row)
            if before == row:
                continue
            if rows.change_at(before) == rows.change_at(row):
                rows.doubles += 1
            else:
                said = (
                    f"ticket {ref} has another change in line {self._lines[before]:,}. Leave one of the two."
                )
                self._add_problem(self._lines[row], said)

    def _raise_problems(self) -> None:
        if not self._number_of_problems:
            return
        more = self._number_of_problems - len(self._problems)
        last = [f"And {more:,} more lines."] if more else []
        raise ValidationError(" ".join([*self._problems, *last]), code="rows")

    def _add_problem(self, line: int, problem: str) -> None:
        self._number_of_problems += 1
        if len(self._problems) < MOST_NAMED:
            self._problems.append(f"Line {line:,}: {problem}")


def tags_of(cell: str, role: str, table: Table) -> frozenset[str]:
    """The tags in a cell; raises `ValidationError` for what are none."""
    if is_error(cell):
        raise ValidationError(f"the {role} cell holds {shortened(cell)}, an error of the spreadsheet.")
    if not cell.isascii() and table.encoding is not None and not table.encoding.is_known:
        raise ValidationError(
            f"the {role} cell holds letters in an encoding that cannot be told. Save the file as CSV UTF-8."
        )
    if cell in _TICKS:
        raise ValidationError(
            f"the {role} cell holds {cell}, which may be a tick. Write {cell.lower()} if it is a tag."
        )
    if role in {ADD, NEW} and cell in EMPTY_MARKS:
        raise ValidationError(f"the {role} cell holds {cell}, which stands for an empty cell. Empty it.")
    try:
        return parse_tags(clean(cell))
    except TagError as problem:
        raise ValidationError(str(problem)) from problem


def _shown(number: str) -> str:
    return repr(shortened(number))


def _packed(added: frozenset[str], removed: frozenset[str]) -> bytes:
    return f"{' '.join(sorted(added))}\x1f{' '.join(sorted(removed))}".encode()


def _unpacked(text: bytes) -> RowChange:
    added, removed = text.decode().split("\x1f")
    return {"add": added.split(), "remove": removed.split()}
