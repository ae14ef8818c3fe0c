"""What was understood of a table, as a person reads it before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from jobs.common.formatting import some
from tagmanager.intake.tables.problems import shortened
from tagmanager.intake.tables.table import Table
from tagmanager.intake.tables.ticket_numbers import ADDRESS, DECIMALS, SEVERAL, THOUSANDS, Found, joined_words

#: How many lines are named of those left out.
MOST_LINES = 3


@dataclass(slots=True)
class LeftOut:
    """Lines that were left out for one reason."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, word: str) -> None:
        self.count += 1
        if len(self.first) < MOST_LINES:
            self.first.append((line, shortened(word, 20)))

    @property
    def lines(self) -> str:
        """ "line 4" or "lines 4, 5, 6 and 12 more"."""
        named = [f"{line:,} ({word})" if word else f"{line:,}" for line, word in self.first]
        if self.count == 1:
            return f"line {named[0]}"
        more = self.count - len(named)
        if more:
            return f"lines {', '.join(named)} and {more:,} more"
        return f"lines {' and '.join(filter(None, (', '.join(named[:-1]), named[-1])))}"


@dataclass(slots=True)
class Reading:
    """How a table was read. It is `careful` where something was interpreted or left out."""

    source: str = ""  # the column, as in "from column Ticket ID"
    remarks: list[str] = field(default_factory=list)  # of the file as a whole
    written: dict[str, tuple[int, str, int]] = field(default_factory=dict)  # how: number of, example, read as
    totals: LeftOut = field(default_factory=LeftOut)
    blank: LeftOut = field(default_factory=LeftOut)
    idle: LeftOut = field(default_factory=LeftOut)
    undecided: LeftOut = field(default_factory=LeftOut)
    bad: LeftOut = field(default_factory=LeftOut)
    is_careful: bool = False

    @classmethod
    def of(cls, table: Table, name: str) -> Reading:
        """What is known once the columns are; `name` is the file's."""
        reading = cls()
        layout = table.layout
        if name:
            reading.source = f" in {name}"
        if layout is not None:
            columns = [layout.name(role) for role in table.use.roles if role in layout.roles]
            reading.source = f" from column{'s' if len(columns) > 1 else ''} {joined_words(columns)}"
            if layout.titles:
                reading.note(f"the header is in line {layout.line:,}, and what is above it was left out")
            if layout.is_remembered:
                reading.note("the columns are those that were chosen before for this header")
        if table.encoding is not None and table.encoding.remark:
            reading.note(table.encoding.remark, is_careful=bool(table.encoding.others))
        workbook = table.workbook
        if workbook is not None:
            if workbook.others:
                reading.note(
                    f"from the sheet {workbook.sheet}, not from {some(workbook.others, 'other sheet')}"
                )
            if workbook.is_hidden:
                reading.note(f"the sheet {workbook.sheet} is hidden")
            if workbook.hidden_rows:
                hidden = some(workbook.hidden_rows, "row")
                were = "was" if workbook.hidden_rows == 1 else "were"
                reading.note(f"{hidden} that the spreadsheet hides {were} read as well")
        return reading

    def note(self, remark: str, *, is_careful: bool = True) -> None:
        self.remarks.append(remark)
        self.is_careful = self.is_careful or is_careful

    def count(self, cell: str, found: Found) -> None:
        """A number that was not written plainly."""
        number, example, read_as = self.written.get(found.how, (0, cell, found.numbers[0]))
        self.written[found.how] = (number + 1, example, read_as)
        self.is_careful = True

    def leave_out(self, lines: LeftOut, line: int, word: str = "") -> None:
        lines.add(line, word)
        self.is_careful = True

    def sentence(self, what: str, repeats: int = 0) -> str:
        """ "1,204 ticket numbers from column Ticket ID; 3 repeat; line 1,206 (Total) left out."."""
        return "; ".join([f"{what}{self.source}", *self._parts(repeats)]) + "."

    def _parts(self, repeats: int) -> Iterable[str]:
        if repeats:
            yield f"{repeats:,} repeat{'s' if repeats == 1 else ''}"
        for how in (THOUSANDS, DECIMALS):
            if how in self.written:
                number, example, read_as = self.written[how]
                were = "was" if number == 1 else "were"
                yield f"{number:,} written as {shortened(example)} {were} read as {read_as}"
        if ADDRESS in self.written:
            yield f"{self.written[ADDRESS][0]:,} taken from addresses of tickets"
        if SEVERAL in self.written:
            yield f"{some(self.written[SEVERAL][0], 'cell')} with several numbers"
        yield from self.remarks
        if self.totals.count:
            yield f"{self.totals.lines} left out"
        for lines, why in (
            (self.blank, "without a ticket number"),
            (self.idle, "with nothing to do"),
            (self.undecided, "without a new tag"),
            (self.bad, "without a usable ticket number"),
        ):
            if lines.count:
                yield f"{some(lines.count, 'row')} {why} left out ({lines.lines})"
