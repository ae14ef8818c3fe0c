"""Lines and rows of a text, with the numbers that an editor shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import IO, BinaryIO, cast

from tagmanager.intake.tables.encodings import Encoding
from tagmanager.intake.tables.problems import Refused

#: The most characters of one line of a table, and of one cell.
LONGEST_LINE, LONGEST_CELL = 1_000_000, 65_536
#: Stands for "no separator": a character that no text holds.
NONE = "\x1f"

Row = tuple[int, list[str]]


class Text:
    """A text that can be read several times, always as a stream."""

    def __init__(self, content: IO[bytes], encoding: Encoding) -> None:
        self._content = content
        self.encoding = encoding

    def chunks(self, size: int) -> Iterator[str]:
        """Pieces of up to `size` characters."""
        yield from self._read(lambda text: text.read(size))

    def lines(self) -> Iterator[str]:
        """The lines with their breaks, of whatever system; raises `Refused` at one that is too long."""
        for number, line in enumerate(self._read(lambda text: text.readline(LONGEST_LINE + 1)), 1):
            if len(line) > LONGEST_LINE:
                raise Refused(
                    f"Line {number:,} is longer than {LONGEST_LINE:,} characters, so this is no table. "
                    "Check the line "
                    "breaks and the separator, and save it again."
                )
            if line.startswith("\x1a"):  # the end of a text of DOS
                return
            yield line

    def _read(self, read: Callable[[IO[str]], str]) -> Iterator[str]:
        self._content.seek(0)
        text = io.TextIOWrapper(cast("BinaryIO", self._content), encoding=self.encoding.name, newline="")
        try:
            yield from iter(partial(read, text), "")
        finally:
            # The content stays open for those who come after. A reader that an exception kept alive is
            # collected late, when the content may be closed already.
            with suppress(ValueError):
                text.detach()

    def rows(self, separator: str, skip: int = 0) -> Iterator[Row]:
        """The rows that are not empty, each with the line on which it begins, from line `skip` + 1 on.

        Raises `Refused` with the line where quotes or sizes make no sense.
        """
        lines = _Lines(islice(self.lines(), skip, None))
        reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
        while True:
            start = reader.line_num
            lines.longest = 0
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                raise self._refusal(
                    str(problem), separator, skip + start, skip + reader.line_num
                ) from problem
            if lines.longest > LONGEST_CELL or reader.line_num - start > 1:
                _check_size(cells, skip + start + 1)
            cells = [cell.strip() for cell in cells]
            if any(cells):
                yield skip + start + 1, cells

    def _refusal(self, problem: str, separator: str, before: int, end: int) -> Refused:
        opened = self._line_of_open_quote(separator, before)
        if "field limit" in problem:
            if opened:
                return Refused(
                    f"A quote opened in line {opened:,} is never closed: its cell goes on for over 64 kB."
                )
            return _too_large(before + 1)
        if "unexpected end" in problem:
            return Refused(
                f"A quote opened in line {opened or before + 1:,} is never closed. Close it, or save the "
                "table again."
            )
        if end > before + 1:
            return Refused(
                f"A quote opened in line {before + 1:,} is never closed where its cell ends: it runs into a "
                "quote in "
                f"line {end:,}. Check the quotes of these lines."
            )
        return Refused(f"In line {end:,} something follows a closing quote. Check the quotes of this line.")

    def _line_of_open_quote(self, separator: str, before: int) -> int:
        """The line of the quote that is still open at the end, reading from after line `before`; 0: none."""
        opened, fresh, read = 0, True, 0
        for number, line in enumerate(islice(self.lines(), before, None), before + 1):
            place = 0
            while place < len(line):
                char = line[place]
                if opened and line.startswith('""', place):
                    place += 1
                elif char == '"' and (opened or fresh):
                    opened, fresh = (0, False) if opened else (number, False)
                elif not opened:
                    fresh = char in (separator, "\n", "\r") or (fresh and char == " ")
                place += 1
            read += len(line)
            if read > 4 * LONGEST_CELL:
                break
        return opened


class _Lines:
    """Lines for the reader, with the length of the longest since it was asked."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.longest = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.longest = max(self.longest, len(line))
        return line


def _check_size(cells: list[str], line: int) -> None:
    if max(map(len, cells), default=0) > LONGEST_CELL:
        raise _too_large(line)


def _too_large(line: int) -> Refused:
    return Refused(f"A cell in line {line:,} is larger than 64 kB, so this is no table of tickets or tags.")
