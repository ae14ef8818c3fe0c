"""Ticket numbers as people give them, pasted or in a file, mixed with words that are not numbers."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError

from jobs.input import typed_number
from tagmanager.intake import csv_rows

#: What exports of this project, of Zendesk and of Explore call the column with the ticket number.
ID_COLUMNS = ("id", "ticket_id", "ticket id", "ticket", "ticket number", "#")
BETWEEN_IDS = re.compile(r"[\s,;]+")
#: How many of the words that are not ticket numbers an error names.
MOST_NAMED = 10
#: Characters of a word in an error.
LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class UnreadableWord:
    """A word among ticket numbers that is not one."""

    line: int
    word: str

    def __str__(self) -> str:
        if not self.word:
            return "nothing"
        return repr(self.word if len(self.word) <= LONGEST_SHOWN else self.word[:LONGEST_SHOWN] + "…")


@dataclass(frozen=True, slots=True)
class TicketIds:
    """The numbers in the order given; one may occur again."""

    ids: array[int]  # a list of a million would take eight times the memory
    unreadable: list[UnreadableWord]  # the first `MOST_NAMED`
    unreadable_count: int

    @property
    def problem(self) -> str:
        """A sentence that names each word that is not a ticket number, with its line; "" when all are."""
        if not self.unreadable:
            return ""
        hint = "Ticket numbers are whole numbers such as 4711, separated by commas, spaces or line breaks."
        if self.unreadable_count == 1:
            only = self.unreadable[0]
            what = f"Line {only.line}: {only} is" if only.word else f"Line {only.line} is empty, which is"
            return f"{what} not a ticket number. {hint}"
        named = ", ".join(f"{one} (line {one.line})" for one in self.unreadable)
        more = self.unreadable_count - len(self.unreadable)
        named += f", and {more:,} more" if more else ""
        return f"{self.unreadable_count:,} are not ticket numbers: {named}. {hint}"

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


def words_in(text: str) -> Iterator[tuple[int, str]]:
    """The words of a text and the lines that they stand on."""
    for number, line in enumerate(text.splitlines(), 1):
        for word in BETWEEN_IDS.split(line):
            if word:
                yield number, word


def words_in_file(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The cells of a file that should hold numbers, with their lines: CSV with a column `id`, or one a line.

    Reads a stream, so a million lines need no memory. Raises `ValidationError` where there is no such column
    or the text is not CSV.
    """
    rows = csv_rows.read_rows(lines)
    number, first = next(rows, (0, []))
    if not first:
        raise ValidationError("The file is empty. Give ticket numbers, one a line, or CSV with a column id.")
    names = [cell.lower() for cell in first]
    column = next((names.index(name) for name in ID_COLUMNS if name in names), None)
    if column is None:
        if len(names) > 1:
            known = ", ".join(ID_COLUMNS[:-1])
            raise ValidationError(
                f"No column of the file has a name that stands for ticket numbers; its first line names "
                f"{_shortened(', '.join(names))}. Call the column with the ticket numbers by one of these "
                f"names: {known} or {ID_COLUMNS[-1]}.",
                code="no_column",
            )
        yield number, first[0]
        column = 0
    for number, cells in rows:
        yield number, cells[column] if column < len(cells) else ""


def read(words: Iterable[tuple[int, str]]) -> TicketIds:
    """All numbers among the words; raises `ValidationError` for more than one job may have."""
    ids, unreadable, count = array("q"), list[UnreadableWord](), 0
    for line, word in words:
        number = ticket_number(word)
        if number is not None:
            ids.append(number)
            if len(ids) > settings.JOB_TICKET_LIMIT:
                raise ValidationError(
                    f"More than {settings.JOB_TICKET_LIMIT:,} ticket numbers were given, the most that one "
                    "job may have here. Give fewer at a time, or raise JOB_TICKET_LIMIT.",
                    code="too_many",
                )
        else:
            count += 1
            if len(unreadable) < MOST_NAMED:
                unreadable.append(UnreadableWord(line, word))
    return TicketIds(ids, unreadable, count)


def ticket_number(word: str) -> int | None:
    """The number, with or without a leading "#", because people paste "#4711"; None for any other word."""
    return typed_number(word, least=1)


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
