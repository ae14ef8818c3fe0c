"""A table whose beginning and columns are known, whatever it came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from tagmanager.intake.tables import encodings, kinds, layouts, remembered, ticket_numbers
from tagmanager.intake.tables.encodings import Encoding
from tagmanager.intake.tables.given import Given
from tagmanager.intake.tables.headers import ID, IDS, Use, is_total
from tagmanager.intake.tables.layouts import HEAD_ROWS, Layout
from tagmanager.intake.tables.problems import Refused, Unclear, shortened
from tagmanager.intake.tables.text import NONE, Row, Text
from tagmanager.intake.tables.workbooks import OddCell, Workbook

SEPARATORS = (",", ";", "\t", "|")
#: Characters in which the first line of a list of numbers has to end, or else it is read as a stream.
FIRST_LINE = 65_536
#: A first line of Excel that names the separator of the cells: sep=;
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w\s"]|\t)"?', re.IGNORECASE)
_ODD = {
    "date": "a date. Format the cell as text, and type it again",
    "error": "an error of the spreadsheet. Correct its formula, or delete it",
    "formula": "a formula without its result. Open the file in a spreadsheet, and save it again",
}
#: A line that only draws a table, as in Markdown, psql and MySQL: |---|:--:|, ----+----.
_RULE = re.compile(r"[|+:=\s-]*-{3}[|+:=\s-]*")
#: What psql, MySQL and sqlcmd write below a table.
_FOOTER = re.compile(r"\(?\d[\d,.]* rows?(?: in set(?: \([\d.]+ sec\))?| affected)?[.)]?", re.IGNORECASE)
#: Errors of spreadsheets as they come into a text: #N/A, #REF!, #BEZUG!, #NAME?
_ERROR = re.compile(r"#(?:N/?[AVD]|¡?[A-ZÄÖÜÉÍÓÑ]{3,}[A-ZÄÖÜÉÍÓÑ/0-9 ]*[!?]|DIV/0!?|[A-Z]{2,}/0!)")


@dataclass(slots=True)
class Table:
    """Rows with their columns. Without a `layout` nothing names the columns."""

    use: Use
    head: Sequence[Row]
    layout: Layout | None = None
    text: Text | None = None
    workbook: Workbook | None = None
    separator: str = ","
    skip: int = 0  # lines before the table, such as sep=;
    _given: Given | None = field(default=None, repr=False)
    _rest: Iterator[Row] = field(default_factory=lambda: iter(()), repr=False)

    @property
    def encoding(self) -> Encoding | None:
        return self.text.encoding if self.text else None

    def rows(self) -> Iterator[Row]:
        """The rows of data that are not empty, each with its line; raises `Refused` at one that does not fit.

        A workbook's can be read once.
        """
        layout = self.layout
        first = layout.line if layout else 0
        width = layout.width if layout else 0
        for line, cells in self._all_rows():
            if line <= first:
                continue
            if width and len(cells) > width and any(cells[width:]):
                raise self._misshapen(line, cells)
            yield line, cells

    @property
    def has_rule(self) -> bool:
        """Whether a rule below the first row says that it names the columns."""
        if self.text is None:
            return False
        first_two = list(islice(self.text.rows(self.separator, self.skip), 2))
        return len(list(_without_drawing(iter(first_two)))) < len(first_two)

    def rows_again(self) -> Iterator[Row]:
        """The rows of data once more, unchecked; of a workbook too."""
        first = self.layout.line if self.layout else 0
        if self.workbook is None:
            rows = self._all_rows()
        else:
            assert self._given is not None
            rows = Workbook(self._given.content, self._given.answers.sheet).rows()
        return ((line, cells) for line, cells in rows if line > first)

    def _all_rows(self) -> Iterator[Row]:
        if self.text is not None:
            return _without_drawing(self.text.rows(self.separator, self.skip))
        return self._workbook_rows()

    def _workbook_rows(self) -> Iterator[Row]:
        roles = self.layout.roles if self.layout else {}
        used = {place: role for role, place in roles.items()}
        for line, cells in chain(self.head, self._rest):
            self._check_merged(line, used)
            for place, role in used.items():
                if place < len(cells) and isinstance(cell := cells[place], OddCell):
                    raise odd_cell(line, role, cell)
            if self.layout is None:
                for place, cell in enumerate(cells):
                    if isinstance(cell, OddCell):
                        raise odd_cell(line, chr(ord("A") + place) if place < 26 else "last", cell)
            yield line, cells

    def _check_merged(self, line: int, used: dict[int, str]) -> None:
        """A merged cell shows its value on several rows, and holds it on the first alone."""
        assert self.workbook is not None
        if self.layout is None or line <= self.layout.line:
            return
        for top, left, bottom, right in self.workbook.merged:
            if top + 1 <= line <= bottom + 1 and [place for place in used if left <= place <= right]:
                raise Refused(
                    f"Line {line:,} has merged cells, so which row they belong to is not clear. Unmerge "
                    "them, and "
                    "fill in each row."
                )

    def _misshapen(self, line: int, cells: Sequence[str]) -> Refused:
        layout, number = self.layout, max(place for place, cell in enumerate(cells, 1) if cell)
        assert layout is not None
        than = f"the header {layout.width}" if layout.line else f"those before {layout.width}"
        said = f"Line {line:,} has {number} cells, {than}."
        if self.separator == "," and ID in layout.roles:
            place, more = layout.roles[ID], number - layout.width
            run = ",".join(cells[place : place + more + 1])
            if ticket_numbers.DECIMAL_COMMA.fullmatch(run):
                return Refused(
                    f"{said} {run} seems to be {cells[place]} with a decimal comma. Write the number without "
                    "decimals, or save the table with semicolons.",
                    code="shape",
                )
            if joined := ticket_numbers.doubtful_run(run):
                parts = ticket_numbers.joined_words(run.split(","))
                return Refused(
                    f"Line {line:,}: did you mean {joined}, or {parts}? It has {number} cells, {than}. "
                    "Write the "
                    "number without the comma, or put quotes around it.",
                    code="doubtful",
                )
        return Refused(
            f"{said} Put quotes around a cell that holds the separator, or take the cell out.", code="shape"
        )


def odd_cell(line: int, role: str, cell: OddCell) -> Refused:
    shown = f" ({cell})" if cell else ""
    return Refused(f"Line {line:,}: the {role} cell holds {_ODD[cell.what]}{shown}.", code="odd")


def is_error(cell: str) -> bool:
    """Whether a cell is what a spreadsheet shows instead of a result: #N/A, #REF!."""
    return cell.startswith("#") and bool(_ERROR.fullmatch(cell))


def is_totals_row(cells: Sequence[str], place: int) -> bool:
    """Whether a row without a ticket number in this column says that it sums up the others."""
    first = next((cell for cell in cells if cell), "")
    return is_total(cells[place]) if place < len(cells) and cells[place] else is_total(first)


def open_table(given: Given, use: Use) -> Table:
    """The table in a file or a text.

    Raises `Unclear` where a person has to say which columns or which sheet, `Refused` where it cannot be
    used. Where `use` has plain rows, `layout` may be None: no header is known.
    """
    if kinds.kind_of(given.content) == kinds.WORKBOOK:
        if given.is_typed:
            raise Refused("This is no text.")
        table = _of_workbook(given, use)
    else:
        table = _of_text(given, use)
    if not table.head:
        return table
    try:
        table.layout = layouts.find(table.head, use, given.answers)
        if table.layout is None and not use.has_plain_rows:
            raise layouts.nothing_known(table.head, use)
    except Unclear as unclear:
        table.layout = known_before(table, given, unclear)
    if table.layout is not None and table.layout.is_chosen and given.answers.may_remember:
        remembered.remember(layouts.digest(use, table.layout.names), table.layout.roles)
    return table


def known_before(table: Table, given: Given, unclear: Unclear) -> Layout:
    """What was chosen for a table with the same header; raises the question where nothing was."""
    answers = given.answers
    if answers.may_remember and not (answers.by_place or answers.named):
        digests = [layouts.digest(table.use, cells) for _, cells in table.head]
        digest, roles = remembered.find(digests)
        if roles:
            return layouts.with_roles(table.head, digests.index(digest), roles)
    raise unclear


def _of_workbook(given: Given, use: Use) -> Table:
    workbook = Workbook(given.content, given.answers.sheet)
    rest = workbook.rows()
    return Table(use, list(islice(rest, HEAD_ROWS)), workbook=workbook, _given=given, _rest=rest)


def _of_text(given: Given, use: Use) -> Table:
    text = Text(given.content, encodings.find(given.content))
    start = next(text.chunks(FIRST_LINE), "")
    if use is IDS and len(start) == FIRST_LINE and not re.search(r"[\r\n]", start):
        return Table(use, [(1, [start])], text=text, separator=NONE)
    skip, named = _separator_line(start)
    if named:
        head, problem = _head(text, named, skip)
        if not head and problem:
            raise problem
        return Table(use, head, text=text, separator=named, skip=skip)
    heads = {separator: _head(text, separator, 0) for separator in SEPARATORS}
    readable = {separator: head for separator, (head, _) in heads.items() if head}
    if not readable:
        problem = heads[","][1]
        if problem is not None:
            raise problem
        return Table(use, [], text=text)
    best = max(readable, key=lambda separator: _score(readable[separator], use, given))
    return Table(use, readable[best], text=text, separator=best)


def _separator_line(start: str) -> tuple[int, str]:
    """How many lines to pass over for a line such as sep=;, and what it names; (0, "") without one."""
    for number, line in enumerate(start.splitlines()[:HEAD_ROWS], 1):
        if line.strip(" \ufeff"):
            found = _SEPARATOR_LINE.fullmatch(line.strip(" \ufeff"))
            return (number, found[1]) if found else (0, "")
    return 0, ""


def _head(text: Text, separator: str, skip: int) -> tuple[list[Row], Refused | None]:
    rows: list[Row] = []
    try:
        for row in islice(_without_drawing(text.rows(separator, skip)), HEAD_ROWS):
            rows.append(row)  # noqa: PERF402 - those before a problem are kept
    except Refused as problem:
        return rows, problem
    return rows, None


def _without_drawing(rows: Iterator[Row]) -> Iterator[Row]:
    """Rows without the rules of a drawn table, and without the number of rows below it."""
    is_drawn, above = False, 0
    for line, cells in rows:
        first = cells[0] or next(filter(None, cells))
        # Further down a rule may part the rows from their sum. MySQL's begins with a plus.
        is_rule = first.startswith("+") or (above == 1 and first.startswith(("-", ":", "=")))
        if is_rule and _RULE.fullmatch("|".join(cells)):
            is_drawn = True
        elif not (is_drawn and _FOOTER.fullmatch(first) and sum(map(bool, cells)) == 1):
            above += 1
            yield line, cells


def _score(head: Sequence[Row], use: Use, given: Given) -> tuple[int, int, int]:
    """How well a separator fits: a header that is known, many rows of one width, and wide ones."""
    row = layouts.header_row(head, use)
    is_known = row is not None or layouts.has_named(head, given.answers)
    widths = [max((place for place, cell in enumerate(cells, 1) if cell), default=0) for _, cells in head]
    if row is not None:
        return (1 + len(use.columns(head[row][1])), sum(widths), 0)
    several = [width for width in widths if width > 1]
    usual = max(set(several), key=several.count) if several else 1
    return (int(is_known), several.count(usual), usual)


def describe(line: int, cells: Sequence[str]) -> str:
    return f"line {line:,} ({shortened(next((cell for cell in cells if cell), 'empty'))})"
