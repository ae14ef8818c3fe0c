"""Ticket numbers as people give them: pasted, in a list or in a column of a table."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ValidationError

from jobs.common.formatting import some
from tagmanager.intake.tables import last_row, layouts, ticket_numbers
from tagmanager.intake.tables.column_names import plain
from tagmanager.intake.tables.given import Given
from tagmanager.intake.tables.headers import ID, IDS, is_total
from tagmanager.intake.tables.last_row import NO, PERHAPS, YES
from tagmanager.intake.tables.layouts import Layout
from tagmanager.intake.tables.number_words import words
from tagmanager.intake.tables.problems import Refused
from tagmanager.intake.tables.readings import Reading
from tagmanager.intake.tables.table import Table, is_totals_row, known_before, open_table
from tagmanager.intake.tables.text import Row
from tagmanager.intake.tables.ticket_numbers import DECIMAL_COMMA, Found, NoNumber

#: What counts the lines of a list: "1. 40214", "2) 40215".
_COUNTER = re.compile(r"\d{1,6}[.)]")
#: One number alone is written so: "40,214.00".
_WITH_CENTS = re.compile(r"\d{1,3}(?:,\d{3})+\.0+")
#: What begins a line of a list: "- 40214".
_BULLETS = frozenset("-*•·‣◦▪–—")
_QUERY = re.compile(
    r"\bselect\s+\S.*\sfrom\s|\bwhere\b.+(?:=|\bin\b)|\bin\s*\(\s*['\"]?\d", re.IGNORECASE | re.DOTALL
)
#: The least ticket number from which the sum of several is hardly one of them by chance.
_LEAST_OF_A_SUM = 1000
#: How many of the words that are not ticket numbers an error names.
MOST_NAMED = 10
#: Characters of a word in an error.
LONGEST_SHOWN = 40
EMPTY = "The file is empty. Give ticket numbers, one a line, or a table with a column id."


@dataclass(frozen=True, slots=True)
class UnreadableWord:
    """A word among ticket numbers that is not one."""

    line: int
    word: str
    why: str = ""  # what is known of it

    def __str__(self) -> str:
        return repr(self.word if len(self.word) <= LONGEST_SHOWN else self.word[:LONGEST_SHOWN] + "…")


@dataclass(slots=True)
class TicketIds:
    """The numbers in the order given; one may occur again."""

    ids: array[int] = field(default_factory=lambda: array("q"))  # a list would take eight times the memory
    unreadable: list[UnreadableWord] = field(default_factory=list)  # the first `MOST_NAMED`
    unreadable_count: int = 0
    reading: Reading = field(default_factory=Reading)
    is_table: bool = False  # in a column, or in a file: worth telling what was understood

    @property
    def problem(self) -> str:
        """A sentence that names each word that is not a ticket number, with its line; "" when all are."""
        if not self.unreadable:
            return ""
        hint = "Ticket numbers are whole numbers such as 4711, separated by commas, spaces or line breaks."
        if self.unreadable_count == 1:
            only = self.unreadable[0]
            if only.why:
                return f"Line {only.line:,}: {only.why}"
            return f"Line {only.line:,}: {only} is not a ticket number. {hint}"
        named = ", ".join(f"{one} (line {one.line:,})" for one in self.unreadable)
        more = self.unreadable_count - len(self.unreadable)
        named += f", and {more:,} more" if more else ""
        known = next((f" Line {one.line:,}: {one.why}" for one in self.unreadable if one.why), "")
        return f"{self.unreadable_count:,} are not ticket numbers: {named}.{known} {hint}"

    @property
    def left_out_note(self) -> str:
        """The same, once a person has chosen to go on without these words."""
        if not self.unreadable_count:
            return ""
        what = (
            "1 word that is no ticket number was"
            if self.unreadable_count == 1
            else (f"{self.unreadable_count:,} words that are no ticket numbers were")
        )
        return f"{what} left out."

    def told(self, repeats: int) -> str:
        """What was understood, told before anything runs; "" where nothing is worth telling."""
        if not (self.is_table or self.reading.is_careful):
            return ""
        return self.reading.sentence(some(len(self.ids), "ticket number"), repeats)

    def add(self, cell: str, found: Found) -> None:
        if found.how:
            self.reading.count(cell, found)
        for number in found.numbers:
            self.append(number)

    def append(self, number: int) -> None:
        self.ids.append(number)
        if len(self.ids) > settings.JOB_TICKET_LIMIT:
            raise ValidationError(
                f"More than {settings.JOB_TICKET_LIMIT:,} ticket numbers were given, the most that one "
                "job may have here. Give fewer at a time, or raise JOB_TICKET_LIMIT.",
                code="too_many",
            )

    def refuse(self, line: int, word: str, odd: NoNumber) -> None:
        """Note a word that is no number; raises `Refused` where it may be one of two."""
        if odd.is_doubtful:
            raise Refused(f"Line {line:,}: {odd.why}", code="doubtful")
        self.unreadable_count += 1
        if len(self.unreadable) < MOST_NAMED:
            self.unreadable.append(UnreadableWord(line, word, odd.why))


def read(given: Given) -> TicketIds:
    """All ticket numbers of a file or a text.

    Raises `Unclear` where a person has to say which column is meant, `Refused` for what is no list of
    numbers, `ValidationError` for more than one job may have. Other words are named by `TicketIds.problem`.
    """
    table = open_table(given, IDS)
    if not table.head:
        if given.is_typed:
            return TicketIds()
        raise Refused(EMPTY, code="empty")
    if table.layout is None:
        _check_query(table.head)
    if table.layout is None and (_has_unknown_header(table, given) or not _is_list(table, given)):
        unclear = layouts.nothing_known(table.head, IDS)
        table.layout = known_before(table, given, unclear)
    found = TicketIds(reading=Reading.of(table, given.name), is_table=bool(given.name or table.layout))
    if table.layout is not None:
        _read_column(table, table.layout, found)
        if not found.ids and not found.unreadable:
            raise Refused("The table holds a header and no ticket numbers.", code="no_number")
    elif table.workbook is not None:
        _read_cells(table, found)
    else:
        _read_words(table, found)
    if table.layout is None:
        _check_sum(found.ids)
    return found


def _check_sum(ids: array[int]) -> None:
    """The last number of a list may be the sum of the others."""
    if len(ids) > 2 and ids[-1] > ids[0] and min(ids) >= _LEAST_OF_A_SUM and 2 * ids[-1] == sum(ids):
        raise Refused(
            f"The last number, {ids[-1]}, is the sum of those above it, so it may be no ticket. Delete it, "
            "or move it up if it is one.",
            "doubtful",
        )


def _check_query(head: Sequence[Row]) -> None:
    """The other numbers of a query, such as its limit, are no tickets."""
    if _QUERY.search("\n".join(",".join(cells) for _, cells in head)):
        raise Refused(
            "This is a query of a database. Give its ticket numbers alone, as in 40214, 40215.", code="query"
        )


def _has_unknown_header(table: Table, given: Given) -> bool:
    """Whether a name stands alone above numbers, as in "Nummer", and may be the header or a stray word."""
    (_, first), *others = table.head
    name = "".join(first)
    if given.answers.leave_out or not others or max(sum(map(bool, row)) for _, row in table.head) != 1:
        return False
    return (
        not any(char.isdigit() for char in name)
        and any(char.isalpha() for char in name)
        and not is_total(name)
        and _are_numbers([(line, cell) for line, row in others for cell in row if cell])
    )


def _is_list(table: Table, given: Given) -> bool:
    """Whether there are ticket numbers alone, without a header."""
    if len(table.head) == 1 and len(table.head[0][1][0]) > 1000:
        return True  # one line without an end
    head = [
        (line, [row[0]] if table.separator == "," and DECIMAL_COMMA.fullmatch(",".join(row)) else row)
        for line, row in table.head
    ]
    cells = [(line, cell) for line, row in head for cell in row if cell]
    is_single = max(sum(map(bool, row)) for _, row in head) == 1
    if given.is_typed:
        if is_single and _are_counted(cells):
            raise _numbered(cells[0][0])
        if layouts.is_grid_with_counter(table.head) and table.separator == "\t":
            return False
        return is_single or _are_numbers(cells) or not _looks_like_a_table(table)
    if is_single and _are_counted(cells):
        raise _numbered(cells[0][0])
    if (is_single and table.workbook is None) or _are_numbers(cells):
        _check_blanks(cells)
        return not layouts.is_grid_with_counter(table.head)
    return False


def _looks_like_a_table(table: Table) -> bool:
    """Whether a text has columns, and is no list with words among its numbers."""
    if table.separator == "\t":
        return True
    widths = {sum(map(bool, row)) for _, row in table.head}
    first = table.head[0][1]
    is_named = not any(isinstance(ticket_numbers.read(cell), Found) for cell in first if cell)
    if len(widths) != 1 or len(table.head) < 2:
        return False
    return is_named or _has_other_column(table)


def _has_other_column(table: Table) -> bool:
    """Whether one column holds numbers alone, and another none, as in #8,b."""
    columns = [
        {isinstance(ticket_numbers.read(cell), Found) if cell else None for cell in column}
        for column in zip(*(row for _, row in table.head), strict=False)
    ]
    return {True} in columns and {False} in columns


def _are_numbers(cells: Sequence[tuple[int, str]]) -> bool:
    read = [ticket_numbers.read(cell) for _, cell in cells]
    return not [one for one in read if isinstance(one, NoNumber) and not one.is_doubtful]


def _are_counted(cells: Sequence[tuple[int, str]]) -> bool:
    """Whether a list may count its lines, as 1.123, 2.124 or 1 123, 2 124 do, or each second line."""
    for mark in (".", " "):
        parts = [cell.split(mark) for _, cell in cells]
        if len(parts) > 1 and all(len(part) == 2 for part in parts) and _is_count([one for one, _ in parts]):
            return True
    return len(cells) > 4 and _is_count([cell for _, cell in cells[::2]])


def _is_count(words: Sequence[str]) -> bool:
    return list(words) == [str(number) for number in range(1, len(words) + 1)]


def _check_blanks(cells: Sequence[tuple[int, str]]) -> None:
    """In a file, 40 214 may be a number with a blank between its thousands, as in France."""
    for line, cell in cells:
        if ticket_numbers.is_grouped_by_blanks(cell):
            odd = ticket_numbers.read(cell)
            assert isinstance(odd, NoNumber)
            raise Refused(f"Line {line:,}: {odd.why}", code="doubtful")


def _read_column(table: Table, layout: Layout, found: TicketIds) -> None:
    place = layout.roles[ID]
    # Under Zendesk Ticket IDs a comma may part two numbers.
    is_of_several = plain(layout.name(ID)).endswith(("ids", "tickets", "numbers"))
    reader, append = _Column(place, found, is_of_several=is_of_several), found.append
    for line, cells in table.rows():
        cell = cells[place] if place < len(cells) else ""
        if cell.isascii() and cell.isdigit() and len(cell) < 19 and (number := int(cell)):
            if reader.totals:
                reader.refuse_totals()
            append(number)
            reader.last = line, cells
        else:
            reader.take(line, cells, cell)
    reader.end(table)


class _Column:
    """Takes the cells of a column that are not plain numbers."""

    def __init__(self, place: int, found: TicketIds, *, is_of_several: bool) -> None:
        self.totals: list[Row] = []  # rows of totals, if nothing follows
        self.last: Row = (0, [])  # with a ticket number
        self._place = place
        self._found = found
        self._is_of_several = is_of_several

    def take(self, line: int, cells: list[str], cell: str) -> None:
        found = self._found
        one = ticket_numbers.read(cell) if cell else NoNumber()
        is_total = isinstance(one, NoNumber) and is_totals_row(cells, self._place)
        if self.totals and not is_total:
            self.refuse_totals()
        if self._is_of_several and (joined := ticket_numbers.doubtful_run(cell)):
            one = NoNumber(ticket_numbers.doubt_about_run(cell, joined), is_doubtful=True)
        if isinstance(one, Found):
            found.add(cell, one)
            self.last = line, cells
        elif is_total:
            self.totals.append((line, cells))
        elif not cell:
            found.reading.leave_out(found.reading.blank, line)
        elif any(IDS.is_known(name) for name in cells):
            raise another_table(line)
        else:
            found.refuse(line, cell, one)

    def refuse_totals(self) -> None:
        """Rows of totals that others follow are none."""
        for line, cells in self.totals:
            cell = cells[self._place] if self._place < len(cells) else ""
            if cell:
                self._found.refuse(line, cell, NoNumber())
            else:
                self._found.reading.leave_out(self._found.reading.blank, line)
        self.totals.clear()

    def end(self, table: Table) -> None:
        reading = self._found.reading
        for line, cells in self.totals:
            reading.leave_out(reading.totals, line, next(filter(None, cells)))
        if not self.totals:
            self._check_last(table)

    def _check_last(self, table: Table) -> None:
        """The last row may hold the sum or the count of the numbers above it."""
        found, (line, cells) = self._found, self.last
        words = [cell for at, cell in enumerate(cells) if at != self._place and is_total(cell)]
        if len(found.ids) < 3 - bool(words):
            return
        number, above = found.ids[-1], found.ids[:-1]
        if not words:
            self._check_unlabelled(table, number, above)
            return
        if number not in (len(above), sum(above)):
            raise Refused(
                f"Line {line:,} says {words[0]}, so {number} may be no ticket. Delete the line, or the word.",
                "doubtful",
            )
        found.ids.pop()
        found.reading.leave_out(found.reading.totals, line, words[0])

    def _check_unlabelled(self, table: Table, number: int, above: array[int]) -> None:
        """Without a word for it, the other cells say whether the last row sums up."""
        found, (line, cells) = self._found, self.last
        is_sum = number > above[0] and number == sum(above)
        if not is_sum and number != len(above):
            return
        others = [cell for at, cell in enumerate(cells) if at != self._place and cell]
        if others:
            summed = last_row.sums_up(table, line, cells)
        else:
            summed = PERHAPS if is_sum and min(above) >= _LEAST_OF_A_SUM else NO
        # A number in the range of the others may be a ticket, and its cells may add up by chance.
        is_apart = min(above) >= _LEAST_OF_A_SUM if is_sum else number < min(above)
        if summed == PERHAPS or (summed == YES and not is_apart):
            what = "sum" if is_sum else "number"
            raise Refused(
                f"Line {line:,}: {number} is the {what} of those above it, so it may be no ticket. Delete "
                "the line, or move it up if it is one.",
                "doubtful",
            )
        if summed != NO:
            found.ids.pop()
            found.reading.leave_out(found.reading.totals, line, "sums")


def another_table(line: int) -> Refused:
    return Refused(
        f"Line {line:,} names columns again, so another table begins there. Give it as a file of its own.",
        code="another_table",
    )


def _numbered(line: int) -> Refused:
    return Refused(
        f"Line {line:,} begins with a number that may only count the lines of the list. Take such numbers "
        "out, so that ticket numbers alone are left.",
        code="doubtful",
    )


def _read_cells(table: Table, found: TicketIds) -> None:
    """Every cell of a sheet without a header."""
    for line, cells in table.rows():
        for cell in filter(None, cells):
            one = ticket_numbers.read(cell)
            if isinstance(one, Found):
                found.add(cell, one)
            else:
                found.refuse(line, cell, one)


def _read_words(table: Table, found: TicketIds) -> None:
    assert table.text is not None
    reader = _Words(found)
    for line, word, is_quoted in words(table.text):
        if word.isascii() and word.isdigit() and len(word) < 19 and (number := int(word)):
            reader.take_number(line, number)
        else:
            for part, one in _numbers(word, is_quoted=is_quoted):
                reader.take(line, part, one)
    reader.end()


class _Words:
    """Takes the words of a list one after the other, and knows rows of totals and headers among them."""

    def __init__(self, found: TicketIds) -> None:
        self._found = found
        self._totals: list[tuple[int, str]] = []
        self._line = 0  # of the last number
        self._header = 0  # a line with a word of a header
        self._bullet = 0  # a line that begins with a bullet
        self._counter = 0  # a line that begins with something like "1."

    def take_number(self, line: int, number: int) -> None:
        if line == self._counter:
            raise _numbered(line)
        if not self._is_in_totals(line):
            self._found.append(number)
            self._line = line

    def take(self, line: int, word: str, one: Found | NoNumber) -> None:
        found = self._found
        if word in _BULLETS and line not in (self._line, self._bullet):
            self._bullet = line
            return
        if self._header not in (0, line, self._line):
            raise another_table(self._header)
        if isinstance(one, Found):
            if line == self._counter:
                raise _numbered(line)
            if line != self._line and _COUNTER.fullmatch(word):
                self._counter = line
            if not self._is_in_totals(line):
                found.add(word, one)
                self._line = line
        elif is_total(word) and not one.why and found.ids:
            self._totals.append((line, word))
        else:
            if IDS.is_known(word) and (found.ids or (found.unreadable and found.unreadable[0].line < line)):
                self._header = line
            found.refuse(line, word, one)

    def end(self) -> None:
        found = self._found
        if self._header not in (0, self._line):
            raise another_table(self._header)
        last_odd = found.unreadable[-1].line if found.unreadable else 0
        for line, word in self._totals:
            if line < max(self._line, last_odd):
                found.refuse(line, word, NoNumber())
            else:
                found.reading.leave_out(found.reading.totals, line, word)

    def _is_in_totals(self, line: int) -> bool:
        """Whether a number stands in the row of totals: it is their count, or their sum."""
        return bool(self._totals) and self._totals[-1][0] == line


def _numbers(word: str, *, is_quoted: bool) -> Iterator[tuple[str, Found | NoNumber]]:
    """What a word of a list holds: in quotes a number as a cell has it, else numbers that commas part."""
    if word in {"#", "="}:
        return
    if is_quoted or _WITH_CENTS.fullmatch(word):
        yield word, ticket_numbers.read(word)
        return
    if DECIMAL_COMMA.fullmatch(word):
        yield word, Found((int(word.partition(",")[0]),), ticket_numbers.DECIMALS)
        return
    if joined := ticket_numbers.doubtful_run(word):
        yield word, NoNumber(ticket_numbers.doubt_about_run(word, joined), is_doubtful=True)
        return
    for part in word.split(","):
        if part:
            yield part, ticket_numbers.read(part)
