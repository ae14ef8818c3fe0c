"""Ticket numbers as people give them: pasted, or in a file, with all that is mixed up among them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError

from jobs.input import typed_number
from tagmanager.intake import csv_rows

#: Names of the column with the ticket's number, as exports of ours, of Zendesk and of Explore call it.
ID_COLUMNS = ("id", "ticket_id", "ticket id", "ticket", "ticket number", "#")
BETWEEN_IDS = re.compile(r"[\s,;]+")
#: So many of the words that are no ticket numbers are named.
MOST_NAMED = 10
LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class UnreadableWord:
    """Something among ticket numbers that is none."""

    line: int
    word: str

    def __str__(self) -> str:
        if not self.word:
            return "nothing"
        return repr(self.word if len(self.word) <= LONGEST_SHOWN else self.word[:LONGEST_SHOWN] + "…")


@dataclass(frozen=True, slots=True)
class TicketIds:
    """What was given, in its order; a number may occur again."""

    ids: array[int]  # packed: a million as Python's own would take eight times the room
    odd: list[UnreadableWord]  # the first ten
    odd_count: int

    @property
    def problem(self) -> str:
        """A sentence that names what is no ticket number, with its line; "" when all are."""
        if not self.odd:
            return ""
        hint = "Ticket numbers are whole numbers such as 4711, separated by commas, spaces or line breaks."
        if self.odd_count == 1:
            odd = self.odd[0]
            what = f"Line {odd.line}: {odd} is" if odd.word else f"Line {odd.line} is empty, which is"
            return f"{what} not a ticket number. {hint}"
        named = ", ".join(f"{odd} (line {odd.line})" for odd in self.odd)
        more = self.odd_count - len(self.odd)
        named += f", and {more:,} more" if more else ""
        return f"{self.odd_count:,} are not ticket numbers: {named}. {hint}"

    @property
    def left_out(self) -> str:
        """The same, once a person has said to go on without them."""
        if not self.odd_count:
            return ""
        what = (
            "1 word that is no ticket number was"
            if self.odd_count == 1
            else (f"{self.odd_count:,} words that are no ticket numbers were")
        )
        return f"{what} left out."


def words_in(text: str) -> Iterator[tuple[int, str]]:
    """The words of a text and the lines that they stand on."""
    for number, line in enumerate(text.splitlines(), 1):
        for word in BETWEEN_IDS.split(line):
            if word:
                yield number, word


def words_in_file(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The words of a file where numbers are due, with their lines: CSV with a column `id`, or one a line.

    Read as a stream, so that a million lines need no memory. Raises `ValidationError` when it finds no such
    column, or no CSV.
    """
    rows = csv_rows.rows(lines)
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
    """Take all in; raises `ValidationError` where there are more numbers than a job may have."""
    ids, odd, odd_count = array("q"), list[UnreadableWord](), 0
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
            odd_count += 1
            if len(odd) < MOST_NAMED:
                odd.append(UnreadableWord(line, word))
    return TicketIds(ids, odd, odd_count)


def ticket_number(word: str) -> int | None:
    """The number, with or without a leading "#", because people paste "#4711"; None when it is none."""
    return typed_number(word, least=1)


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
